"""Queue disciplines that cannot do anything, because requests do not differ in what they order by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.queueing import EarliestDeadlineFirst, Fair, Priority
from meshsim.scenario.advice.remark import Kind, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow, Way
    from meshsim.scenario.flow.reading import Path


def disciplines(flow: Flow) -> Iterator[Remark]:
    """A discipline that is the same as `fifo` here, or a `push_out` that nothing triggers."""
    for name, service in flow.scenario.services.items():
        queue = service.queue
        if queue is None or queue.discipline is None:
            continue
        path, chosen = ("services", name, "queue", "discipline"), queue.discipline.chosen
        if isinstance(chosen, Priority):
            yield from _classes(flow, path)
            if chosen.push_out and queue.limit is None:
                yield Remark(
                    Kind.PUSH_OUT_WITHOUT_LIMIT,
                    (*path, "priority", "push_out"),
                    "the queue has no limit, so it is never full and push_out does nothing; write queue.limit",
                )
        elif isinstance(chosen, Fair) and len({load.consumer for load in flow.scenario.load.values()}) == 1:
            yield Remark(
                Kind.FAIR_WITH_ONE_CONSUMER,
                path,
                "all loads have the same consumer or none, so this is fifo; give loads different consumers",
            )
        elif isinstance(chosen, EarliestDeadlineFirst) and not any(_has_deadline(way, flow) for way in _ways_to(name, flow)):
            yield Remark(
                Kind.NO_DEADLINES,
                path,
                f"no call to {name} has a deadline, so this is fifo; set a timeout on the calls to it, or deadline_propagation on callers"
                " whose own callers have one",
            )


def _classes(flow: Flow, path: Path) -> Iterator[Remark]:
    """All requests have the same criticality."""
    gateway = flow.scenario.gateway
    own = () if gateway is None else tuple(route.criticality for route in gateway.routes.values() if route.criticality)
    classes = {*own, *(load.criticality for load in flow.scenario.load.values())}
    if len(classes) == 1:
        yield Remark(
            Kind.PRIORITY_OF_ONE_CLASS,
            path,
            f"all requests are {classes.pop()}, so this is fifo; give a load or a route another criticality",
        )


def _ways_to(service: str, flow: Flow) -> Iterator[Way]:
    return (way for way in flow.ways() if way.hops[-1].target.service == service)


def _has_deadline(way: Way, flow: Flow) -> bool:
    """Whether a timeout around the last call of a chain, or one that callers pass on, says when it will be given up."""
    for hop in reversed(way.hops):
        if any(layer.timeout_ns or layer.tries.per_try_timeout_ns for layer in hop.layers):
            return True
        if hop.caller is None or not flow.scenario.services[hop.caller.service].deadline_propagation:
            return False
    return False


CHECKS = (disciplines,)
