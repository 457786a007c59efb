"""Routes as they stand at this instant: weights may follow a schedule, and a new version may be taken back."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from meshsim.engines.reference.proxies.sessions import Sessions
from meshsim.engines.reference.time.outcome import CALLER_LEFT, is_servers_fault
from meshsim.plan import NONE, HashOn
from meshsim.policies.load_balancing import NO_HASH
from meshsim.randomness import DESTINATION, uniform

if TYPE_CHECKING:
    from collections.abc import Generator

    import simpy

    from meshsim.engines.reference.destinations.hash_keys import HashKeys
    from meshsim.engines.reference.destinations.rule_view import RuleView
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.request import Request
    from meshsim.plan import Canary, Route


class LiveRoute:
    """One route of the gateway, the same at all its replicas."""

    __slots__ = ("_hash_keys", "_operations", "_shares", "_sticky", "_views", "canary", "is_simple", "plan", "sessions")

    def __init__(self, plan: Route, clock: Clock, hash_keys: HashKeys) -> None:
        self.plan = plan
        self._hash_keys = hash_keys
        self._operations = plan.operations
        self._shares = plan.shares
        self._sticky = plan.sticky
        self._views: list[RuleView] = []
        """Of proxies that know all of its destinations as one cluster."""
        self.canary = None if plan.canary is None else CanaryRun(self, plan.canary, clock)
        persistence = plan.stack.persistence
        self.sessions = None if persistence is None else Sessions(persistence, clock)
        is_plain = plan.canary is None and persistence is None
        self.is_simple = is_plain and plan.fallback == NONE and not plan.parts and not plan.max_kib
        """Whether its requests go to one destination and that is all."""

    def destination(self, request: Request, key: int) -> int:
        """The operation that a request goes to; nothing is drawn where there is no choice."""
        operations = self._operations
        if len(operations) == 1:
            return operations[0]
        if self.sessions is not None:
            operation = self.sessions.destination(request)
            if operation != NONE:
                return operation
        drawn = uniform(key if self._sticky is HashOn.NOTHING else self._identity(request), DESTINATION)
        for operation, bound in zip(operations, self._shares, strict=True):
            if drawn < bound:
                return operation
        return operations[-1]

    def follow(self, view: RuleView) -> None:
        """Tell a view of the weights as they change."""
        self._views.append(view)

    def _identity(self, request: Request) -> int:
        """A key that is the same for all requests of whom the route keeps together; nobody knows who comes again without a name."""
        who = self._hash_keys.of_user(request, self._sticky)
        return request.key if who == NO_HASH else who

    def set_share(self, operation: int, share: float) -> None:
        """Give one destination a share of the requests; the others keep their proportions."""
        before, rest = 0.0, 0.0
        shares = []
        for one, bound in zip(self._operations, self.plan.shares, strict=True):
            shares.append(bound - before)
            rest += 0.0 if one == operation else bound - before
            before = bound
        bounds, bound = [], 0.0
        for one, old in zip(self._operations, shares, strict=True):
            bound += share if one == operation else (1.0 - share) * (old / rest if rest else 0.0)
            bounds.append(bound)
        self._shares = tuple(bounds)
        weights = [bound - before for bound, before in zip(bounds, (0.0, *bounds[:-1]), strict=True)]
        for view in self._views:
            view.set_weights(weights)


class Observed:
    """A way to a route's destination, of which a canary hears how each call ended."""

    __slots__ = ("_canary", "_clock", "_inner")

    def __init__(self, inner: Handler, canary: CanaryRun, clock: Clock) -> None:
        self._inner = inner
        self._canary = canary
        self._clock = clock

    def call(self, call: Call) -> Steps:
        """What the destination answers; whose client has left is seen too, with its time."""
        outcome: Outcome = CALLER_LEFT
        began_ns = self._clock.now_ns
        try:
            outcome = yield from self._inner.call(call)
        finally:
            self._canary.observe(call.operation, outcome, self._clock.now_ns - began_ns)
        return outcome


