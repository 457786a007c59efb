"""Message queues: who gets a message and when, what becomes of those that fail, are late, or find no room."""

from __future__ import annotations

import pytest
from at_instants import at_instants

import meshsim as ms

MS = 1_000_000
WORK = [{"compute": "10ms"}]


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms), each of which publishes a message to `orders`."""

    def run_it(
        times, *, queue=None, worker=None, shop=None, queues=None, services=None, consumes=None, load=None, duration="1s", **more
    ):
        return ms.load(
            {
                "name": "orders",
                "load": {"all": at_instants(tmp_path, times, "shop", **(load or {}))},
                "queues": {"orders": queue or {}, **(queues or {})},
                "services": {
                    "shop": {"workers": 100, "script": [{"publish": "orders"}], **(shop or {})},
                    "worker": {"script": WORK, "consumes": {"orders": consumes or {}}, **(worker or {})},
                    **(services or {}),
                },
                "run": {"duration": duration, "interval": "100ms"},
                **more,
            }
        ).run()

    return run_it


def became(result, queue="orders"):
    """By publication: what became of each message, when (ms), and after how many deliveries."""
    rows = result.messages[result.messages["queue"] == queue].sort_values("published_ns", kind="stable")
    return [
        (end, None if ended < 0 else ended / MS, deliveries)
        for end, ended, deliveries in zip(rows["became"], rows["ended_ns"], rows["deliveries"], strict=True)
    ]


def work(result, service="worker"):
    """Of each delivery: the instance, when it was sent, got a worker and ended (ms)."""
    rows = result.attempts[result.attempts["service"] == service]
    return [
        (one.instance, one.sent_ns / MS, one.started_ns / MS if one.started_ns >= 0 else None, one.ended_ns / MS)
        for one in rows.itertuples()
    ]


def counted(result, queue="orders"):
    rows = result.message_queues[result.message_queues["queue"] == queue]
    return rows.drop(columns=["queue"]).sum()


def test_a_message_waits_until_a_replica_has_room_and_nobody_waits_for_it(run):
    result = run([0, 1, 2])

    assert became(result) == [("consumed", 10, 1), ("consumed", 20, 1), ("consumed", 30, 1)]
    assert work(result) == [(0, 0, 0, 10), (0, 10, 10, 20), (0, 20, 20, 30)]
    assert result.requests["ended_ns"].tolist() == [0, 1 * MS, 2 * MS]
    assert counted(result)["there_ns"] / MS == 10 + 19 + 28


def test_a_delivery_belongs_to_no_request_and_is_named_after_who_published(run):
    rows = run([0]).attempts.set_index("service")

    assert rows.loc["worker", "request"] == -1
    assert rows.loc["worker", "caller"] == "shop"
    assert rows.loc["worker", "parent"] == -1


def test_the_publisher_waits_for_the_acknowledgement_unless_it_says_otherwise(run):
    waits = run([0], queue={"publish_time": "5ms"})
    goes_on = run([0], queue={"publish_time": "5ms"}, shop={"script": [{"publish": "orders", "wait": False}]})

    assert waits.requests["ended_ns"].tolist() == [5 * MS]
    assert goes_on.requests["ended_ns"].tolist() == [0]
    assert became(waits) == became(goes_on) == [("consumed", 15, 1)]


def test_a_worker_waits_with_it_and_an_event_loop_does_not(run):
    slow = {"queue": {"publish_time": "5ms"}}
    thread = run([0, 0], **slow, shop={"workers": 1})
    loop = run([0, 0], **slow, shop={"workers": 1, "async": True})

    assert sorted(thread.requests["ended_ns"] / MS) == [5, 10]
    assert sorted(loop.requests["ended_ns"] / MS) == [5, 5]


def test_replicas_take_messages_in_turn_up_to_their_prefetch(run):
    result = run([0, 0, 0, 0], worker={"replicas": 2})
    greedy = run([0, 0, 0, 0], worker={"replicas": 2}, consumes={"prefetch": 3})

    assert [row[:2] for row in work(result)] == [(0, 0), (1, 0), (0, 10), (1, 10)]
    assert [row[:3] for row in work(greedy)] == [(0, 0, 0), (1, 0, 0), (0, 0, 10), (1, 0, 10)]


def test_a_large_prefetch_hoards_messages_that_others_could_work_on(run):
    """What RabbitMQ's documentation warns of: the slow replica's messages wait behind it while the other one is idle."""
    slow = {"faults": [{"at": "0s", "for": "1s", "service": "worker", "instances": [0], "slow": 10}]}
    fair = run([1, 1, 1, 1], worker={"replicas": 2}, **slow)
    hoarded = run([1, 1, 1, 1], worker={"replicas": 2}, consumes={"prefetch": 2}, **slow)

    assert max(ended for _, ended, _ in became(fair)) == 101
    assert max(ended for _, ended, _ in became(hoarded)) == 201


def test_delivery_takes_its_time_and_holds_a_place(run):
    result = run([0, 0], queue={"delivery_time": "3ms"})

    assert work(result) == [(0, 0, 3, 13), (0, 13, 16, 26)]


def test_a_failure_brings_the_message_back_at_once_to_its_old_place(run):
    result = run([0, 1, 2], worker={"errors": "100%"}, queue={"max_deliveries": 2})

    assert became(result) == [("discarded", 20, 2), ("discarded", 40, 2), ("discarded", 60, 2)]
    assert counted(result)["redelivered"] == 3


def test_it_stays_away_for_the_delay_and_others_go_on(run):
    result = run([0, 1], worker={"errors": "100%"}, queue={"max_deliveries": 2, "retry_delay": "50ms"})

    assert [row[1] for row in work(result)] == [0, 10, 60, 70]


def test_where_nothing_is_said_it_comes_back_when_it_is_visible_again(run):
    result = run([0], worker={"errors": "100%"}, queue={"max_deliveries": 3, "visibility_timeout": "30ms"})

    assert [row[1] for row in work(result)] == [0, 30, 60]
    assert became(result) == [("discarded", 90, 3)]


def test_a_failure_that_took_no_time_comes_back_a_millisecond_later(run):
    result = run([0], worker={"errors": "100%", "script": []}, queue={"max_deliveries": 4})

    assert [row[1] for row in work(result)] == [0, 1, 2, 3]


def test_a_poison_message_without_a_limit_ends_with_the_load(run):
    result = run([0], worker={"errors": "100%"})

    assert became(result) == [("left", None, 100)]
    assert result.message_queues["time_ns"].max() <= 1_100 * MS


def test_too_many_deliveries_lead_to_the_dead_letter_queue_which_may_have_a_consumer(run):
    result = run(
        [0],
        queue={"max_deliveries": 2, "dead_letter": "dead"},
        queues={"dead": {}},
        worker={"errors": "100%"},
        services={"mourner": {"consumes": {"dead": {}}, "script": [{"compute": "5ms"}]}},
    )

    assert became(result) == [("dead_lettered", 20, 2)]
    assert became(result, "dead") == [("consumed", 25, 1)]


def test_a_visibility_timeout_below_the_work_does_it_again_and_again(run):
    """SQS: the first consumer goes on, a second one gets the message, and the first one's late acknowledgement counts for nothing."""
    result = run([0], queue={"visibility_timeout": "6ms"}, worker={"replicas": 2})

    assert [row[:2] for row in work(result)] == [
        (0, 0),
        (1, 6),
        (0, 12),
        (1, 18),
        *[(n % 2, 6 * n) for n in range(4, len(work(result)))],
    ]
    assert counted(result)["done_again"] > 100
    assert became(result)[0][1] > 1000  # when nothing is delivered any more, the last acknowledgement counts


