"""Token bucket that is filled by a timer: bursts at each fill."""

from __future__ import annotations

import pytest

from meshsim.policies.admission import SteppedTokenBucket, TokenBucket
from meshsim.registry import SettingError

MS = 1_000_000


def admitted(one, every_ms, seconds):
    count = round(seconds * 1000 / every_ms)
    return [one.admit(round(number * every_ms * MS)) for number in range(count)]


def test_all_tokens_of_a_fill_come_at_its_end():
    one = SteppedTokenBucket(max_tokens=2, tokens_per_fill=2, fill_interval="100ms").build()

    assert [one.admit(at * MS) for at in (0, 0, 50, 99, 100, 100, 100, 199)] == [
        True,
        True,
        False,
        False,
        True,
        True,
        False,
        False,
    ]


def test_fills_are_where_the_timer_is_and_not_counted_from_a_request():
    one = SteppedTokenBucket(max_tokens=1, fill_interval="100ms").build()

    assert [one.admit(at * MS) for at in (95, 99, 100)] == [True, False, True]


@pytest.mark.parametrize(("settings", "count"), [({}, 11), ({"tokens_per_fill": 3}, 31), ({"fill_interval": "50ms"}, 21)])
def test_each_setting_counts(settings, count):
    one = SteppedTokenBucket(**{"max_tokens": 3, "fill_interval": "100ms", **settings}).build()
    one.admit(0, 2)

    assert sum(one.admit(at * MS) for at in range(1003)) == count


def test_the_bucket_holds_no_more_than_its_size():
    for size in (1, 5):
        one = SteppedTokenBucket(max_tokens=size, tokens_per_fill=9, fill_interval="100ms").build()
        assert sum(one.admit(3_600_000 * MS) for _ in range(20)) == size


@pytest.mark.parametrize(
    ("max_tokens", "per_fill", "interval", "rate", "seconds", "stepped", "continuous"),
    [(100, 50, "500ms", 150, 20, 2050, 2099), (50, 50, "1s", 100, 20, 1000, 1049)],
    ids=["rl_uniform", "rl_coarse"],
)
def test_what_steps_would_have_let_pass_where_a_real_envoy_was_continuous(
    max_tokens, per_fill, interval, rate, seconds, stepped, continuous
):
    """Envoy 1.40 measured 2,099 of 3,000 and 1,049 of 2,000."""
    settings = {"max_tokens": max_tokens, "tokens_per_fill": per_fill, "fill_interval": interval}
    counts = [sum(admitted(cls(**settings).build(), 1000 / rate, seconds)) for cls in (SteppedTokenBucket, TokenBucket)]

    assert counts[0] == stepped
    assert counts[1] == pytest.approx(continuous, abs=1)


def test_an_even_load_passes_in_bursts():
    """150/s against 50 every 500 ms: 50 pass, 25 do not, in every half second; the continuous refill passes two of three."""
    one = SteppedTokenBucket(max_tokens=50, tokens_per_fill=50, fill_interval="500ms").build()

    assert admitted(one, 1000 / 150, 2) == ([True] * 50 + [False] * 25) * 4


def test_an_interval_below_50_ms_is_refused():
    with pytest.raises(SettingError):
        SteppedTokenBucket(max_tokens=1, fill_interval="49ms").check()
