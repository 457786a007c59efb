"""Retries that multiply, and retries that never happen."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.retry import CONDITIONS, is_retriable
from meshsim.policies.retry.conditions import GRPC_STATUS
from meshsim.scenario.advice.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshsim.scenario.flow import Flow, Way
    from meshsim.scenario.reading import Layer, Tries

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
            if tries.attempts > 1 and tries.retry_on and (not chosen or _retries_failures_of_others(tries, is_grpc=is_grpc)):
                chosen.append(layer)
    return tuple(reversed(chosen))


def _retries_failures_of_others(tries: Tries, *, is_grpc: bool) -> bool:
    conditions = sum(CONDITIONS[name] for name in tries.retry_on)
    answer = (200, UNAVAILABLE) if is_grpc else (503, -1)
    timed_out = tries.per_try_timeout_ns and is_retriable(conditions, tries.codes, 504, -1, int(Flag.UT))
    return bool(timed_out) or is_retriable(conditions, tries.codes, *answer, 0)


def never_matching(flow: Flow) -> Iterator[Remark]:
    """Retries whose conditions nothing can meet."""
    for layer, targets in flow.guarded():
        tries = layer.tries
        if not tries.path or tries.attempts == 1:
            continue
        path = (*tries.path, "retry_on")
        protocols = {flow.scenario.services[target].protocol for target in targets}
        conditions = set(tries.retry_on)
        grpc = conditions & GRPC_STATUS.keys()
        if not conditions:
            yield Remark(path, f"no condition is given, so {layer.who} never retries; write retry_on: [5xx] for instance")
        elif conditions <= {"retriable-status-codes", "refused-stream"} and not tries.codes:
            yield Remark(
                path,
                f"nothing can meet {_listed(conditions)}: no codes are given; write retriable_status_codes: [503]",
            )
        elif conditions == grpc and protocols == {"http"}:
            yield Remark(
                path,
                f"{_listed(grpc)} are gRPC conditions, and {_listed(targets)} speaks http; write [5xx]",
            )
        elif tries.codes and "retriable-status-codes" not in conditions:
            yield Remark(
                (*tries.path, "retriable_status_codes"),
                "codes count only with retriable-status-codes in retry_on; add it there",
            )
        elif protocols == {"grpc"} and conditions <= {"5xx", "gateway-error", "retriable-4xx"}:
            yield Remark(
                path,
                f"a gRPC failure answers 200, so that {_listed(conditions)} retries lost connections and timeouts of"
                f" {_listed(targets)} but none of its errors; add unavailable",
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


CHECKS = (multiplying, never_matching)
