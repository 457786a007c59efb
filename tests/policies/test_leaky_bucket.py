"""Leaky bucket: NGINX's limit_req, its documented examples and its arithmetic."""

from __future__ import annotations

import pytest

from meshsim.policies.admission import REFUSED, LeakyBucket
from meshsim.registry import SettingError

MS = 1_000_000


def waits_ms(one, times_ms):
    """What each request waits; None for refused."""
    waits = [one.wait_ns(now_ms * MS) for now_ms in times_ms]
    return [None if wait_ns == REFUSED else wait_ns // MS for wait_ns in waits]


def made(rate, **settings):
    return LeakyBucket(rate=rate, **settings).build()


def test_without_a_burst_10_per_second_is_one_in_100_ms():
    """Not ten in any second."""
    assert waits_ms(made("10/s"), [0, 0, 99, 100, 150, 200, 299, 300]) == [0, None, None, 0, None, 0, None, 0]


def test_a_burst_of_20_is_queued_and_leaves_one_every_100_ms():
    """NGINX's example: of 22 at once at 10/s with burst=20 the first goes on, 20 queue, and the last is refused."""
    assert waits_ms(made("10/s", burst=20), [0] * 22) == [100 * place for place in range(21)] + [None]


def test_with_nodelay_the_burst_goes_on_at_once_and_its_places_come_back_at_the_rate():
    """NGINX's example: after 21 at once, of 20 more 101 ms later one finds a place, and of 20 more 501 ms later five do."""
    for later_ms, found in ((101, 1), (501, 5)):
        one = made("10/s", burst=20, nodelay=True)
        assert waits_ms(one, [0] * 22) == [0] * 21 + [None]
        assert waits_ms(one, [later_ms] * 20) == [0] * found + [None] * (20 - found)


def test_in_two_stages_what_is_beyond_delay_queues():
    """Delay=8 and burst=12 at 5/s: 1 + 8 at once, four more so that 5/s are kept, the rest refused."""
    assert waits_ms(made("5/s", burst=12, delay=8), [0] * 15) == [0] * 9 + [200, 400, 600, 800, None, None]


def test_burst_5_at_one_per_second():
    """The documentation's own setting: requests that queue leave a second apart, whenever they came."""
    one = made("1/s", burst=5)

    assert waits_ms(one, [0, 0, 0]) == [0, 1000, 2000]
    assert waits_ms(one, [500]) == [2500]
    assert waits_ms(one, [500, 500, 500]) == [3500, 4500, None]


def test_what_waits_leaves_at_the_rate():
    one = made("10/s", burst=20)
    times_ms = [0, 0, 30, 35, 100, 180, 190, 195, 700]

    leaving = [now_ms + wait_ms for now_ms, wait_ms in zip(times_ms, waits_ms(one, times_ms), strict=True)]

    assert leaving == [0, 100, 200, 300, 400, 500, 600, 700, 800]


def test_refused_requests_take_no_place():
    asked_often, asked_once = made("10/s", burst=1), made("10/s", burst=1)
    assert waits_ms(asked_often, [0, 0]) == waits_ms(asked_once, [0, 0]) == [0, 100]
    assert waits_ms(asked_often, range(1, 100)) == [None] * 99

    assert waits_ms(asked_often, [100]) == waits_ms(asked_once, [100]) == [100]


def test_time_counts_in_whole_milliseconds_and_requests_in_thousandths():
    """At 3/s one thousandth leaks each ms, and three in the next: 0.333 ms are lost to rounding, as in NGINX."""
    one = made("3/s")
    assert one.wait_ns(0) == 0
    assert one.wait_ns(333_999_999) == REFUSED
    assert one.wait_ns(334_000_000) == 0
    slow = made("1/min")
    assert slow.wait_ns(0) == 0
    assert slow.wait_ns(60_000 * MS) == REFUSED, "1/min is 16 thousandths a second and not 16.67"
    assert slow.wait_ns(62_500 * MS) == 0


def test_admit_says_whether_it_is_refused():
    one = made("10/s", burst=1)

    assert [one.admit(0) for _ in range(3)] == [True, True, False]


def test_what_nginx_would_not_take_or_not_see():
    for settings in ({"rate": "0"}, {"rate": "1/s", "nodelay": True, "delay": 3}):
        with pytest.raises(SettingError):
            LeakyBucket(**settings).check()
    LeakyBucket(rate="1/s", nodelay=True).check()
