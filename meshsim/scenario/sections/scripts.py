"""Scripts: what a service does for a request, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Discriminator, Field, Tag

from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.traffic import RetriesSection
from meshsim.scenario.sections.types import Name, Section, Share, TimeDistribution
from meshsim.scenario.sections.wording import mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = {"compute": "compute: time", "call": "call: service", "transaction": "transaction: pool"}
"""The key that makes a step what it is, and how it is written."""


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


class TransactionStep(Section):
    """Steps that hold a connection of a pool, as between BEGIN and COMMIT: computing, and calls to whomever."""

    transaction: Name
    """The pool, one of the service's `connection_pools`. The connection is given back after the last step, and whenever one fails."""
    script: Script = Field(min_length=1)
    """What is done meanwhile; a list is in sequence, a list in it is at once."""


def _kind_of_step(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "<parallel>"
    for key, section in (("call", CallStep), ("transaction", TransactionStep)):
        if isinstance(value, section) or (isinstance(value, dict) and key in value):
            return f"<{key}>"
    return "<compute>"


def _is_step(value: Any) -> Any:
    if isinstance(value, list | tuple | CallStep | ComputeStep | TransactionStep):
        return value
    *first, last = (f"`{written}`" for written in STEPS.values())
    if not isinstance(value, dict):
        raise mistake(f"expected {', '.join((*first, last))}, or a list of calls made at once, not {shown(value)}")
    if len(STEPS.keys() & set(value)) != 1:
        raise mistake(f"a step is one of {', '.join(first)} and {last}")
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
        | Annotated[TransactionStep, Tag("<transaction>")]
        | Annotated[ParallelCalls, Tag("<parallel>")],
        Discriminator(_kind_of_step),
    ],
    BeforeValidator(_is_step),
]
Script = Annotated[list[Step], Field(max_length=1000)]
TransactionStep.model_rebuild()


def every_item(script: Any) -> Iterator[CallStep | ComputeStep | TransactionStep]:
    """The steps of a script, those in parallel and inside of others too."""
    for item in script or ():
        if isinstance(item, list | tuple):
            yield from item
        else:
            yield item
            yield from every_item(getattr(item, "script", None))
