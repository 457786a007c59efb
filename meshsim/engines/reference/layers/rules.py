"""What the tries of one call go by that are made side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Hedging
    from meshsim.policies.retry import RetryPolicy
    from meshsim.policies.retry.running_quantile import RunningQuantile
    from meshsim.randomness import Draw


class Rules(Protocol):
    """What the tries of a race go by, and where it is counted what became of them."""

    inner: Handler
    policy: RetryPolicy
    timeout_ns: int
    """The per-try timeout, where it asks for a further try; 0 without."""
    hedging: Hedging
    refusals: Refusals
    layer: int
    view: View | None
    visible: int
    latencies: RunningQuantile | None
    draw: Draw

    def delay_ns(self) -> int:
        """After how long without an answer a further try is sent; 0 for not."""
        ...

    def sleep(self, length_ns: int) -> Steps:
        """Wait for so long, by the proxy's clock."""
        ...

    def count_retry(self, after: Call) -> None:
        """A retry has been sent after a try that failed, or timed out."""
        ...

    def count_hedge(self, beside: Call) -> None:
        """A try has been sent while another one was on its way."""
        ...

    def count_win(self, beside: Call) -> None:
        """One that was sent so has won."""
        ...
