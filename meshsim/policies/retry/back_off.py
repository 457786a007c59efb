"""What every back-off answers: how long to wait before a further try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.own_policies import State, whole
from meshsim.registry import Policy, SettingError, family

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

TIMES_THE_BASE = 10
"""What a `max_interval` of 0 stands for, as in Envoy."""


class BackOffState(State):
    """Says how long to wait before a further try. It remembers nothing: what it needs to know it is told."""

    __slots__ = ()

    def wait_ns(self, retry: int, previous_ns: int, draw: Draw) -> int:
        """Nanoseconds to wait before a retry.

        Args:
            retry: Number of the retry, from 1.
            previous_ns: The wait before the retry before; 0 before the first.
            draw: Chance.
        """
        raise NotImplementedError


class GrowingBackOff(BackOffState):
    """A back-off between a base and a longest wait."""

    __slots__ = ("base_interval", "longest_ns")

    def __init__(self, settings: BackOff) -> None:
        """With the settings' intervals."""
        self.base_interval = settings.base_interval
        self.longest_ns = settings.longest_ns
        """The longest wait, ns."""

    def doubled_ns(self, retry: int) -> int:
        """Base x 2^(retry - 1), at most the longest."""
        return min(self.longest_ns, self.base_interval << min(retry - 1, 60))


@family("back_off", BackOffState, wait_ns=whole(0))
class BackOff(Policy):
    """Says how long to wait before a further try."""

    base_interval: int = 25_000_000
    max_interval: int = 0

    def check(self) -> None:
        """Raise `SettingError` where the intervals contradict each other."""
        if self.max_interval and self.max_interval < self.base_interval:
            raise SettingError("max_interval", "must not be below base_interval")

    def build(self, **_: object) -> BackOffState:
        """What a retry asks; one for all that retry."""
        raise NotImplementedError

    @property
    def longest_ns(self) -> int:
        """The longest wait, ns."""
        return self.max_interval or TIMES_THE_BASE * self.base_interval
