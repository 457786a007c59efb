"""Envoy's fault filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Count, Duration, Share

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

ABORTED = int(Flag.FI)
DELAYED = int(Flag.DI)


class Delay(TypedDict):
    """A delay for some of the requests."""

    fixed_delay: Duration
    """How long a request is held up."""
    percentage: Share
    """How many are."""


class Abort(TypedDict):
    """An answer in place of the service's for some of the requests."""

    http_status: Annotated[int, Ge(200), Le(599)]
    """The answer."""
    percentage: Share
    """How many get it."""


@policy
class Fault(Filter):
    """Hold some requests up and answer some of them with an error, to see what that does.

    Delay and abort are drawn independently, and a request may meet both: the delay comes first. While `max_active_faults` requests are
    being held up no other one is. The flag of an abort is FI; a delay alone leaves no flag on a request that succeeds.

    Source: Envoy, source/extensions/filters/http/fault/fault_filter.cc; Istio's HTTPFaultInjection is made of it.
    """

    delay: Delay | None = None
    """Whom to hold up."""
    abort: Abort | None = None
    """Whom to answer."""
    max_active_faults: Count = 2**32 - 1
    """Requests held up at once."""

    def check(self) -> None:
        """Raise `SettingError` where it would do nothing."""
        if self.delay is None and self.abort is None:
            raise SettingError("delay", "write `delay`, `abort` or both: the filter does nothing without")

    def build(self, **_: object) -> FaultState:
        """Nobody is held up."""
        return FaultState(self)


class FaultState(FilterState):
    """Whom one proxy holds up."""

    delays = True

    def __init__(self, settings: Fault) -> None:
        """Nobody is held up."""
        self.delay = settings.delay
        self.abort = settings.abort
        self.max_active_faults = settings.max_active_faults
        self._held_until_ns: list[int] = []

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, a delay, an answer, or both."""
        is_delayed = self.delay is not None and draw.uniform() < self.delay["percentage"]
        is_aborted = self.abort is not None and draw.uniform() < self.abort["percentage"]
        delay_ns = 0
        if is_delayed and self.delay is not None:
            self._held_until_ns = [until_ns for until_ns in self._held_until_ns if until_ns > now_ns]
            if len(self._held_until_ns) < self.max_active_faults:
                delay_ns = self.delay["fixed_delay"]
                self._held_until_ns.append(now_ns + delay_ns)
        if is_aborted and self.abort is not None:
            flags = ABORTED | DELAYED if delay_ns else ABORTED
            return Verdict(self.abort["http_status"], flags, delay_ns, decision=Decision.ABORTED)
        return Verdict(flags=DELAYED, delay_ns=delay_ns, decision=Decision.DELAYED) if delay_ns else PASS
