"""Offered load against capacity: services, gateway, sidecars, rate limits."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Remark, count, number, per_second, time
from meshsim.scenario.flow import demand
from meshsim.scenario.flow.flow import calls_of
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow


def service_workers(flow: Flow) -> Iterator[Remark]:
    """A service that is offered as much work as it can do, or more."""
    if not flow.screened.is_known:
        return
    for name, service in flow.scenario.services.items():
        operations = [one for one in flow.operations.values() if one.service == name]
        offered = sum(flow.visits[one.key] for one in operations)
        if limit := flow.inbound_limits.get(name):
            offered = min(offered, limit.rate)
        total = sum(flow.visits[one.key] for one in operations)
        if not total:
            continue
        is_async = service.is_async
        held_ns = sum(
            flow.visits[one.key] / total * (flow.computing_ns(one.key) if is_async else flow.least_ns(one.key))
            for one in operations
        )
        computing_ns = sum(flow.visits[one.key] / total * flow.computing_ns(one.key) for one in operations)
        busy = offered * held_ns / NS_PER_S
        replicas = service.most_replicas
        workers = replicas * service.workers
        if busy < workers:
            continue
        waiting = "" if held_ns <= computing_ns else f", {time(held_ns - computing_ns)} of it waiting for its own calls"
        remedy = f"give it {ceil(busy * 1.25 / replicas)} workers or more in each replica, or less load"
        yield Remark(
            ("services", name, "workers"),
            f"{name} is offered {per_second(offered)} x {time(held_ns)}{waiting} = {number(busy)} busy workers, and has"
            f" {workers} ({count(replicas, 'replica')} x {count(service.workers, 'worker')}):"
            f" it cannot keep up; {remedy}",
        )


def gateway_workers(flow: Flow) -> Iterator[Remark]:
    """A gateway whose workers cannot keep up."""
    gateway = flow.scenario.gateway
    if not flow.has_gateway or gateway is None:
        return
    proxy = demand.proxy(gateway, "gateway", flow.product)
    replicas = gateway.replicas
    offered = sum(flow.rate(source) for source in flow.sources)
    busy = offered * proxy.time_ns / NS_PER_S
    if busy >= replicas * proxy.workers:
        yield Remark(
            ("gateway", "workers"),
            f"the gateway is offered {per_second(offered)} x {time(proxy.time_ns)} = {number(busy)} busy workers,"
            f" and has {replicas * proxy.workers} ({count(replicas, 'replica')} x {count(proxy.workers, 'worker')});"
            f" give it {ceil(busy * 1.25 / proxy.workers)} replicas or more",
        )


def sidecar_workers(flow: Flow) -> Iterator[Remark]:
    """Sidecars whose workers cannot keep up with what comes in and goes out."""
    if not flow.has_mesh:
        return
    proxy = demand.proxy(flow.scenario.mesh, "mesh", flow.product)
    for name, service in flow.scenario.services.items():
        passes = sum(
            flow.visits[one.key] * (1 + sum(call.times for call in calls_of(one)))
            for one in flow.operations.values()
            if one.service == name
        )
        busy = passes / service.most_replicas * proxy.time_ns / NS_PER_S
        if busy >= proxy.workers:
            yield Remark(
                ("mesh", "workers"),
                f"each sidecar of {name} has {per_second(passes / service.most_replicas)} to pass on, in and out,"
                f" x {time(proxy.time_ns)} = {number(busy)} busy workers, and has {proxy.workers};"
                f" give {name} more replicas or the mesh more workers",
            )


def rate_limits(flow: Flow) -> Iterator[Remark]:
    """A rate limit that the offered load exceeds."""
    for one in flow.screened.excesses:
        yield Remark(one.path, _limited(one.rate, one.limit, one.whose, one.remedy))
    for name, limit in flow.inbound_limits.items():
        rate = sum(flow.visits[one.key] for one in flow.operations.values() if one.service == name)
        if rate > limit.rate:
            yield Remark(limit.path, _limited(rate, limit.rate, f" at {name}", limit.remedy))


def _limited(rate: float, limit: float, whose: str, remedy: str) -> str:
    return (
        f"the load{whose} is {per_second(rate)} at its peak, and all replicas together let {per_second(limit)} pass:"
        f" {1 - limit / rate:.0%} get 429; {remedy}, unless that is what you want to see"
    )


CHECKS = (service_workers, gateway_workers, sidecar_workers, rate_limits)
