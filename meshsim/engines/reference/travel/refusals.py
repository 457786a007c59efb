"""What never reached an instance: refused attempts, and waits that led to none."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from meshsim.engines.reference.travel.row import ENDED, FLAGS, GRPC_STATUS, ID, STATUS
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.recorder import Recorder


class Refusals:
    """Writes the row of an attempt that was never sent to an instance, and of a wait that led to no attempt."""

    __slots__ = ("_service_of", "clock", "next_id", "recorder", "tells_deadlines")

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        service_of: tuple[int, ...],
        tells_deadlines: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        self.clock = clock
        self.recorder = recorder
        self._service_of = service_of
        """The service of each operation."""
        self.tells_deadlines = tells_deadlines
        """Whether any service wants to know when its callers give up."""
        self.next_id = count().__next__
        """Number of the next attempt."""

    def refuse(self, call: Call, outcome: Outcome) -> Outcome:
        """Record the refusal; the outcome itself comes back."""
        row = call.row(outcome.origin, self.next_id())
        row[ENDED] = self.clock.now_ns
        row[STATUS], row[GRPC_STATUS], row[FLAGS] = outcome.status, outcome.grpc_status, outcome.flags
        self.recorder.attempts.append(row)
        return outcome

    def lose(self, call: Call, caller: int) -> None:
        """Record what has gone by since the latest try, if anything: no attempt's row will tell of it.

        Args:
            call: Whose waits.
            caller: Who waited.
        """
        if call.back_off_ns or call.proxy_ns or call.connection_ns:
            request, parent = call.request, call.parent
            self.recorder.waits.append(
                [
                    request.row_number, NONE if parent is None else parent.row[ID], caller,
                    NONE if call.operation == NONE else self._service_of[call.operation], request.started_ns, self.clock.now_ns,
                    call.back_off_ns, call.proxy_ns, call.filter_ns, call.connection_ns, call.tls_ns,
                ]
            )  # fmt: skip
            call.back_off_ns = call.proxy_ns = call.filter_ns = call.connection_ns = call.tls_ns = 0
