"""Linkerd's queue before its balancer: one that nothing fills, one that is full at once, and timeouts that do not end a wait in it."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from meshsim.policies.locality import LocalityDistribute
from meshsim.scenario.advice.destinations import destinations, using
from meshsim.scenario.advice.remark import Kind, Remark, number, time
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.advice.destinations import Destination
    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.flow.reading import Path


def queues_that_nothing_fills(flow: Flow) -> Iterator[Remark]:
    """A queue for calls that find no endpoint ready, where one always is."""
    for path, all_of_it in using(flow, "balancer_queue"):
        queued = [one for one in all_of_it if one.traffic.failfast_ns]
        if not queued or any(_finds_nobody(flow, one) or _is_told_of_few(flow, one) for one in queued):
            continue
        first = queued[0]
        reason = "nothing takes its hosts out"
        if first.takes_hosts_out:
            reason = f"where most of its hosts are out all of them get calls (healthy_panic_threshold {first.traffic.panic_threshold:.0%})"
        remedy = "healthy_panic_threshold: 0%" if first.takes_hosts_out else "failure_accrual: consecutive"
        yield Remark(
            Kind.NOTHING_FILLS_THE_QUEUE,
            path,
            f"calls wait in it while no endpoint of {first.service} is ready, and one always is, since {reason}: calls that fail fail at"
            f" once; write {remedy}, or take balancer_queue out",
        )


def queues_that_are_full_at_once(flow: Flow) -> Iterator[Remark]:
    """A queue that is full before its time is over. Users are not counted: they wait, and do not ask again meanwhile."""
    told: set[tuple[Path, str]] = set()
    for one in destinations(flow.of_open_loads):
        traffic, path = one.traffic, one.path("balancer_queue") or ("defaults",)
        come = one.rate / one.callers * traffic.failfast_ns / NS_PER_S
        most = min(come, one.room / one.callers)  # the first of them is not in the queue any more
        if most <= traffic.queue_capacity + 1 or (path, one.service) in told or not _finds_nobody(flow, one):
            continue
        told.add((path, one.service))
        yield Remark(
            Kind.QUEUE_IS_FULL_AT_ONCE,
            path,
            f"{one.who} makes about {number(come)} calls to {one.service} at the peak in the {time(traffic.failfast_ns)} that they may wait"
            f" until an endpoint is ready, and {traffic.queue_capacity:,} may wait: the others get 503 at once; write capacity:"
            f" {ceil(most)}, or a failfast_timeout of {time(traffic.failfast_ns * traffic.queue_capacity / come)}",
        )


def timeouts_that_end_no_wait(flow: Flow) -> Iterator[Remark]:
    """A timeout shorter than the wait for an endpoint: it counts at the endpoint only.

    Source: linkerd2-proxy, linkerd/app/outbound/src/http/endpoint.rs (EnforceTimeouts), which stands inside of the balancer's queue.
    """
    queued = {(one.section, one.service): one for one in destinations(flow) if one.traffic.failfast_ns}
    told: set[Path] = set()
    for way in flow.ways() if queued else ():
        target = way.hops[-1].target.service
        for layer in way.hops[-1].layers:
            path = layer.timeout_path
            one = queued.get((str(path[0]), target)) if path else None
            if one is None or path in told or not 0 < layer.timeout_ns < one.traffic.failfast_ns or not _finds_nobody(flow, one):
                continue
            told.add(path)
            yield Remark(
                Kind.TIMEOUT_ENDS_NO_WAIT,
                path,
                f"a timeout of {time(layer.timeout_ns)} does not end a wait for an endpoint: while none of {target} is ready a call waits"
                f" for up to {time(one.traffic.failfast_ns)} all the same, and has timed out when it is over; write"
                f" balancer_queue.failfast_timeout: {time(layer.timeout_ns)} or less",
            )


def _finds_nobody(flow: Flow, one: Destination) -> bool:
    """Whether there may be a time in which no endpoint is ready."""
    service, traffic = flow.scenario.services[one.service], one.traffic
    ejects = traffic.outliers is not None or traffic.health_checks is not None
    fewest = min([service.replicas, *(step.replicas for step in service.scale)])
    is_away = fewest == 0 or service.readiness is not None or bool(service.restarts or service.rollouts)
    return traffic.accrual is not None or (ejects and not traffic.panic_threshold) or is_away


def _is_told_of_few(flow: Flow, one: Destination) -> bool:
    """Whether discovery or the shares of zones may leave a caller without anybody."""
    return flow.scenario.services[one.service].health_status is not None or isinstance(one.traffic.locality, LocalityDistribute)


CHECKS = (queues_that_nothing_fills, queues_that_are_full_at_once, timeouts_that_end_no_wait)
