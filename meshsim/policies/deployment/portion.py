"""A number of pods, or percent of the replicas."""

from __future__ import annotations

from typing import NamedTuple


class Portion(NamedTuple):
    """An IntOrString of Kubernetes, such as 2 and `25%`."""

    value: int
    is_percent: bool = False

    def of(self, replicas: int, *, up: bool) -> int:
        """How many pods that is, a part of one rounded up or down.

        Source: Kubernetes, apimachinery/pkg/util/intstr/intstr.go, GetScaledValueFromIntOrPercent.
        """
        if not self.is_percent:
            return self.value
        return -(-self.value * replicas // 100) if up else self.value * replicas // 100

    def __str__(self) -> str:
        return f"{self.value}%" if self.is_percent else str(self.value)
