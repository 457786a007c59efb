"""The charts of a run, a comparison or a sweep, by name: `result.plot.latency()`.

Each method draws one chart of `meshsim.report.charts` on the axes that it is given, or on new ones, and returns the axes.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from meshsim.errors import ResultError, UsageError, did_you_mean
from meshsim.experiments.open import open_results
from meshsim.experiments.result import Result
from meshsim.experiments.sweep_result import Sweep
from meshsim.metrics.over_time.decisions import SPLITS
from meshsim.report.charts import recorded
from meshsim.report.charts.attempts_over_time import attempts_over_time
from meshsim.report.charts.autoscaling_over_time import autoscaling_over_time
from meshsim.report.charts.balance_over_time import balance_over_time
from meshsim.report.charts.caches_over_time import caches_over_time
from meshsim.report.charts.caches_over_time import lines as lines_of_caches
from meshsim.report.charts.connection_pools_over_time import connection_pools_over_time, lines
from meshsim.report.charts.connections_over_time import connections_over_time
from meshsim.report.charts.cpu_over_time import cpu_over_time
from meshsim.report.charts.decisions_over_time import decisions_over_time
from meshsim.report.charts.forest import forest
from meshsim.report.charts.heat_map import heat_map
from meshsim.report.charts.in_flight_over_time import in_flight_over_time
from meshsim.report.charts.latency_ccdf import latency_ccdf
from meshsim.report.charts.latency_over_time import latency_over_time
from meshsim.report.charts.load_over_time import load_over_time
from meshsim.report.charts.message_queues_over_time import message_queues_over_time
from meshsim.report.charts.policies_over_time import policies_over_time
from meshsim.report.charts.queue_over_time import queue_over_time
from meshsim.report.charts.rollouts_over_time import rollouts_over_time
from meshsim.report.charts.sweep_curve import sweep_curve
from meshsim.report.charts.topology import topology
from meshsim.report.charts.utilisation import utilisation
from meshsim.report.charts.waterfall import waterfall
from meshsim.report.charts.where_time_goes import where_time_goes
from meshsim.report.known import known

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from meshsim.experiments.comparison import Comparison

ALL = "(all)"


def plots(result: Result | Comparison) -> Plots:
    """The charts of a result; the entry point `matplotlib` of the group `meshsim.plots`."""
    return Plots(open_results([result.directory]) if isinstance(result, Result) else result)


NOBODY_HAS_IT = "no service has it, or it is of an older version"


class Plots:
    """Charts of one comparison; a run is one of a single variant."""

    def __init__(self, comparison: Comparison) -> None:
        self._of = comparison

    def latency(self, ax: Axes | None = None, *, route: str | None = None, slo_s: float | None = None) -> Axes:
        """The share of requests that take longer than a time, with a line at `slo_s` seconds."""
        frame = self._of.latency
        return latency_ccdf(frame, ax, route=route if route is None else known("route", route, frame), slo_s=slo_s)

    def latency_over_time(self, ax: Axes | None = None, *, route: str = ALL) -> Axes:
        """p99 and p50 of the latency of the requests that started in each interval."""
        route = known("route", route, self._timeline)
        return latency_over_time(self._timeline, ax, route=route, faults=self._faults(), warm_up_s=self._warm_up_s)

    def load(self, ax: Axes | None = None, *, variant: str | None = None, route: str = ALL) -> Axes:
        """Offered load, goodput, and errors by flag of one variant, the first where None."""
        route = known("route", route, self._timeline)
        return load_over_time(
            self._timeline, self._until_end(self._of.errors), ax, variant=self._variant(variant), route=route,
            faults=self._faults(self._variant(variant)), warm_up_s=self._warm_up_s,
        )  # fmt: skip

    def attempts(self, ax: Axes | None = None, *, service: str | None = None) -> Axes:
        """Attempts at a service against calls; of the one with the most attempts for each call where None."""
        frame = self._until_end(self._of.services_over_time)
        service = known("service", service or self._service("retry_amplification"), frame)
        return attempts_over_time(frame, ax, service=service, faults=self._faults(), warm_up_s=self._warm_up_s)

    def in_flight(self, ax: Axes | None = None, *, route: str = ALL) -> Axes:
        """Requests under way."""
        route = known("route", route, self._timeline)
        return in_flight_over_time(self._timeline, ax, route=route, faults=self._faults(), warm_up_s=self._warm_up_s)

    def queue(self, ax: Axes | None = None, *, service: str | None = None) -> Axes:
        """Requests that wait for a worker of a service; of the busiest one where None."""
        frame = self._until_end(self._of.services_over_time)
        service = known("service", service or self._service("utilisation"), frame)
        return queue_over_time(frame, ax, service=service, faults=self._faults(), warm_up_s=self._warm_up_s)

    def autoscaling(self, ax: Axes | None = None, *, service: str | None = None) -> Axes:
        """Replicas of a service wanted and ready, and its autoscaler's metric against the target; in panels, as `policies`.

        Of the first service that has an autoscaler where None.
        """
        frame = self._some(recorded.scaling(self._of), "autoscaling over time", NOBODY_HAS_IT)
        if service is not None:
            known("service", service, frame)
        return autoscaling_over_time(frame, ax, service=service, faults=self._faults(), warm_up_s=self._warm_up_s)

    def connection_pools(self, ax: Axes | None = None, *, pool: str | None = None) -> Axes:
        """Connections of a pool that are held, and who waits for one, such as of `shop: orders`; in panels, as `policies`.

        Of the pool with most to tell where None.
        """
        frame = self._some(recorded.connection_pools(self._of), "connection pools", "no service has any")
        if pool is not None:
            known("destination", pool, lines(frame), "pool")
        return connection_pools_over_time(frame, ax, pool=pool, faults=self._faults(), warm_up_s=self._warm_up_s)

    def message_queues(self, ax: Axes | None = None, *, queue: str | None = None) -> Axes:
        """Messages in a queue, the age of the oldest, and what becomes of them; in panels, as `policies`.

        Of the queue with most to tell where None.
        """
        frame = self._some(recorded.message_queues(self._of), "message queues", "the scenario has none")
        if queue is not None:
            known("queue", queue, frame)
        return message_queues_over_time(frame, ax, queue=queue, faults=self._faults(), warm_up_s=self._warm_up_s)

    def caches(self, ax: Axes | None = None, *, cache: str | None = None) -> Axes:
        """Look-ups of a cache that hit, and loads of what is missing, such as of `shop: products`; in panels, as `policies`.

        Of the cache with most to tell where None.
        """
        frame = self._some(recorded.caches(self._of), "caches over time", "no service has any")
        if cache is not None:
            known("destination", cache, lines_of_caches(frame), "cache")
        return caches_over_time(frame, ax, cache=cache, faults=self._faults(), warm_up_s=self._warm_up_s)

    def cpu(self, ax: Axes | None = None, *, service: str | None = None) -> Axes:
        """Cores that a service uses, and how much it is throttled; in panels, as `policies`.

        Of the service with `cpu` that has most to show where None.
        """
        frame = self._some(recorded.cpu(self._of), "cpu over time", NOBODY_HAS_IT)
        if service is not None:
            known("service", service, frame)
        return cpu_over_time(frame, ax, service=service, faults=self._faults(), warm_up_s=self._warm_up_s)

    def rollouts(self, ax: Axes | None = None, *, service: str | None = None) -> Axes:
        """Pods of a service while its versions change: available, of the new version, of all, and those that end; in panels, as `policies`.

        Of the first service with rollouts where None.
        """
        frame = self._some(recorded.rollouts(self._of), "rollouts over time", NOBODY_HAS_IT)
        if service is not None:
            known("service", service, frame)
        return rollouts_over_time(frame, ax, service=service, faults=self._faults(), warm_up_s=self._warm_up_s)

    def policies(self, ax: Axes | None = None, *, destination: str | None = None) -> Axes:
        """What policies did on the way to a destination, such as `(gateway) to payment`; where most happened where None.

        A narrow panel each: healthy instances, ejections, breakers, retries and all that held tries back. Returns the last panel's axes.
        """
        frame = self._towards(self._policies, destination)
        return policies_over_time(frame, ax, destination=destination, faults=self._faults(), warm_up_s=self._warm_up_s)

    def connections(self, ax: Axes | None = None, *, destination: str | None = None) -> Axes:
        """Connections to a destination, handshakes, waits for a connection and stale picks; in panels, as `policies`."""
        frame = self._towards(self._policies, destination)
        return connections_over_time(frame, ax, destination=destination, faults=self._faults(), warm_up_s=self._warm_up_s)

    def balance(self, ax: Axes | None = None, *, destination: str | None = None) -> Axes:
        """How evenly the instances of a destination are used, and what stays in the caller's zone; in panels, as `policies`."""
        frame = self._towards(self._until_end(recorded.balance(self._of)), destination)
        return balance_over_time(frame, ax, destination=destination, faults=self._faults(), warm_up_s=self._warm_up_s)

    def filters(
        self,
        ax: Axes | None = None,
        *,
        filter: str | None = None,  # noqa: A002 — what it is called everywhere else
        by: str | None = None,
        variant: str | None = None,
    ) -> Axes:
        """What a filter decided, such as `gateway: rate_limit`; the one that decided most different things where None. In panels, as `policies`.

        With `by` (`rule`, `route` or `consumer`) a line for each of these, of one variant, the first where None.
        """
        frame = self._decisions
        if filter is not None:
            known("filter_name", filter, frame, "filter")
        if by is not None and by not in SPLITS:
            raise UsageError(f"no split by '{by}'{did_you_mean(by, SPLITS)}; there are {', '.join(SPLITS)}")
        name = self._variant(variant) if by is not None else None
        if by is None and variant is not None:
            raise UsageError("`variant` goes with `by`: without, there is a line for each variant")
        faults = self._faults(name)
        return decisions_over_time(frame, ax, filter=filter, by=by, variant=name, faults=faults, warm_up_s=self._warm_up_s)

    def utilisation(self, ax: Axes | None = None) -> Axes:
        """The share of its workers that each service holds."""
        return utilisation(self._of.nodes, ax)

    def where_time_goes(self, ax: Axes | None = None, *, route: str = ALL) -> Axes:
        """What the slowest 1 % of the requests spent their time on."""
        frame = self._of.stages
        return where_time_goes(frame, ax, route=known("route", route, frame))

    def topology(self, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
        """Who calls whom, how often and with what success."""
        return topology(self._of.edges, self._of.nodes, ax, variant=self._variant(variant))

    def waterfall(self, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
        """One slow request, try by try."""
        return waterfall(self._of.spans, ax, variant=self._variant(variant))

    def differences(self, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
        """The paired difference of each figure to the baseline's, with its interval."""
        return forest(self._of.table(), ax, variant=variant if variant is None else self._variant(variant))

    def curve(self, figure: str, ax: Axes | None = None, *, x: str | None = None) -> Axes:
        """A figure over the values of an axis of a sweep."""
        points = self._sweep().curve(figure, x, is_two_way=False)
        return sweep_curve(points, ax, figure=str(points["figure"].iloc[0]), axis_x=str(points.attrs["axis_x"]))

    def heat_map(self, figure: str, ax: Axes | None = None, *, x: str | None = None) -> Axes:
        """A figure over two axes of a sweep."""
        points = self._sweep().curve(figure, x)
        if not points.attrs["axis_y"]:
            raise UsageError("a heat map needs two axes with numbers; this sweep has one: draw a curve")
        axes = {name: str(points.attrs[name]) for name in ("axis_x", "axis_y")}
        return heat_map(points, ax, figure=str(points["figure"].iloc[0]), **axes)

    @property
    def _warm_up_s(self) -> float:
        return float(self._of.manifest["warm_up_s"])

    @property
    def _timeline(self) -> pd.DataFrame:
        return self._until_end(self._of.timeline)

    @cached_property
    def _policies(self) -> pd.DataFrame:
        return self._until_end(recorded.policies(self._of))

    @cached_property
    def _decisions(self) -> pd.DataFrame:
        return self._some(recorded.decisions(self._of), "filters over time", "it has none, or is of an older version")

    def _some(self, frame: pd.DataFrame, what: str, why_not: str) -> pd.DataFrame:
        """While load arrives, the rows of what a run may not have."""
        kept = self._until_end(frame)
        if kept.empty:
            raise ResultError(f"{self._of.directory} tells nothing of {what}: {why_not}")
        return kept

    def _until_end(self, frame: pd.DataFrame) -> pd.DataFrame:
        """While load arrives: what comes after is the last requests ending."""
        kept: pd.DataFrame = frame[frame["time_s"] < self._of.manifest["duration_s"]]
        return kept

    def _towards(self, frame: pd.DataFrame, destination: str | None) -> pd.DataFrame:
        """The frame, where it has rows and knows the destination."""
        if frame.empty:
            raise ResultError(f"{self._of.directory} tells nothing of destinations over time: it keeps no records of them")
        if destination is not None:
            known("destination", destination, frame)
        return frame

    def _faults(self, variant: str | None = None) -> pd.DataFrame:
        """The faults of one variant, or those that any has, each once."""
        faults = self._of.faults
        if variant is not None:
            faults = faults[faults["variant"] == variant]
        return faults.drop(columns="variant").drop_duplicates(ignore_index=True)

    def _variant(self, name: str | None) -> str:
        name = name or self._of.variants[0]
        if name not in self._of.variants:
            raise UsageError(f"no variant '{name}'{did_you_mean(name, self._of.variants)}")
        return name

    def _service(self, column: str) -> str:
        """The service with the largest mean of a column."""
        means = self._of.services().groupby(level=0, sort=False)[column].mean()
        return str(means.idxmax())

    def _sweep(self) -> Sweep:
        if not isinstance(self._of, Sweep):
            raise UsageError("curves and heat maps are of a sweep")
        return self._of
