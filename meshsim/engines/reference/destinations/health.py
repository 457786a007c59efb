"""Whom one proxy thinks healthy: outlier detection, failure accrual and active checks, and when its workers hear of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self

from meshsim.engines.reference.destinations.draining import drain
from meshsim.engines.reference.destinations.merge_window import MergeWindow
from meshsim.flags import Flag
from meshsim.policies.load_balancing import FROM_THE_START
from meshsim.randomness import LATENESS, OUTLIER, PHASE, START_OFFSET, Draw, uniform

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.destinations.roles import Checker, Hosts
    from meshsim.engines.reference.travel.endpoint import EndpointView

_NEVER_ASKED = int(Flag.UO)
"""The pool answered: no host has done anything wrong."""


class Health:
    """What a view does to keep to healthy endpoints.

    Envoy's main thread decides, and marks the host itself at once; its connections are drained in that instant too. The lists that
    its workers pick from follow through the merge window of each priority, which every change of anyone's health goes through; a
    change of membership is told at once, of its own priority.

    Source: Envoy, source/common/upstream/upstream_impl.cc (reloadHealthyHostsHelper), cluster_manager_impl.cc; measured on Envoy 1.40.
    """

    __slots__ = (
        "_accrual", "_draw", "_draws", "_key", "_levels", "_outliers", "_view", "_wakes", "_windows", "checkers",
    )  # fmt: skip

    def __init__(self, view: Hosts) -> None:
        self._view = view
        count, cluster = len(view.endpoints), view.cluster
        self._key = view.luck
        self._draw = Draw()
        self._draws = 0
        order = self._draw.at(self._key, START_OFFSET)
        self._outliers = None if cluster.outliers is None else cluster.outliers.build(hosts=count, draw=order)
        self._accrual = None if cluster.accrual is None else cluster.accrual.build(hosts=count)
        locality = cluster.locality
        self._levels = [one.priority if locality is None else locality.level(one, view.zone) for one in view.endpoints]
        """Priority of each endpoint: its own, or what the policy of locality makes of its zone."""
        self._windows = {
            level: MergeWindow(view.clock, cluster.merge_window_ns, partial(self._deliver, level), view.ticks)
            for level in sorted(set(self._levels))
        }
        self._wakes: set[int] = set()
        self.checkers: dict[int, Checker] = {}
        """Who checks each endpoint, by its index; empty without active checks."""
        for endpoint in view.endpoints:
            if self._outliers is not None and not endpoint.is_member:
                self._outliers.leave(endpoint.index)
            if cluster.health_check is not None:  # who is there from the start has been checked while Envoy warmed the cluster
                endpoint.is_passing = endpoint.is_member
                endpoint.is_healthy = endpoint.is_well
        if self._outliers is not None:
            view.clock.process(self._sweep())

    @classmethod
    def of(cls, view: Hosts) -> Self | None:
        """The health of a view's endpoints, or None where nothing looks after it."""
        cluster = view.cluster
        is_watched = cluster.outliers is not None or cluster.accrual is not None or cluster.health_check is not None
        return cls(view) if is_watched else None

    def notice(self, endpoint: EndpointView, status: int, grpc_status: int, flags: int) -> None:
        """What became of an attempt at an endpoint."""
        if flags & _NEVER_ASKED and not flags & ~_NEVER_ASKED & _ANSWERS:
            return
        now_ns, index = self._view.clock.now_ns, endpoint.index
        if self._outliers is not None and self._outliers.record(index, now_ns, status, grpc_status, flags, self._chance()):
            self._eject(endpoint)
        if self._accrual is not None and self._accrual.record(index, now_ns, status, grpc_status, flags, self._chance()):
            self._follow_accrual()

    def picked(self, endpoint: EndpointView) -> None:
        """A request is on its way to an endpoint: where it is on probation, no other one follows until it has ended."""
        if self._accrual is not None and self._accrual.probe(endpoint.index):
            self._follow_accrual()

    def join(self, endpoint: EndpointView) -> None:
        """A new host: nothing is held against it, and with active checks it has to pass one first. Its priority is told at once."""
        if self._outliers is not None:
            self._outliers.join(endpoint.index)
        endpoint.is_ejected = False
        endpoint.is_passing = self._view.cluster.health_check is None
        if not endpoint.is_passing:
            endpoint.healthy_since_ns = FROM_THE_START
        if endpoint.index in self.checkers:
            self.checkers[endpoint.index].join()
        self._windows[self._levels[endpoint.index]].flush()

    def leave(self, endpoint: EndpointView) -> None:
        """It has gone. Its priority is told at once."""
        if self._outliers is not None:
            self._outliers.leave(endpoint.index)
        if endpoint.index in self.checkers:
            self.checkers[endpoint.index].leave()
        self._windows[self._levels[endpoint.index]].flush()

    def keeps(self, endpoint: EndpointView) -> bool:
        """Whether an endpoint that discovery no longer lists stays all the same: because it passes its checks, and until it does not.

        Source: Envoy, source/common/upstream/upstream_impl.cc (updateDynamicHostList: dont_remove_healthy_hosts, for which an ejection
        is no reason to go); source/extensions/clusters/eds/eds.cc (reloadHealthyHostsHelper removes it with the check that fails).
        """
        if not (self._view.cluster.keeps_passing_hosts and endpoint.is_passing):
            return False
        endpoint.leaving_pod = endpoint.instance.pod
        return True

    def renew(self) -> None:
        """The proxy's process is a new one: nobody is ejected. It has waited for a first round of checks, so what those say stays.

        Source: Envoy, source/common/upstream/cluster_manager_impl.cc (a cluster is warm after its first round of health checks).
        """
        if self._outliers is None:
            return
        for endpoint in self._view.endpoints:
            if endpoint.is_member:
                self._outliers.leave(endpoint.index)
                self._outliers.join(endpoint.index)
            endpoint.is_ejected = False
        for window in self._windows.values():
            window.flush()

    def set_passing(self, endpoint: EndpointView, is_passing: bool) -> None:  # noqa: FBT001
        """The active checks say something else than before."""
        endpoint.is_passing = is_passing
        if is_passing:
            endpoint.healthy_since_ns = self._view.clock.now_ns
        else:
            drain(self._view, endpoint)
        self._tell()

    def pass_check(self, endpoint: EndpointView) -> None:
        """An endpoint has passed an active check, and counts as passing them: an ejection ends with that, unless told otherwise.

        Source: Envoy, source/common/upstream/outlier_detection_impl.cc (initialize; since 1.26).
        """
        if self._outliers is not None and self._outliers.pass_check(endpoint.index, self._view.clock.now_ns):
            endpoint.is_ejected = False
            self._tell()

    def given_up(self, endpoint: EndpointView) -> None:
        """A request to an endpoint has ended without an outcome: its caller has gone."""
        if self._accrual is not None and self._accrual.forget(endpoint.index):
            self._follow_accrual()

    def _chance(self) -> Draw:
        """Numbers of a decision of its own."""
        self._draws += 1
        return self._draw.at(self._key + self._draws, OUTLIER)

    def _sweep(self) -> Generator[simpy.Event, None, None]:
        """A SimPy process: outlier detection looks at all hosts at each interval.

        Each change is told by itself: of hosts that come back together the first is there at once, the others a window later. In a
        proxy whose clock is coarse an interval lasts whole ticks, and a sweep is late by up to one. So it is chance there whether a full
        interval has passed since the sweep before, by which the first one after a return lowers the multiplier; measured on Envoy 1.40,
        where it did and did not.
        """
        clock, outliers, settings = self._view.clock, self._outliers, self._view.cluster.outliers
        assert outliers is not None and settings is not None  # noqa: S101, PT018 — only then it runs
        phase_ns = round(uniform(self._key, PHASE) * settings.interval) if settings.phase is None else settings.phase
        due_ns, number = clock.now_ns + phase_ns, 0
        tick_ns = 0 if self._view.ticks is None else self._view.ticks.tick_ns
        interval_ns = -(-settings.interval // tick_ns) * tick_ns if tick_ns else settings.interval
        while True:
            late_ns = round(uniform(self._key, LATENESS, number) * tick_ns)
            yield clock.pause(max(0, due_ns + late_ns - clock.now_ns))
            for index in outliers.sweep(clock.now_ns, self._chance()):
                endpoint = self._view.endpoints[index]
                if endpoint.is_ejected:
                    endpoint.is_ejected = False
                    self._tell()
                else:
                    self._eject(endpoint)
            due_ns, number = due_ns + interval_ns, number + 1

    def _eject(self, endpoint: EndpointView) -> None:
        self._view.activity_of(endpoint).ejections += 1
        endpoint.is_ejected = True
        drain(self._view, endpoint)
        self._tell()

    def _tell(self) -> None:
        """Somebody's health has changed: every priority's lists are made anew, whichever it is of."""
        for window in self._windows.values():
            window.change()

    def _deliver(self, level: int) -> None:
        for endpoint, its_level in zip(self._view.endpoints, self._levels, strict=True):
            if its_level == level:
                endpoint.is_healthy = endpoint.is_well
        self._view.refresh()

    def _follow_accrual(self) -> None:
        """Linkerd's endpoints become unavailable and available at once: there is no window there."""
        clock, accrual, view = self._view.clock, self._accrual, self._view
        assert accrual is not None  # noqa: S101 — only then it is called
        for endpoint in view.endpoints:
            is_available = accrual.is_available(endpoint.index, clock.now_ns)
            if endpoint.is_available and not is_available:
                view.activity_of(endpoint).ejections += 1
            endpoint.is_available = is_available
        view.refresh()
        next_ns = accrual.next_change_ns()
        if next_ns > clock.now_ns and next_ns not in self._wakes:
            self._wakes.add(next_ns)
            clock.call_at(next_ns, self._follow_accrual)


_ANSWERS = int(
    Flag.UT | Flag.UC | Flag.UF | Flag.error | Flag.dependency | Flag.deadline
    | Flag.queue_full | Flag.queue_timeout | Flag.pushed_out | Flag.shed | Flag.pool_timeout
)  # fmt: skip
"""Flags that say that the host was asked, whatever a layer outside added."""