def test_a_late_acknowledgement_counts_while_nobody_has_got_the_message_again(run):
    """One replica that is busy: the message is visible again, and nobody takes it before it is acknowledged."""
    result = run([0], queue={"visibility_timeout": "6ms"})

    assert became(result) == [("consumed", 10, 1)]
    assert counted(result)["done_again"] == 0


def test_work_done_again_is_wasted(run):
    result = run(
        [0], queue={"visibility_timeout": "15ms", "retry_delay": "0s"}, worker={"replicas": 2, "script": [{"compute": "20ms"}]}
    )
    rows = result.attempts[result.attempts["service"] == "worker"]

    assert (rows["wasted_ns"] == rows["worked_ns"]).sum() == counted(result)["done_again"] > 0


def test_its_time_runs_for_messages_that_wait_for_a_worker_too(run):
    """Prefetched messages: the second one is not begun when its time is over."""
    result = run([0, 0], queue={"visibility_timeout": "8ms"}, worker={"script": WORK}, consumes={"prefetch": 2})

    assert counted(result)["redelivered"] > 0


def test_what_makes_room_goes_to_the_dead_letter_queue_and_a_new_one_that_finds_none_does_not(run):
    """RabbitMQ, docs/maxlength: the default is to drop or to dead-letter messages from the front; `reject-publish` dead-letters none."""
    queue = {"max_length": 1, "dead_letter": "dead"}
    oldest = run([0, 1, 2], queue=queue, queues={"dead": {}})
    new = run([0, 1, 2], queue={**queue, "max_deliveries": 2, "on_full": "drop_new"}, queues={"dead": {}})

    assert became(oldest) == [("consumed", 10, 1), ("dead_lettered", 2, 0), ("consumed", 20, 1)]
    assert became(oldest, "dead") == [("left", None, 0)]
    assert became(new) == [("consumed", 10, 1), ("consumed", 20, 1), ("dropped", 2, 0)]
    assert became(new, "dead") == []


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        ({"on_full": "reject"}, [("consumed", 10, 1), ("consumed", 20, 1), ("rejected", 2, 0)]),
        ({"on_full": "drop_new"}, [("consumed", 10, 1), ("consumed", 20, 1), ("dropped", 2, 0)]),
        ({}, [("consumed", 10, 1), ("dropped", 2, 0), ("consumed", 20, 1)]),
    ],
)
def test_a_full_queue_loses_the_oldest_or_the_new_one_or_tells_the_publisher(run, queue, expected):
    """`max_length` counts those that wait: the one that is worked on is not among them. RabbitMQ, docs/maxlength."""
    result = run([0, 1, 2], queue={"max_length": 1, **queue})

    assert became(result) == expected
    assert result.requests["status"].tolist() == [200, 200, 500 if queue.get("on_full") == "reject" else 200]
    assert result.requests["response_flags"].tolist()[-1] == ("message_rejected" if queue.get("on_full") == "reject" else "-")


