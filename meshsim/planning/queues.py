"""Message queues and streams, with who consumes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.plan import NONE, MessageQueue, OnFull
from meshsim.planning.proxies import drawn

if TYPE_CHECKING:
    from meshsim.planning.index import Index
    from meshsim.scenario.sections.model import Scenario


def plan_queues(scenario: Scenario, index: Index) -> tuple[MessageQueue, ...]:
    """All queues, in the order of the index."""
    consumers = scenario.consumers
    return tuple(_queue(name, scenario, index, consumers.get(name)) for name in index.names.queues)


def _queue(name: str, scenario: Scenario, index: Index, operation: str | None) -> MessageQueue:
    section = scenario.queues[name]
    made = MessageQueue(
        partitions=section.partitions or 0,
        publish_time=drawn(section.publish_time),
        delivery_time=drawn(section.delivery_time),
        visibility_ns=_or_none(section.visibility_timeout),
        retry_ns=_or_none(section.retry_delay),
        max_deliveries=_or_none(section.max_deliveries),
        dead_letter=NONE if section.dead_letter is None else index.queues[section.dead_letter],
        ttl_ns=_or_none(section.message_ttl),
        max_length=_or_none(section.max_length),
        on_full=OnFull[section.on_full.upper()],
        rebalance_ns=section.rebalance_time,
    )
    if operation is None:
        return made
    service = operation.partition("/")[0]
    consumer = scenario.services[service]
    return made._replace(
        service=index.services[service],
        operation=index.operations[operation],
        prefetch=consumer.consumes[name].prefetch or consumer.threads,
    )


def _or_none(value: int | None) -> int:
    return NONE if value is None else value
