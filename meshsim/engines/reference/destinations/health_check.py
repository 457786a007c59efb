"""Active health checks: each proxy asks each endpoint at intervals whether it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.engines.reference.time.clock import Expired
from meshsim.engines.reference.time.outcome import LOST_AFTER_NS, OK
from meshsim.engines.reference.time.ticks import main_thread_ns
from meshsim.engines.reference.travel.network import ANSWER_WAY, REQUEST_WAY
from meshsim.plan import NONE
from meshsim.randomness import CHECKS, PHASE, call_key, uniform

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.network import Links
    from meshsim.plan import HealthCheck


class HealthChecker:
    """Checks one endpoint for one proxy.

    A host that joins is unhealthy until it has passed a check, the first of which comes at once: passing that is enough (those that are
    there from the start have, before the run: Envoy takes no requests until then). Later it takes `healthy_threshold` of them, and
    `unhealthy_threshold` failures to be taken out. The interval is between the end of a check and the next one, so that checks that run
    into their timeout come less often. The check is shallow: an instance that answers its requests with errors passes it. With
    `uses_worker` it waits for a worker as a request does, so that an overloaded instance fails it.

    Source: Envoy, source/extensions/health_checkers/common/health_checker_base_impl.cc;
    docs/root/intro/arch_overview/upstream/health_checking.rst.
    """

    __slots__ = (
        "_check", "_clock", "_endpoint", "_failures", "_is_first", "_key", "_links", "_number", "_session", "_successes", "_view",
    )  # fmt: skip

    def __init__(self, clock: Clock, view: View, endpoint: EndpointView, links: Links, check: HealthCheck) -> None:
        self._clock = clock
        self._view = view
        self._endpoint = endpoint
        self._links = links
        self._check = check
        self._key = call_key(call_key(view.luck, CHECKS), endpoint.index)
        self._failures = self._successes = self._number = 0
        self._is_first = False
        self._session = 0
        """How often a host has left; the answer to a check from before says nothing."""

    def begin(self) -> None:
        """Check from now on whenever it is there; the first time at a phase of its own."""
        assert self._view.health is not None  # noqa: S101 — a view with checks has it
        self._view.health.checkers[self._endpoint.index] = self
        if self._endpoint.is_member:
            phase_ns = round(uniform(self._key, PHASE) * self._check.interval_ns)
            self._clock.process(self._watch(self._session, phase_ns))

    def join(self) -> None:
        """A new host stands there: check it at once."""
        self._is_first = True
        self._clock.process(self._watch(self._session, 0))

    def leave(self) -> None:
        """It has gone: no more checks."""
        self._session += 1

    def _watch(self, session: int, first_ns: int) -> Generator[simpy.Event, Any, None]:
        """A SimPy process: check, wait, check again, until the host has gone."""
        clock = self._clock
        if first_ns:
            yield clock.pause(first_ns)
        while session == self._session:
            is_answered = clock.event()
            clock.start_aside(
                self._probe(), is_answered.succeed
            )  # or no run would end: where there are many, one is always on its way
            has_passed = yield is_answered
            if session == self._session:
                self._count(has_passed=has_passed)
            yield clock.pause(main_thread_ns(self._view.ticks, self._check.interval_ns))

    def _probe(self) -> Steps:
        """One check: whether it passed."""
        timer = self._clock.timers(self._check.timeout_ns).start(OK)
        try:
            return (yield from self._ask())
        except Expired as expired:
            if expired.timer is not timer:
                raise
            return False
        finally:
            timer.task = None

    def _ask(self) -> Steps:
        """There, perhaps into the queue, and back: whether it is well. It is not where what was asked has gone before it could answer."""
        instance = self._endpoint.instance
        self._number += 1
        key = call_key(self._key, self._number)
        yield self._latency_ns(key, REQUEST_WAY)
        is_well, life = not instance.is_down, instance.incarnation
        is_lost = instance.is_unreachable
        if is_well and not is_lost and self._check.uses_worker:
            yield from instance.be_checked()
            is_well, is_lost = life == instance.incarnation, instance.is_unreachable
        if is_lost:
            yield LOST_AFTER_NS
            return False
        yield self._latency_ns(key, ANSWER_WAY)
        return is_well

    def _latency_ns(self, key: int, way: int) -> int:
        """One way."""
        endpoint = self._endpoint
        if endpoint.latency_ns != NONE:
            return endpoint.latency_ns
        return self._links.latency_ns(key, way, self._view.zone, endpoint.zone)

    def _count(self, *, has_passed: bool) -> None:
        """Count, and tell the view when it has been enough."""
        endpoint, check, view = self._endpoint, self._check, self._view
        if has_passed:
            self._failures = 0
            self._successes += 1
            if not endpoint.is_passing and (self._is_first or self._successes >= check.healthy_threshold):
                view.set_health(endpoint.index, is_healthy=True)
            if endpoint.is_passing and view.health is not None:
                view.health.pass_check(endpoint)
        else:
            self._successes = 0
            self._failures += 1
            if endpoint.is_passing and self._failures >= check.unhealthy_threshold:
                view.set_health(endpoint.index, is_healthy=False)
        self._is_first = False
