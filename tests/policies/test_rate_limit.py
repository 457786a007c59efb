"""Local rate limit: whose bucket a request draws from."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.admission import TokenBucket
from meshsim.policies.filters import PASS, Decision, RateLimit, Surroundings, Verdict
from meshsim.randomness import Draw

NOW = 0


THREE = Surroundings(consumers=("", "a", "b"), routes=("x", "y", "z"))


def rate_limit(key=None, *, tokens=1):
    bucket = TokenBucket(max_tokens=tokens, fill_interval="1s")
    made = RateLimit(token_bucket=bucket) if key is None else RateLimit(token_bucket=bucket, key=key)
    return made.build(around=THREE)


def is_passed(filter_, consumer=0, route=0, now_ns=NOW):
    return filter_.judge(now_ns, Request(consumer=consumer, route=route), Draw()) == PASS


def test_what_is_too_much_gets_429_with_rl():
    limit = rate_limit()

    assert limit.judge(NOW, PLAIN, Draw()) == PASS
    assert limit.judge(NOW, PLAIN, Draw()) == Verdict(429, Flag.RL, decision=Decision.LIMITED, rule=0)


def test_without_a_key_all_share_one_bucket():
    for limit in (rate_limit(), rate_limit("none")):
        assert is_passed(limit, consumer=0, route=0)
        assert not is_passed(limit, consumer=1, route=2)


def test_by_consumer_each_consumer_has_a_bucket_for_all_routes():
    limit = rate_limit("consumer")

    assert [is_passed(limit, consumer=one, route=0) for one in (0, 1, 2)] == [True, True, True]
    assert [is_passed(limit, consumer=one, route=1) for one in (0, 1, 2)] == [False, False, False]


def test_by_route_each_route_has_a_bucket_for_all_consumers():
    limit = rate_limit("route")

    assert [is_passed(limit, consumer=0, route=one) for one in (0, 1, 2)] == [True, True, True]
    assert [is_passed(limit, consumer=1, route=one) for one in (0, 1, 2)] == [False, False, False]


def test_a_request_without_a_route_has_a_bucket_too():
    """Its number is -1: the last bucket, which no route has."""
    limit = rate_limit("route")

    assert is_passed(limit, route=-1)
    assert not is_passed(limit, route=-1)
    assert [is_passed(limit, route=one) for one in (0, 1, 2)] == [True, True, True]


@pytest.mark.parametrize("tokens", [1, 4])
def test_the_token_bucket_says_how_many(tokens):
    limit = rate_limit(tokens=tokens)

    assert [is_passed(limit) for _ in range(6)].count(True) == tokens


def test_a_bucket_fills_again():
    limit = rate_limit()

    assert [is_passed(limit, now_ns=now_ns) for now_ns in (0, 999_999_999, 1_000_000_000)] == [True, False, True]


def test_each_proxy_has_buckets_of_its_own():
    settings = RateLimit(token_bucket=TokenBucket(max_tokens=1, fill_interval="1s"))
    one, other = settings.build(around=THREE), settings.build(around=THREE)

    assert is_passed(one)
    assert is_passed(other)
