"""Keys of the CPU of services: what their computations share, and what their quota leaves them."""

from __future__ import annotations

import keys_measures as measure
from keys_scaling import QUICK, RUN, cpu
from keys_worlds import Section, back_is, bare_world
from rows import Row

LOOSE = {"workers": None}
"""Ten milliseconds of work a hundred times a second, one core, without workers."""


def shares(**settings: object) -> Section:
    """A change of the back's CPU."""
    return back_is(cpu=settings)


def cpu_rows() -> list[Row]:
    """Rows of requests, limits and what else there is."""
    free, limited = bare_world(back={**LOOSE, "cpu": {"node_cores": 8}}), bare_world(back={**LOOSE, "cpu": {"limits": "800m"}})
    bursts = {"rate": "20/s", "arrivals": "poisson"}
    bursty = bare_world(back={**LOOSE, "cpu": {"limits": "400m", "cfs_quota_period": "50ms"}}, load=bursts)
    scaled = bare_world(
        {"load_balancer": "round_robin"},
        {**LOOSE, "replicas": 2, "cpu": {"requests": 1, "limits": 2}, "autoscaling": {"max_replicas": 8, "metrics": cpu("50%")}},
        autoscaler=QUICK, **RUN,
    )  # fmt: skip
    return [
        Row("ServiceSection.cpu", bare_world(), {}, shares(node_cores="500m"), measure.latency, "more"),
        Row("CpuSection.requests", scaled, {}, shares(requests="250m"), measure.wanted("max"), "more"),
        Row("CpuSection.limits", free, {}, shares(limits="500m"), measure.throttled, "more"),
        Row("CpuSection.node_cores", free, {}, shares(node_cores="500m"), measure.latency, "more"),
        Row(
            "CpuSection.node_cores beside limits", limited, shares(node_cores=1), shares(node_cores=4), measure.throttled, "other"
        ),
        Row("CpuSection.cfs_quota_period", bursty, {}, shares(cfs_quota_period="200ms"), measure.throttled, "less"),
        Row("CpuSection.cfs_burst", bursty, {}, shares(cfs_burst="20ms"), measure.throttled, "less"),
    ]


ROWS = cpu_rows()