@pytest.mark.parametrize(
    ("step", "ended"),
    [
        ({"optional": True}, 2),
        ({"wait": False}, 2),
        ({"fallback": [{"compute": "7ms"}]}, 9),
    ],
)
def test_who_can_do_without_goes_on_where_the_queue_rejects(run, step, ended):
    result = run([0, 1, 2], queue={"max_length": 1, "on_full": "reject"}, shop={"script": [{"publish": "orders", **step}]})

    assert result.requests["status"].tolist() == [200, 200, 200]
    assert result.requests["ended_ns"].max() == ended * MS
    assert counted(result)["rejected"] == 1


def test_what_waits_too_long_leaves_and_what_is_worked_on_stays(run):
    result = run([0, 0, 0], queue={"message_ttl": "15ms"})
    kept = run([0, 0, 0], queue={"message_ttl": "15ms", "dead_letter": "dead"}, queues={"dead": {}})

    assert sorted(became(result)) == [("consumed", 10, 1), ("consumed", 20, 1), ("expired", 15, 0)]
    assert sorted(end for end, *_ in became(kept)) == ["consumed", "consumed", "dead_lettered"]
    assert [end for end, *_ in became(kept, "dead")] == ["left"]


def test_nothing_is_delivered_after_the_load_and_what_is_there_stays(run):
    result = run([0, 0, 0], worker={"script": [{"compute": "40ms"}]}, duration="50ms")

    assert became(result) == [("consumed", 40, 1), ("consumed", 80, 1), ("left", None, 0)]


def test_a_message_goes_by_its_probability_with_the_luck_of_its_request(run):
    often, seldom = (
        run(range(400), worker={"script": []}, shop={"script": [{"publish": "orders", "probability": share}]})
        for share in ("60%", "20%")
    )
    sent = [set(one.messages["published_ns"]) for one in (often, seldom)]

    assert 190 < len(sent[0]) < 290
    assert sent[1] < sent[0]


def test_an_operation_may_consume(run):
    result = run([0], worker={"operations": {"pack": {"script": [{"compute": "3ms"}]}}}, consumes={"operation": "pack"})

    assert became(result) == [("consumed", 3, 1)]
    assert set(result.attempts["operation"]) == {"shop", "worker/pack"}


def test_a_queue_that_nobody_consumes_keeps_all(run):
    result = run(
        [0, 1], services={"other": {"script": [{"publish": "lost"}]}}, queues={"lost": {}}, shop={"script": [{"publish": "lost"}]}
    )

    assert became(result, "lost") == [("left", None, 0), ("left", None, 0)]
