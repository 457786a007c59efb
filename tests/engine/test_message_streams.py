"""Streams: a partition belongs to one replica, is worked on in its order, and moves when replicas come and go."""

from __future__ import annotations

from itertools import pairwise

from test_message_queues import became, counted, run, work

__all__ = ["run"]


def by_partition(result):
    """Deliveries in time, by partition: when they were sent, and of which message."""
    return {
        int(partition): rows.sort_values("delivered_ns")["published_ns"].tolist()
        for partition, rows in result.messages.groupby("partition")
    }


def test_each_partition_is_worked_on_in_its_order_one_message_at_a_time(run):
    result = run(range(30), queue={"partitions": 3}, worker={"workers": 9})
    rows = result.messages.sort_values("published_ns")

    assert sorted(rows["partition"].unique()) == [0, 1, 2]
    for _, mine in rows.groupby("partition"):
        ended = mine["ended_ns"].tolist()
        assert ended == sorted(ended)
        assert (mine["delivered_ns"].to_numpy()[1:] >= mine["ended_ns"].to_numpy()[:-1]).all()


def test_more_replicas_than_partitions_leave_some_idle(run):
    result = run(range(60), queue={"partitions": 2}, worker={"replicas": 5})

    assert {row[0] for row in work(result)} == {0, 1}


def test_a_replica_with_several_partitions_takes_them_in_turn(run):
    result = run([0] * 40, queue={"partitions": 4})
    order = result.messages.sort_values("delivered_ns")["partition"].tolist()[:12]

    assert order == [*order[:4]] * 3
    assert sorted(order[:4]) == [0, 1, 2, 3]


def test_requests_with_a_key_go_to_the_partition_of_that_key(run):
    """One key that all ask for: one partition does all the work, whatever the replicas."""
    keyed = {"keys": {"count": 1}}
    result = run(range(20), queue={"partitions": 4}, worker={"replicas": 4}, load=keyed)

    assert result.messages["partition"].nunique() == 1
    assert max(ended for _, ended, _ in became(result)) == 200


def test_a_message_that_fails_keeps_its_partition_waiting(run):
    """Spring for Apache Kafka's default: the record is tried again where it stands."""
    result = run(
        [0, 1, 2], queue={"partitions": 1, "max_deliveries": 3, "retry_delay": "5ms"}, worker={"errors": "100%", "workers": 3}
    )

    assert became(result) == [("discarded", 40, 3), ("discarded", 80, 3), ("discarded", 120, 3)]


def test_a_crash_moves_partitions_to_who_is_left(run):
    crash = [{"at": "25ms", "for": "900ms", "service": "worker", "instances": [0], "crash": True}]
    result = run(range(0, 100, 10), queue={"partitions": 2}, worker={"replicas": 2}, faults=crash)

    assert {row[0] for row in work(result) if row[1] > 25} == {1}
    assert {end for end, *_ in became(result)} == {"consumed"}


def test_after_a_change_nobody_consumes_until_the_rebalance_is_over(run):
    scaled = {"scale": [{"at": "25ms", "replicas": 2}]}
    at_once = run(range(0, 100, 10), queue={"partitions": 2}, worker=scaled)
    paused = run(range(0, 100, 10), queue={"partitions": 2, "rebalance_time": "40ms"}, worker=scaled)

    assert [row for row in work(at_once) if 30 <= row[1] < 65]
    assert not [row for row in work(paused) if 25 < row[1] < 65]
    assert {row[0] for row in work(paused) if row[1] >= 65} == {0, 1}


def test_a_partition_that_moves_waits_for_who_works_on_its_message(run):
    """No two replicas work on one partition, also where one leaves in the middle of a message."""
    result = run(range(0, 40, 2), queue={"partitions": 1}, worker={"replicas": 2, "scale": [{"at": "15ms", "replicas": 1}]})
    rows = sorted(work(result), key=lambda row: row[1])

    assert all(before[3] <= after[1] for before, after in pairwise(rows))
    assert counted(result)["redelivered"] == 0


def test_the_limit_is_of_each_partition(run):
    keyed = {"keys": {"count": 1}}
    result = run([0, 0, 0, 0], queue={"partitions": 4, "max_length": 1, "on_full": "drop_new"}, load=keyed)

    assert sorted(end for end, *_ in became(result)) == ["consumed", "consumed", "dropped", "dropped"]


def test_the_longest_partition_is_told(run):
    keyed = {"keys": {"count": 1}}
    result = run([1] * 30, queue={"partitions": 4}, load=keyed)

    assert result.message_queues["longest_partition"].iloc[0] == 30 - 9
