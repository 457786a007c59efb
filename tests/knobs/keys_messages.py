"""Keys of message queues: what a broker does with messages, and how services publish and consume them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keys_measures as measure
from keys_worlds import Section, back_is, bare_world
from rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim import Result


def world(queue: Section | None = None, worker: Section | None = None, step: Section | None = None, **rest: Any) -> Section:
    """A hundred messages a second, each of them 10 ms of work for one of two replicas."""
    made = bare_world(back={"script": [{"publish": "orders", **(step or {})}]}, **rest)
    made["queues"] = {"orders": queue or {}, "spare": {"max_length": 1_000_000}}
    made["services"]["worker"] = {
        "replicas": 2, "script": [{"compute": "10ms"}], "consumes": {"orders": {}}, **(worker or {})
    }  # fmt: skip
    return made


def queue_is(**settings: Any) -> Section:
    """A change of the queue."""
    return {"queues": {"orders": settings}}


def worker_is(**settings: Any) -> Section:
    """A change of the consumer."""
    return {"services": {"worker": settings}}


def step_is(**settings: Any) -> Section:
    """Another step that publishes."""
    return back_is(script=[{"publish": "orders", **settings}])


def of(field: str, queue: str = "orders") -> Callable[[Result], float]:
    """A figure of the queue."""
    return lambda result: next(getattr(one, field) or 0 for one in result.summary().message_queues if one.queue == queue)


def message_rows() -> list[Row]:
    """Rows of queues, of who publishes and of who consumes."""
    failing, crowded = {"errors": "50%"}, {"replicas": 1, "script": [{"compute": "30ms"}]}
    full, operations = {"max_length": 5, "on_full": "reject"}, {"pack": {"script": [{"compute": "1ms"}]}}
    growing = {"scale": [{"at": "300ms", "replicas": 3}]}
    slow_first = [{"at": "0s", "for": "1s", "service": "worker", "instances": [0], "slow": 5}]
    return [
        Row("Scenario.queues", world(), {}, queue_is(publish_time="5ms"), measure.latency, "more"),
        Row("PublishStep.publish", world(), {}, back_is(script=[{"publish": "spare"}]), of("published", "spare"), "more"),
        Row("PublishStep.probability", world(), {}, step_is(probability="20%"), of("published"), "less"),
        Row("PublishStep.wait", world({"publish_time": "5ms"}), {}, step_is(wait=False), measure.latency, "less"),
        Row("PublishStep.optional", world(full, crowded), {}, step_is(optional=True), measure.failures, "less"),
        Row("PublishStep.fallback", world(full, crowded), {}, step_is(fallback=[{"compute": "1ms"}]), measure.failures, "less"),
        Row("ServiceSection.consumes", world(), {}, worker_is(consumes={"orders": None}), of("consumed"), "less"),
        Row(
            "ConsumesSection.operation", world(worker={"operations": operations}), {}, worker_is(consumes={"orders": {"operation": "pack"}}),
            of("time_mean_s"), "less",
        ),
        Row(
            "ConsumesSection.prefetch", world(faults=slow_first), {}, worker_is(consumes={"orders": {"prefetch": 20}}), of("time_max_s"), "more",
        ),
        Row(
            "MessageQueueSection.partitions", world(worker={"replicas": 1, "workers": 5, "script": [{"compute": "15ms"}]}), {},
            queue_is(partitions=1), of("lag_mean"), "more",
        ),
        Row("MessageQueueSection.publish_time", world(), {}, queue_is(publish_time="5ms"), measure.latency, "more"),
        Row("MessageQueueSection.delivery_time", world(), {}, queue_is(delivery_time="5ms"), of("time_mean_s"), "more"),
        Row("MessageQueueSection.visibility_timeout", world(), {}, queue_is(visibility_timeout="5ms"), of("redelivered"), "more"),
        Row("MessageQueueSection.retry_delay", world(worker=failing), {}, queue_is(retry_delay="100ms"), of("time_max_s"), "more"),
        Row("MessageQueueSection.max_deliveries", world(worker=failing), {}, queue_is(max_deliveries=1), of("discarded"), "more"),
        Row(
            "MessageQueueSection.dead_letter", world({"max_deliveries": 1}, failing), {}, queue_is(dead_letter="spare"), of("dead_lettered"),
            "more",
        ),
        Row("MessageQueueSection.message_ttl", world(worker=crowded), {}, queue_is(message_ttl="50ms"), of("expired"), "more"),
        Row("MessageQueueSection.max_length", world(worker=crowded), {}, queue_is(max_length=5), of("dropped"), "more"),
        Row("MessageQueueSection.on_full", world({"max_length": 5}, crowded), {}, queue_is(on_full="reject"), of("rejected"), "more"),
        Row(
            "MessageQueueSection.rebalance_time", world({"partitions": 4}, growing), {}, queue_is(rebalance_time="200ms"), of("lag_mean"), "more",
        ),
    ]  # fmt: skip


ROWS = message_rows()
