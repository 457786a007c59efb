"""What holds for every rate limit: what it foretells comes true, looking takes nothing, nor does what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.policies.admission import (
    NEVER,
    REFUSED,
    FixedWindow,
    Gcra,
    LeakyBucket,
    Quota,
    SlidingWindowCounter,
    SlidingWindowLog,
    SteppedTokenBucket,
    TokenBucket,
)
from meshsim.registry import families

MS = 1_000_000
ALL = {
    "token_bucket": TokenBucket(max_tokens=7, tokens_per_fill=3, fill_interval="100ms"),
    "stepped_token_bucket": SteppedTokenBucket(max_tokens=7, tokens_per_fill=3, fill_interval="100ms"),
    "gcra": Gcra(max_burst=6, count=3, period="100ms"),
    "leaky_bucket": LeakyBucket(rate="30/s", burst=6),
    "fixed_window": FixedWindow(requests=7, window="200ms"),
    "sliding_window_log": SlidingWindowLog(requests=7, window="200ms"),
    "sliding_window_counter": SlidingWindowCounter(requests=7, window="200ms"),
    "quota": Quota(requests=7, period="day", time_zero="2024-02-28T23:59:59.500"),
}
EACH = pytest.mark.parametrize("name", ALL)
LOADS = st.lists(st.tuples(st.integers(0, 120_000_000), st.integers(1, 7)), min_size=1, max_size=60)
"""Gaps in ns and costs."""


def test_these_are_all_of_the_family():
    assert {name for name, cls in families()["admission"].items() if cls.__module__.startswith("meshsim.")} == set(ALL)


@EACH
@given(load=LOADS)
def test_it_admits_exactly_when_it_said_it_would(name, load):
    """One nanosecond before, it does not (nor would it have later, unless others go first)."""
    settings = ALL[name]
    now_ns, so_far = 0, []
    one = settings.build()
    for gap_ns, cost in load:
        now_ns += gap_ns
        after_ns = one.retry_after_ns(now_ns, cost)
        if after_ns:
            assert after_ns > 0
            for early_ns, is_admitted in ((1, False), (0, True)):
                again = replayed(settings, so_far)
                assert again.admit(now_ns + after_ns - early_ns, cost) == is_admitted
        assert one.admit(now_ns, cost) == (after_ns == 0)
        so_far.append((now_ns, cost))


@EACH
@given(load=LOADS)
def test_what_remains_is_what_it_would_admit(name, load):
    now_ns, one = 0, ALL[name].build()
    for gap_ns, cost in load:
        now_ns += gap_ns
        assert 0 <= one.remaining(now_ns) <= ALL[name].limit() == 7
        for wanted in range(1, 8):
            assert (one.retry_after_ns(now_ns, wanted) == 0) == (wanted <= one.remaining(now_ns))
        one.admit(now_ns, cost)


@EACH
@given(load=LOADS)
def test_neither_looking_nor_refusals_take_anything(name, load):
    now_ns, asked_more, asked_less = 0, ALL[name].build(), ALL[name].build()
    for gap_ns, cost in load:
        now_ns += gap_ns
        for _ in range(3):
            asked_more.retry_after_ns(now_ns, cost)
            asked_more.remaining(now_ns)
            assert not asked_more.admit(now_ns, 8)
        assert asked_more.wait_ns(now_ns, cost) == asked_less.wait_ns(now_ns, cost)


@EACH
def test_at_first_the_whole_limit_passes_and_no_more(name):
    one = ALL[name].build()

    assert [one.admit(0) for _ in range(8)] == [True] * 7 + [False]
    assert one.remaining(0) == 0
    assert one.wait_ns(0) == REFUSED


@EACH
def test_what_costs_more_than_the_limit_never_passes(name):
    one = ALL[name].build()

    assert one.retry_after_ns(0, 8) == NEVER
    assert one.retry_after_ns(0, 7) == 0


@EACH
def test_a_cost_counts_as_so_many_requests(name):
    at_once, singly = ALL[name].build(), ALL[name].build()
    assert at_once.admit(0, 5)
    assert sum(singly.admit(0) for _ in range(5)) == 5

    assert at_once.remaining(0) == singly.remaining(0) == 2
    assert at_once.retry_after_ns(0, 3) == singly.retry_after_ns(0, 3) > 0


@EACH
def test_each_that_is_built_counts_by_itself(name):
    one, other = ALL[name].build(), ALL[name].build()
    one.admit(0, 7)

    assert other.admit(0, 7)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("token_bucket", 30),
        ("stepped_token_bucket", 30),
        ("gcra", 30),
        ("leaky_bucket", 30),
        ("fixed_window", 35),
        ("sliding_window_log", 35),
    ],
)
def test_the_rate_is_what_passes_in_the_long_run(name, rate):
    """Of 500/s in 40 s; but for the burst at the beginning."""
    one = ALL[name].build()
    assert ALL[name].per_second() == rate

    assert sum(one.admit(number * 2 * MS) for number in range(20_000)) == pytest.approx(40 * rate, abs=7)


def test_the_rate_of_the_sliding_counter_and_of_a_quota_is_what_they_name():
    assert ALL["sliding_window_counter"].per_second() == 35
    assert Quota(requests=86_400, period="day").per_second() == 1
    assert Quota(requests=7 * 86_400, period="week").per_second() == 1


def test_only_the_leaky_bucket_holds_anything_up():
    assert {name for name, one in ALL.items() if one.delays} == {"leaky_bucket"}


def replayed(settings, load):
    one = settings.build()
    for now_ns, cost in load:
        one.admit(now_ns, cost)
    return one
