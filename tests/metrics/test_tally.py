"""What is measured and what is not, and that chunks do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import MS, SECOND, attempts, chunk, plan, requests, summary_of

from meshsim.flags import Flag

PLAN = plan()


def test_only_requests_that_start_after_the_warm_up_and_before_the_end_are_measured() -> None:
    starts = np.array([0, 2 * SECOND - 1, 2 * SECOND, 10 * SECOND - 1, 10 * SECOND])
    summary = summary_of(PLAN, requests=requests(started_ns=starts, ended_ns=starts + 5 * MS))

    assert summary.total.requests == 2
    assert summary.window_s == 8
    assert summary.total.offered_per_s == 2 / 8


def test_throughput_counts_what_ends_in_the_window_whenever_it_started() -> None:
    """An overloaded service must not look as fast as its load: 8 requests come in the window, 3 answers."""
    starts = np.arange(2, 10) * SECOND
    summary = summary_of(
        PLAN, requests=requests(started_ns=starts, ended_ns=starts + np.array([1, 1, 1, 60, 60, 60, 60, 60]) * SECOND)
    )

    assert summary.total.offered_per_s == 1
    assert summary.total.throughput_per_s == 3 / 8
    assert summary.total.goodput_per_s == 3 / 8


def test_an_attempt_is_measured_when_its_request_is() -> None:
    began = np.array([SECOND, 3 * SECOND])
    summary = summary_of(PLAN, attempts=attempts(request_started_ns=began, sent_ns=np.array([4 * SECOND, 12 * SECOND])))

    (payment,) = summary.services
    assert payment.attempts == 1
    assert payment.response_time.mean_s == 0.005
    assert payment.waiting_time.mean_s == 0.001
    assert payment.worked_s == 0.004


def test_retry_amplification_is_attempts_for_each_call() -> None:
    summary = summary_of(PLAN, attempts=attempts(request_started_ns=np.full(4, 3 * SECOND), attempt=np.array([1, 2, 3, 1])))

    (payment,) = summary.services
    assert (payment.attempts, payment.calls, payment.retry_amplification) == (4, 2, 2.0)


@pytest.mark.parametrize(
    ("status", "grpc_status", "is_failure"),
    [(200, -1, False), (399, -1, False), (400, -1, True), (503, -1, True), (0, -1, True), (200, 0, False), (200, 14, True)],
)
def test_a_failure_is_400_and_above_any_grpc_status_but_ok_or_a_client_that_gave_up(
    *, status: int, grpc_status: int, is_failure: bool
) -> None:
    summary = summary_of(
        PLAN, requests=requests(started_ns=np.array([3 * SECOND]), ended_ns=4 * SECOND, status=status, grpc_status=grpc_status)
    )

    assert summary.total.failures == is_failure
    assert summary.total.latency_of_successes.count == (not is_failure)


def test_failures_are_told_by_flag_and_by_where_they_began() -> None:
    came = requests(
        started_ns=np.full(10, 3 * SECOND),
        ended_ns=4 * SECOND,
        status=[200] * 6 + [504, 504, 500, 0],
        response_flags=[0] * 6 + [Flag.UT | Flag.URX] * 2 + [Flag.dependency, Flag.DC],
        origin=[-1] * 6 + [0, 0, 0, -1],
        origin_flags=[0] * 6 + [Flag.UT, Flag.UT, Flag.queue_full, Flag.DC],
    )
    total = summary_of(PLAN, requests=came).total

    assert total.error_share == 0.4
    assert total.failures_by_flag == {"DC": 1, "URX,UT": 2, "dependency": 1}
    assert [(one.count, one.status, one.origin, one.origin_flags) for one in total.causes] == [
        (2, 504, "payment", "UT"),
        (1, 0, None, "DC"),
        (1, 500, "payment", "queue_full"),
    ]


def test_requests_without_a_route_have_a_row_of_their_own() -> None:
    summary = summary_of(PLAN, requests=requests(started_ns=np.full(3, 3 * SECOND), ended_ns=4 * SECOND, route=[0, -1, -1]))

    assert [(one.route, one.requests) for one in summary.routes] == [("checkout", 1), ("(no route)", 2)]


def test_rates_are_by_load_and_by_route_and_by_both() -> None:
    made = plan(sources=("partner", "shoppers"), routes=("browse", "checkout"))
    summary = summary_of(
        made, requests=requests(started_ns=np.full(4, 3 * SECOND), ended_ns=4 * SECOND, source=[0, 1, 1, 1], route=[1, 1, 0, 0])
    )

    assert [(one.source, one.requests) for one in summary.sources] == [("partner", 1), ("shoppers", 3)]
    assert [(one.route, one.requests) for one in summary.routes] == [("browse", 2), ("checkout", 2)]
    assert [(one.source, one.route, one.requests) for one in summary.flows] == [
        ("partner", "checkout", 1),
        ("shoppers", "browse", 2),
        ("shoppers", "checkout", 1),
    ]


def test_utilisation_is_the_integral_of_held_workers_between_warm_up_and_end() -> None:
    """Two replicas of 4 workers, 8 measured seconds: 6 workers held on one, 2 on the other, is one in two."""
    time, instance = (axis.ravel() for axis in np.meshgrid(np.arange(1, 14) * SECOND, [0, 1]))
    held = np.where(instance == 0, 3, 1) * SECOND
    held[(time <= 2 * SECOND) | (time > 10 * SECOND)] = 4 * SECOND  # in the warm-up, and after the end
    summary = summary_of(
        PLAN, counters=chunk("counters", time_ns=time, instance=instance, busy_ns=held, queued_ns=held // 2, queued=instance * 7)
    )

    (payment,) = summary.services
    assert payment.utilisation == 0.5
    assert payment.utilisation_of_busiest == 0.75
    assert payment.queue_mean == 2.0
    assert payment.queue_peak == 7


def test_proxies_are_the_gateway_and_the_sidecars_of_each_service() -> None:
    made = plan(mesh=True)
    time = np.arange(1, 11) * SECOND
    rows = [
        chunk("proxies", time_ns=time, kind=0, service=-1, instance=0, busy_ns=SECOND),
        chunk("proxies", time_ns=time, kind=1, service=0, instance=1, busy_ns=SECOND // 2),
    ]
    gateway, sidecar = summary_of(made, proxies=rows).proxies

    assert (gateway.name, gateway.utilisation, gateway.utilisation_of_busiest) == ("gateway", 0.25, 0.5)
    assert (sidecar.name, sidecar.utilisation, sidecar.utilisation_of_busiest) == ("sidecar of payment", 0.125, 0.25)


def test_a_run_that_was_interrupted_is_measured_as_far_as_it_came() -> None:
    starts = np.arange(1, 6) * SECOND
    summary = summary_of(PLAN, simulated_ns=6 * SECOND, requests=requests(started_ns=starts, ended_ns=starts + MS))

    assert summary.window_s == 4
    assert summary.total.offered_per_s == 1


def test_a_run_that_was_interrupted_in_its_warm_up_has_measured_nothing() -> None:
    total = summary_of(PLAN, simulated_ns=SECOND, requests=requests(started_ns=np.array([0]), ended_ns=MS)).total

    assert (total.requests, total.offered_per_s, total.error_share, total.latency.p99_s) == (0, None, None, None)


def test_attempts_that_were_never_sent_count_as_attempts_and_have_no_times() -> None:
    refused = attempts(
        sent_ns=np.array([-1]),
        arrived_ns=-1,
        started_ns=-1,
        finished_ns=-1,
        ended_ns=3 * SECOND,
        status=503,
        response_flags=Flag.UO,
        worked_ns=0,
    )
    (payment,) = summary_of(PLAN, attempts=refused).services

    assert (payment.attempts, payment.failures_by_flag) == (1, {"UO": 1})
    assert (payment.latency.count, payment.response_time.count, payment.waiting_time.count) == (0, 0, 0)


@given(st.lists(st.integers(0, 199), max_size=5), st.integers(0, 2**32))
def test_how_the_rows_are_cut_into_chunks_changes_nothing(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = plan(services=("a", "b"), routes=("x", "y"))
    started = rng.integers(0, 10 * SECOND, 200)
    status = rng.choice([200, 503], 200)
    flags = np.where(status == 503, rng.choice([1, 2, 4], 200), 0)
    tables = {
        "requests": requests(
            started_ns=started,
            ended_ns=started + rng.integers(0, SECOND, 200),
            route=rng.integers(-1, 2, 200),
            status=status,
            response_flags=flags,
        ),
        "attempts": attempts(request_started_ns=started, service=rng.integers(0, 2, 200), status=status, response_flags=flags),
    }
    parts = {
        table: [
            dict(zip(rows, columns, strict=True))
            for columns in zip(*(np.split(c, sorted(cuts)) for c in rows.values()), strict=True)
        ]
        for table, rows in tables.items()
    }

    assert summary_of(made, **parts).to_dict() == summary_of(made, **tables).to_dict()
