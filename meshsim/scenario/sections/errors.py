"""Errors of a service's own, and tables that say which requests meet them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le
from pydantic import BeforeValidator, model_validator

from meshsim.scenario.sections.traffic import StatusCode
from meshsim.scenario.sections.types import DataFile, Duration, Section, Share, TimeDistribution
from meshsim.scenario.sections.wording import mistake

GrpcStatus = Literal[
    "cancelled", "unknown", "invalid-argument", "deadline-exceeded", "not-found", "already-exists", "permission-denied",
    "resource-exhausted", "failed-precondition", "aborted", "out-of-range", "unimplemented", "internal", "unavailable",
    "data-loss", "unauthenticated",
]  # fmt: skip
"""In the order of their codes, from 1."""


class ReplaySection(Section):
    """A table by request and attempt, from a CSV, Parquet or NumPy file."""

    file: DataFile
    """The file, relative to the scenario: `.csv` or `.parquet` with the columns `request` (from 0), `attempt` (from 1) and the
    one named, or `.npy`, `.npz` with an array (attempts, requests)."""
    column: str | None = None
    """Name of the column or array; may be left out where there is only one."""
    attempts_per_call: Annotated[int, Ge(1), Le(1000)] = 4
    """How many attempts of the file belong to one attempt of a caller that is a service: behind it the attempt is so many times (the
    caller's attempt - 1) + its own, so that a caller that tries again does not meet the same numbers."""


class TimeReplaySection(ReplaySection):
    """Service times by request and attempt."""

    unit: Literal["s", "ms", "us", "ns"]
    """Unit of the numbers in the file."""


class ReplayedTime(Section):
    """A time that a file says."""

    replay: TimeReplaySection
    """The file."""


class ErrorsSection(Section):
    """How often a service answers with an error of its own: after its work, or at once."""

    rate: Share | None = None
    """Share of the attempts that fail."""
    status: StatusCode | None = None
    """HTTP status of the error; 503 where absent."""
    grpc_status: GrpcStatus | None = None
    """gRPC status of the error of a gRPC service; `unavailable` where absent."""
    replay: ReplaySection | None = None
    """A table by request and attempt in place of the rate: an attempt fails where its number is not 0."""
    retry_after: Duration | None = None
    """What the error's Retry-After says; nothing where absent."""
    latency: TimeDistribution | None = None
    """How long an error takes that comes at once: without a worker, without waiting for one, without the script. Where absent an error
    comes after the work."""

    @model_validator(mode="after")
    def _one_cause(self) -> Self:
        if (self.rate is None) == (self.replay is None):
            raise mistake("write either `rate` or `replay`")
        return self


def _bare_share(value: Any) -> Any:
    return {"rate": value} if isinstance(value, str | int | float) else value


Errors = Annotated[ErrorsSection, BeforeValidator(_bare_share, json_schema_input_type=Share | ErrorsSection)]
"""A bare share is `{rate: share}`."""
