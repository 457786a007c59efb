"""From a tally to a summary: numbers become names, nanoseconds seconds, sums shares and rates."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.flags import flag_text
from meshsim.metrics.cells import GATEWAY_PLACE, NODE_PLACE, RequestCell, ServiceCell
from meshsim.metrics.latency.times import Times
from meshsim.metrics.policies.proxy_summary import ProxySummary
from meshsim.metrics.priced import GIB, cost_of
from meshsim.metrics.rows import NO_CONSUMER, NO_ROUTE
from meshsim.metrics.summary import Cause, RequestSummary, ServiceSummary, Summary
from meshsim.metrics.warm_up import check_warm_up
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from meshsim.metrics.cells import Failure, StationCell
    from meshsim.metrics.tally import Tally
    from meshsim.plan import Names, Plan

NS_PER_H = 3600 * NS_PER_S


def summarise(tally: Tally, simulated_ns: int) -> Summary:
    """The figures of what a tally has seen.

    Args:
        tally: Fed with the records of a run.
        simulated_ns: How far the run has come.
    """
    plan = tally.plan
    window_ns = max(0, min(plan.duration_ns, simulated_ns) - plan.warm_up_ns)
    stations_ns = max(0, tally.last_counted_ns - plan.warm_up_ns)
    flows = {key: cell for key, cell in tally.requests.items() if cell.latency.count or cell.ended}
    routes = [*range(len(plan.names.routes)), *([-1] if any(route < 0 for _, route in flows) else [])]

    consumer_of = consumers_by_source(plan)
    consumers = _consumers(plan, consumer_of)
    warm_up_needed_s, warm_up_check = check_warm_up(plan, tally.sequence)

    def requests(source: int | None = None, route: int | None = None, consumer: int | None = None) -> RequestSummary:
        cells = [
            cell
            for key, cell in flows.items()
            if source in {None, key[0]} and route in {None, key[1]} and consumer in {None, consumer_of[key[0]]}
        ]
        one = _requests(cells, plan.names, window_ns, source, route)
        consumer = consumer_of[source] if source is not None and consumers else consumer
        return one if consumer is None else replace(one, consumer=plan.names.consumers[consumer] or NO_CONSUMER)

    total = requests()
    services = tuple(_service(tally, index, window_ns, stations_ns) for index in range(len(plan.services)))
    proxies = tuple(_proxies(plan, tally.proxies, stations_ns))
    return Summary(
        simulated_s=simulated_ns / NS_PER_S,
        warm_up_s=plan.warm_up_ns / NS_PER_S,
        window_s=window_ns / NS_PER_S,
        total=total,
        routes=tuple(requests(route=route) for route in routes),
        sources=tuple(requests(source=source) for source in range(len(plan.names.sources))),
        flows=tuple(requests(*key) for key in sorted(flows)),
        services=services,
        proxies=proxies,
        consumers=tuple(requests(consumer=consumer) for consumer in consumers),
        consumer_routes=tuple(
            requests(consumer=consumer, route=route)
            for consumer in consumers
            for route in routes
            if any(consumer == consumer_of[source] and route == one for source, one in flows)
        ),
        recoveries=tally.recovery.recoveries(simulated_ns),
        warm_up_needed_s=warm_up_needed_s,
        warm_up_check=warm_up_check,
        cross_zone_gib=tally.cross_zone_bytes / GIB,
        cost=cost_of(plan, window_ns / NS_PER_S, total, services, proxies, tally.cross_zone_bytes),
    )


def consumers_by_source(plan: Plan) -> list[int]:
    """The number of the consumer of each load; that of the empty name where it says none."""
    return [source.consumer for source in plan.sources] or [0] * len(plan.names.sources)


def _consumers(plan: Plan, consumer_of: Sequence[int]) -> list[int]:
    """Numbers of the consumers that loads name, and last of none where some load names none; empty where no load does."""
    used = {number for number in consumer_of if plan.names.consumers}
    named = sorted(number for number in used if plan.names.consumers[number])
    return [*named, *sorted(used - set(named))] if named else []


def _requests(
    cells: Iterable[RequestCell], names: Names, window_ns: int, source: int | None, route: int | None
) -> RequestSummary:
    cell = RequestCell()
    for one in cells:
        cell.merge(one)
    count, failures = cell.latency.count, sum(cell.failures.values())
    by_flag: Counter[str] = Counter()
    for failure, times in cell.failures.items():
        by_flag[flag_text(failure.response_flags)] += times
    return RequestSummary(
        route=None if route is None else names.routes[route] if route >= 0 else NO_ROUTE,
        source=None if source is None else names.sources[source],
        requests=count,
        failures=failures,
        offered_per_s=_per_s(count, window_ns),
        throughput_per_s=_per_s(cell.ended, window_ns),
        goodput_per_s=_per_s(cell.ended_well, window_ns),
        error_share=_share(failures, count),
        failures_by_flag=dict(sorted(by_flag.items())),
        causes=_causes(cell.failures, names),
        attempts=cell.attempts,
        attempts_per_request=_share(cell.attempts, cell.tried),
        latency=Times.of(cell.latency, cell.dashboard),
        latency_of_successes=Times.of(cell.successes),
    )


def _causes(failures: Mapping[Failure, int], names: Names) -> tuple[Cause, ...]:
    """The most frequent first; ties in the order of what they are."""
    return tuple(
        Cause(
            count=count,
            status=failure.status,
            grpc_status=failure.grpc_status if failure.grpc_status >= 0 else None,
            flags=flag_text(failure.response_flags),
            origin=names.services[failure.origin] if failure.origin >= 0 else None,
            origin_flags=flag_text(failure.origin_flags),
        )
        for failure, count in sorted(failures.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _service(tally: Tally, index: int, window_ns: int, stations_ns: int) -> ServiceSummary:
    service = tally.plan.services[index]
    cell: ServiceCell = tally.services.get(index) or ServiceCell()
    stations = [one for (number, _), one in tally.instances.items() if number == index]
    by_flag: Counter[str] = Counter()
    by_status: Counter[str] = Counter()
    for (status, flags), times in cell.failures.items():
        by_flag[flag_text(flags)] += times
        by_status[str(status)] += times
    replicas = len(service.zones)
    there_ns = replicas_ns(tally, index)
    return ServiceSummary(
        name=tally.plan.names.services[index],
        replicas=replicas,
        workers=service.servers,
        attempts=cell.attempts,
        calls=cell.calls,
        attempts_per_s=_per_s(cell.attempts, window_ns),
        retry_amplification=_share(cell.latency.count, cell.calls),
        failures=cell.errors,
        error_share=_share(cell.errors, cell.attempts),
        failures_by_flag=dict(sorted(by_flag.items())),
        failures_by_status=dict(sorted(by_status.items())),
        latency=Times.of(cell.latency, cell.dashboard),
        response_time=Times.of(cell.response_time),
        waiting_time=Times.of(cell.waiting_time),
        worked_s=cell.worked_ns / NS_PER_S,
        wasted_s=cell.wasted_ns / NS_PER_S,
        wasted_share=_share(cell.wasted_ns, cell.worked_ns),
        utilisation=_share(sum(one.busy_ns for one in stations), service.servers * there_ns),
        utilisation_of_busiest=_share(max((one.busy_ns for one in stations), default=0), service.servers * stations_ns),
        queue_mean=_share(sum(one.queued_ns for one in stations), stations_ns),
        queue_peak=max((one.peak_queue for one in stations), default=0),
        replica_hours=sum(one.up_ns for one in stations) / NS_PER_H if stations else None,
    )


def replicas_ns(tally: Tally, index: int) -> int:
    """How long the replicas of a service were there in the measured window, all together; those that crash are, where nothing scales."""
    service = tally.plan.services[index]
    if service.lifecycle is not None and service.lifecycle.is_scaled:
        return sum(one.up_ns for (number, _), one in tally.instances.items() if number == index)
    return len(service.zones) * max(0, tally.last_counted_ns - tally.plan.warm_up_ns)


def _proxies(plan: Plan, cells: Mapping[tuple[int, int], StationCell], stations_ns: int) -> Iterable[ProxySummary]:
    for index, name, replicas, workers in _kinds(plan, cells):
        stations = [one for (number, _), one in cells.items() if number == index]
        yield ProxySummary(
            name=name,
            replicas=replicas,
            workers=workers,
            utilisation=_share(sum(one.busy_ns for one in stations), replicas * workers * stations_ns),
            utilisation_of_busiest=_share(max((one.busy_ns for one in stations), default=0), workers * stations_ns),
            queue_mean=_share(sum(one.queued_ns for one in stations), stations_ns),
            queue_peak=max((one.peak_queue for one in stations), default=0),
            cpu_cores=_share(sum(one.busy_ns for one in stations), stations_ns),
        )


def _kinds(plan: Plan, cells: Mapping[tuple[int, int], StationCell]) -> Iterable[tuple[int, str, int, int]]:
    """The proxies of a plan: place, name, how many, and the workers of each."""
    if plan.gateway is not None:
        yield GATEWAY_PLACE, "gateway", len(plan.gateway.zones), plan.gateway.proxy.workers
    if plan.mesh is None:
        return
    ambient, services = plan.mesh.ambient, plan.names.services
    if ambient is None:
        for index, (name, service) in enumerate(zip(services, plan.services, strict=True)):
            yield index, f"sidecar of {name}", len(service.zones), plan.mesh.proxy.workers
        return
    yield NODE_PLACE, "node proxies", len({node for place, node in cells if place == NODE_PLACE}), ambient.node_proxy.workers
    for index, (name, zones) in enumerate(zip(services, ambient.waypoints, strict=True)):
        if zones:
            yield len(services) + index, f"waypoint of {name}", len(zones), ambient.waypoint.workers


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _per_s(count: int, window_ns: int) -> float | None:
    return _share(count * NS_PER_S, window_ns)
