"""Whom one proxy thinks healthy: outlier detection, failure accrual and active checks, and when its workers hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from meshsim.flags import Flag
from meshsim.randomness import OUTLIER, Draw

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.destinations.roles import Checker, Hosts
    from meshsim.engines.reference.travel.endpoint import EndpointView

_NEVER_ASKED = int(Flag.UO)
"""The pool answered: no host has done anything wrong."""
LONG_AGO_NS = -(1 << 62)


class Health:
    """What a view does to keep to healthy endpoints.

    Envoy's main thread decides; its workers hear of a change at once if the last one was more than `update_merge_window` ago, and
    else when that has passed, merged with whatever has changed until then. Changes of membership are told at once.

    Source: Envoy, source/common/upstream/cluster_manager_impl.cc (scheduleUpdate); measured on Envoy 1.40.
    """

    __slots__ = ("_accrual", "_draw", "_draws", "_is_telling", "_outliers", "_passing", "_told_ns", "_view", "_wakes", "checkers")

    def __init__(self, view: Hosts) -> None:
        self._view = view
        count, cluster = len(view.endpoints), view.cluster
        self._outliers = None if cluster.outliers is None else cluster.outliers.build(hosts=count)
        self._accrual = None if cluster.accrual is None else cluster.accrual.build(hosts=count)
        self._passing = [True] * count
        """What the active checks say, as the main thread knows it."""
        self._draw = Draw()
        self._draws = 0
        self._told_ns = LONG_AGO_NS
        self._is_telling = False
        self._wakes: set[int] = set()
        self.checkers: dict[int, Checker] = {}
        """Who checks each endpoint, by its index; empty without active checks."""
        for endpoint in view.endpoints:
            if self._outliers is not None and not endpoint.is_member:
                self._outliers.leave(endpoint.index)
            if (
                cluster.health_check is not None
            ):  # those that are there from the start have been checked while Envoy warmed the cluster
                endpoint.is_passing = self._passing[endpoint.index] = endpoint.is_member
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
        now_ns, index, view = self._view.clock.now_ns, endpoint.index, self._view
        if self._outliers is not None and self._outliers.record(index, now_ns, status, grpc_status, flags, self._chance()):
            view.activity.ejections += 1
            self._tell()
        if self._accrual is not None and self._accrual.record(index, now_ns, status, grpc_status, flags, self._chance()):
            self._follow_accrual()

    def picked(self, endpoint: EndpointView) -> None:
        """A request is on its way to an endpoint: where it is on probation, no other one follows until it has ended."""
        if self._accrual is not None and self._accrual.probe(endpoint.index):
            self._follow_accrual()

    def join(self, endpoint: EndpointView) -> None:
        """A new host: nothing is held against it, and with active checks it has to pass one first."""
        if self._outliers is not None:
            self._outliers.join(endpoint.index)
        endpoint.is_ejected = False
        endpoint.is_passing = self._passing[endpoint.index] = self._view.cluster.health_check is None
        if endpoint.index in self.checkers:
            self.checkers[endpoint.index].join()

    def leave(self, endpoint: EndpointView) -> None:
        """It has gone."""
        if self._outliers is not None:
            self._outliers.leave(endpoint.index)
        if endpoint.index in self.checkers:
            self.checkers[endpoint.index].leave()

    def set_passing(self, endpoint: EndpointView, is_passing: bool) -> None:  # noqa: FBT001
        """What an active check says."""
        self._passing[endpoint.index] = is_passing
        self._tell()

    def passes(self, endpoint: EndpointView) -> bool:
        """Whether an endpoint passes the active checks, as the main thread knows it."""
        return self._passing[endpoint.index]

    def given_up(self, endpoint: EndpointView) -> None:
        """A request to an endpoint has ended without an outcome: its caller has gone."""
        if self._accrual is not None and self._accrual.forget(endpoint.index):
            self._follow_accrual()

    def _chance(self) -> Draw:
        """Numbers of a decision of its own."""
        self._draws += 1
        return self._draw.at(self._view.key + self._draws, OUTLIER)

    def _sweep(self) -> Generator[simpy.Event, None, None]:
        """A SimPy process: outlier detection looks at all hosts at each interval."""
        clock, outliers = self._view.clock, self._outliers
        assert outliers is not None  # noqa: S101 — only then it runs
        while True:
            yield clock.pause(outliers.interval)
            before = outliers.ejected
            if outliers.sweep(clock.now_ns, self._chance()):
                self._view.activity.ejections += max(0, outliers.ejected - before)
                self._tell()

    def _tell(self) -> None:
        """Let the workers know, now or when the window has passed."""
        clock, window_ns = self._view.clock, self._view.cluster.merge_window_ns
        if self._is_telling:
            return
        due_ns = self._told_ns + window_ns
        if due_ns <= clock.now_ns:
            self._deliver()
        else:
            self._is_telling = True
            clock.call_at(due_ns, self._deliver)

    def _deliver(self) -> None:
        self._is_telling = False
        self._told_ns = self._view.clock.now_ns
        for endpoint in self._view.endpoints:
            endpoint.is_passing = self._passing[endpoint.index]
            endpoint.is_ejected = self._outliers is not None and self._outliers.is_ejected(endpoint.index)
        self._view.refresh()

    def _follow_accrual(self) -> None:
        """Linkerd's endpoints become unavailable and available at once: there is no window there."""
        clock, accrual, view = self._view.clock, self._accrual, self._view
        assert accrual is not None  # noqa: S101 — only then it is called
        for endpoint in view.endpoints:
            is_available = accrual.is_available(endpoint.index, clock.now_ns)
            if endpoint.is_available and not is_available:
                view.activity.ejections += 1
            endpoint.is_available = is_available
        view.refresh()
        next_ns = accrual.next_change_ns()
        if next_ns > clock.now_ns and next_ns not in self._wakes:
            self._wakes.add(next_ns)
            clock.call_at(next_ns, self._follow_accrual)


_ANSWERS = int(Flag.UT | Flag.UC | Flag.UF | Flag.error | Flag.dependency | Flag.queue_full)
"""Flags that say that the host was asked, whatever a layer outside added."""
