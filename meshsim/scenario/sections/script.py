"""Scripts: what a request to a service does, step by step."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Discriminator, Field, Tag

from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.traffic import RetriesSection
from meshsim.scenario.sections.types import Section, Share, TimeDistribution
from meshsim.scenario.sections.wording import mistake


def _kind_of_time(value: Any) -> str:
    return "<replay>" if isinstance(value, ReplayedTime) or (isinstance(value, dict) and "replay" in value) else "<drawn>"


WorkTime = Annotated[
    Annotated[ReplayedTime, Tag("<replay>")] | Annotated[TimeDistribution, Tag("<drawn>")], Discriminator(_kind_of_time)
]


class CallStep(Section):
    """A call to another service."""

    call: str
    """The service, or `service/operation`."""
    probability: Share | None = None
    """How often the call is made; always where absent."""
    optional: bool = False
    """Whether the service answers well although this call failed."""
    repeat: Annotated[int, Ge(1), Le(1000)] = 1
    """How many times, one after the other (in a parallel group, at once)."""
    timeout: Timeout | None = None
    """The application's own time for the call, all its tries included; none where absent."""
    retries: RetriesSection | None = None
    """The application's own retries, outside of its sidecar's; none where absent."""


class ComputeStep(Section):
    """Work that holds a worker for a time."""

    compute: WorkTime
    """How long: a duration, a distribution, or `replay`."""


def _kind_of_step(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "<parallel>"
    return "<call>" if isinstance(value, CallStep) or (isinstance(value, dict) and "call" in value) else "<compute>"


def _is_step(value: Any) -> Any:
    if isinstance(value, list | tuple | CallStep | ComputeStep):
        return value
    if not isinstance(value, dict):
        raise mistake(f"expected `compute: time`, `call: service`, or a list of calls made at once, not {shown(value)}")
    if len({"call", "compute"} & set(value)) != 1:
        raise mistake("a step is one of `compute: time` and `call: service`")
    return value


def _is_call(value: Any) -> Any:
    if isinstance(value, CallStep) or (isinstance(value, dict) and "call" in value):
        return value
    raise mistake("only calls are made at once; each is `call: service`")


ParallelCalls = Annotated[list[Annotated[CallStep, BeforeValidator(_is_call)]], Field(min_length=1, max_length=1000)]
Step = Annotated[
    Annotated[
        Annotated[CallStep, Tag("<call>")]
        | Annotated[ComputeStep, Tag("<compute>")]
        | Annotated[ParallelCalls, Tag("<parallel>")],
        Discriminator(_kind_of_step),
    ],
    BeforeValidator(_is_step),
]
Script = Annotated[list[Step], Field(max_length=1000)]
