"""Retries that multiply, retries that never happen, and retries that nothing pays for."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.retry import CONDITIONS, LeakyBudget, is_retriable
from meshsim.policies.retry.conditions import GRPC_STATUS
from meshsim.scenario.advice.destinations import destinations
from meshsim.scenario.advice.remark import Kind, Remark
from meshsim.scenario.defaults import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow, Way
    from meshsim.scenario.flow.reading import Layer, Path, Tries

UNAVAILABLE = GRPC_STATUS["unavailable"]


def multiplying(flow: Flow) -> Iterator[Remark]:
    """Retries at several layers of one chain, each of which retries what the next one gave up on."""
    worst: dict[str, tuple[int, Way, tuple[Layer, ...]]] = {}
    for way in flow.ways():
        layers = _multiplied(flow, way)
        attempts = prod(layer.tries.attempts for layer in layers)
        target = way.hops[-1].target.service
        if len(layers) > 1 and attempts > worst.get(target, (0,))[0]:
            worst[target] = (attempts, way, layers)
    if not worst:
        return
    most = max(worst, key=lambda target: worst[target][0])
    attempts, way, layers = worst[most]
    others = [f"{worst[target][0]} at {target}" for target in worst if target != most]
    also = f" (and {', '.join(others[:3])}{' ...' if len(others) > 3 else ''})" if others else ""
    yield Remark(
        Kind.RETRIES_MULTIPLY,
        next((layer.tries.path for layer in reversed(layers) if layer.tries.path), ("defaults",)),
        f"retries multiply along {way.names}: {', '.join(layer.who for layer in layers)} make up to"
        f" {' x '.join(str(layer.tries.attempts) for layer in layers)} = {attempts} attempts at {most} for one request"
        f"{also};"
        " retry at one layer only, or cap the retries with retry_budget",
    )


def _multiplied(flow: Flow, way: Way) -> tuple[Layer, ...]:
    """The layers of a chain, outermost first, that try again when those further in have given up."""
    chosen: list[Layer] = []
    for hop in reversed(way.hops):
        is_grpc = flow.scenario.services[hop.target.service].protocol == "grpc"
        for layer in reversed(hop.layers):
            tries = layer.tries
            tries_again = 1 < tries.attempts <= NO_LIMIT and tries.retry_on  # what only a budget limits, nobody can count
            if tries_again and (not chosen or _retries_failures_of_others(tries, is_grpc=is_grpc)):
                chosen.append(layer)
    return tuple(reversed(chosen))


def _retries_failures_of_others(tries: Tries, *, is_grpc: bool) -> bool:
    conditions = sum(CONDITIONS[name] for name in tries.retry_on)
    answer = (200, UNAVAILABLE) if is_grpc else (503, -1)
    timed_out = tries.per_try_timeout_ns and is_retriable(conditions, tries.codes, 504, -1, int(Flag.UT))
    return bool(timed_out) or is_retriable(conditions, tries.codes, *answer, 0)


def never_matching(flow: Flow) -> Iterator[Remark]:
    """Retries whose conditions nothing can meet."""
    of_product = flow.product.default("traffic.retries.retriable_status_codes").value
    for layer, targets in flow.guarded():
        tries = layer.tries
        if not tries.path or tries.attempts == 1:
            continue
        path = (*tries.path, "retry_on")
        protocols = {flow.scenario.services[target].protocol for target in targets}
        conditions = set(tries.retry_on)
        grpc = conditions & GRPC_STATUS.keys()
        if not conditions:
            yield Remark(
                Kind.NO_RETRY_CONDITION,
                path,
                f"no condition is given, so {layer.who} never retries; write retry_on: [5xx] for instance",
            )
        elif conditions <= {"retriable-status-codes", "refused-stream"} and not tries.codes:
            yield Remark(
                Kind.NO_RETRIABLE_CODES,
                path,
                f"nothing can meet {_listed(conditions)}: no codes are given; write retriable_status_codes: [503]",
            )
        elif conditions == {"envoy-ratelimited"} and tries.path[:1] in (("load",), ("services",)):
            yield Remark(
                Kind.CONDITION_OF_PROXIES,
                path,
                f"envoy-ratelimited is a condition of proxies, and {layer.who} is none: it sees a 429; write"
                " retry_on: [retriable-status-codes] and retriable_status_codes: [429]",
            )
        elif conditions == grpc and protocols == {"http"}:
            yield Remark(
                Kind.GRPC_CONDITION_OVER_HTTP,
                path,
                f"{_listed(grpc)} are gRPC conditions, and {_listed(targets)} speaks http; write [5xx]",
            )
        elif tries.codes not in ((), of_product) and "retriable-status-codes" not in conditions:
            yield Remark(
                Kind.CODES_WITHOUT_CONDITION,
                (*tries.path, "retriable_status_codes"),
                "codes count only with retriable-status-codes in retry_on; add it there",
            )
        elif protocols == {"grpc"} and conditions <= {"5xx", "gateway-error", "retriable-4xx"}:
            yield Remark(
                Kind.HTTP_CONDITION_OVER_GRPC,
                path,
                f"a gRPC failure answers 200, so that {_listed(conditions)} retries lost connections and timeouts of"
                f" {_listed(targets)} but none of its errors; add unavailable",
            )


def never_paid(flow: Flow) -> Iterator[Remark]:
    """Retries that are asked for, and a limit on them that lets none pass."""
    told: set[Path] = set()
    for one in destinations(flow):
        path, why = _without_room(one)
        if path and path not in told and any(tries.path and tries.attempts > 1 and tries.retry_on for tries in one.tries):
            told.add(path)
            yield Remark(
                Kind.NO_ROOM_FOR_RETRIES,
                path,
                f"{why}: what fails at {one.service} is never tried again; write more, or num_retries: 0",
            )


def _without_room(one: Destination) -> tuple[Path, str]:
    """The limit that lets no retry pass, and what it says; nothing where there is room."""
    traffic = one.traffic
    tokens = traffic.token_budget
    if isinstance(tokens, LeakyBudget) and not tokens.retry_ratio and not tokens.min_retries_per_second:
        return one.path("retry_token_budget"), "the budget gives no tokens"
    if traffic.budget_percent is not None:  # in place of max_retries
        if traffic.budget_percent or traffic.min_retry_concurrency:
            return (), ""
        return one.path("retry_budget"), "the budget is 0% of the requests, with min_retry_concurrency: 0"
    if (traffic.circuit_breakers or {}).get("max_retries") == 0:
        return (*one.path("circuit_breakers"), "max_retries"), "max_retries: 0 leaves room for no retry"
    return (), ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


CHECKS = (multiplying, never_matching, never_paid)
