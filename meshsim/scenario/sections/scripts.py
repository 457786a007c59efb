"""Scripts: what a service does for a request, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from annotated_types import Ge, Le
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.traffic import RetriesSection
from meshsim.scenario.sections.types import Name, Section, Share, TimeDistribution
from meshsim.scenario.sections.wording import mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = {
    "compute": "compute: time",
    "call": "call: service",
    "transaction": "transaction: pool",
    "cached": "cached: cache",
    "parallel": "parallel: calls",
    "loop": "loop: times",
    "publish": "publish: queue",
}
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
    fallback: Script | None = None
    """Steps to run if the call fails after all its tries; if they succeed, so does the step. Not for a call that is `optional`, or stands in
    a parallel group."""
    wait: bool = True
    """Whether the service waits for the answer. With `false` it goes on at once, the call goes on by itself, and whether it fails concerns
    nobody."""

    @model_validator(mode="after")
    def _nobody_waits_for_nothing(self) -> Self:
        for key in ("fallback", "optional"):
            if not self.wait and getattr(self, key):
                raise mistake("nobody waits for this call, so nobody learns how it ends", key)
        if self.optional and self.fallback:
            raise mistake(
                "an `optional` call never fails the step, so that this would never run; leave one of them out", "fallback"
            )
        return self


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


class CachedStep(Section):
    """Steps that run only if the cache does not hold the value that they would load."""

    cached: Name
    """The cache, one of the service's `caches`."""
    script: Script = Field(min_length=1)
    """Steps that load a missing value; a list is in sequence, a list in it is at once."""
    lookup: Script | None = None
    """Steps of each look-up, whether or not it finds anything: computing, or a call to the cache as a service. If they fail, nothing is found
    or kept, and the `script` runs. No time where absent."""


def _is_call(value: Any) -> Any:
    if isinstance(value, CallStep) or (isinstance(value, dict) and "call" in value):
        return value
    raise mistake("only calls are made at once; each is `call: service`")


def _is_branch(value: Any) -> Any:
    made = _is_call(value)
    for key, bad in (("fallback", None), ("wait", True)):
        found = made.get(key, bad) if isinstance(made, dict) else getattr(made, key)
        if found != bad:
            raise mistake("has no place among calls made at once", key)
    return made


ParallelCalls = Annotated[list[Annotated[CallStep, BeforeValidator(_is_branch)]], Field(min_length=1, max_length=1000)]


class ParallelStep(Section):
    """Calls that are made at once, when not all of them are waited for; a list of calls in the script waits for all."""

    parallel: ParallelCalls
    """The calls."""
    need: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    """How many calls must succeed; the others are then given up. It fails as soon as that is out of reach. Where absent, or as many as there
    are calls, every answer is waited for, also after a failure."""

    @model_validator(mode="after")
    def _can_be_had(self) -> Self:
        calls = sum(call.repeat for call in self.parallel)
        if self.need is not None and self.need > calls:
            raise mistake(f"must be at most {calls:,}, the number of calls", "need")
        return self


class LoopStep(Section):
    """Steps that are done several times, one time after the other."""

    loop: Annotated[int, Ge(1), Le(1000)]
    """How many times."""
    script: Script = Field(min_length=1)
    """What is done; a list is in sequence, a list in it is at once."""


class PublishStep(Section):
    """A message to a queue or a stream."""

    publish: Name
    """The queue, one of the scenario's `queues`."""
    probability: Share | None = None
    """How often the message is sent; always where absent."""
    wait: bool = True
    """Whether the service waits for the broker's acknowledgement. With `false` it goes on at once, and never learns whether the queue took the
    message."""
    optional: bool = False
    """Whether the service still succeeds if the queue rejects the message."""
    fallback: Script | None = None
    """Steps to run if the queue rejects the message; if they succeed, so does the step."""

    @model_validator(mode="after")
    def _nobody_waits_for_nothing(self) -> Self:
        for key in ("fallback", "optional"):
            if not self.wait and getattr(self, key):
                raise mistake("nobody waits for the acknowledgement, so nobody learns that there is none", key)
        if self.optional and self.fallback:
            raise mistake(
                "an `optional` message never fails the step, so that this would never run; leave one of them out", "fallback"
            )
        return self


SECTIONS: dict[str, type[Section]] = {
    "call": CallStep, "transaction": TransactionStep, "cached": CachedStep, "parallel": ParallelStep, "loop": LoopStep,
    "publish": PublishStep,
}  # fmt: skip
"""What holds the settings of a step, by the key that makes it one; a step that computes is what is left."""


def _kind_of_step(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "<list>"
    for key, section in SECTIONS.items():
        if isinstance(value, section) or (isinstance(value, dict) and key in value):
            return f"<{key}>"
    return "<compute>"


def _is_step(value: Any) -> Any:
    if isinstance(value, (list, tuple, ComputeStep, *SECTIONS.values())):
        return value
    *first, last = (f"`{written}`" for written in STEPS.values())
    if not isinstance(value, dict):
        raise mistake(f"expected {', '.join((*first, last))}, or a list of calls made at once, not {shown(value)}")
    if len(STEPS.keys() & set(value)) != 1:
        raise mistake(f"a step is one of {', '.join(first)} and {last}")
    return value


Step = Annotated[
    Annotated[
        Annotated[CallStep, Tag("<call>")]
        | Annotated[ComputeStep, Tag("<compute>")]
        | Annotated[TransactionStep, Tag("<transaction>")]
        | Annotated[CachedStep, Tag("<cached>")]
        | Annotated[ParallelStep, Tag("<parallel>")]
        | Annotated[LoopStep, Tag("<loop>")]
        | Annotated[PublishStep, Tag("<publish>")]
        | Annotated[ParallelCalls, Tag("<list>")],
        Discriminator(_kind_of_step),
    ],
    BeforeValidator(_is_step),
]
Script = Annotated[list[Step], Field(max_length=1000)]
for _section in SECTIONS.values():
    _section.model_rebuild()


def every_item(script: Any) -> Iterator[Any]:
    """The steps of a script, those in parallel and inside of others too; lists of calls are not among them, their calls are."""
    for item in script or ():
        if isinstance(item, list | tuple):
            yield from item
        else:
            yield item
            yield from getattr(item, "parallel", ())
            yield from every_item(getattr(item, "lookup", None))
            yield from every_item(getattr(item, "script", None))
            yield from every_item(getattr(item, "fallback", None))
