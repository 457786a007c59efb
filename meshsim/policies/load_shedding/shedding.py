"""What every load shedding answers."""

from __future__ import annotations

from meshsim.own_policies import State, whole, yes_or_no
from meshsim.registry import Policy, family

NO_LIMIT = -1
"""How long a request may wait that may wait for ever."""


class LoadSheddingState(State):
    """Says of a request that has waited whether it is still worth the work. It belongs to one instance."""

    __slots__ = ()

    def enter(self, now_ns: int, queued: int) -> int:  # noqa: ARG002
        """How long a request that joins the queue may wait, ns, before it is dropped in that instant; `NO_LIMIT` for ever.

        Args:
            now_ns: Time.
            queued: Requests that wait already.
        """
        return NO_LIMIT

    def drop(self, now_ns: int, waited_ns: int, queued: int) -> bool:  # noqa: ARG002
        """Whether the request whose turn it is is dropped in place of getting the free worker.

        Args:
            now_ns: Time.
            waited_ns: How long it has waited.
            queued: Requests that are left in the queue.
        """
        return False


@family("load_shedding", LoadSheddingState, enter=whole(NO_LIMIT, " for no limit"), drop=yes_or_no)
class LoadShedding(Policy):
    """Says which requests an overloaded instance drops. Each instance has a state of its own."""

    def build(self, **_: object) -> LoadSheddingState:
        """One that has dropped nobody."""
        raise NotImplementedError
