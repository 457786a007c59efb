"""Rows for what `check` says of message queues."""

from __future__ import annotations

from typing import Any

from warned_scenarios import Row, both, gateway

from meshsim.scenario.advice.remark import Kind

WORKER: dict[str, Any] = {"replicas": 2, "workers": 4, "script": [{"compute": "20ms"}]}


def queued(queue: dict[str, Any] | None = None, consumes: dict[str, Any] | None = None, **worker: Any) -> dict[str, Any]:
    """50/s messages to two workers with four threads each."""
    back = {"script": [{"publish": "orders"}]}
    consumer = {**WORKER, "consumes": {"orders": consumes or {}}, **worker}
    return gateway(queues={"orders": queue or {}}, services={"back": back, "worker": consumer})


def extra(name: str, **more: Any) -> dict[str, Any]:
    """One queue more."""
    return both(queued(), {"queues": {name: {}}}, more)


def published(queue: str, least: int) -> Any:
    """So many messages reached a queue, and as many or none are left."""
    return lambda result: _row(result, queue).published >= least and (_row(result, queue).left >= least) == bool(least)


def left(queue: str, least: int, most: int = 10**9) -> Any:
    """So many messages are there at the end."""
    return lambda result: least <= _row(result, queue).left <= most


def done_again(least: int, most: int = 10**9) -> Any:
    """So much work was done again."""
    return lambda result: least <= _row(result, "orders").done_again <= most


def replicas_at_work(count: int) -> Any:
    """Messages went to so many replicas."""
    return lambda result: result.attempts.query("service == 'worker'")["instance"].nunique() == count


def nothing_published(result: Any) -> bool:
    """The spare queue stayed empty."""
    return not any(one.queue == "spare" and one.published for one in result.summary().message_queues)


def _row(result: Any, queue: str) -> Any:
    return next(one for one in result.summary().message_queues if one.queue == queue)


BOTH = {"services": {"back": {"script": [{"publish": "orders"}, {"publish": "spare"}]}}}
MOURNER = {"services": {"mourner": {"consumes": {"spare": {}}, "script": [{"compute": "1ms"}]}}}
ROWS = (
    Row(Kind.NOBODY_PUBLISHES, extra("spare", **MOURNER), nothing_published, extra("spare", **both(BOTH, MOURNER)), left("spare", 0, 2)),
    Row(Kind.NOBODY_CONSUMES, extra("spare", **BOTH), left("spare", 150), extra("spare", **both(BOTH, MOURNER)), left("spare", 0, 2)),
    Row(
        Kind.WORKED_ON_TWICE, queued({"visibility_timeout": "15ms"}), done_again(50),
        queued({"visibility_timeout": "120ms"}), done_again(0, 0),
    ),
    Row(
        Kind.CONSUMERS_CANNOT_KEEP_UP, queued({"partitions": 1}, replicas=1, script=[{"compute": "30ms"}]), left("orders", 20),
        queued({"partitions": 8}), left("orders", 0, 9),
    ),
    Row(
        Kind.PARTITIONS_LEAVE_REPLICAS_IDLE, queued({"partitions": 3}, replicas=4), replicas_at_work(3),
        queued({"partitions": 8}, replicas=4), replicas_at_work(4),
    ),
)  # fmt: skip
