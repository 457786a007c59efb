"""What every failure accrual answers, and the probation that all share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.own_policies import State, whole, yes_or_no
from meshsim.registry import Policy, SettingError, family

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

NEVER = -1
_NO_ANSWER = int(Flag.UF | Flag.UC | Flag.UT)
Ratio = Annotated[float, Ge(0), Le(100)]


class Gate:
    """One endpoint: open, shut, or on probation."""

    __slots__ = ("is_probed", "is_shut", "penalties", "until_ns")

    def __init__(self) -> None:
        self.is_shut = False
        self.is_probed = False
        """Whether the one request of the probation is on its way."""
        self.penalties = 0
        """How often in a row it was shut."""
        self.until_ns = 0


class FailureAccrualState(State):
    """Which endpoints of one proxy are shut out, and until when. Where all are, there is nobody to send to."""

    __slots__ = ("_gates", "jitter_ratio", "max_penalty", "min_penalty")

    def __init__(self, settings: FailureAccrual, hosts: int) -> None:
        """All of so many endpoints are open."""
        self.min_penalty = settings.min_penalty
        self.max_penalty = settings.max_penalty
        self.jitter_ratio = settings.jitter_ratio
        self._gates = [Gate() for _ in range(hosts)]

    def is_available(self, index: int, now_ns: int) -> bool:
        """Whether requests may be sent to an endpoint; one at a time on probation."""
        gate = self._gates[index]
        return not gate.is_shut or (now_ns >= gate.until_ns and not gate.is_probed)

    def next_change_ns(self) -> int:
        """When the next probation begins; -1 where none is due."""
        due = [gate.until_ns for gate in self._gates if gate.is_shut and not gate.is_probed]
        return min(due) if due else NEVER

    def probe(self, index: int) -> bool:
        """A request is sent to an endpoint; whether it is the one of its probation."""
        gate = self._gates[index]
        if gate.is_shut:
            gate.is_probed = True
        return gate.is_shut

    def forget(self, index: int) -> bool:
        """A request has ended without an outcome (its caller has gone); whether that changes who is available."""
        gate = self._gates[index]
        was_probed, gate.is_probed = gate.is_probed, False
        return was_probed

    def record(self, index: int, now_ns: int, status: int, grpc_status: int, flags: int, draw: Draw) -> bool:
        """An attempt at an endpoint has ended; whether that changes who is available.

        Args:
            index: The endpoint.
            now_ns: Time.
            status: HTTP status.
            grpc_status: gRPC status, -1 where the answer has none.
            flags: Bits of `meshsim.flags.Flag`.
            draw: Chance.
        """
        gate = self._gates[index]
        failed = self.is_failure(status, grpc_status, flags)
        if gate.is_shut:
            if not gate.is_probed:  # sent before it was shut
                return False
            gate.is_probed = False
            if failed:
                self._shut(gate, now_ns, draw)
            else:
                gate.is_shut, gate.penalties = False, 0
                self.opened(index, now_ns)
            return True
        if self.has_failed(index, now_ns, failed):
            self._shut(gate, now_ns, draw)
            return True
        return False

    def is_failure(self, status: int, grpc_status: int, flags: int) -> bool:
        """Whether an outcome is held against the endpoint."""
        if grpc_status >= 0:
            return grpc_status in (2, 4, 13, 14, 15) or bool(flags & _NO_ANSWER)
        return status >= 500 or bool(flags & _NO_ANSWER)

    def has_failed(self, index: int, now_ns: int, failed: bool) -> bool:  # noqa: FBT001
        """Whether an open endpoint is to be shut out after this outcome."""
        raise NotImplementedError

    def opened(self, index: int, now_ns: int) -> None:
        """An endpoint has passed its probation."""

    def _shut(self, gate: Gate, now_ns: int, draw: Draw) -> None:
        penalty_ns = min(self.max_penalty, self.min_penalty << min(gate.penalties, 60))
        if self.jitter_ratio:
            penalty_ns += round(penalty_ns * self.jitter_ratio * draw.uniform())
        gate.is_shut, gate.penalties, gate.until_ns = True, gate.penalties + 1, now_ns + penalty_ns


@family(
    "failure_accrual",
    FailureAccrualState,
    is_available=yes_or_no,
    record=yes_or_no,
    probe=yes_or_no,
    forget=yes_or_no,
    has_failed=yes_or_no,
    next_change_ns=whole(NEVER, " for none"),
)
class FailureAccrual(Policy):
    """Shuts endpoints out that fail, for a penalty that doubles; after it one request decides. State is one proxy's.

    While an endpoint is shut or its probe is on its way nothing else is sent to it. Where all are shut there is nobody to send to:
    there is no panic. Timeouts and 5xx are failures, and gRPC's deadline-exceeded, internal, unavailable, data-loss and unknown.

    Source: Linkerd, linkerd.io/2/reference/circuit-breaking; linkerd2-proxy, linkerd/app/outbound/src/http/breaker.
    """

    min_penalty: int = 1_000_000_000
    max_penalty: int = 60_000_000_000
    jitter_ratio: float = 0.5

    def check(self) -> None:
        """Raise `SettingError` where the penalties contradict each other."""
        if not 0 < self.min_penalty <= self.max_penalty:
            raise SettingError("min_penalty", "must be above 0s and not above max_penalty")

    def build(self, *, hosts: int) -> FailureAccrualState:
        """All of so many endpoints are open.

        Args:
            hosts: How many there are.
        """
        raise NotImplementedError
