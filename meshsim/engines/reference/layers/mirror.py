"""Mirroring: copies of requests whose answers nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.travel.call import Call
from meshsim.randomness import MIRROR, call_key, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.plan import Mirror


class MirrorLayer:
    """Send a copy of some calls elsewhere, in a task of its own, and forget it.

    The copy burdens the service that it is sent to as any request does: it has the timeout of the original, and is never tried again.
    The tries of one request are not copied one by one. A copy has the original's headers, credentials among them. Its rows have no request
    (-1): no client waits for it.

    Source: Envoy, source/common/router/router.cc (decodeHeaders: shadow_headers_ is a copy of the request's), shadow_writer_impl.cc;
    envoy/config/route/v3/route_components.proto (RequestMirrorPolicy).
    """

    __slots__ = ("_copies", "_inner", "_mirror", "_view")

    def __init__(self, inner: Handler, copies: Handler, mirror: Mirror, view: View) -> None:
        self._inner = inner
        self._copies = copies
        self._mirror = mirror
        self._view = view

    def call(self, call: Call) -> Steps:
        """What the original gets; no generator of its own."""
        if self._mirror.share >= 1.0 or uniform(call.key, MIRROR) < self._mirror.share:
            original, clock = call.request, self._view.clock
            key = call_key(call.key + MIRROR, 0)
            copy = Call(original.aside(clock.now_ns), key, self._mirror.operation, call.caller, call.zone)
            copy.proxy = call.proxy
            self._view.activity.mirrored += 1
            clock.start(self._copies.call(copy))
        return self._inner.call(call)
