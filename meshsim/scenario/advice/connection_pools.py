"""Connection pools that are too small for what is asked of them, or that nobody uses."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from meshsim.scenario.advice.remark import Kind, Remark, count, number, per_second, time
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.flow.flow import Flow
    from meshsim.scenario.sections.services import ConnectionPoolSection


def pool_sizes(flow: Flow) -> Iterator[Remark]:
    """A pool that is asked for more connections than it has, all the time."""
    flow = flow.of_open_loads
    for name, service in flow.scenario.services.items():
        for pool, section in service.connection_pools.items():
            path = ("services", name, "connection_pools", pool)
            held = [
                (flow.visits[operation.key] * transaction.times, flow.held_ns(transaction))
                for operation in flow.operations.values()
                for transaction in operation.transactions
                if operation.service == name and transaction.pool == pool
            ]
            if not held:
                yield Remark(
                    Kind.POOL_WITHOUT_TRANSACTION, path, "no `transaction` of the service takes from it, so it does nothing"
                )
                continue
            asked, busy = sum(rate for rate, _ in held), sum(rate * held_ns for rate, held_ns in held) / NS_PER_S
            replicas = service.most_replicas
            if asked and busy >= replicas * section.maximum_pool_size and not flow.unknown:
                connections = count(section.maximum_pool_size, "connection")
                yield Remark(
                    Kind.CONNECTIONS_CANNOT_KEEP_UP,
                    (*path, "maximum_pool_size"),
                    f"{name} is asked for {per_second(asked)} transactions x {time(busy / asked * NS_PER_S)} = {number(busy)} connections in"
                    f" use, and has {replicas * section.maximum_pool_size} ({count(replicas, 'replica')} x {connections}): {_consequence(section)};"
                    f" give it {ceil(busy * 1.25 / replicas)} in each replica, shorten the transactions, or reduce the load",
                )


def _consequence(section: ConnectionPoolSection) -> str:
    """What becomes of those who find no connection."""
    if section.acquire_timeout == 0:
        return "requests that find no connection fail"
    if not isinstance(section.acquire_timeout, int):
        return "requests queue for connections, more and more of them"
    return "requests queue for connections until acquire_timeout"


CHECKS = (pool_sizes,)
