"""The charts of what autoscalers did over time, one for each service that has one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts.autoscaling_over_time import autoscaling_over_time, reading
from meshsim.report.page.drawings import Group, draw

if TYPE_CHECKING:
    from meshsim.report.page.subject import Subject

MOST_SHOWN = 4
"""Services in the open."""


def scaling_group(subject: Subject) -> Group:
    """Replicas of each service that has an autoscaler; none where there is none."""
    made = []
    for at, name in enumerate(dict.fromkeys(str(one) for one in subject.scaling["service"])):
        of: dict[str, Any] = {"service": name, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        chart = partial(autoscaling_over_time, subject.scaling, **of)
        made.append(draw(f"autoscaling-{at}", f"Replicas of {name}", chart, reading(subject.scaling, **of)))
    intro = f"{subject.intro}What each autoscaler saw and asked for at the last look in each interval."
    return Group("autoscaling", "Autoscaling over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further services")
