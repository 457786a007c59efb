"""Offered load against capacity: services, gateway, sidecars, rate limits."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from meshsim.arrivals import Profile, Segment
from meshsim.scenario.advice.remark import Kind, Remark, count, number, per_second, time
from meshsim.scenario.flow import demand
from meshsim.scenario.flow.flow import calls_of
from meshsim.scenario.flow.limits import Excess
from meshsim.scenario.flow.refused import WORTH_SAYING, Askers, Counters, When, refused_share
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow


BURSTS = ("max_tokens", "max_burst", "burst")
"""What limits call the number of requests that may come at once."""


class Work(NamedTuple):
    """What a service is asked to do."""

    offered: float
    """Requests per second."""
    held_ns: float
    """How long one holds a worker in the mean."""
    waiting_ns: float
    """How much of that it waits for calls of its own."""
    computing_ns: float
    """How long one computes in the mean."""

    @property
    def busy(self) -> float:
        """Workers that it keeps busy."""
        return self.offered * self.held_ns / NS_PER_S

    @property
    def words(self) -> str:
        """`412/s x 24ms, 10ms of it waiting for its own calls = 9.89 busy workers`."""
        waiting = f", {time(self.waiting_ns)} of it waiting for its own calls" if self.waiting_ns > 0 else ""
        return f"{per_second(self.offered)} x {time(self.held_ns)}{waiting} = {number(self.busy)} busy workers"


def service_workers(flow: Flow) -> Iterator[Remark]:
    """A service that is offered as much work as it can do, or more."""
    for name, service in flow.scenario.services.items():
        path, replicas = ("services", name, "workers"), service.most_replicas
        workers = replicas * service.threads
        if not workers:
            continue
        has = f"{workers} ({count(replicas, 'replica')} x {count(service.threads, 'worker')})"
        work, of_all = work_of(flow.of_open_loads, name), work_of(flow, name)
        if work.busy < workers and of_all.busy <= workers * (1 + 1e-9):
            continue
        if flow.unknown:
            first = flow.unknown[0]
            yield Remark(
                Kind.CAPACITY_NOT_CHECKED,
                first.path,
                f"capacity of {name} not checked, because nobody knows before the run {first.why}: if none, {name} is offered"
                f" {(work if work.busy >= workers else of_all).words}, and has {has}",
            )
        elif work.busy >= workers:
            remedy = f"give it {ceil(work.busy * 1.25 / replicas)} workers or more in each replica, or less load"
            message = f"{name} is offered {work.words}, and has {has}: it cannot keep up; {remedy}"
            yield Remark(Kind.SERVICE_CANNOT_KEEP_UP, path, message)
        else:
            yield Remark(
                Kind.USERS_WAIT,
                path,
                f"without any wait, users would ask {name} for {of_all.words}, and it has {has}: they wait, and all together get no more"
                f" than {per_second(workers * NS_PER_S / of_all.held_ns)} from it; to avoid that, give it"
                f" {ceil(of_all.busy * 1.25 / replicas)} workers or more in each replica",
            )


def service_cpu(flow: Flow) -> Iterator[Remark]:
    """A service that is offered as much processor time as its limit, or its nodes, give it, or more."""
    for name, service in flow.scenario.services.items():
        if service.cpu is None or flow.unknown:
            continue
        replicas, of_each = service.most_replicas, service.cpu.capacity
        asked = work_of(flow.of_open_loads, name)
        cores = asked.offered * asked.computing_ns / NS_PER_S
        if cores >= replicas * of_each:
            remedy = f"give each replica {number(cores * 1.25 / replicas)} cores or more, add replicas, or reduce the load"
            yield Remark(
                Kind.SERVICE_CANNOT_KEEP_UP,
                ("services", name, "cpu"),
                f"{name} is offered {per_second(asked.offered)} x {time(asked.computing_ns)} of processor time = {number(cores)} cores,"
                f" and has {number(replicas * of_each)} ({count(replicas, 'replica')} x {number(of_each)}): it cannot keep up; {remedy}",
            )


def work_of(flow: Flow, name: str) -> Work:
    """What a service is asked to do."""
    operations = [one for one in flow.operations.values() if one.service == name]
    total = offered = sum(flow.visits[one.key] for one in operations)
    if limit := flow.inbound_limits.get(name):
        offered = min(offered, limit.rate)
    if not total:
        return Work(0.0, 0.0, 0.0, 0.0)
    is_async = flow.scenario.services[name].is_async
    computing_ns = sum(flow.visits[one.key] / total * flow.computing_ns(one.key) for one in operations)
    least_ns = sum(flow.visits[one.key] / total * flow.least_ns(one.key) for one in operations)
    held_ns = computing_ns if is_async else least_ns
    return Work(offered, held_ns, held_ns - computing_ns, computing_ns)


def in_files(flow: Flow) -> Iterator[Remark]:
    """Loads and times that stand in files, which nobody has looked into."""
    for source in flow.sources:
        if flow.scenario.load[source.name].executor == "replay":
            yield Remark(
                Kind.CAPACITY_NOT_CHECKED,
                ("load", source.name, "file"),
                f"capacity not checked against {source.name}, because how often it asks stands in its file: look at the utilisation"
                " in the run",
            )
    for name, service in flow.scenario.services.items():
        scripts = (service.script, *(one.script for one in (service.operations or {}).values()))
        if any(map(demand.has_replayed_times, scripts)):
            yield Remark(
                Kind.CAPACITY_NOT_CHECKED,
                ("services", name),
                f"capacity of {name} and of its callers not checked, because its times stand in a file: look at the utilisation in"
                " the run",
            )


def gateway_workers(flow: Flow) -> Iterator[Remark]:
    """A gateway whose workers cannot keep up."""
    gateway = flow.scenario.gateway
    if not flow.has_gateway or gateway is None:
        return
    proxy = demand.proxy(gateway, "gateway", flow.product)
    replicas = gateway.replicas
    flow = flow.of_open_loads
    offered = sum(flow.rate(source) for source in flow.sources)
    busy = offered * proxy.time_ns / NS_PER_S
    if busy >= replicas * proxy.workers:
        yield Remark(
            Kind.GATEWAY_CANNOT_KEEP_UP,
            ("gateway", "workers"),
            f"the gateway is offered {per_second(offered)} x {time(proxy.time_ns)} = {number(busy)} busy workers,"
            f" and has {replicas * proxy.workers} ({count(replicas, 'replica')} x {count(proxy.workers, 'worker')});"
            f" give it {ceil(busy * 1.25 / proxy.workers)} replicas or more",
        )


def sidecar_workers(flow: Flow) -> Iterator[Remark]:
    """Sidecars whose workers cannot keep up with what comes in and goes out."""
    if not flow.has_mesh:
        return
    flow = flow.of_open_loads
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
                Kind.SIDECAR_CANNOT_KEEP_UP,
                ("mesh", "workers"),
                f"each sidecar of {name} has {per_second(passes / service.most_replicas)} to pass on, in and out,"
                f" x {time(proxy.time_ns)} = {number(busy)} busy workers, and has {proxy.workers};"
                f" give {name} more replicas or the mesh more workers",
            )


def rate_limits(flow: Flow) -> Iterator[Remark]:
    """A rate limit that refuses some of the offered load."""
    for one in flow.screened.excesses:
        yield Remark(Kind.RATE_LIMITED, one.path, _limited(one))
    for name, limit in flow.inbound_limits.items():
        rate = sum(flow.visits[one.key] for one in flow.operations.values() if one.service == name)
        run_ns = demand.run_ns(flow.scenario)
        even = Profile((Segment(0, run_ns, rate, rate),), is_poisson=True)
        refused = refused_share(Counters(limit.rule, 1, limit.replicas), [Askers(even, 1.0)], When(run_ns))
        if refused >= WORTH_SAYING:
            passes = limit.rule.limit.per_second() / limit.rule.cost * limit.replicas
            yield Remark(
                Kind.RATE_LIMITED,
                limit.path,
                _limited(Excess(limit.path, f" at {name}", rate, passes, refused, refused, limit.rule.limit)),
            )
    for unknown in flow.unknown:
        if unknown.is_limit:
            yield Remark(
                Kind.RATE_LIMIT_NOT_CHECKED,
                unknown.path,
                "this limit was not checked, because nobody knows before the run how the requests spread over its counters; look for 429"
                " (RL) in the run",
            )


def _limited(one: Excess) -> str:
    limit = one.limit_of
    remedy = "raise tokens_per_fill" if hasattr(limit, "tokens_per_fill") else "raise the limit"
    lets = f"all replicas together let {per_second(one.limit)} pass"
    if one.rate <= one.limit:
        lets += f", but not bursts of more than {limit.limit():,}"
        remedy = f"raise {next((name for name in BURSTS if hasattr(limit, name)), 'the limit')}"
    share = f"{one.refused:.0%}" if one.refused - one.least < WORTH_SAYING else f"{one.least:.0%} to {one.refused:.0%}"
    return (
        f"the load{one.whose} is {per_second(one.rate)} at its peak, and {lets}: about {share} of its requests in the whole"
        f" run get 429; {remedy}, unless that is what you want to see"
    )


CHECKS = (service_workers, service_cpu, in_files, gateway_workers, sidecar_workers, rate_limits)
