"""Session persistence of a route: who has been answered by an endpoint comes back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.travel.session import Session
from meshsim.plan import NONE, HashOn

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.request import Request
    from meshsim.plan import Persistence


class Sessions:
    """The cookies that a route's clients hold: the same at all replicas of the gateway, and still there after their restart.

    A cookie names the endpoint that answered, whatever it answered. The first try of the next request goes there, past the load
    balancer and past the route's weights, 0 included, as long as the endpoint is known and healthy; a retry is balanced. When another
    endpoint has answered, the cookie names that one from then on. An answer that came from no endpoint leaves it as it is.

    Source: Kubernetes Gateway API, GEP-1619 (a session of the route's own; it "takes precedence over traffic split weights", even a
    weight of 0; absoluteTimeout); Envoy, source/extensions/filters/http/stateful_session/stateful_session.cc (onUpdate, strict),
    source/common/router/router.h (overrideHostToSelect: none for a retry), source/common/upstream/host_utility.cc (override_host_status).
    Of weighted clusters plain Envoy draws one before it looks at the cookie, and does not know the host in another; the Gateway API's
    rule holds here. Envoy Gateway keeps it: its backends are localities of one cluster (internal/xds/translator/cluster.go, 00240cd).
    """

    __slots__ = ("_clock", "_held", "_plan")

    def __init__(self, plan: Persistence, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._held: dict[int, Session] = {}
        """By whom."""

    def find(self, request: Request) -> Session | None:
        """The session that a request belongs to; None where it brings no cookie."""
        session = self._held.get(identity(request, self._plan.of))
        if session is None or session.until_ns == NONE or self._clock.now_ns < session.until_ns:
            return session
        return None

    def destination(self, request: Request) -> int:
        """The operation that a request's session leads to; NONE where the weights decide: without one, or after its endpoint's end."""
        session = self.find(request)
        return NONE if session is None or (session.is_over and not self._plan.is_strict) else session.operation

    def keep(self, call: Call) -> None:
        """A call of the gateway's has an answer: its client holds a cookie of the endpoint that the last try went to."""
        endpoint, who = getattr(call, "endpoint", None), identity(call.request, self._plan.of)
        if endpoint is None or who == NONE:
            return
        instance, before = endpoint.instance, self.find(call.request)
        until_ns = self._clock.now_ns + self._plan.timeout_ns if self._plan.timeout_ns else NONE
        made = Session(call.operation, instance, instance.pod, until_ns)
        if before is None or before[:3] != made[:3]:
            self._held[who] = made


def identity(request: Request, of: HashOn) -> int:
    """Number of a request's user, consumer or address; NONE where it has none, such as a user of an open load."""
    if of is HashOn.CONSUMER:  # the same one whichever load it asks by
        return request.consumer or NONE
    if of is HashOn.ADDRESS:
        return request.address
    return NONE if request.user == NONE else request.source << 32 | request.user
