"""Several tasks at once, and one that waits for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Task
    from meshsim.engines.reference.time.outcome import Outcome


class Gather:
    """Wakes a task when all of its branches have ended."""

    __slots__ = ("_missing", "_task", "outcomes")

    def __init__(self, task: Task, branches: int) -> None:
        self._task = task
        self._missing = branches
        self.outcomes: list[Outcome | None] = [None] * branches

    def take(self, index: int, outcome: Outcome | None) -> None:
        """A branch has ended."""
        self.outcomes[index] = outcome
        self._missing -= 1
        if not self._missing:
            self._task.wake()
