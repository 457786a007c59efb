"""The charts of services' processor time, of what their autoscalers did, and of their rollouts, over time: one for each service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts import autoscaling_over_time, cpu_over_time, rollouts_over_time
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
        chart = partial(autoscaling_over_time.autoscaling_over_time, subject.scaling, **of)
        said = autoscaling_over_time.reading(subject.scaling, **of)
        made.append(draw(f"autoscaling-{at}", f"Replicas of {name}", chart, said))
    intro = f"{subject.intro}What each autoscaler saw and asked for at the last look in each interval."
    return Group("autoscaling", "Autoscaling over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further services")


def cpu_group(subject: Subject) -> Group:
    """Processor time and throttling of each service with `cpu`; none where there is none."""
    made = []
    for at, name in enumerate(dict.fromkeys(str(one) for one in subject.cpu["service"])):
        of: dict[str, Any] = {"service": name, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        chart = partial(cpu_over_time.cpu_over_time, subject.cpu, **of)
        made.append(draw(f"cpu-{at}", f"CPU of {name}", chart, cpu_over_time.reading(subject.cpu, **of)))
    intro = f"{subject.intro}Cores used, and how much of the time they stood still because the quota of the limit was used up."
    return Group("cpu", "CPU over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further services")


def rollouts_group(subject: Subject) -> Group:
    """Pods of each service with rollouts; none where there is none."""
    made = []
    for at, name in enumerate(dict.fromkeys(str(one) for one in subject.rollouts["service"])):
        of: dict[str, Any] = {"service": name, "faults": subject.faults, "warm_up_s": subject.warm_up_s}
        chart = partial(rollouts_over_time.rollouts_over_time, subject.rollouts, **of)
        made.append(draw(f"rollouts-{at}", f"Pods of {name}", chart, rollouts_over_time.reading(subject.rollouts, **of)))
    intro = f"{subject.intro}Pods while one version takes another's place: the fewest available, and the most that there are, in each interval."
    return Group("rollouts", "Rollouts over time", intro, made[:MOST_SHOWN], made[MOST_SHOWN:], "Further services")
