"""When a run is as it was before a fault, told from made-up requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_up import MS, SECOND, plan, requests, summary_of

from meshsim.metrics.figures import Never, NoFigure, observe
from meshsim.metrics.over_time.recovery import stretches
from meshsim.metrics.thresholds import judge

if TYPE_CHECKING:
    from meshsim.metrics.summary import Summary
    from meshsim.plan import Plan

RATE = 100


def faulty(*faults: tuple[int, int], seconds: int = 60) -> Plan:
    return plan(
        faults=tuple((from_s * SECOND, until_s * SECOND) for from_s, until_s in faults),
        duration_ns=seconds * SECOND,
        routes=("browse", "checkout"),
    )


def run(made: Plan, *, bad: tuple[tuple[int, int], ...] = (), slow: tuple[tuple[int, int], ...] = (), route: int = 1) -> Summary:
    """A hundred requests a second of 10 ms, half to each route; on one of them all fail, or take 1 s, in some stretches of time."""
    starts = np.arange(made.duration_ns // SECOND * RATE) * (SECOND // RATE)
    routes = np.arange(len(starts)) % 2
    fail, delay = np.zeros(len(starts), dtype=bool), np.full(len(starts), 10 * MS)
    for from_s, until_s in bad:
        fail |= (starts >= from_s * SECOND) & (starts < until_s * SECOND) & (routes == route)
    for from_s, until_s in slow:
        delay = np.where((starts >= from_s * SECOND) & (starts < until_s * SECOND) & (routes == route), SECOND, delay)
    came = requests(
        request=np.arange(len(starts)), route=routes, started_ns=starts, ended_ns=starts + delay, status=np.where(fail, 503, 200)
    )
    return summary_of(made, simulated_ns=made.duration_ns + SECOND, requests=came)


def recovery_s(summary: Summary, **labels: str) -> float:
    return observe("recovery_time", labels, "value", None, summary)


def test_it_is_the_time_from_the_fault_s_end_until_all_is_well_again() -> None:
    summary = run(faulty((20, 25)), bad=((20, 32),))

    assert recovery_s(summary, route="checkout") == 7
    assert recovery_s(summary, route="browse") == 0


def test_slow_answers_are_as_bad_as_failures() -> None:
    assert recovery_s(run(faulty((20, 25)), slow=((20, 30),)), route="checkout") == 5


def test_a_route_that_recovers_with_the_fault_s_end_takes_no_time() -> None:
    assert recovery_s(run(faulty((20, 25)), bad=((20, 25),)), route="checkout") == 0


def test_a_relapse_within_ten_intervals_delays_it_and_later_is_none() -> None:
    assert recovery_s(run(faulty((20, 25)), bad=((20, 25), (30, 32))), route="checkout") == 7  # one bad of ten is 90 %
    assert recovery_s(run(faulty((20, 25)), bad=((20, 25), (40, 42))), route="checkout") == 0


def test_all_routes_together_hide_what_one_of_them_goes_through() -> None:
    """One second of ten in which half of the requests fail is 5 %, which is allowed."""
    summary = run(faulty((20, 25)), bad=((20, 32),))

    assert recovery_s(summary) == 6


def test_what_is_not_over_before_the_end_of_the_load_is_never() -> None:
    summary = run(faulty((20, 25)), bad=((20, 60),))
    (verdict,) = judge({"recovery_time{route:checkout}": ["value<10m"]}, summary)

    assert (verdict.observed, verdict.observed_text, verdict.passed) == (None, "never", False)
    with pytest.raises(Never):
        recovery_s(summary, route="checkout")


def test_the_worst_of_several_faults_counts_and_each_is_told() -> None:
    summary = run(faulty((15, 20), (40, 45)), bad=((15, 21), (40, 49)))
    told = [(one.from_s, one.until_s, one.recovery_s, one.is_never) for one in summary.recoveries if one.route == "checkout"]

    assert told == [(15, 20, 1, False), (40, 45, 4, False)]
    assert recovery_s(summary, route="checkout") == 4


def test_a_fault_is_not_over_while_the_next_one_has_begun() -> None:
    summary = run(faulty((15, 20), (30, 35)), bad=((15, 45),))

    assert [(one.recovery_s, one.is_never) for one in summary.recoveries if one.route == "checkout"] == [
        (None, True),
        (10, False),
    ]


def test_faults_that_overlap_are_one() -> None:
    assert stretches([(5, 9), (1, 3), (2, 4), (9, 11)]) == [(1, 4), (5, 11)]


def test_the_state_before_need_not_be_perfect() -> None:
    """A tenth fails all the time; after the fault it is a tenth again."""
    made = faulty((20, 25))
    starts = np.arange(6_000) * (SECOND // RATE)
    fail = (np.arange(6_000) % 10 == 0) | ((starts >= 20 * SECOND) & (starts < 28 * SECOND))
    came = requests(started_ns=starts, ended_ns=starts + 10 * MS, status=np.where(fail, 500, 200))
    (of_all, *_) = summary_of(made, simulated_ns=60 * SECOND, requests=came).recoveries

    assert (of_all.share_before, of_all.recovery_s) == (pytest.approx(0.9), 3)
    assert of_all.limit_s == pytest.approx(0.010, rel=0.032)


@pytest.mark.parametrize(
    ("faults", "seconds", "reason"),
    [
        ((), 60, "no fault"),
        (((2, 5),), 60, "fewer than 100 requests before the fault"),
        (((20, 58),), 60, "the load ends too soon after the fault"),
        (((20, 25), (27, 59)), 60, "the next fault comes too soon"),
    ],
)
def test_where_it_cannot_be_told_the_reason_is(faults: tuple[tuple[int, int], ...], seconds: int, reason: str) -> None:
    with pytest.raises(NoFigure) as caught:
        recovery_s(run(faulty(*faults, seconds=seconds)))

    assert str(caught.value) == reason


def test_what_was_never_well_has_nothing_to_come_back_to() -> None:
    """Errors of nearly all requests before, during and after the fault: 0 s would read as a good answer."""
    summary = run(faulty((20, 25)), bad=((2, 60),))

    with pytest.raises(NoFigure, match=r"^nothing went well before the fault$"):
        recovery_s(summary, route="checkout")
    with pytest.raises(NoFigure, match=r"^only 11% went well before the fault$"):
        recovery_s(run(faulty((20, 25)), bad=((4, 60),)), route="checkout")
    assert recovery_s(summary, route="browse") == 0


def after(summary: Summary, number: int = 0, route: str | None = "checkout") -> tuple[int, bool | None]:
    told = [one for one in summary.recoveries if one.route == route][number]
    return told.lost, told.outlives


class TestLostAndOutlived:
    def test_lost_is_what_failed_from_the_fault_s_begin_until_it_was_as_before(self) -> None:
        summary = run(faulty((20, 25)), bad=((20, 32), (50, 51)))

        assert after(summary) == (12 * RATE // 2, False)
        assert after(summary, route="browse") == (0, False)
        assert after(summary, route=None) == (
            11 * RATE // 2,
            False,
        )  # of both, one bad second of a half in ten is as good as before
        assert observe("requests_lost", {}, "value", None, summary) == 550

    def test_a_state_that_stays_bad_for_as_long_as_the_fault_lasted_outlives_it(self) -> None:
        summary = run(faulty((20, 25)), bad=((20, 60),))

        assert after(summary) == (40 * RATE // 2, True)
        assert observe("outlived", {"route": "checkout"}, "value", None, summary) == 1
        assert observe("outlived", {"route": "browse"}, "value", None, summary) == 0

    def test_slow_answers_outlive_it_too_and_are_not_lost(self) -> None:
        assert after(run(faulty((20, 25)), slow=((20, 60),))) == (0, True)

    def test_watched_for_a_shorter_time_nothing_is_told(self) -> None:
        summary = run(faulty((20, 45)), bad=((20, 60),))

        assert after(summary) == (40 * RATE // 2, None)
        with pytest.raises(NoFigure, match=r"^no fault after which it can be told$"):
            observe("outlived", {"route": "checkout"}, "value", None, summary)

    def test_of_several_faults_each_has_its_own_and_the_figure_counts_them(self) -> None:
        summary = run(faulty((10, 14), (30, 35)), bad=((10, 30), (30, 35)))

        assert [after(summary, number) for number in (0, 1)] == [(20 * RATE // 2, True), (5 * RATE // 2, False)]
        assert observe("outlived", {"route": "checkout"}, "value", None, summary) == 1
        assert observe("requests_lost", {"route": "checkout"}, "value", None, summary) == 25 * RATE // 2

    def test_without_a_fault_there_is_no_figure(self) -> None:
        for metric in ("requests_lost", "outlived"):
            with pytest.raises(NoFigure, match=r"^no fault$"):
                observe(metric, {}, "value", None, run(faulty()))

    def test_it_may_be_a_threshold(self) -> None:
        summary = run(faulty((20, 25)), bad=((20, 60),))
        (verdict,) = judge({"outlived{route:checkout}": ["value==0"]}, summary)

        assert not verdict.passed

    def test_the_frame_has_a_row_for_each_fault_and_route(self) -> None:
        frame = run(faulty((20, 25)), bad=((20, 32),)).faults_frame()

        assert frame.index.tolist() == ["(all) from 20s", "browse from 20s", "checkout from 20s"]
        assert frame["lost"].tolist() == [550, 0, 600]
        assert frame["recovery_s"].tolist() == [6, 0, 7]
