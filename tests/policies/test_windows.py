"""Fixed windows, the sliding log and the sliding counter, against each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.policies.admission import FixedWindow, SlidingWindowCounter, SlidingWindowLog
from meshsim.registry import SettingError

MS = 1_000_000
SECOND = 1_000_000_000
EACH = pytest.mark.parametrize("cls", [FixedWindow, SlidingWindowLog, SlidingWindowCounter])


def admitted(one, times_ms):
    return sum(one.admit(now_ms * MS) for now_ms in times_ms)


class TestAll:
    @EACH
    def test_so_many_in_a_window(self, cls):
        for requests in (1, 5):
            assert admitted(cls(requests=requests, window="1s").build(), range(0, 1000, 10)) == requests

    @pytest.mark.parametrize(
        ("cls", "short", "long"), [(FixedWindow, 50, 25), (SlidingWindowLog, 50, 25), (SlidingWindowCounter, 41, 21)]
    )
    def test_a_longer_window_means_fewer(self, cls, short, long):
        """The counter falls short under an endless load: a part of a request that is still covered keeps out a whole one."""
        assert admitted(cls(requests=5, window="1s").build(), range(0, 10_000, 10)) == short
        assert admitted(cls(requests=5, window="2s").build(), range(0, 10_000, 10)) == long

    @EACH
    def test_a_window_of_nothing_is_an_error(self, cls):
        with pytest.raises(SettingError):
            cls(requests=5, window="0s").check()


class TestBoundary:
    """100 at 0.99 s and 100 at 1.01 s, with a limit of 100 a second."""

    TIMES = [990] * 100 + [1010] * 100

    def test_a_fixed_window_lets_twice_the_limit_through_within_20_ms(self):
        assert admitted(FixedWindow(requests=100, window="1s").build(), self.TIMES) == 200

    def test_the_log_does_not(self):
        assert admitted(SlidingWindowLog(requests=100, window="1s").build(), self.TIMES) == 100

    def test_the_counter_lets_through_what_is_no_longer_covered(self):
        """1 % of the new window is over, so it takes 1 of the 100 for gone."""
        assert admitted(SlidingWindowCounter(requests=100, window="1s").build(), self.TIMES) == 101

    def test_windows_begin_with_the_clock_and_not_with_the_first_request(self):
        assert FixedWindow(requests=1, window="1s").build().retry_after_ns(990 * MS) == 0
        one = FixedWindow(requests=1, window="1s").build()
        one.admit(990 * MS)
        assert one.retry_after_ns(990 * MS) == 10 * MS


class TestLog:
    def test_a_request_leaves_exactly_one_window_after_it_came(self):
        one = SlidingWindowLog(requests=2, window="1s").build()

        assert [one.admit(at * MS) for at in (300, 700, 1299, 1300, 1699, 1700)] == [True, True, False, True, False, True]

    @given(gaps_us=st.lists(st.integers(0, 300_000), min_size=1, max_size=80), requests=st.integers(1, 6))
    def test_no_window_wherever_it_begins_holds_more_and_none_is_refused_that_would_fit(self, gaps_us, requests):
        one = SlidingWindowLog(requests=requests, window="1s").build()
        now_ns, came_ns = 0, []
        for gap_us in gaps_us:
            now_ns += gap_us * 1000
            fits = sum(now_ns - SECOND < earlier_ns for earlier_ns in came_ns) < requests
            assert one.admit(now_ns) == fits
            if fits:
                came_ns.append(now_ns)


class TestCounter:
    def test_cloudflares_example(self):
        """42 in the last minute and 18 in the 15 s of this one are 42 x 45/60 + 18 = 49.5; at a limit of 50 none more fits."""
        one = SlidingWindowCounter(requests=50, window="1m").build()
        assert admitted(one, [59_000] * 42) == 42
        assert admitted(one, [75_000] * 18) == 18

        assert one.estimate(75 * SECOND) == 49.5
        assert one.remaining(75 * SECOND) == 0
        assert not one.admit(75 * SECOND)

    def test_after_a_window_without_anything_nothing_is_covered(self):
        one = SlidingWindowCounter(requests=3, window="1s").build()
        admitted(one, [900] * 3)

        assert one.estimate(1_500 * MS) == 1.5
        assert one.estimate(2_000 * MS) == 0

    @given(gaps_ms=st.lists(st.integers(0, 300), min_size=1, max_size=100), requests=st.integers(1, 20))
    def test_the_estimate_is_off_by_no_more_than_the_last_window_allows(self, gaps_ms, requests):
        """Too low by f x last at most (all came at its end), too high by (1 - f) x last (all at its beginning)."""
        one = SlidingWindowCounter(requests=requests, window="1s").build()
        now_ms, came_ms = 0, []
        for gap_ms in gaps_ms:
            now_ms += gap_ms
            f = now_ms % 1000 / 1000
            last = sum(now_ms // 1000 - 1 == earlier_ms // 1000 for earlier_ms in came_ms)
            true = sum(now_ms - 1000 <= earlier_ms for earlier_ms in came_ms)
            assert -f * last - 1e-9 <= one.estimate(now_ms * MS) - true <= (1 - f) * last + 1e-9
            if one.admit(now_ms * MS):
                came_ms.append(now_ms)

    def test_even_arrivals_are_estimated_to_one_request(self):
        one = SlidingWindowCounter(requests=100, window="1s").build()
        for now_ms in range(0, 5000, 20):
            assert one.admit(now_ms * MS)
            if now_ms >= 1000:
                assert abs(one.estimate(now_ms * MS) - 50) <= 1 + 1e-9

    def test_over_nearly_two_windows_twice_the_limit_can_meet(self):
        """The price of two counters: all at the end of a window, and again what is let through until the end of the next."""
        one, exact = (cls(requests=100, window="1s").build() for cls in (SlidingWindowCounter, SlidingWindowLog))
        times = [999] * 100 + [at for at in range(1000, 1998) for _ in range(2)]

        assert admitted(one, times) == 199
        assert admitted(exact, times) == 100

    def test_counting_refused_requests_locks_out_who_does_not_stop_asking(self):
        """10/s against 5 a second: 4 a second (as above), or the first five and no more."""
        patient, penal = (SlidingWindowCounter(requests=5, window="1s", count_refused=each).build() for each in (False, True))

        assert admitted(patient, range(0, 20_000, 100)) == 81
        assert admitted(penal, range(0, 20_000, 100)) == 5
        assert penal.admit(30 * SECOND)
