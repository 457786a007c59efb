"""Hedging: a further try while one is still on its way, and the first good answer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.layers.race import Race
from meshsim.engines.reference.layers.retrying import tried
from meshsim.policies.retry import RunningQuantile
from meshsim.randomness import Draw

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Hedging, Retries


class HedgeLayer:
    """Tries of one call side by side.

    On a per-try timeout (Envoy's `hedge_on_per_try_timeout`) the try is not reset: a retry is scheduled through the usual back-off, if
    any is left and the retry breaker has room, and whoever answers first wins. After a delay, or at a running quantile of the
    latencies, a further try is sent at once. A failure of a try that has timed out counts for nothing while another is out.
    Where no retry is left at a per-try timeout, or the retry breaker has no room, the request is flagged URX or UO, even if it is answered
    well in the end.
    A further try of either kind holds a slot of the retry breaker until it ends, or passes it on at its own per-try timeout.

    With a delay or a quantile no failure of the server's counts while another try is out, as in Finagle. What the losers have taken so far
    counts for the quantile, as there: of winners alone it would sink with every hedge that wins, and one at 95 % would hedge a tenth.

    Source: Envoy, source/common/router/router.cc (onSoftPerTryTimeout, onUpstreamHeaders); measured on Envoy 1.40; gRPC proposal A6
    (hedging after a delay); Dean and Barroso, "The tail at scale", CACM 56(2), 2013 (at the 95th percentile);
    Finagle, finagle-core, com.twitter.finagle.client.BackupRequestFilter.
    """

    __slots__ = ("draw", "hedging", "inner", "latencies", "layer", "policy", "refusals", "timeout_ns", "view", "visible")

    def __init__(
        self, inner: Handler, retries: Retries, hedging: Hedging, refusals: Refusals, layer: int, view: View | None, visible: int
    ) -> None:
        self.inner = inner
        self.policy = retries.policy
        self.timeout_ns = retries.per_try_timeout_ns if hedging.on_per_try_timeout else 0
        self.hedging = hedging
        self.refusals = refusals
        self.layer = layer
        self.view = view
        self.visible = visible
        self.latencies = RunningQuantile(hedging.quantile) if hedging.quantile else None
        self.draw = Draw()

    def call(self, call: Call) -> Steps:
        """The first good answer, or the last bad one."""
        return Race(self, call).run()

    def delay_ns(self) -> int:
        """After how long without an answer a further try is sent; 0 for not."""
        if self.latencies is not None:
            return max(0, self.latencies.value_ns())
        return self.hedging.delay_ns

    def sleep(self, length_ns: int) -> Steps:
        """Wait for so long, by the proxy's clock."""
        if self.view is None or self.view.ticks is None:
            yield length_ns
        else:
            yield from self.view.ticks.sleep(length_ns)

    def count_retry(self, after: Call) -> None:
        """A retry has been sent, beside others or not."""
        if self.view is not None:
            self.view.activity_of(tried(after)).retries += 1

    def count_hedge(self, beside: Call) -> None:
        """A try has been sent while another one was on its way."""
        if self.view is not None:
            self.view.activity_of(tried(beside)).hedges += 1

    def count_win(self, beside: Call) -> None:
        """One that was sent so has won."""
        if self.view is not None:
            self.view.activity_of(tried(beside)).hedges_won += 1


class ConnectedLayer:
    """Tell the race that a try has its connection, in the place of the per-try timeout that would end it."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Handler) -> None:
        self._inner = inner

    def call(self, call: Call) -> Steps:
        """The inner outcome; no generator of its own."""
        call.on_connection()
        return self._inner.call(call)
