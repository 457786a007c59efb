"""Waits of a script at its own service, which no attempt's row tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.travel.row import ID
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.travel.server import Job
    from meshsim.recorder import Recorder


def tell(recorder: Recorder, job: Job, since_ns: int, now_ns: int) -> None:
    """Record that a request waited for something of the instance's own, as time for a connection."""
    service, request = job.instance.service, job.request
    if now_ns > since_ns and request.row_number != NONE:
        recorder.waits.append(
            [request.row_number, job.row[ID], service, service, request.started_ns, now_ns, 0, 0, 0, now_ns - since_ns, 0]
        )
