"""What a task runs: its steps, and how one of its waits ends early."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshsim.engines.reference.time.outcome import Outcome

PARK = None
"""Yielded by a step that waits until somebody wakes its task."""

Steps = Generator[int | None, Any, Any]
"""What a task runs: yields nanoseconds to sleep, or `PARK`; returns its outcome."""


class Interrupted(Exception):  # noqa: N818 — not an error: how a wait ends early
    """Thrown into a task's wait; what it carries is the outcome of whatever is given up."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class Cancelled(Interrupted):
    """The caller has gone."""


class Overdue(Cancelled):
    """The caller has gone, and has blamed the host for a timeout before."""


class Crashed(Interrupted):
    """The instance has gone."""


class Expired(Interrupted):
    """A timer ran out."""

    def __init__(self, timer: object, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.timer = timer
