"""Message queues that cannot be kept up with, whose messages are worked on twice, or that lead from nowhere or to nobody."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark, count, number, per_second, time
from meshsim.scenario.sections.scripts import PublishStep, every_item
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.queues import MessageQueueSection


def ends(flow: Flow) -> Iterator[Remark]:
    """A queue to which nobody publishes, or that nobody consumes."""
    scenario = flow.scenario
    published = _published(scenario) | _dead_letters(scenario)
    for name in scenario.queues:
        path = ("queues", name)
        if name not in published:
            message = (
                f"no script publishes to {name}, and no dead letters go there: it stays empty; publish to it, or take it out"
            )
            yield Remark(Kind.NOBODY_PUBLISHES, path, message)
        elif name not in scenario.consumers and name not in _dead_letters(scenario):
            message = f"no service consumes {name}: its messages stay there; write it under `consumes` of a service"
            yield Remark(Kind.NOBODY_CONSUMES, path, message)


def consumers(flow: Flow) -> Iterator[Remark]:
    """A consumer that has too few places for what is published, or a visibility timeout that is over before its work is."""
    flow = flow.of_open_loads
    for name, operation in flow.scenario.consumers.items():
        queue, service = flow.scenario.queues[name], flow.operations[operation].service
        work_ns, offered = flow.least_ns(operation), flow.visits[operation]
        replicas, prefetch = flow.scenario.services[service].most_replicas, prefetched(flow.scenario, name, service)
        busy, partitions = offered * work_ns / NS_PER_S, queue.partitions or replicas * prefetch
        places = min(partitions, replicas * prefetch)
        if busy >= places and not flow.unknown:
            yield Remark(
                Kind.CONSUMERS_CANNOT_KEEP_UP,
                ("queues", name, "partitions") if places < replicas * prefetch else ("services", service, "consumes", name),
                f"{name} gets {per_second(offered)} messages x {time(work_ns)} of work = {number(busy)} worked on at once, and {service} works on"
                f" {places} at most ({_why(queue, replicas, prefetch)}): the queue grows; {_remedy(queue, busy, replicas, prefetch)}",
            )
        visible_ns = queue.visibility_timeout
        if visible_ns is not None and 0 < visible_ns <= work_ns:
            yield Remark(
                Kind.WORKED_ON_TWICE,
                ("queues", name, "visibility_timeout"),
                f"{service} works on a message for {time(work_ns)} on average, and after {time(visible_ns)} it is delivered again, to be worked on"
                f" once more; write {time(6 * work_ns)} or more",
            )


def idle_replicas(flow: Flow) -> Iterator[Remark]:
    """A stream with fewer partitions than its consumer has replicas."""
    for name, operation in flow.scenario.consumers.items():
        partitions, service = flow.scenario.queues[name].partitions, operation.partition("/")[0]
        replicas = flow.scenario.services[service].most_replicas
        if partitions is not None and partitions < replicas:
            yield Remark(
                Kind.PARTITIONS_LEAVE_REPLICAS_IDLE,
                ("queues", name, "partitions"),
                f"{name} has {count(partitions, 'partition')}, and {service} up to {count(replicas, 'replica')}:"
                f" {replicas - partitions} of them get no messages; write {replicas} partitions or more",
            )


def prefetched(scenario: Scenario, queue: str, service: str) -> int:
    """How many messages a replica may hold."""
    section = scenario.services[service]
    return section.consumes[queue].prefetch or section.threads


def _why(queue: MessageQueueSection, replicas: int, prefetch: int) -> str:
    if queue.partitions is not None and queue.partitions < replicas * prefetch:
        return f"{count(queue.partitions, 'partition')}, one message of each"
    return f"{count(replicas, 'replica')} x a prefetch of {prefetch}"


def _remedy(queue: MessageQueueSection, busy: float, replicas: int, prefetch: int) -> str:
    if queue.partitions is not None and queue.partitions < replicas * prefetch:
        return f"write {ceil(busy * 1.25)} partitions or more"
    return f"add replicas, or write a prefetch of {ceil(busy * 1.25 / replicas)} or more"


def _published(scenario: Scenario) -> set[str]:
    scripts = [
        script
        for service in scenario.services.values()
        for script in (service.script, *(operation.script for operation in service.operations.values()))
    ]
    return {step.publish for script in scripts for step in every_item(script) if isinstance(step, PublishStep)}


def _dead_letters(scenario: Scenario) -> set[str]:
    return {queue.dead_letter for queue in scenario.queues.values() if queue.dead_letter is not None}


CHECKS = (ends, consumers, idle_replicas)
