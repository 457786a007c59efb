"""What a run has used of that which has a price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.metrics.cost import MILLION, CostItem, CostSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshsim.metrics.policies.proxy_summary import ProxySummary
    from meshsim.metrics.summary import RequestSummary, ServiceSummary
    from meshsim.plan import Plan, Prices

S_PER_H = 3600.0
GIB = 1024.0**3
GATEWAY = "gateway"


def cost_of(
    plan: Plan,
    window_s: float,
    total: RequestSummary,
    services: Sequence[ServiceSummary],
    proxies: Sequence[ProxySummary],
    cross_zone_bytes: int,
) -> CostSummary | None:
    """What a run has cost; None where nothing has a price.

    Args:
        plan: With the prices.
        window_s: Length of the measured window.
        total: All requests that started in it.
        services: In the order of the plan.
        proxies: All kinds.
        cross_zone_bytes: What went between zones in the window.
    """
    if plan.prices is None:
        return None
    found = _found(plan, plan.prices, window_s / S_PER_H, total, services, proxies, cross_zone_bytes)
    return CostSummary(
        plan.prices.currency, window_s / S_PER_H, total.requests - total.failures, tuple(one for one in found if one.price)
    )


def _found(
    plan: Plan,
    prices: Prices,
    hours: float,
    total: RequestSummary,
    services: Sequence[ServiceSummary],
    proxies: Sequence[ProxySummary],
    cross_zone_bytes: int,
) -> Iterator[CostItem]:
    for service, price in zip(services, prices.replica_hour, strict=True):
        yield CostItem("replicas", service.name, service.replica_hours or 0.0, "replica hours", price)
    gateways = 0 if plan.gateway is None else len(plan.gateway.zones)
    yield CostItem("gateway", None, gateways * hours, "replica hours", prices.gateway_replica_hour)
    own = [one for one in proxies if one.name != GATEWAY]
    there = _proxy_hours(plan, hours, services, own)
    yield CostItem("proxies", None, there, "proxy hours", prices.proxy_hour)
    cores = sum(one.cpu_cores or 0.0 for one in own)
    yield CostItem("proxy_cpu", None, cores * hours, "core hours", prices.proxy_core_hour)
    yield CostItem("cross_zone", None, cross_zone_bytes / GIB, "GiB", prices.cross_zone_gib)
    yield CostItem("requests", None, total.requests / MILLION, "million requests", prices.million_requests)


def _proxy_hours(plan: Plan, hours: float, services: Sequence[ServiceSummary], proxies: Sequence[ProxySummary]) -> float:
    """A sidecar is there as long as its replica is up; node proxies and waypoints all the time."""
    if plan.mesh is None:
        return 0.0
    if plan.mesh.ambient is None:
        return sum(service.replica_hours or 0.0 for service in services)
    return sum(one.replicas for one in proxies) * hours
