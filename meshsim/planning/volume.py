"""How many requests and calls a plan has in it, in the mean and if nothing fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.arrivals import Profile
from meshsim.plan import NONE, OnCancel, StepKind, every_step
from meshsim.replay import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.plan import Operation, Plan, Source, Step


def requests_of(source: Source) -> float:
    """Requests of a load at the least: of an open one those that arrive, of a closed one the first of each user's coming."""
    if source.arrivals is None:
        return float(sum(map(len, source.users)))
    if isinstance(source.arrivals, Profile):
        return source.arrivals.expected
    return float(len(source.arrivals.stamps_ns)) * source.arrivals.scale


def calls(plan: Plan, *, past_filters: bool = False) -> list[float]:
    """Calls to each operation, by its number; none where filters of the gateway may let nothing pass, unless told that all pass."""
    made = [0.0] * len(plan.operations)
    if plan.gateway is not None and plan.gateway.filters and not past_filters:
        return made
    for source in plan.sources:
        for number, share in zip(source.routes, _parts(source.shares), strict=True):
            route = None if number == NONE else plan.routes[number]
            for operation, part in zip(route.operations, _parts(route.shares), strict=False) if route is not None else ():
                made[operation] += requests_of(source) * share * part
    for caller in _callers_first(plan.operations):
        for step in _surely_made(plan.operations[caller].steps):
            made[step.operation] += made[caller] * step.probability
    return made


def longest_work_ns(plan: Plan) -> int:
    """The longest computation that some request meets, its median: nobody who gives up ends it."""
    longest = 0.0
    for operation, times in zip(plan.operations, calls(plan), strict=True):
        if times >= 1 and plan.services[operation.service].on_cancel is not OnCancel.STOP:
            for step in every_step(operation.steps):
                if step.time is not None and not isinstance(step.time, Table):
                    longest = max(longest, step.time.quantile(0.5))
    return round(longest)


def calls_of(operation: Operation) -> Iterator[Step]:
    """The calls in a script, those inside of other steps too, and its messages that somebody consumes."""
    return (step for step in every_step(operation.steps) if _leads_on(step))


def _surely_made(steps: Iterable[Step]) -> Iterator[Step]:
    """The calls that are made where nothing fails: without those of fallbacks."""
    for step in steps:
        if _leads_on(step):
            yield step
        elif step.kind is not StepKind.PUBLISH:
            yield from step.calls
            yield from _surely_made(step.lookup)
            yield from _surely_made(step.steps)


def _leads_on(step: Step) -> bool:
    return step.kind is StepKind.CALL or (step.kind is StepKind.PUBLISH and step.operation != NONE)


def _parts(bounds: tuple[float, ...]) -> list[float]:
    """Shares, of the upper bounds of their sums."""
    return [bound - before for before, bound in zip((0.0, *bounds), bounds, strict=False)]


def _callers_first(operations: tuple[Operation, ...]) -> list[int]:
    """Without recursion: a chain of calls may be longer than Python's stack."""
    done: dict[int, None] = {}
    for start in range(len(operations)):
        pending = [] if start in done else [(start, calls_of(operations[start]))]
        while pending:
            number, called = pending[-1]
            following = next((step.operation for step in called if step.operation not in done), None)
            if following is None:
                done[number] = None
                pending.pop()
            else:
                pending.append((following, calls_of(operations[following])))
    return list(reversed(done))
