"""The policies that never acted: settings that made no difference to any request of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.admission import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshsim.metrics.policies.activity import Activities, Key
    from meshsim.plan import Cluster, Plan, Stack
    from meshsim.policies.filters import Filter

GATEWAY = -2
WAYPOINT = -3
KINDS = ("gateway", "sidecar of", "node proxy", "waypoint of")


def idle_policies(plan: Plan, seen: Activities) -> Iterator[str]:
    """Each in words, such as `(gateway) to payment: outlier_detection ejected nobody`.

    Args:
        plan: What was asked for.
        seen: What happened.
    """
    for key in seen.keys:
        found = _of(plan, key)
        if found is not None:
            where = f"{seen.caller_name(key.caller)} to {plan.names.services[key.service]}"
            subset = "" if key.subset < 0 else f" ({plan.names.subsets[key.subset]})"
            for text in _cluster(*found, seen.counts(key), seen.flags.get((key.caller, key.service), 0)):
                yield f"{where}{subset}: {text}"
    for (kind, service, number), judged in sorted(seen.judged.items()):
        if judged and not seen.acted[kind, service, number] and not _filter(plan, service, number).works_on_answers:
            yield f"{filter_place(plan, kind, service)}: {filter_name(plan, service, number)} let all {judged:,} requests pass"


def _of(plan: Plan, key: Key) -> tuple[Cluster, tuple[Stack, ...]] | None:
    """The settings of one caller's way to a destination."""
    if key.caller == GATEWAY and plan.gateway is not None:
        cluster = plan.gateway.clusters[key.service]
        stacks = tuple(
            route.stack
            for route in plan.routes
            if any(plan.operations[operation].service == key.service for operation in route.operations)
        )
        return None if cluster is None else (cluster, stacks)
    if key.caller == WAYPOINT or (key.caller >= 0 and plan.mesh is not None):
        mesh = plan.mesh
        if mesh is None or (mesh.ambient is not None and key.caller != WAYPOINT):
            return None
        return mesh.clusters[key.service], (mesh.stacks[key.service],)
    return plan.direct.clusters[key.service], (plan.direct.stacks[key.service],)


def _cluster(cluster: Cluster, stacks: tuple[Stack, ...], counts: dict[str, int], flags: int) -> Iterator[str]:
    """What did nothing on one way."""
    retries = [stack.retries for stack in stacks if stack.retries is not None]
    if any(one.policy.num_retries for one in retries) and not counts["retries"] and not counts["retries_refused"]:
        yield "retries: nothing was tried again"
    if any(one.hedging is not None for one in retries) and not counts["hedges"]:
        yield "hedge_policy sent nothing"
    if (cluster.budget is not None or cluster.token_budget is not None) and not counts["retries_refused"]:
        yield "the retry budget refused nothing"
    if any(stack.timeout_ns for stack in stacks) and not flags & Flag.UT:
        yield "timeout: nothing timed out"
    limits = cluster.limits
    if (
        limits is not None
        and not flags & Flag.UO
        and min(limits.max_connections, limits.max_pending_requests, limits.max_requests) < NO_LIMIT
    ):
        yield "circuit_breakers: no limit was reached"
    for policy, column, text in (
        (cluster.outliers, "ejections", "outlier_detection ejected nobody"),
        (cluster.accrual, "ejections", "failure_accrual shut nobody out"),
        (cluster.health_check, "health_changes", "health_checks changed nothing"),
        (cluster.breaker, "breaker_rejected", "circuit_breaker never opened"),
        (cluster.throttling, "throttled", "client_throttling held nothing back"),
        (cluster.limiter, "limited", "concurrency_limit held nothing back"),
    ):
        if policy is not None and not counts[column]:
            yield text
    if any(stack.mirror is not None for stack in stacks) and not counts["mirrored"]:
        yield "mirror copied nothing"


def filter_place(plan: Plan, kind: int, service: int) -> str:
    """Where a filter stands, such as `gateway` and `sidecar of payment`."""
    return KINDS[kind] if service < 0 else f"{KINDS[kind]} {plan.names.services[service]}"


def filter_name(plan: Plan, service: int, number: int) -> str:
    """The YAML name of one of the gateway's filters, or of those at a service."""
    return _filter(plan, service, number).name


def filter_labels(plan: Plan, places: Sequence[tuple[int, int, int]]) -> list[str]:
    """Such as `gateway: rate_limit`, with its number where there are several of its name there.

    Args:
        plan: Names.
        places: Kind of the proxy, its service and number of the filter: all that are to be told apart.
    """
    texts = [f"{filter_place(plan, kind, service)}: {filter_name(plan, service, number)}" for kind, service, number in places]
    return [
        text if texts.count(text) == 1 else f"{text} ({number + 1})" for text, (_, _, number) in zip(texts, places, strict=True)
    ]


def _filter(plan: Plan, service: int, number: int) -> Filter:
    filters = plan.gateway.filters if service < 0 and plan.gateway is not None else plan.services[service].inbound
    return filters[number]
