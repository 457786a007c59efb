"""Tables by request and attempt, and the statuses of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from meshsim.replay import Table, read_table
from meshsim.scenario.sections.errors import GrpcStatus

if TYPE_CHECKING:
    from meshsim.distributions import Distribution
    from meshsim.scenario.sections.errors import ErrorsSection, ReplaySection

    Tables = dict[tuple[str, str | None, str, int], Table]
    """Each is read once, however many operations and faults name it."""

GRPC_STATUSES: dict[str, int] = {name: code for code, name in enumerate(get_args(GrpcStatus), start=1)}
"""The scenario lists them in the order of their codes. Source: grpc/grpc, doc/statuscodes.md."""


def grpc_status(name: str) -> int:
    """The number of a gRPC status."""
    return GRPC_STATUSES[name]


def latency_of(errors: ErrorsSection) -> Distribution | None:
    """How long an error takes that comes at once; None where it comes after the work."""
    chosen: Any = None if errors.latency is None else errors.latency.chosen
    made: Distribution | None = None if chosen is None else chosen.build()
    return made


def table(replay: ReplaySection, unit: str, tables: Tables) -> Table:
    """The table of a file."""
    key = (str(replay.file), replay.column, unit, replay.attempts_per_call)
    if key not in tables:
        tables[key] = Table(read_table(replay.file, replay.column, unit), str(replay.file), replay.attempts_per_call)
    return tables[key]
