"""Everything that is kept of a replication beside its rows: the summary, and tables small enough for thousands of replications."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.experiments.arrow import as_parquet
from meshsim.experiments.places import SUMMARY
from meshsim.metrics.edges import Edges, nodes
from meshsim.metrics.histogram_table import histograms
from meshsim.metrics.latency.slow_time import SlowTime
from meshsim.metrics.over_time.balance import BalanceOverTime
from meshsim.metrics.over_time.caches import CachesOverTime
from meshsim.metrics.over_time.connection_pools import PoolsOverTime
from meshsim.metrics.over_time.cpu import CpuOverTime
from meshsim.metrics.over_time.decisions import DecisionsOverTime
from meshsim.metrics.over_time.message_queues import QueuesOverTime
from meshsim.metrics.over_time.policies import PoliciesOverTime
from meshsim.metrics.over_time.requests import ALL_ROUTES, ErrorsOverTime, Timeline
from meshsim.metrics.over_time.rollouts import RolloutsOverTime
from meshsim.metrics.over_time.scaling import ScalingOverTime
from meshsim.metrics.over_time.services import ServicesOverTime
from meshsim.metrics.policies.activity import Activities
from meshsim.metrics.policies.caches import CachesUsed
from meshsim.metrics.policies.connection_pools import PoolsUsed
from meshsim.metrics.policies.cpu import Cpus
from meshsim.metrics.policies.decisions import Decisions
from meshsim.metrics.policies.idle import idle_policies
from meshsim.metrics.policies.message_queues import QueuesUsed
from meshsim.metrics.policies.rollouts import RolloutsSeen
from meshsim.metrics.policies.scaling import Scalings
from meshsim.metrics.stages.slow_sample import SlowSample
from meshsim.metrics.stages.stages import spans, stages
from meshsim.metrics.summarise import replicas_ns, summarise
from meshsim.metrics.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.metrics.summary import Summary
    from meshsim.plan import Plan
    from meshsim.records import Sink

    OverTime = (
        Timeline
        | ErrorsOverTime
        | ServicesOverTime
        | PoliciesOverTime
        | BalanceOverTime
        | DecisionsOverTime
        | ScalingOverTime
        | PoolsOverTime
        | CpuOverTime
        | QueuesOverTime
        | RolloutsOverTime
        | CachesOverTime
    )

HISTOGRAMS = "histograms"
TABLES = (
    HISTOGRAMS,
    "timeline",
    "errors",
    "services",
    "policies",
    "balance",
    "decision_rates",
    "edges",
    "nodes",
    "stages",
    "spans",
)
"""A Parquet file each."""
SCALING = "scaling"
"""One more where there is an autoscaler."""
POOLS = "pools"
"""One more where there are connection pools."""
CPU = "cpu_over_time"
"""And one where a service has `cpu`."""
QUEUES = "queues"
"""And one where there are message queues."""
ROLLOUTS = "rollouts"
"""And one where there are rollouts."""
CACHES = "caches_over_time"
"""And one where there are caches."""


class Observer:
    """Watches a run through its records."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.tally = Tally(plan)
        self._over_time: dict[str, OverTime] = {
            "timeline": Timeline(plan),
            "errors": ErrorsOverTime(plan),
            "services": ServicesOverTime(plan),
            "policies": PoliciesOverTime(plan),
            "balance": BalanceOverTime(plan),
            "decision_rates": DecisionsOverTime(plan),
        }
        if any(one.lifecycle is not None and one.lifecycle.autoscaling is not None for one in plan.services):
            self._over_time[SCALING] = ScalingOverTime(plan)
        if any(one.connection_pools for one in plan.services):
            self._over_time[POOLS] = PoolsOverTime(plan)
        if any(one.cpu is not None for one in plan.services):
            self._over_time[CPU] = CpuOverTime(plan)
        if plan.queues:
            self._over_time[QUEUES] = QueuesOverTime(plan)
        if any(one.lifecycle is not None and one.lifecycle.rollouts is not None for one in plan.services):
            self._over_time[ROLLOUTS] = RolloutsOverTime(plan)
        if any(one.caches for one in plan.services):
            self._over_time[CACHES] = CachesOverTime(plan)
        self._edges = Edges(plan)
        self._sample = SlowSample(plan)
        self._activities = Activities(plan)
        self._decisions = Decisions(plan)
        self._scalings = Scalings(plan)
        self._pools = PoolsUsed(plan)
        self._cpus = Cpus(plan)
        self._queues = QueuesUsed(plan)
        self._rollouts = RolloutsSeen(plan)
        self._caches = CachesUsed(plan)
        self._stages_found: dict[str, list[Any]] | None = None

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """What the engine hands its records to."""
        over_time = self._over_time.values()
        others = (
            self._edges,
            self._sample,
            self._activities,
            self._decisions,
            self._scalings,
            self._pools,
            self._caches,
            self._cpus,
            self._queues,
            self._rollouts,
        )
        return (self.tally, *over_time, *others)

    def summary(self, simulated_ns: int) -> Summary:
        """The figures."""
        rows = zip(*self._stages().values(), strict=True)
        slow = (SlowTime(None if route == ALL_ROUTES else route, *row) for route, *row in rows)
        return replace(
            summarise(self.tally, simulated_ns),
            slow_times=tuple(slow),
            destinations=self._activities.destinations(),
            filters=self._decisions.summaries(),
            autoscaling=self._scalings.summaries(),
            rollouts=self._rollouts.summaries(),
            connection_pools=self._pools.summaries(),
            message_queues=self._queues.summaries(),
            caches=self._caches.summaries(),
            cpu=self._cpus.summaries(partial(replicas_ns, self.tally)),
            never_acted=tuple(idle_policies(self._plan, self._activities)),
        )

    def tables(self, summary: Summary, simulated_ns: int) -> dict[str, Mapping[str, Any]]:
        """Columns by name of each of `TABLES`, and of `SCALING` and the like where there is what they tell of, equally long."""
        return {
            HISTOGRAMS: histograms(summary),
            **{name: sink.table(simulated_ns) for name, sink in self._over_time.items()},
            "edges": self._edges.table(simulated_ns),
            "nodes": nodes(summary),
            "stages": self._stages(),
            "spans": spans(self._sample),
        }

    def _stages(self) -> dict[str, list[Any]]:
        """Of the end of the run: asked for by the summary and by the tables."""
        if self._stages_found is None:
            self._stages_found = stages(self._sample)
        return self._stages_found

    def files(self, simulated_ns: int) -> dict[str, bytes]:
        """The summary as JSON and the tables as Parquet, by the name of the file."""
        summary = self.summary(simulated_ns)
        content = json.dumps(summary.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        tables = self.tables(summary, simulated_ns)
        return {SUMMARY: content.encode(), **{f"{name}.parquet": as_parquet(columns) for name, columns in tables.items()}}
