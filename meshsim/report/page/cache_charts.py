"""The charts of caches over time, one for each cache of a service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts.caches_over_time import PANELS, caches_over_time, lines, reading
from meshsim.report.charts.panels import ways
from meshsim.report.page.drawings import Group, draw

if TYPE_CHECKING:
    from meshsim.report.page.subject import Subject

MOST_SHOWN = 4
"""Caches in the open: those with most to tell."""


def caches_group(subject: Subject) -> Group:
    """What each cache did; none where there is no cache."""
    made = []
    for at, name in enumerate(ways(lines(subject.caches), PANELS)):
        of: dict[str, Any] = {"cache": name, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        chart = partial(caches_over_time, subject.caches, **of)
        made.append(draw(f"cache-{at}", f"Cache {name}", chart, reading(subject.caches, **of)))
    intro = f"{subject.intro}Look-ups that hit, loads of what is missing, and who waits for another's load."
    return Group("caches", "Caches over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further caches")
