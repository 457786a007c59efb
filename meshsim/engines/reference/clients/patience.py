"""Clients who wait for an answer only so long, each as long as it is patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.layers.timeout import CLIENT_GAVE_UP, kept
from meshsim.engines.reference.time.clock import Expired, Timers
from meshsim.randomness import PATIENCE, uniform

if TYPE_CHECKING:
    from meshsim.distributions import Distribution
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler


class PatienceLayer:
    """Give up when the client's patience, drawn for the request, is at its end: around its own timeout and retries.

    Nobody is told beforehand: unlike a timeout it is no deadline that a request could carry.

    Source: Palm, "Methods of judging the annoyance caused by congestion", Tele 4, 1953; Mandelbaum and Zeltyn, "The Palm/Erlang-A queue,
    with applications to call centers", 2005.
    """

    __slots__ = ("_clock", "_inner", "_patience")

    def __init__(self, inner: Handler, clock: Clock, patience: Distribution) -> None:
        self._inner = inner
        self._clock = clock
        self._patience = patience

    def call(self, call: Call) -> Steps:
        """The inner outcome, or that the client gave up."""
        patience_ns = max(1, round(self._patience.quantile(uniform(call.request.key, PATIENCE))))
        timer = Timers(self._clock, patience_ns).start(CLIENT_GAVE_UP)
        try:
            return (yield from self._inner.call(call))
        except Expired as expired:
            if expired.timer is not timer:
                raise
            return kept(CLIENT_GAVE_UP, call)
        finally:
            timer.task = None


def patient(inner: Handler, clock: Clock, patience: Distribution | None) -> Handler:
    """`inner` for clients whose patience ends; itself for those who wait for ever."""
    return inner if patience is None else PatienceLayer(inner, clock, patience)
