"""The choice of an endpoint for each try, and what is learned from how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Interrupted, Overdue
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.policies.load_balancing import NO_HASH
from meshsim.randomness import LOAD_BALANCER

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.session import Session
    from meshsim.plan import Persistence
    from meshsim.policies.load_balancing import LoadBalancerState
    from meshsim.policies.retry import RetryPolicy

TIMED_OUT = 504
"""How outlier detection counts an attempt that a timeout around it has ended."""


class Chooser:
    """Picks the endpoint of a try: a session's for the first; a retry may avoid hosts and priorities that were tried before.

    Source: Envoy, source/common/upstream/load_balancer_impl (host_selection_retry_max_attempts),
    source/extensions/retry/host/previous_hosts, source/extensions/retry/priority/previous_priorities.
    """

    __slots__ = ("_avoids_priorities", "_persistence", "_reselections", "_update_frequency", "view")

    def __init__(self, view: View, policy: RetryPolicy | None, persistence: Persistence | None = None) -> None:
        self.view = view
        self._persistence = persistence
        retries = policy is not None and policy.num_retries > 0
        self._reselections = policy.max_reselections if policy is not None and retries and policy.avoids_previous_hosts else 0
        self._avoids_priorities = policy is not None and retries and policy.avoids_previous_priorities
        self._update_frequency = policy.update_frequency if policy is not None else 1

    @property
    def is_plain(self) -> bool:
        """Whether every try is picked like the first."""
        return not self._reselections and not self._avoids_priorities and self._persistence is None

    def choose(self, call: Call) -> EndpointView | None:
        """The endpoint of this try; None where nobody is there to go to."""
        first = call.first
        if call.attempt == 1:
            first.tried = ()
        session = call.first.session if call.attempt == 1 else None
        endpoint = self._first_choice(call) if session is None else self._of_session(call, session)
        if call.attempt > 1:
            for number in range(1, self._reselections + 1):
                if endpoint is None or endpoint not in first.tried:
                    break
                endpoint = self.view.pick_again(call, number)
        if endpoint is not None:
            first.tried += (endpoint,)
        return endpoint

    def _of_session(self, call: Call, session: Session) -> EndpointView | None:
        """The session's endpoint, past the load balancer; another one where it cannot be used, or None where that is strict.

        Whether it can is asked of the host itself: what has just been found out of its health counts before the load balancer hears.

        Source: Envoy, source/common/upstream/host_utility.cc (selectOverrideHost): in the host map, and not unhealthy.
        """
        endpoint = self.view.endpoint_of(session.instance)
        if endpoint is None:  # the weights have sent it elsewhere
            return self._first_choice(call)
        if session.is_of_its_pod and endpoint.is_member and endpoint.is_available and endpoint.is_well:
            return endpoint
        self.view.activity_of(endpoint).sessions_moved += 1
        assert self._persistence is not None  # noqa: S101 — nothing is pinned without it
        return None if self._persistence.is_strict else self._first_choice(call)

    def _first_choice(self, call: Call) -> EndpointView | None:
        """Among all priorities, or among those that were not tried at the latest update."""
        known = (call.attempt - 1) // self._update_frequency * self._update_frequency if self._avoids_priorities else 0
        tried = 0
        for endpoint in call.first.tried[:known]:
            tried |= 1 << self.view.level(endpoint)
        return self.view.pick_avoiding(call, tried) if tried else self.view.pick(call)


class PickLayer:
    """Choose the endpoint of this try where nothing that happens to it changes anything."""

    __slots__ = ("_choose", "_inner")

    def __init__(self, inner: Handler, chooser: Chooser) -> None:
        self._inner = inner
        self._choose = chooser.view.pick if chooser.is_plain else chooser.choose

    def call(self, call: Call) -> Steps:
        """What the endpoint answers; no generator of its own: endpoints of such a view are always there."""
        call.endpoint = self._choose(call)  # type: ignore[assignment]
        return self._inner.call(call)


class StaticPickLayer:
    """As `PickLayer`, for the usual view: one group of endpoints, always the same, and requests without a hash."""

    __slots__ = ("_at", "_clock", "_group", "_inner", "_pick")

    def __init__(self, inner: Handler, view: View, group: list[EndpointView], balancer: LoadBalancerState) -> None:
        self._inner = inner
        self._group = group
        self._pick = balancer.pick
        self._at = view.draw.at
        self._clock = view.clock

    def call(self, call: Call) -> Steps:
        """What the endpoint answers."""
        group = self._group
        call.endpoint = group[self._pick(group, self._at(call.key, LOAD_BALANCER), self._clock.now_ns, NO_HASH)]
        return self._inner.call(call)


def pick_layer(
    inner: Handler, chooser: Chooser, refusals: Refusals, *, is_watched: bool, deadline: Outcome | None = None
) -> Handler:
    """The layer that chooses endpoints, no more of it than the view needs; `deadline` is what the timeout over all tries answers."""
    if is_watched:
        return WatchfulPickLayer(inner, chooser, refusals, deadline)
    group = chooser.view.static_group if chooser.is_plain else None
    return PickLayer(inner, chooser) if group is None else StaticPickLayer(inner, chooser.view, *group)


class WatchfulPickLayer:
    """Choose the endpoint of this try where there may be none, or a dead one; and tell the view what became of it.

    An attempt that a timeout around all tries has ended counts as a 504 of its host, as in Envoy; one whose caller has gone
    does not count.
    """

    __slots__ = ("_choose", "_deadline", "_failed_fast", "_inner", "_no_host", "_refusals", "_view")

    def __init__(self, inner: Handler, chooser: Chooser, refusals: Refusals, deadline: Outcome | None = None) -> None:
        self._inner = inner
        self._deadline = deadline
        self._view = chooser.view
        self._choose = chooser.view.pick if chooser.is_plain else chooser.choose
        self._refusals = refusals
        self._no_host = failure(503, Flag.UH, chooser.view.service)
        self._failed_fast = failure(504, Flag.UH, chooser.view.service)

    def call(self, call: Call) -> Steps:
        """What the endpoint answers; where there is none 503 with UH, or 504 after a wait in vain."""
        view, clock = self._view, self._view.clock
        if view.queue is not None and view.queue.is_needed and not (yield from self._wait(call)):
            view.activity.no_host += 1
            return self._refusals.refuse(call, self._failed_fast if call.connection_ns else self._no_host)
        endpoint = self._choose(call)
        if endpoint is None:
            return self._find_nobody(call)
        if not endpoint.instance.is_listed:
            view.activity_of(endpoint).stale_picks += 1
        if view.is_panic:
            view.activity_of(endpoint).panic_picks += 1
        if view.health is not None:
            view.health.picked(endpoint)
        call.endpoint = endpoint
        began_ns = clock.now_ns
        try:
            outcome = yield from self._inner.call(call)
        except Interrupted as error:
            if error.outcome.flags & Flag.UT and not isinstance(error, Overdue):
                view.notice(endpoint, TIMED_OUT, -1, int(Flag.UT), clock.now_ns - began_ns)
            elif view.health is not None:
                view.health.given_up(endpoint)
            raise
        view.notice(endpoint, outcome.status, outcome.grpc_status, outcome.flags, clock.now_ns - began_ns)
        return outcome

    def _find_nobody(self, call: Call) -> Outcome:
        """The answer of 503, of the backend whose share it was where there are several."""
        nobody = self._view.nobody
        nobody.activity.no_host += 1
        if nobody.operation != NONE:
            call.operation = nobody.operation
        return self._refusals.refuse(call, self._no_host._replace(origin=nobody.service))

    def _wait(self, call: Call) -> Steps:
        """Until an endpoint is ready; whether there is one."""
        view, clock = self._view, self._view.clock
        assert view.queue is not None  # noqa: S101 — the caller has looked
        if not view.queue.admits:
            return False
        view.activity.endpoint_waits += 1
        began_ns = clock.now_ns
        try:
            is_ready: bool = yield from view.queue.wait(self._deadline)
        except Interrupted:
            call.connection_ns = clock.now_ns - began_ns
            self._refusals.lose(call, call.caller)
            raise
        call.connection_ns = clock.now_ns - began_ns
        return is_ready


class WatchfulTransportLayer:
    """Tell the view what became of a try whose endpoint its connection has chosen."""

    __slots__ = ("_inner", "_view")

    def __init__(self, inner: Handler, view: View) -> None:
        self._inner = inner
        self._view = view

    def call(self, call: Call) -> Steps:
        """What the endpoint answers."""
        view, clock = self._view, self._view.clock
        call.endpoint = None  # type: ignore[assignment]
        began_ns = clock.now_ns
        try:
            outcome = yield from self._inner.call(call)
        except Interrupted as error:
            if error.outcome.flags & Flag.UT and call.endpoint is not None and not isinstance(error, Overdue):
                view.notice(call.endpoint, TIMED_OUT, -1, int(Flag.UT), clock.now_ns - began_ns)
            raise
        if call.endpoint is not None:
            view.notice(call.endpoint, outcome.status, outcome.grpc_status, outcome.flags, clock.now_ns - began_ns)
        return outcome
