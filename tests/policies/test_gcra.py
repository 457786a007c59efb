"""GCRA: a token bucket, told by time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.policies.admission import NEVER, Gcra, TokenBucket
from meshsim.registry import SettingError

MS = 1_000_000
SECOND = 1_000_000_000


@given(
    burst=st.integers(0, 20),
    count=st.integers(1, 30),
    period_ms=st.integers(50, 1000),
    load=st.lists(st.tuples(st.integers(0, 200_000_000), st.integers(1, 3)), min_size=1, max_size=80),
)
def test_it_admits_the_very_requests_that_a_token_bucket_admits(burst, count, period_ms, load):
    """Request by request, with all that they tell; the bucket has one token more than the burst."""
    gcra = Gcra(max_burst=burst, count=count, period=period_ms * MS).build()
    bucket = TokenBucket(max_tokens=burst + 1, tokens_per_fill=count, fill_interval=period_ms * MS).build()
    now_ns = 0
    for gap_ns, cost in load:
        now_ns += gap_ns
        assert gcra.retry_after_ns(now_ns, cost) == bucket.retry_after_ns(now_ns, cost)
        assert gcra.remaining(now_ns) == bucket.remaining(now_ns)
        assert gcra.admit(now_ns, cost) == bucket.admit(now_ns, cost)


REDIS_CELL = [
    # now in ms, quantity, is admitted, remaining, retry after in s
    (0, 6, False, 5, NEVER),
    (0, 1, True, 4, 0),
    (0, 1, True, 3, 0),
    (0, 1, True, 2, 0),
    (0, 1, True, 1, 0),
    (0, 1, True, 0, 0),
    (0, 1, False, 0, 1),
    (3000, 1, True, 2, 0),
    (3100, 1, True, 1, 0),
    (4000, 1, True, 1, 0),
    (8000, 1, True, 4, 0),
    (9500, 1, True, 4, 0),
    (9500, 2, True, 2, 0),
    (9500, 5, False, 2, 3),
]
"""Source: redis-cell, src/cell/mod.rs, it_rate_limits: max_burst 4, one per second."""


def test_redis_cells_own_example():
    one = Gcra(max_burst=4, count=1, period="1s").build()
    for now_ms, quantity, is_admitted, remaining, retry_after_s in REDIS_CELL:
        after_ns = one.retry_after_ns(now_ms * MS, quantity)
        assert after_ns == (NEVER if retry_after_s == NEVER else retry_after_s * SECOND)
        assert one.admit(now_ms * MS, quantity) == is_admitted
        assert one.remaining(now_ms * MS) == remaining
    assert Gcra(max_burst=4, count=1, period="1s").limit() == 5


def test_max_burst_comes_on_top_of_the_first():
    for max_burst in (0, 3):
        one = Gcra(max_burst=max_burst, count=1, period="1s").build()
        assert [one.admit(0) for _ in range(6)].count(True) == max_burst + 1
    assert Gcra(count=1, period="1s").max_burst == 0


@pytest.mark.parametrize(("count", "period", "admitted"), [(1, "1s", 10), (5, "1s", 50), (5, "2s", 25)])
def test_count_and_period_are_the_rate(count, period, admitted):
    one = Gcra(count=count, period=period).build()

    assert sum(one.admit(now_ms * MS) for now_ms in range(0, 10_000, 5)) == admitted


def test_a_period_of_nothing_is_an_error():
    with pytest.raises(SettingError):
        Gcra(count=1, period="0s").check()
