"""Layers and clusters: retries, timeouts, balancers and limits, resolved and built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import BARE, Cluster, Limits, Retries, Stack
from meshsim.policies.admission import NO_LIMIT
from meshsim.policies.load_balancing import Random
from meshsim.policies.retry import CONDITIONS, BackOff, RetryBudget, RetryPolicy
from meshsim.scenario import effective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.scenario.defaults import Product
    from meshsim.scenario.traffic import RetriesSection, TrafficSection


def plan_retries(retries: effective.Retries | None) -> Retries | None:
    """Retries as an engine takes them; None where nothing is tried again and no try has a timeout of its own."""
    if retries is None or (retries.num_retries == 0 and retries.per_try_timeout_ns == 0):
        return None
    conditions = 0
    for name in retries.retry_on:
        conditions |= CONDITIONS[name]
    policy = RetryPolicy(
        num_retries=retries.num_retries,
        conditions=conditions,
        codes=retries.retriable_status_codes,
        back_off=BackOff(retries.base_interval_ns, retries.max_interval_ns),
        avoids_previous_hosts=retries.avoids_previous_hosts,
        max_reselections=retries.max_reselections,
    )
    return Retries(policy, retries.per_try_timeout_ns)


def own_stack(timeout: int | str | None, block: RetriesSection | None) -> Stack:
    """The layers of a client or an application."""
    stack = Stack(effective.timeout_ns(timeout), plan_retries(effective.own_retries(block)))
    return BARE if stack == BARE else stack


def traffic_stack(traffic: effective.Traffic) -> Stack:
    """The layers of a sidecar outside the cluster."""
    return Stack(traffic.timeout_ns, plan_retries(traffic.retries))


def plan_cluster(entries: Mapping[str, TrafficSection], name: str, number: int, product: Product) -> tuple[Cluster, Stack]:
    """What a proxy does for a destination: the cluster, and the stack outside it."""
    traffic = effective.traffic(entries, name, product)
    breakers = traffic.circuit_breakers
    limits = None
    if breakers is not None:
        limits = Limits(
            max_connections=breakers.get("max_connections", NO_LIMIT),
            max_pending_requests=breakers.get("max_pending_requests", NO_LIMIT),
            max_requests=breakers.get("max_requests", NO_LIMIT),
            max_retries=breakers.get("max_retries", NO_LIMIT),
        )
    budget = None if traffic.budget_percent is None else RetryBudget(traffic.budget_percent, traffic.min_retry_concurrency)
    return Cluster(number, traffic.load_balancer, limits, budget), traffic_stack(traffic)


def direct_cluster(number: int) -> Cluster:
    """How a caller without a proxy picks: kube-proxy, at random."""
    return Cluster(number, Random(), None, None)