class CanaryRun:
    """Leads a new version through its steps, and takes it back when its figures are bad.

    Checks look at what ended since the last check, over all replicas of the gateway, as a query to Prometheus does. A failed check counts
    towards the threshold; where the plan `holds`, as in Flagger, it stops the next step too, until one succeeds.

    Source: Flagger, docs "Deployment strategies" and "Metrics analysis" (interval, threshold, stepWeight; request-success-rate,
    request-duration); Argo Rollouts, docs "Canary" (setWeight, pause).
    """

    __slots__ = (
        "_clock",
        "_ended_ns",
        "_failed_checks",
        "_failures",
        "_is_held",
        "_is_watching",
        "_latencies_ns",
        "_plan",
        "_route",
        "is_taken_back",
    )  # fmt: skip

    def __init__(self, route: LiveRoute, plan: Canary, clock: Clock) -> None:
        self._route = route
        self._plan = plan
        self._clock = clock
        self._latencies_ns: list[int] = []
        """Of those to the new version that have ended since the last check."""
        self._failures = 0
        self._failed_checks = 0
        self._is_watching = False
        self._is_held = False
        """Whether the last check failed, and the plan holds its steps for that."""
        self._ended_ns = -1
        self.is_taken_back = False

    def begin(self) -> None:
        """Start its processes."""
        if not self._plan.start_ns:  # before the requests of the first instant
            self._route.set_share(self._plan.operation, self._plan.steps[0][0])
        self._clock.process(self._step())
        if self._plan.interval_ns:
            self._clock.process(self._watch())

    def observe(self, operation: int, outcome: Outcome, latency_ns: int) -> None:
        """A request of the route has ended; of one whose client has left only the time counts, as in Istio's metrics."""
        if self._is_watching and operation == self._plan.operation:
            self._latencies_ns.append(latency_ns)
            self._failures += outcome.status != CALLER_LEFT.status and is_servers_fault(outcome)

    def _step(self) -> Generator[simpy.Event, None, None]:
        """A SimPy process: one weight after the other, and all requests at the end."""
        yield self._clock.pause(self._plan.start_ns)
        for share, pause_ns in self._plan.steps:
            if not self.is_taken_back:
                self._route.set_share(self._plan.operation, share)
            yield self._clock.pause(pause_ns)
            if self._plan.holds:
                yield self._clock.pause(0)  # after the check of this instant
            while self._is_held and not self.is_taken_back:
                yield self._clock.pause(self._plan.interval_ns)
                yield self._clock.pause(0)
        self._ended_ns = self._clock.now_ns
        if not self.is_taken_back:
            self._route.set_share(self._plan.operation, 1.0)

    def _watch(self) -> Generator[simpy.Event, None, None]:
        """A SimPy process: a check at every interval, until the last step is over."""
        plan = self._plan
        yield self._clock.pause(plan.start_ns)
        self._is_watching = True
        while not self.is_taken_back:
            yield self._clock.pause(plan.interval_ns)
            if 0 <= self._ended_ns < self._clock.now_ns:
                break
            is_well = self._is_well()
            self._failed_checks += not is_well
            self._is_held = plan.holds and not is_well
            self._latencies_ns.clear()
            self._failures = 0
            if self._failed_checks >= plan.threshold:
                self.is_taken_back = True
                self._route.set_share(plan.operation, 0.0)
        self._is_watching = False

    def _is_well(self) -> bool:
        plan, count = self._plan, len(self._latencies_ns)
        if count < plan.min_requests:
            return True
        if (count - self._failures) / count < plan.min_success_rate:  # not 1 - failures/count: that is below 93 % for 7 of 100
            return False
        p99_ns = sorted(self._latencies_ns)[ceil(0.99 * count) - 1]
        return not plan.max_p99_ns or p99_ns <= plan.max_p99_ns
