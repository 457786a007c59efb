"""The charts of message queues over time, one for each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts.message_queues_over_time import PANELS, lines, message_queues_over_time, reading
from meshsim.report.charts.panels import ways
from meshsim.report.page.drawings import Group, draw

if TYPE_CHECKING:
    from meshsim.report.page.subject import Subject

MOST_SHOWN = 4
"""Queues in the open: those with most to tell."""


def queues_group(subject: Subject) -> Group:
    """Messages of each queue; none where there is no queue."""
    made = []
    for at, name in enumerate(ways(lines(subject.message_queues), PANELS)):
        of: dict[str, Any] = {"queue": name, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        chart = partial(message_queues_over_time, subject.message_queues, **of)
        made.append(draw(f"message-queue-{at}", f"Messages of {name}", chart, reading(subject.message_queues, **of)))
    intro = f"{subject.intro}Messages in queues and streams, and what becomes of them."
    return Group("queues", "Message queues over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further queues")
