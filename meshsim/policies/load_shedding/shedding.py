"""What every load shedding answers."""

from __future__ import annotations

from meshsim.own_policies import State, yes_or_no
from meshsim.registry import Policy, family


class LoadSheddingState(State):
    """Says of a request that has waited whether it is still worth the work. It belongs to one instance."""

    __slots__ = ()

    def drop(self, now_ns: int, waited_ns: int, queued: int) -> bool:
        """Whether the request at the head of the queue is dropped in place of getting the free worker.

        Args:
            now_ns: Time.
            waited_ns: How long it has waited.
            queued: Requests that wait behind it.
        """
        raise NotImplementedError


@family("load_shedding", LoadSheddingState, drop=yes_or_no)
class LoadShedding(Policy):
    """Says which requests an overloaded instance drops. Each instance has a state of its own."""

    def build(self, **_: object) -> LoadSheddingState:
        """One that has dropped nobody."""
        raise NotImplementedError
