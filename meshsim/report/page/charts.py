"""Which charts the report shows of a comparison, of what, and in which order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.report.charts import (
    attempts_over_time,
    forest,
    in_flight_over_time,
    latency_ccdf,
    latency_over_time,
    load_over_time,
    queue_over_time,
    topology,
    utilisation,
    waterfall,
    where_time_goes,
)
from meshsim.report.page.cache_charts import caches_group
from meshsim.report.page.drawings import Drawing, Group, draw
from meshsim.report.page.filter_charts import filters_group
from meshsim.report.page.policy_charts import policies_group
from meshsim.report.page.pool_charts import pools_group
from meshsim.report.page.queue_charts import queues_group
from meshsim.report.page.scaling_charts import cpu_group, rollouts_group, scaling_group
from meshsim.report.page.subject import ALL, Subject

if TYPE_CHECKING:
    import pandas as pd

    from meshsim.experiments.comparison import Comparison

MOST_NARROW = 8
"""Services whose graph is still readable at half the width of the page."""


def forest_group(comparison: Comparison, table: pd.DataFrame) -> Group | None:
    """The paired differences, of a comparison of a few variants."""
    if len(comparison.variants) < 2 or comparison.kind == "sweep" or comparison.replications < 2:
        return None
    one = draw("forest", "Differences to the baseline", partial(forest.forest, table), forest.reading(table))
    return Group("forest", "", "", [one], [])


def slow_group(comparison: Comparison) -> Group | None:
    """One slow request of each variant, the baseline's in the open."""
    spans, made = comparison.spans, []
    for at, name in enumerate(Subject(comparison).variants):
        if len(spans[spans["variant"] == name]):
            chart = partial(waterfall.waterfall, spans, variant=name)
            made.append(draw(f"slow-{at}", name, chart, waterfall.reading(spans, variant=name)))
    if not made:
        return None
    intro = "From the slowest 1 % of the first replication: each row is one attempt, below the one that it was made for."
    return Group("slow", "One slow request", intro, made[:1], made[1:], "The same of the other variants")


def chart_groups(comparison: Comparison) -> list[Group]:
    """The charts by heading; of a run without records or failures those that have nothing to show are left out."""
    subject = Subject(comparison)
    groups = [
        _latency(subject),
        _load(subject),
        _saturation(subject),
        cpu_group(subject),
        scaling_group(subject),
        rollouts_group(subject),
        pools_group(subject),
        queues_group(subject),
        caches_group(subject),
    ]
    groups += [filters_group(subject), policies_group(subject), _where(subject), _topology(subject)]
    return [group for group in groups if group.shown]


def _latency(subject: Subject) -> Group:
    shown: list[Drawing] = []
    more: list[Drawing] = []
    for at, route in enumerate(subject.routes):
        name = f" of {route}" if len(subject.routes) > 1 else ""
        slo: dict[str, Any] = {"route": route, "slo_s": subject.slo_s(route)}
        chart = partial(latency_ccdf.latency_ccdf, subject.latency, **slo)
        place = shown if route in subject.main_routes else more
        place.append(draw(f"ccdf-{at}", f"How long requests{name} take", chart, latency_ccdf.reading(subject.latency, **slo)))
        place.append(
            _over_time(subject, f"latency-{at}", f"p99{name} over time", latency_over_time, subject.timeline, route=route)
        )
    intro = subject.intro + "A point of a line in the first chart: this share of the requests takes longer than this time."
    others = len(subject.routes) - len(subject.main_routes)
    return Group("latency", "Latency", intro, shown, more, "The other route" if others == 1 else f"The other {others} routes")


def _load(subject: Subject) -> Group:
    made = []
    for at, name in enumerate(subject.variants):
        frames = (subject.timeline, subject.errors)
        chart = partial(load_over_time.load_over_time, *frames, variant=name, faults=subject.faults, warm_up_s=subject.warm_up_s)
        said = load_over_time.reading(*frames, variant=name, warm_up_s=subject.warm_up_s)
        made.append(draw(f"load-{at}", name, chart, said))
    intro = (
        subject.intro + "Offered: requests that start. Goodput: requests that end well. Failed requests by their response flags."
    )
    return Group("load", "Load, goodput and errors", intro, made, [])


def _saturation(subject: Subject) -> Group:
    made = []
    services = subject.services
    if (retried := subject.retried) is not None:
        title = f"Attempts and calls of {retried}"
        made.append(_over_time(subject, "attempts", title, attempts_over_time, services, service=retried))
    made.append(_over_time(subject, "in-flight", "Requests in flight", in_flight_over_time, subject.timeline, route=ALL))
    for name in dict.fromkeys(name for name in (subject.queued, subject.busiest) if name is not None):
        title = f"Queue of {name}"
        made.append(_over_time(subject, f"queue-{len(made)}", title, queue_over_time, services, service=name))
    chart = partial(utilisation.utilisation, subject.nodes)
    made.append(draw("utilisation", "Utilisation of the services", chart, utilisation.reading(subject.nodes)))
    intro = (
        f"{subject.intro}Attempts are those of the service with the most for each call; queues those of the service with the longest one "
        "and of the busiest."
    )
    return Group("saturation", "Retries, queues and utilisation", intro, made, [])


def _where(subject: Subject) -> Group:
    made = []
    for by, title in (("stage", "By what it is spent on"), ("service", "By where it is spent")):
        of: dict[str, Any] = {"by": by}
        chart = partial(where_time_goes.where_time_goes, subject.stages, **of)
        made.append(draw(f"where-{by}", title, chart, where_time_goes.reading(subject.stages, **of)))
    more = []
    for at, route in enumerate(subject.main_routes if len(subject.routes) > 1 else ()):
        chart = partial(where_time_goes.where_time_goes, subject.stages, route=route)
        more.append(draw(f"where-route-{at}", route, chart, where_time_goes.reading(subject.stages, route=route)))
    intro = subject.intro + "The slowest 1 % of all requests, each variant's own."
    return Group("where", "Where the time goes", intro, made, more, "The slowest 1 % of single routes")


def _topology(subject: Subject) -> Group:
    made = []
    is_wide = subject.nodes["service"].nunique() > MOST_NARROW
    for at, name in enumerate(subject.variants):
        frames = (subject.edges, subject.nodes)
        chart = partial(topology.topology, *frames, variant=name)
        made.append(draw(f"topology-{at}", name, chart, topology.reading(*frames, variant=name), is_wide=is_wide))
    return Group("topology", "Who calls whom", subject.intro, made[:1], made[1:], "The same of the other variants")


def _over_time(subject: Subject, key: str, title: str, module: Any, frame: pd.DataFrame, **of: str) -> Drawing:
    """A chart over time with the faults and the warm-up in it; its module has a function of its own name, and `reading`."""
    chart = getattr(module, module.__name__.rpartition(".")[2])
    said = module.reading(frame, warm_up_s=subject.warm_up_s, **of)
    return draw(key, title, partial(chart, frame, faults=subject.faults, warm_up_s=subject.warm_up_s, **of), said)
