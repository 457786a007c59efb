"""Layers and clusters: retries, timeouts, balancers and limits, resolved and built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.plan import BARE, BalancerQueue, Cluster, HashOn, HealthCheck, Hedging, Limits, Mirror, Retries, Stack
from meshsim.planning.connections import plan_connections
from meshsim.policies.admission import NO_LIMIT
from meshsim.policies.retry import CONDITIONS, FullJitter, RetryBudget, RetryPolicy
from meshsim.scenario import effective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.plan import Tls
    from meshsim.planning.index import Index
    from meshsim.scenario.circumstances import Caller
    from meshsim.scenario.defaults import Product
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.resilience import HealthChecksSection, HedgeSection, MirrorSection
    from meshsim.scenario.sections.traffic import RetriesSection, TrafficSection

NEVER_AGAIN = RetryPolicy(0, 0, (), FullJitter().build(), avoids_previous_hosts=False, max_reselections=0)
"""Of hedging without retries."""


def plan_retries(retries: effective.Retries | None, hedge: HedgeSection | None = None) -> Retries | None:
    """Retries and hedging as an engine takes them; None where nothing is tried again and no try has a timeout of its own."""
    hedging = None if hedge is None else _hedging(hedge)
    if retries is None or (retries.num_retries == 0 and retries.per_try_timeout_ns == 0):
        return None if hedging is None else Retries(NEVER_AGAIN, 0, hedging)
    conditions = 0
    for name in retries.retry_on:
        conditions |= CONDITIONS[name]
    policy = RetryPolicy(
        num_retries=retries.num_retries,
        conditions=conditions,
        codes=retries.retriable_status_codes,
        back_off=retries.back_off.build(),
        avoids_previous_hosts=retries.avoids_previous_hosts,
        max_reselections=retries.max_reselections,
        max_retry_after_ns=retries.max_retry_after_ns,
        avoids_previous_priorities=retries.avoids_previous_priorities,
        update_frequency=retries.update_frequency,
    )
    return Retries(policy, retries.per_try_timeout_ns, hedging)


def _hedging(section: HedgeSection) -> Hedging:
    return Hedging(
        on_per_try_timeout=section.hedge_on_per_try_timeout,
        delay_ns=section.delay or 0,
        quantile=section.quantile or 0.0,
        max_hedges=0 if section.hedge_on_per_try_timeout else section.max_hedges,
        cancels=section.cancel,
    )


def own_stack(timeout: int | str | None, block: RetriesSection | None) -> Stack:
    """The layers of a client or an application."""
    stack = Stack(effective.timeout_ns(timeout), plan_retries(effective.own_retries(block)))
    return BARE if stack == BARE else stack


def traffic_stack(traffic: effective.Traffic, index: Index) -> Stack:
    """The layers of a proxy outside the cluster."""
    stack = Stack(
        timeout_ns=traffic.timeout_ns,
        retries=plan_retries(traffic.retries, traffic.hedging),
        idle_timeout_ns=traffic.idle_timeout_ns,
        mirror=plan_mirror(traffic.mirror, index),
    )
    if traffic.split is None:
        return stack
    subsets, shares = _split(traffic.split, index)
    return replace(stack, subsets=subsets, shares=shares)


def plan_mirror(section: MirrorSection | None, index: Index) -> Mirror | None:
    """Where copies go; None for nowhere."""
    return None if section is None or not section.share else Mirror(index.operations[section.to], section.share)


def _split(weights: Mapping[str, float], index: Index) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Subsets by number, and the upper bounds of their cumulated shares."""
    names = sorted(name for name, weight in weights.items() if weight > 0)
    total, bound, shares = sum(weights[name] for name in names), 0.0, []
    for name in names:
        bound += weights[name] / total
        shares.append(bound)
    return tuple(index.subsets[name] for name in names), (*shares[:-1], 1.0)


def plan_cluster(
    entries: Mapping[str, TrafficSection],
    name: str,
    scenario: Scenario,
    index: Index,
    product: Product,
    caller: Caller,
    tls: Tls | None = None,
) -> tuple[Cluster, Stack]:
    """What a proxy does for a destination: the cluster, and the stack outside it."""
    traffic = effective.traffic(entries, name, product, caller)
    locality = None if traffic.locality is None or len(index.names.zones) == 1 else traffic.locality
    budget = None if traffic.budget_percent is None else RetryBudget(traffic.budget_percent, traffic.min_retry_concurrency)
    cluster = Cluster(
        service=index.services[name],
        balancer=traffic.load_balancer,
        limits=_limits(traffic.circuit_breakers),
        budget=budget,
        token_budget=traffic.token_budget,
        connections=plan_connections(entries, name, traffic, scenario, product, tls),
        locality=None if locality is None else locality.build(zones=index.names.zones),
        panic_threshold=traffic.panic_threshold,
        overprovisioning=traffic.overprovisioning,
        outliers=traffic.outliers,
        accrual=traffic.accrual,
        health_check=_health_check(traffic.health_checks),
        merge_window_ns=traffic.merge_window_ns,
        keeps_passing_hosts=traffic.health_checks is not None and not traffic.ignores_health_on_removal,
        breaker=traffic.breaker,
        throttling=traffic.throttling,
        limiter=traffic.limiter,
        queue=BalancerQueue(traffic.failfast_ns, traffic.queue_capacity) if traffic.failfast_ns else None,
        hash_on=HashOn.NOTHING if traffic.hash_on is None else HashOn[traffic.hash_on.upper()],
    )
    return cluster, traffic_stack(traffic, index)


def _limits(breakers: Mapping[str, int] | None) -> Limits | None:
    if breakers is None:
        return None
    return Limits(
        max_connections=breakers.get("max_connections", NO_LIMIT),
        max_pending_requests=breakers.get("max_pending_requests", NO_LIMIT),
        max_requests=breakers.get("max_requests", NO_LIMIT),
        max_retries=breakers.get("max_retries", NO_LIMIT),
    )


def _health_check(section: HealthChecksSection | None) -> HealthCheck | None:
    if section is None:
        return None
    return HealthCheck(
        interval_ns=section.interval,
        timeout_ns=section.timeout,
        unhealthy_threshold=section.unhealthy_threshold,
        healthy_threshold=section.healthy_threshold,
        uses_worker=section.uses_worker,
    )
