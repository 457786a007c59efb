"""Autoscalers: they look at the metrics of a service's pods, and change how many there shall be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.control.pod_metrics import MetricsServer, Prometheus
from meshsim.engines.reference.services.processor import Meter, Processor, WaitingLayer
from meshsim.plan import NONE, Measured, ScalingMetric, TargetKind
from meshsim.policies.autoscaling import (
    NoMetricsError,
    Pod,
    Proposal,
    Proposed,
    Reading,
    by_average,
    by_total,
    by_total_per_pod,
    by_utilization,
)
from meshsim.randomness import SCRAPE, SYNC, call_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.control.lifecycle import Life, Process
    from meshsim.engines.reference.control.registry import Registry
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.plan import Autoscaling
    from meshsim.recorder import Recorder

THOUSANDTHS = 1000


class Scaler:
    """The autoscaler of one service, with its pods and their figures.

    A pod is pending while it waits for the end of what stood at its place, then it runs and is unready until it has started; after
    that it is ready as long as the registry lists it. Pods that end are nobody's any more. One that has crashed has no figures until it
    has been back for two samples.

    Source: Kubernetes, pkg/controller/podautoscaler/horizontal.go (a queue that holds each autoscaler for `sync_period`).
    """

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        plan: Autoscaling,
        instances: tuple[Instance, ...],
        life: Life,
        registry: Registry,
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._plan = plan
        self._instances = instances
        self._life = life
        self._state = plan.policy.build()
        self._changed_ns = [began_ns or 0 for began_ns in life.began_ns]
        """When each pod's readiness changed last."""
        self._cpu: MetricsServer | None = None
        self._scraped: Prometheus | None = None
        life.on_begin = self._begin_pod
        registry.listen(self._note_readiness)

    def begin(self, beginnings: Beginnings, cluster_key: int) -> None:
        """Start to look.

        Args:
            beginnings: Where in their periods timers stand.
            cluster_key: Of what all services share: metrics-server.
        """
        plan, clock = self._plan, self._clock
        measured = {metric.measured for metric in plan.metrics}
        if Measured.CPU in measured:
            self._cpu = MetricsServer(tuple(self._processor(one) for one in self._instances), plan.resolution_ns)
            clock.process(self._repeat(self._sample_cpu, plan.resolution_ns, beginnings.of(call_key(cluster_key, SCRAPE))))
        if measured - {Measured.CPU}:
            self._scraped = Prometheus(self._instances, plan.rate_ns)
            for instance in self._instances:
                began_ns = beginnings.of(call_key(instance.key, SCRAPE))
                clock.process(self._repeat(self._scrape(instance.index), plan.scrape_ns, began_ns))
        clock.process(self._repeat(self.look, plan.sync_ns, beginnings.of(call_key(self._instances[0].key, SYNC))))

    def look(self) -> None:
        """Decide, and see to it."""
        clock, life, before = self._clock, self._life, self._life.wanted
        proposed: list[Proposed] = []

        def look() -> list[Proposed]:
            pods = self.pods()
            proposed.extend(self._ask(metric, pods) for metric in self._plan.metrics)
            return proposed

        decision = self._state.decide(clock.now_ns, before, look)
        ready = sum(self._instances[place].is_listed for place in life.places())
        most = None if decision.metric == NONE else proposed[decision.metric].proposal
        self._recorder.autoscaling.append(
            [
                clock.now_ns, self._instances[0].service, before, ready, decision.metric, NONE if most is None else most.usage,
                decision.proposed, decision.stabilized, decision.replicas, int(decision.reason), int(decision.limit),
            ]
        )  # fmt: skip
        if decision.replicas != before:
            life.scale_to(decision.replicas)

    def pods(self) -> list[Pod]:
        """The pods that shall be there, by place."""
        made = []
        for place in self._life.places():
            began_ns = self._life.began_ns[place]
            made.append(
                Pod(
                    place,
                    started_ns=began_ns,
                    is_ready=self._instances[place].is_listed,
                    changed_ns=self._changed_ns[place],
                    is_pending=began_ns is None,
                    request=self._plan.request,
                )
            )
        return made

    def _ask(self, metric: ScalingMetric, pods: list[Pod]) -> Proposed:
        try:
            return Proposed(self._proposal(metric, pods))
        except NoMetricsError as error:
            return Proposed(None, str(error))

    def _proposal(self, metric: ScalingMetric, pods: list[Pod]) -> Proposal:
        plan, now_ns, current = self._plan, self._clock.now_ns, self._life.wanted
        readings = self._readings(metric.measured, pods)
        if not readings:
            raise NoMetricsError("no metrics returned")
        is_cpu = metric.measured is Measured.CPU
        if metric.kind is TargetKind.UTILIZATION:
            return by_utilization(current, metric.target, pods, readings, plan.tolerances, plan.timing, now_ns)
        if metric.kind is TargetKind.AVERAGE:
            return by_average(current, metric.target, pods, readings, plan.tolerances, plan.timing, now_ns, is_cpu=is_cpu)
        total = sum(reading.value for reading in readings.values())
        if metric.kind is TargetKind.TOTAL:
            return by_total(current, metric.target, total, pods, plan.tolerances)
        return by_total_per_pod(current, metric.target, total, plan.tolerances)

    def _readings(self, measured: Measured, pods: list[Pod]) -> dict[int, Reading]:
        """What is known of the pods, by place."""
        if measured is Measured.CPU:
            assert self._cpu is not None  # noqa: S101 — `begin` has made it
            return self._cpu.readings()
        assert self._scraped is not None  # noqa: S101 — the same
        places, now_ns = [pod.name for pod in pods], self._clock.now_ns
        if measured is Measured.REQUESTS_PER_SECOND:
            rates = self._scraped.rates(now_ns, places)
            return {place: Reading(-int(-rate * THOUSANDTHS // 1)) for place, rate in rates.items()}
        latest = self._scraped.latest(now_ns, places)
        is_in_flight = measured is Measured.IN_FLIGHT
        return {place: Reading((one.in_flight if is_in_flight else one.queued) * THOUSANDTHS) for place, one in latest.items()}

    def _processor(self, instance: Instance) -> Meter:
        """The meter of an instance's processor, with its script's calls behind it where they hold a worker and its core."""
        if instance.cores is not None:
            return instance.cores
        processor = Processor(self._clock, instance.station)
        if not instance.is_async:
            for where, handler in instance.callers.items():
                instance.callers[where] = WaitingLayer(handler, processor)
            instance.processor = processor
            for pool in instance.connection_pools:
                pool.processor = processor
            for cache in instance.caches:
                cache.processor = processor
        return processor

    def _begin_pod(self, place: int) -> None:
        self._changed_ns[place] = self._clock.now_ns
        for source in (self._cpu, self._scraped):
            if source is not None:
                source.begin(place)

    def _note_readiness(self, place: int, is_there: bool) -> None:  # noqa: ARG002, FBT001
        self._changed_ns[place] = self._clock.now_ns

    def _sample_cpu(self) -> None:
        assert self._cpu is not None  # noqa: S101 — `begin` has made it
        life = self._life
        began = ((place, life.began_ns[place]) for place in life.places() if not life.is_crashed(place))
        self._cpu.sample(self._clock.now_ns, [(place, began_ns) for place, began_ns in began if began_ns is not None])

    def _scrape(self, place: int) -> Callable[[], None]:
        def scrape() -> None:
            assert self._scraped is not None  # noqa: S101 — `begin` has made it
            if self._life.began_ns[place] is not None:
                self._scraped.sample(self._clock.now_ns, place)

        return scrape

    def _repeat(self, what: Callable[[], None], period_ns: int, began_ns: int) -> Process:
        """A SimPy process: do it at each multiple of the period since this time, for ever."""
        clock = self._clock
        while True:
            yield clock.pause(period_ns - (clock.now_ns - began_ns) % period_ns)
            what()
