"""Several tasks at once, and one that waits for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.at_once import end
from meshsim.engines.reference.time.clock import PARK, Cancelled, Interrupted
from meshsim.engines.reference.time.outcome import CALLER_GONE

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps, Task
    from meshsim.engines.reference.time.outcome import Outcome


class Gather:
    """Wakes a task when all of its branches have ended."""

    __slots__ = ("_is_awaited", "_missing", "_task", "outcomes")

    def __init__(self, task: Task, branches: int) -> None:
        self._task = task
        self._missing = branches
        self._is_awaited = False
        self.outcomes: list[Outcome | None] = [None] * branches

    def wait(self, branches: list[Task]) -> Steps:
        """Wait for all of them, which end with whoever waits."""
        if not self._missing:
            return
        self._is_awaited = True
        try:
            yield PARK
        except Interrupted as error:
            for branch in branches:
                branch.on_end = None
                end(branch, Cancelled(error.outcome))
            raise

    def take(self, index: int, outcome: Outcome | None) -> None:
        """A branch has ended."""
        self.outcomes[index] = outcome
        self._missing -= 1
        if self._is_awaited and not self._missing:
            self._task.wake()


class Quorum(Gather):
    """Wakes a task when so many of its branches have ended well (with None), or when so many can no longer do so."""

    __slots__ = ("_needed", "_spare")

    def __init__(self, task: Task, branches: int, need: int) -> None:
        super().__init__(task, branches)
        self._needed = need
        self._spare = branches - need

    @property
    def is_decided(self) -> bool:
        """Whether nothing more has to be waited for."""
        return not self._needed or self._spare < 0

    @property
    def is_reached(self) -> bool:
        """Whether enough have ended well."""
        return not self._needed

    def wait(self, branches: list[Task]) -> Steps:
        """Wait for as many as it takes; the others are given up."""
        if not self.is_decided:
            yield from super().wait(branches)
        for branch in branches:
            branch.on_end = None
            end(branch, Cancelled(CALLER_GONE))

    def take(self, index: int, outcome: Outcome | None) -> None:
        """A branch has ended."""
        if self.is_decided:
            return
        self.outcomes[index] = outcome
        if outcome is None:
            self._needed -= 1
        else:
            self._spare -= 1
        if self._is_awaited and (not self._needed or self._spare < 0):
            self._task.wake()
