"""Consumers that crash, are scaled away, restarted or cut off: what they have not acknowledged is delivered again."""

from __future__ import annotations

import pytest
from test_message_queues import became, counted, run, work

__all__ = ["run"]
CRASH = {"at": "5ms", "for": "20ms", "service": "worker", "crash": True}


def test_a_crash_brings_back_what_was_not_acknowledged_at_once(run):
    """RabbitMQ: the broker sees the connection close."""
    result = run([0, 1], worker={"replicas": 2}, faults=[{**CRASH, "instances": [0]}])

    assert [row[:2] for row in work(result)] == [(0, 0), (1, 1), (1, 11)]
    assert sorted(ended for _, ended, _ in became(result)) == [11, 21]
    assert counted(result)["redelivered"] == 1


def test_with_a_visibility_timeout_only_that_brings_it_back(run):
    """SQS does not know of consumers."""
    result = run([0], worker={"replicas": 2}, queue={"visibility_timeout": "300ms"}, faults=[{**CRASH, "instances": [0]}])

    assert [row[:2] for row in work(result)] == [(0, 0), (1, 300)]


def test_while_all_are_down_messages_wait_and_the_first_that_is_back_takes_them(run):
    result = run([0, 10], faults=[CRASH])

    assert became(result) == [("consumed", 35, 2), ("consumed", 45, 1)]


def test_one_that_is_cut_off_gets_no_more(run):
    result = run(
        [0, 1, 2, 3],
        worker={"replicas": 2},
        faults=[{"at": "0.5ms", "for": "500ms", "service": "worker", "instances": [1], "unreachable": True}],
    )

    assert {row[0] for row in work(result)} == {0}


def test_one_that_is_scaled_away_takes_no_more_finishes_what_it_has_and_loses_none(run):
    result = run(range(0, 60, 2), worker={"replicas": 2, "scale": [{"at": "20ms", "replicas": 1}]}, consumes={"prefetch": 3})
    last = [row for row in work(result) if row[0] == 1]

    assert all(sent <= 20 for _, sent, _, _ in last)
    assert max(ended for *_, ended in last) > 30
    assert {end for end, *_ in became(result)} == {"consumed"}
    assert counted(result)["redelivered"] == 0


def test_at_the_end_of_its_grace_period_it_gives_back_the_rest(run):
    worker = {"replicas": 2, "scale": [{"at": "5ms", "replicas": 1}], "termination_grace_period": "1ms"}
    result = run([0, 0], worker=worker)

    assert [row[:2] for row in work(result)] == [(0, 0), (1, 0), (0, 10)]
    assert [deliveries for *_, deliveries in became(result)] == [1, 2]


def test_during_its_pre_stop_sleep_it_goes_on_consuming(run):
    """The registry does not list it any more; the process has not been told yet."""
    worker = {"replicas": 2, "scale": [{"at": "20ms", "replicas": 1}]}
    slept = [row for row in work(run(range(0, 60, 2), worker={**worker, "pre_stop": "30ms"})) if row[0] == 1]

    assert max(sent for _, sent, _, _ in slept) > 35


def test_a_readiness_probe_that_fails_keeps_no_message_away(run):
    probe = {"readiness": {"period": "10ms", "failure_threshold": 1, "success_threshold": 20}}
    result = run([0, 40, 50], worker=probe, faults=[CRASH])

    assert [row[1] for row in work(result)] == [0, 25, 40, 50]


def test_one_that_starts_consumes_when_its_process_has_started(run):
    result = run([0, 0, 0, 0], worker={"scale": [{"at": "2ms", "replicas": 2}], "startup_time": "5ms"})

    assert [row[:2] for row in work(result)] == [(0, 0), (1, 7), (0, 10), (1, 17)]


def test_a_rolling_restart_loses_nothing(run):
    worker = {"replicas": 3, "restarts": [{"at": "30ms"}], "startup_time": "20ms"}
    result = run(range(0, 200, 2), worker=worker)

    assert {end for end, *_ in became(result)} == {"consumed"}
    assert counted(result)["redelivered"] == 0


def test_the_workers_own_queue_may_refuse_what_was_prefetched(run):
    result = run([0, 0, 0], worker={"queue": {"limit": 0}}, consumes={"prefetch": 2}, queue={"max_deliveries": 1})

    assert sorted(end for end, *_ in became(result)) == ["consumed", "discarded", "discarded"]


def test_a_discipline_is_about_what_was_prefetched(run):
    result = run([0, 1, 2, 3], worker={"queue": {"discipline": "lifo"}}, consumes={"prefetch": 3})

    assert [ended for _, ended, _ in became(result)] == [10, 40, 20, 30]


@pytest.mark.parametrize("prefetch", [1, 2])
def test_processors_are_shared_by_what_is_prefetched(run, prefetch):
    result = run([0, 0], worker={"cpu": {"node_cores": 1}}, consumes={"prefetch": prefetch})

    assert [ended for _, ended, _ in became(result)] == ([10, 20] if prefetch == 1 else [20, 20])
