"""The charts of connection pools over time, one for each pool of a service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts.connection_pools_over_time import PANELS, connection_pools_over_time, lines, reading
from meshsim.report.charts.panels import ways
from meshsim.report.page.drawings import Group, draw

if TYPE_CHECKING:
    from meshsim.report.page.subject import Subject

MOST_SHOWN = 4
"""Pools in the open: those with most to tell."""


def pools_group(subject: Subject) -> Group:
    """Connections of each pool; none where there is no pool."""
    made = []
    for at, name in enumerate(ways(lines(subject.connection_pools), PANELS)):
        of: dict[str, Any] = {"pool": name, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        chart = partial(connection_pools_over_time, subject.connection_pools, **of)
        made.append(draw(f"pool-{at}", f"Connections of {name}", chart, reading(subject.connection_pools, **of)))
    intro = f"{subject.intro}Connections to databases that transactions hold, and who waits for one."
    return Group("pools", "Connection pools over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further pools")
