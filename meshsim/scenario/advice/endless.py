"""Retries of which there is no end, without a wait between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.randomness import BACK_OFF, Draw
from meshsim.scenario.advice.destinations import destinations
from meshsim.scenario.advice.remark import Kind, Remark, time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow, Hop
    from meshsim.scenario.flow.reading import Path, Tries

MANY = 1_000
"""Retries that nobody counts on one by one."""
NO_WAIT_NS = 1_000
"""In the mean: less than any try takes."""
OF_CALLERS = ("gateway", "mesh", "direct")
"""Sections whose retries a limit of their destination counts; elsewhere stand those of clients and applications, which none does."""


def endless(flow: Flow) -> Iterator[Remark]:
    """Of proxies, clients and applications: the first destination of each place where such retries stand."""
    limits: dict[tuple[object, str], Destination] = {}
    told: set[Path] = set()
    for way in flow.ways():
        hop = way.hops[-1]
        target = hop.target.service
        for number, layer in enumerate(hop.layers):
            path = layer.tries.path
            if not path or path in told or not _is_endless(layer.tries):
                continue
            limits = limits or {(one.section, one.service): one for one in destinations(flow)}
            if path[0] not in OF_CALLERS or _lets_all_pass(limits.get((path[0], target))):
                told.add(path)
                yield Remark(
                    Kind.RETRIES_WITHOUT_END,
                    path,
                    f"{layer.tries.attempts - 1:,} retries without a wait between them: while {target} refuses at once, one request"
                    f" asks so often as fast as it can, {_until(hop, number)}; write a longer back-off, or fewer num_retries",
                )


def _is_endless(tries: Tries) -> bool:
    """Whether nobody counts the retries, and their back-off makes them wait for less than anything takes."""
    if tries.attempts <= MANY or not tries.retry_on or tries.back_off is None:
        return False
    state, draw, last_ns, all_ns = tries.back_off.build(), Draw(), 0, 0
    for retry in range(1, MANY + 1):
        last_ns = state.wait_ns(retry, last_ns, draw.at(retry, BACK_OFF))
        all_ns += last_ns
    return all_ns <= MANY * NO_WAIT_NS


def _lets_all_pass(one: Destination | None) -> bool:
    """Whether no limit of the destination ends the retries of one request: only tokens do, and a limit without room.

    `max_retries` and `retry_budget` count how many there are at once, and one request has one.

    Source: Envoy, source/common/upstream/resource_manager_impl.h (RetryBudgetImpl).
    """
    if one is None or one.traffic.token_budget is not None:
        return False
    if one.traffic.budget_percent is not None:  # in place of max_retries
        return bool(one.traffic.budget_percent or one.traffic.min_retry_concurrency)
    return (one.traffic.circuit_breakers or {}).get("max_retries") != 0


def _until(hop: Hop, number: int) -> str:
    """The first of the timeouts around the tries, of which none passes where no time does."""
    timeouts = [layer.timeout_ns for layer in hop.layers[: number + 1] if layer.timeout_ns]
    if not timeouts:
        return "and in one instant where a try takes no time"
    return f"until its timeout of {time(min(timeouts))} where a try takes time, and in one instant where it takes none"


CHECKS = (endless,)
