"""The processor time of services with `cpu`, and how often they stood still for want of quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.policies.summaries import CpuSummary
from meshsim.metrics.rows import groups
from meshsim.plan import NONE
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.plan import Plan
    from meshsim.records import Chunk

COLUMNS = ("used_ns", "throttled_ns", "periods", "throttled_periods")


class Cpus:
    """A sink of cpu, in the measured window."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sums: dict[int, dict[int, np.ndarray]] = {
            number: {} for number, service in enumerate(plan.services) if service.cpu is not None
        }
        """By service and instance: int64, in the order of `COLUMNS`."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of cpu only."""
        if table != "cpu":
            return
        time_ns = chunk["time_ns"]
        is_measured = (time_ns > self._plan.warm_up_ns) & (time_ns <= self._plan.duration_ns)
        for service, of_service in groups(chunk["service"]):
            for instance, rows in groups(chunk["instance"][of_service]):
                measured = of_service[rows][is_measured[of_service[rows]]]
                sums = self._sums[service].setdefault(instance, np.zeros(len(COLUMNS), dtype=np.int64))
                sums += np.asarray([chunk[name][measured].sum() for name in COLUMNS])

    def summaries(self, there_ns: Callable[[int], int]) -> tuple[CpuSummary, ...]:
        """One for each service with `cpu`.

        Args:
            there_ns: How long the replicas of a service were there in the measured window, all together.
        """
        return tuple(self._summary(service, there_ns(service)) for service in self._sums)

    def _summary(self, number: int, there_ns: int) -> CpuSummary:
        cpu = self._plan.services[number].cpu
        assert cpu is not None  # noqa: S101 — only those that have it are looked at
        each = list(self._sums[number].values())
        used_ns, throttled_ns, periods, throttled = (int(one) for one in np.sum(each, axis=0)) if each else (0, 0, 0, 0)
        shares = [_share(int(one[3]), int(one[2])) for one in each]
        used_cores = _share(used_ns, there_ns)
        return CpuSummary(
            service=self._plan.names.services[number],
            requests=None if cpu.requests == NONE else cpu.requests / 1000,
            limits=None if cpu.limits == NONE else cpu.limits / 1000,
            used_cores=used_cores,
            used_share=None if used_cores is None else used_cores / cpu.capacity,
            throttled_share=_share(throttled, periods),
            throttled_s=throttled_ns / NS_PER_S,
            periods=periods,
            throttled_periods=throttled,
            throttled_share_of_worst=max((one for one in shares if one is not None), default=None),
        )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
