"""Which requests a service fails by itself or because of a fault, and what it answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.randomness import ERROR, FAULT, uniform
from meshsim.replay import attempt_behind, look_up

if TYPE_CHECKING:
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.server import Job
    from meshsim.plan import Failing, Operation
    from meshsim.replay import Table


def fails(operation: Operation, job: Job) -> bool:
    """Whether a service answers an attempt with an error of its own."""
    if operation.error_table is not None:
        return _says(operation.error_table, job)
    return uniform(job.key, ERROR) < operation.error_rate


def struck(failing: Failing, job: Job) -> bool:
    """Whether a fault that lasts makes an attempt fail."""
    if failing.table is not None:
        return _says(failing.table, job)
    return uniform(job.key, FAULT, failing.number) < failing.rate


def own_error(operation: Operation) -> Outcome:
    """What an attempt gets that an operation fails by itself."""
    failed = failure(operation.error_status, Flag.error, operation.service, operation.error_grpc_status)
    return failed if operation.retry_after_ns == NONE else failed._replace(retry_after_ns=operation.retry_after_ns)


def error_of(failing: Failing, operation: Operation) -> Outcome:
    """What an attempt gets that a fault makes fail: what that says, and for the rest what the operation's own errors say."""
    own = own_error(operation)
    return own._replace(
        status=own.status if failing.status == NONE else failing.status,
        grpc_status=own.grpc_status if failing.grpc_status == NONE else failing.grpc_status,
        retry_after_ns=own.retry_after_ns if failing.retry_after_ns == NONE else failing.retry_after_ns,
    )


def _says(table: Table, job: Job) -> bool:
    return look_up(table, job.request.number, attempt_behind(table, job.tries)) > 0
