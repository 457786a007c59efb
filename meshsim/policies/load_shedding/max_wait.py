"""Shedding by time in the queue."""

from __future__ import annotations

from meshsim.policies.load_shedding.shedding import LoadShedding, LoadSheddingState
from meshsim.registry import policy
from meshsim.units import Duration


@policy
class MaxWait(LoadShedding):
    """Drop a request that has waited longer than the limit: its caller is about to give up on it.

    Source: Beyer et al., "Site Reliability Engineering", chapter 22, "Addressing cascading failures", load shedding and graceful
    degradation (by time in the queue).
    """

    limit: Duration
    """The longest wait."""

    def build(self, **_: object) -> MaxWaitState:
        """Nothing to begin with."""
        return MaxWaitState(self)


class MaxWaitState(LoadSheddingState):
    """It remembers nothing but its limit."""

    __slots__ = ("limit",)

    def __init__(self, settings: MaxWait) -> None:
        """Nothing has happened."""
        self.limit = settings.limit

    def drop(self, now_ns: int, waited_ns: int, queued: int) -> bool:  # noqa: ARG002
        """Whether it has waited too long."""
        return waited_ns > self.limit
