"""Envoy's outlier detection by plain calls."""

from __future__ import annotations

import pytest

from meshsim.flags import Flag
from meshsim.policies.outlier_detection import KINDS, OutlierDetection
from meshsim.randomness import Draw
from meshsim.registry import SettingError
from meshsim.units import NS_PER_S

SECOND = NS_PER_S
DRAW = Draw().at(1, 2)


def detection(hosts=10, **settings):
    return OutlierDetection(**{"enforcing_success_rate": 0.0, **settings}).build(hosts=hosts)


def fail(made, index=0, times=1, status=500, now_s=0.0, flags=0):
    return [made.record(index, round(now_s * SECOND), status, -1, flags, DRAW) for _ in range(times)]


def succeed(made, index=0, times=1):
    for _ in range(times):
        made.record(index, 0, 200, -1, 0, DRAW)


def test_five_errors_in_a_row_eject_and_a_success_begins_anew():
    made = detection()

    assert fail(made, times=4) == [False] * 4
    succeed(made)
    assert fail(made, times=5) == [False] * 4 + [True]
    assert made.is_ejected(0)
    assert made.ejections[KINDS.index("consecutive_5xx")] == 1


def test_how_many_is_a_setting():
    assert fail(detection(consecutive_5xx=2), times=2) == [False, True]


def test_a_4xx_is_no_failure():
    assert not any(fail(detection(), times=20, status=404))


def test_a_tenth_of_nine_hosts_is_none_unless_one_always_goes():
    assert not any(fail(detection(9), times=5))
    assert fail(detection(9, always_eject_one_host=True), times=5)[-1]
    assert fail(detection(9, max_ejection_percent=0.12), times=5)[-1]


def test_no_more_hosts_than_allowed_and_the_others_are_counted():
    made = detection(10, max_ejection_percent=0.2)
    outcomes = [fail(made, index, 5)[-1] for index in range(3)]

    assert outcomes == [True, True, False]
    assert (made.ejected, made.overflows) == (2, 1)


def test_the_end_of_an_ejection_is_rounded_up_to_a_sweep_and_grows_with_each():
    made = detection(base_ejection_time="5s", interval="1s")
    ends, now_s = [], 0.3
    for _ in range(3):
        fail(made, times=5, now_s=now_s)
        began_s, sweep_s = now_s, int(now_s) + 1
        while made.is_ejected(0):
            made.sweep(sweep_s * SECOND, DRAW)
            sweep_s += 1
        ends.append(round(sweep_s - 1 - began_s, 1))
        now_s = sweep_s - 1 + 0.3

    assert ends == [5.7, 10.7, 15.7]


def test_an_ejection_is_no_longer_than_the_longest():
    made = detection(base_ejection_time="5s", max_ejection_time="6s", interval="1s")
    for start_s in (0, 20):
        fail(made, times=5, now_s=start_s)
        made.sweep((start_s + 6) * SECOND, DRAW)
        assert not made.is_ejected(0)


def test_a_passed_check_ends_an_ejection_and_failures_are_counted_anew():
    made = detection(consecutive_gateway_failure=4)
    fail(made, times=5)
    fail(made, times=3, status=503)  # while it is out

    assert made.pass_check(0, SECOND)
    assert (made.is_ejected(0), made.ejected) == (False, 0)
    assert fail(made, times=5) == [False] * 4 + [True]


def test_a_passed_check_says_nothing_of_a_host_that_is_in():
    made = detection()
    fail(made, times=4)

    assert not made.pass_check(0, 0)
    assert fail(made) == [True]


def test_whether_a_passed_check_ends_an_ejection_is_a_setting():
    made = detection(successful_active_health_check_uneject_host=False)
    fail(made, times=5)

    assert not made.pass_check(0, SECOND)
    assert made.is_ejected(0)


def test_a_return_by_a_check_lowers_the_multiplier_at_the_sweeps_that_are_an_interval_after_it():
    made = detection(base_ejection_time="5s", interval="1s")
    fail(made, times=5)
    made.pass_check(0, round(0.5 * SECOND))
    made.sweep(1 * SECOND, DRAW)
    fail(made, times=5, now_s=1.1)  # twice the base: the sweep came half an interval after the return
    made.sweep(round(11 * SECOND), DRAW)
    assert made.is_ejected(0)
    made.sweep(round(11.1 * SECOND), DRAW)
    assert not made.is_ejected(0)


def test_a_sweep_tells_who_has_changed_in_an_order_of_its_own():
    made = OutlierDetection(max_ejection_percent=1.0, base_ejection_time="5s", enforcing_success_rate=0.0).build(
        hosts=6, draw=Draw().at(7, 7)
    )
    for index in range(5):
        fail(made, index, 5)
    changed = made.sweep(5 * SECOND, DRAW)

    assert sorted(changed) == [0, 1, 2, 3, 4]
    assert changed != [0, 1, 2, 3, 4]
    assert made.sweep(15 * SECOND, DRAW) == []


def test_jitter_adds_to_the_time_out():
    made = detection(base_ejection_time="5s", max_ejection_time_jitter="10s")
    fail(made, times=5)

    made.sweep(5 * SECOND, DRAW)
    assert made.is_ejected(0)
    made.sweep(15 * SECOND, DRAW)
    assert not made.is_ejected(0)


def test_the_multiplier_falls_again_while_the_host_stays_in():
    made = detection(base_ejection_time="5s", interval="1s")
    fail(made, times=5)
    for second in range(1, 30):
        made.sweep(second * SECOND, DRAW)
    fail(made, times=5, now_s=30)
    made.sweep(35 * SECOND, DRAW)

    assert not made.is_ejected(0)


