"""What `meshsim check` says of message queues."""

from __future__ import annotations

from typing import Any

from advised import warnings_of

PUBLISH = {"publish": "orders"}


def advised(queue: dict[str, Any], worker: dict[str, Any] | None = None, consumes: dict[str, Any] | None = None) -> list[str]:
    """10/s that publish, and two workers of 30 ms."""
    consumer = {"replicas": 2, "script": [{"compute": "30ms"}], "consumes": {"orders": consumes or {}}, **(worker or {})}
    services = {"checkout": {"script": [{"compute": "5ms"}, PUBLISH]}, "worker": consumer, "payment": None}
    return warnings_of({"queues": {"orders": queue}, "services": services, "mesh": {"traffic": {"payment": None}}})


def test_what_can_be_kept_up_with_is_not_spoken_of() -> None:
    assert advised({}) == advised({"partitions": 2}) == advised({"visibility_timeout": "31ms"}) == []


def test_a_visibility_timeout_that_is_over_before_the_work_is() -> None:
    assert advised({"visibility_timeout": "20ms"}) == [
        (
            "queues.orders.visibility_timeout: worker works on a message for 30ms on average, and after 20ms it is delivered again, to be worked"
            " on once more; write 180ms or more"
        )
    ]


def test_consumers_with_too_few_places() -> None:
    slow = {"script": [{"compute": "500ms"}], "workers": 9}

    assert advised({"partitions": 2}, slow) == [
        (
            "queues.orders.partitions: orders gets 10/s messages x 500ms of work = 5 worked on at once, and worker works on 2 at most (2"
            " partitions, one message of each): the queue grows; write 7 partitions or more"
        )
    ]
    assert advised({}, slow, {"prefetch": 2}) == [
        (
            "services.worker.consumes.orders: orders gets 10/s messages x 500ms of work = 5 worked on at once, and worker works on 4 at most (2"
            " replicas x a prefetch of 2): the queue grows; add replicas, or write a prefetch of 4 or more"
        )
    ]


def test_workers_of_a_consumer_that_cannot_keep_up() -> None:
    """What is published is offered to the service that consumes it, as calls are."""
    found = advised({}, {"script": [{"compute": "500ms"}]}, {"prefetch": 9})

    assert found == [
        (
            "services.worker.workers: worker is offered 10/s x 500ms = 5 busy workers, and has 2 (2 replicas x 1 worker): it cannot keep up;"
            " give it 4 workers or more in each replica, or less load"
        )
    ]


def test_replicas_without_a_partition() -> None:
    assert advised({"partitions": 1}) == [
        "queues.orders.partitions: orders has 1 partition, and worker up to 2 replicas: 1 of them get no messages; write 2 partitions or more"
    ]


def test_queues_from_nowhere_and_to_nobody() -> None:
    services = {"checkout": {"script": [{"compute": "5ms"}, {"publish": "lost"}]}, "payment": None}
    queues: dict[str, Any] = {"lost": {"message_ttl": "1s", "dead_letter": "dead"}, "dead": {}, "idle": {}}

    assert warnings_of({"queues": queues, "services": services, "mesh": {"traffic": {"payment": None}}}) == [
        "queues.idle: no script publishes to idle, and no dead letters go there: it stays empty; publish to it, or take it out",
        "queues.lost: no service consumes lost: its messages stay there; write it under `consumes` of a service",
    ]
