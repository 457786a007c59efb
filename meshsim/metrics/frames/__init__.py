"""Every figure as a function from the records of a run to a pandas object, in seconds and per second.

`Result.requests`, `Result.attempts`, `Result.counters` and `Result.proxies` are the records; where only a share of them was kept
(`run.records`), counts and rates are of that share. `Result.summary()` has most figures at once, from all records.

    from meshsim.metrics import frames
    frames.latency_quantiles(result.requests, by="route", warm_up_s=60, duration_s=480)
"""

from meshsim.metrics.frames.edges import edges
from meshsim.metrics.frames.latency import dashboard_quantiles, latency_quantiles
from meshsim.metrics.frames.over_time import errors, services, timeline
from meshsim.metrics.frames.policies import balance, policies
from meshsim.metrics.frames.rates import errors_by_flag, goodput, retry_amplification, throughput, wasted_work
from meshsim.metrics.frames.recovery import recovery_time
from meshsim.metrics.frames.rows import errors_of_service, failed, measured, with_consumers
from meshsim.metrics.frames.stages import spans, stages
from meshsim.metrics.frames.stations import proxy_cpu, queue_length, replica_hours, utilisation

__all__ = [
    "balance",
    "dashboard_quantiles",
    "edges",
    "errors",
    "errors_by_flag",
    "errors_of_service",
    "failed",
    "goodput",
    "latency_quantiles",
    "measured",
    "policies",
    "proxy_cpu",
    "queue_length",
    "recovery_time",
    "replica_hours",
    "retry_amplification",
    "services",
    "spans",
    "stages",
    "throughput",
    "timeline",
    "utilisation",
    "wasted_work",
    "with_consumers",
]
