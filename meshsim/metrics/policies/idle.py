"""The policies that never acted: settings that made no difference to any request of a run.

What says that each has acted, however it did; where that cannot be told nothing is said:

- retries: a try sent or refused, or a back-off that a timeout cut off: the answer came later, and was another one
- hedge_policy: a try sent, or refused by the retry breaker
- retry budgets: a try refused
- timeout: a call ended by it, wherever that waited: for a connection, in a back-off, in the proxy
- circuit_breakers: a try that was never sent with flag UO, a request that waited because no connection more was allowed, or a try
  again that `max_retries` refused
- outlier_detection and failure_accrual: an instance taken out
- health_checks: an instance taken out or brought back, or a new one that has not passed yet
- circuit_breaker, client_throttling, concurrency_limit: a try held back
- mirror: a copy sent
- filters: any decision but to let pass
- a queue's limits on time and its shedding: an attempt refused; nothing is said where some left the queue as their callers had gone
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.admission import NO_LIMIT
from meshsim.policies.queueing import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshsim.metrics.policies.activity import Activities, Key
    from meshsim.plan import Cluster, Limits, Plan, Stack
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
            for text in _cluster(*found, seen, key):
                yield f"{where}{subset}: {text}"
    for (kind, service, number), judged in sorted(seen.judged.items()):
        if judged and not seen.acted[kind, service, number] and not _filter(plan, service, number).works_on_answers:
            yield f"{filter_place(plan, kind, service)}: {filter_name(plan, service, number)} let all {judged:,} requests pass"
    yield from _queues(plan, seen)


def _queues(plan: Plan, seen: Activities) -> Iterator[str]:
    """What refused nobody at the queues of instances."""
    for service, flags in sorted(seen.answered.items()):
        queue = plan.services[service].queue
        if queue is None or service in seen.left_queues:
            continue
        name = plan.names.services[service]
        if queue.max_wait_ns >= 0 and not flags & Flag.queue_timeout:
            yield f"{name}: queue.max_wait refused nobody"
        if queue.shedding is not None and not flags & Flag.shed:
            yield f"{name}: queue.shed dropped nobody"
        if isinstance(queue.discipline, Priority) and queue.discipline.push_out and not flags & Flag.pushed_out:
            yield f"{name}: queue.discipline: push_out made nobody leave"


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


def _cluster(cluster: Cluster, stacks: tuple[Stack, ...], seen: Activities, key: Key) -> Iterator[str]:
    """What did nothing on one way."""
    counts, way = seen.counts(key), (key.caller, key.service)
    retries = [stack.retries for stack in stacks if stack.retries is not None]
    has_tried = counts["retries"] or counts["retries_refused"] or way in seen.cut_back_offs
    if any(one.policy.num_retries for one in retries) and not has_tried:
        yield "retries: nothing was tried again"
    if any(one.hedging is not None for one in retries) and not counts["hedges"] and not counts["retries_refused"]:
        yield "hedge_policy sent nothing"
    if (cluster.budget is not None or cluster.token_budget is not None) and not counts["retries_refused"]:
        yield "the retry budget refused nothing"
    if any(stack.timeout_ns for stack in stacks) and not counts["timeouts"]:
        yield "timeout: nothing timed out"
    if cluster.limits is not None and _limits_of(cluster.limits) and not _reached(cluster, counts, seen.refused.get(way, 0)):
        yield "circuit_breakers: no limit was reached"
    if cluster.health_check is not None and not counts["health_changes"] and seen.least_healthy_share(key) == 1.0:
        yield "health_checks changed nothing"
    for policy, column, text in (
        (cluster.outliers, "ejections", "outlier_detection ejected nobody"),
        (cluster.accrual, "ejections", "failure_accrual shut nobody out"),
        (cluster.breaker, "breaker_rejected", "circuit_breaker held nothing back"),
        (cluster.throttling, "throttled", "client_throttling held nothing back"),
        (cluster.limiter, "limited", "concurrency_limit held nothing back"),
    ):
        if policy is not None and not counts[column]:
            yield text
    if any(stack.mirror is not None for stack in stacks) and not counts["mirrored"]:
        yield "mirror copied nothing"


def _limits_of(limits: Limits) -> bool:
    """Whether it limits anything at all."""
    return min(limits.max_connections, limits.max_pending_requests, limits.max_requests, limits.max_retries) < NO_LIMIT


def _reached(cluster: Cluster, counts: dict[str, int], refused: int) -> bool:
    """Whether a circuit breaker's limit has refused a request, or a try again, or has made one wait."""
    assert cluster.limits is not None  # noqa: S101 — the caller has looked
    has_refused_a_retry = cluster.limits.max_retries < NO_LIMIT and cluster.budget is None and counts["retries_refused"] > 0
    return bool(refused & Flag.UO) or counts["connection_overflows"] > 0 or has_refused_a_retry


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