def test_local_failures_count_as_5xx_unless_they_are_split():
    timeout = {"status": 504, "flags": int(Flag.UT)}
    assert fail(detection(), times=5, **timeout)[-1]
    split = detection(split_external_local_origin_errors=True, consecutive_local_origin_failure=3)
    assert fail(split, times=3, **timeout)[-1]
    assert split.ejections[KINDS.index("consecutive_local_origin_failure")] == 1
    ignored = detection(split_external_local_origin_errors=True, enforcing_consecutive_local_origin_failure=0.0)
    assert not any(fail(ignored, times=10, **timeout))


def test_gateway_failures_are_found_out_and_not_enforced_by_default():
    found = detection(consecutive_5xx=0)
    assert not any(fail(found, times=5, status=503))
    assert found.detections[KINDS.index("consecutive_gateway_failure")] == 1
    enforced = detection(consecutive_5xx=0, enforcing_consecutive_gateway_failure=1.0, consecutive_gateway_failure=3)
    assert fail(enforced, times=3, status=503)[-1]
    assert not any(fail(detection(consecutive_5xx=0, enforcing_consecutive_gateway_failure=1.0), times=9, status=500))


def test_enforcing_is_a_share_of_the_detections():
    draw, made = Draw(), detection(1000, enforcing_consecutive_5xx=0.3, max_ejection_percent=1.0)
    ejected = sum(any(made.record(index, 0, 500, -1, 0, draw.at(index * 31, 4)) for _ in range(5)) for index in range(1000))
    assert ejected == pytest.approx(300, abs=5 * (1000 * 0.3 * 0.7) ** 0.5)


def requests(made, rates, volume=100):
    for index, good in enumerate(rates):
        for number in range(volume):
            made.record(index, 0, 200 if number < good * volume else 500, -1, 0, DRAW)


RATES = [0.99] * 9 + [0.60]


def test_success_rates_are_compared_by_default_and_not_with_few_hosts_or_requests():
    def ejected(rates=RATES, volume=100, **settings):
        made = OutlierDetection(consecutive_5xx=0, max_ejection_percent=0.5, **settings).build(hosts=len(rates))
        requests(made, rates, volume)
        made.sweep(10 * SECOND, DRAW)
        return [index for index in range(len(rates)) if made.is_ejected(index)]

    assert ejected() == [9]
    assert ejected(enforcing_success_rate=0.0) == []
    assert ejected(volume=99) == []
    assert ejected(volume=50, success_rate_request_volume=50) == [9]
    assert ejected(rates=[0.99] * 3 + [0.6]) == []
    assert ejected(rates=[0.99] * 3 + [0.6], success_rate_minimum_hosts=4, success_rate_stdev_factor=1000) == [3]
    assert ejected(success_rate_stdev_factor=4000) == []


def test_failure_percentages_when_they_are_enforced():
    def ejected(rates, volume=50, **settings):
        given = {"enforcing_failure_percentage": 1.0, "enforcing_success_rate": 0.0, **settings}
        made = OutlierDetection(consecutive_5xx=0, max_ejection_percent=0.5, **given).build(hosts=len(rates))
        requests(made, rates, volume)
        made.sweep(10 * SECOND, DRAW)
        return sum(made.is_ejected(index) for index in range(len(rates)))

    low = [0.99] * 9 + [0.10]
    assert ejected(low) == 1
    assert ejected(low, enforcing_failure_percentage=0.0) == 0
    assert ejected([0.99] * 9 + [0.3]) == 0
    assert ejected([0.99] * 9 + [0.3], failure_percentage_threshold=60) == 1
    assert ejected(low, volume=40) == 0
    assert ejected(low, volume=40, failure_percentage_request_volume=30) == 1
    assert ejected(low[6:]) == 0
    assert ejected(low[6:], failure_percentage_minimum_hosts=4) == 1


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("enforcing_local_origin_success_rate", "local_origin_success_rate"),
        ("enforcing_failure_percentage_local_origin", "local_origin_failure_percentage"),
    ],
)
def test_local_failures_are_compared_on_their_own_when_they_are_split(setting, kind):
    def ejections(share):
        given = {"enforcing_local_origin_success_rate": 0.0, setting: share}
        made = OutlierDetection(
            consecutive_local_origin_failure=0, max_ejection_percent=0.5, split_external_local_origin_errors=True, **given
        ).build(hosts=10)
        for index in range(10):
            for number in range(100):
                fails = index == 9 and number < 90
                made.record(index, 0, 504 if fails else 200, -1, int(Flag.UT) if fails else 0, DRAW)
        made.sweep(10 * SECOND, DRAW)
        return made.ejections[KINDS.index(kind)]

    assert (ejections(0.0), ejections(1.0)) == (0, 1)


def test_a_grpc_failure_counts_by_its_http_status():
    made = detection()
    assert not any(made.record(0, 0, 200, 5, 0, DRAW) for _ in range(10))  # not-found is 404
    assert [made.record(0, 0, 200, 14, 0, DRAW) for _ in range(5)][-1]  # unavailable is 503


def test_a_host_that_leaves_makes_room_and_one_that_joins_is_new():
    made = detection()
    fail(made, times=5)
    made.leave(0)
    assert made.ejected == 0
    made.join(0)
    assert not made.is_ejected(0)
    assert not any(fail(made, times=4))


def test_a_phase_is_within_an_interval():
    OutlierDetection(interval="1s", phase="1s").check()
    with pytest.raises(SettingError, match="must not be longer than `interval`: the first sweep comes within one"):
        OutlierDetection(interval="1s", phase="1001ms").check()


@pytest.mark.parametrize("setting", ["interval", "base_ejection_time"])
def test_times_must_have_a_length(setting):
    with pytest.raises(SettingError):
        OutlierDetection(**{setting: 0}).check()
