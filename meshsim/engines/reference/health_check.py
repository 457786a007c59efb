"""Active health checks: each proxy asks each endpoint at intervals whether it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.clock import Expired
from meshsim.engines.reference.outcome import LOST_AFTER_NS, OK
from meshsim.plan import NONE
from meshsim.randomness import PHASE, uniform

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.clock import Clock, Steps
    from meshsim.engines.reference.endpoints import EndpointView
    from meshsim.engines.reference.network import Links
    from meshsim.engines.reference.view import View
    from meshsim.plan import HealthCheck


class HealthChecker:
    """Checks one endpoint for one proxy.

    A host that joins is unhealthy until it has passed a first check, one of which is enough (those that are there from the start have,
    before the run: Envoy takes no requests until then); later it takes `healthy_threshold` of them, and
    `unhealthy_threshold` failures to be taken out. The check is shallow: an instance that answers its requests with errors
    passes it. With `uses_worker` it waits for a worker as a request does, so that an overloaded instance fails it.

    Source: Envoy, source/extensions/health_checkers/common/health_checker_base_impl.cc;
    docs/root/intro/arch_overview/upstream/health_checking.rst.
    """

    __slots__ = ("_check", "_clock", "_endpoint", "_failures", "_is_first", "_links", "_number", "_successes", "_view")

    def __init__(self, clock: Clock, view: View, endpoint: EndpointView, links: Links, check: HealthCheck) -> None:
        self._clock = clock
        self._view = view
        self._endpoint = endpoint
        self._links = links
        self._check = check
        self._failures = self._successes = self._number = 0
        self._is_first = True

    def watch(self) -> Generator[simpy.Event, None, None]:
        """A SimPy process: check, wait, check again; a host that joins begins anew."""
        clock, endpoint = self._clock, self._endpoint
        yield clock.pause(round(uniform(self._view.key, PHASE, 1 + endpoint.index) * self._check.interval_ns))
        was_member = False
        while True:
            if endpoint.is_member and not was_member:
                self._failures = self._successes = 0
                self._is_first = True
            was_member = endpoint.is_member
            if was_member:
                clock.start(self._probe(), self._answered)
            yield clock.pause(self._check.interval_ns)

    def _probe(self) -> Steps:
        """One check: whether it passed."""
        timer = self._clock.timers(self._check.timeout_ns).start(OK)
        try:
            yield from self._ask()
        except Expired as expired:
            if expired.timer is not timer:
                raise
            return False
        finally:
            timer.task = None
        return not self._endpoint.instance.is_down

    def _ask(self) -> Steps:
        instance, endpoint = self._endpoint.instance, self._endpoint
        self._number += 1
        if instance.is_unreachable:
            yield LOST_AFTER_NS
        key = self._view.key + (self._number << 8) + endpoint.index
        for way in (0, 1):
            latency_ns = endpoint.latency_ns
            if latency_ns == NONE:
                latency_ns = self._links.latency_ns(key, 8 + way, self._view.zone, endpoint.zone)
            if latency_ns:
                yield latency_ns
            if way == 0 and self._check.uses_worker and not instance.is_down:
                yield from instance.station.hold(0)

    def _answered(self, has_passed: bool) -> None:  # noqa: FBT001
        """Count, and tell the view when it has been enough."""
        endpoint, check, view = self._endpoint, self._check, self._view
        if has_passed:
            self._failures = 0
            self._successes += 1
            if not self._is_well() and (self._is_first or self._successes >= check.healthy_threshold):
                view.set_health(endpoint.index, is_healthy=True)
            self._is_first = False
        else:
            self._successes = 0
            self._failures += 1
            if self._is_well() and self._failures >= check.unhealthy_threshold:
                view.set_health(endpoint.index, is_healthy=False)

    def _is_well(self) -> bool:
        health = self._view.health
        return health is not None and health.passes(self._endpoint)
