"""Several calls at once, whose answers go into one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.at_once import begin
from meshsim.engines.reference.time.gather import Gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler


def gather(clock: Clock, calls: Sequence[tuple[Handler, Call, bool]]) -> Steps:
    """The first failure among the calls that are not optional, in their order, or what the first of them answers.

    Args:
        clock: Time.
        calls: For each what handles it, the call, and whether the answer goes out without it.
    """
    waiting = Gather(clock.active, len(calls))
    tasks = [begin(clock, handler.call(call), partial(waiting.take, index)) for index, (handler, call, _) in enumerate(calls)]
    yield from waiting.wait(tasks)
    outcomes: list[Outcome | None] = waiting.outcomes
    for outcome, (_, _, is_optional) in zip(outcomes, calls, strict=True):
        if not is_optional and outcome is not None and outcome.is_failure:
            return outcome
    return outcomes[0]
