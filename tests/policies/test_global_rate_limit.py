"""Global rate limit: one count for all replicas, what follows when nobody answers, and what replicas do not know of each other."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.admission import FixedWindow, TokenBucket
from meshsim.policies.filters import PASS, Decision, GlobalRateLimit, RateLimitRule, Surroundings, Then, Verdict
from meshsim.randomness import Draw
from meshsim.registry import SettingError

MS = 1_000_000
SECOND = 1_000_000_000
DRAW = Draw()
LIMITED = Verdict(429, Flag.RL, decision=Decision.LIMITED, rule=0)


def rule(requests=5, window="1s", **settings):
    return RateLimitRule(limit=FixedWindow(requests=requests, window=window), **settings)


def replicas(count, *rules, **settings):
    """So many, with a store in common."""
    filter_ = GlobalRateLimit(service="limits", rules=rules or (rule(),), **settings)
    filter_.check()
    shared = {}
    return [
        filter_.build(around=Surroundings(consumers=("", "a"), replica=one, replicas=count, addresses=100, shared=shared))
        for one in range(count)
    ]


def told(filter_, now_ns=0, asked=PLAIN, status=200):
    """The verdict, with the service's answer if that was asked; and whether it was."""
    verdict = filter_.judge(now_ns, asked, DRAW)
    if verdict.then is Then.ASK:
        return filter_.answered(now_ns, asked, status, DRAW), True
    return verdict, False


class TestAsking:
    def test_the_service_is_asked_for_every_request(self):
        (one,) = replicas(1)

        assert [told(one) for _ in range(7)] == [(PASS, True)] * 5 + [(LIMITED, True)] * 2

    @pytest.mark.parametrize("count", [1, 4])
    def test_all_replicas_together_admit_the_limit(self, count):
        made = replicas(count)

        assert sum(told(made[number % count])[0] == PASS for number in range(100)) == 5

    def test_two_scenarios_or_a_single_replica_share_nothing(self):
        (one,), (other,) = replicas(1), replicas(1)

        assert sum(told(one)[0] == PASS for _ in range(9)) == sum(told(other)[0] == PASS for _ in range(9)) == 5

    def test_nothing_is_counted_before_the_answer(self):
        (one,) = replicas(1)
        for _ in range(50):
            assert one.judge(0, PLAIN, DRAW).then is Then.ASK

        assert sum(told(one)[0] == PASS for _ in range(9)) == 5

    def test_rules_have_keys_and_the_strictest_wins(self):
        (one,) = replicas(1, rule(3, key="address"), rule(5))
        asked = [Request(address=1)] * 4 + [Request(address=2)] * 4

        assert [told(one, asked=each)[0] == PASS for each in asked] == [True] * 3 + [False] + [True] * 2 + [False] * 2

    def test_status_and_headers(self):
        (one,) = replicas(1, rule(1, "10s"), status=503, headers=True)
        told(one)

        assert told(one, 2500 * MS)[0] == Verdict(503, Flag.RL, retry_after_ns=8 * SECOND, decision=Decision.LIMITED, rule=0)

    def test_it_waits_20_ms_for_the_service_unless_told_otherwise(self):
        assert GlobalRateLimit(service="limits", rules=(rule(),)).timeout == 20 * MS
        assert GlobalRateLimit(service="limits", rules=(rule(),), timeout="2s").timeout == 2 * SECOND


class TestFailure:
    @pytest.mark.parametrize("status", [0, 500, 503, 504])
    def test_without_an_answer_the_request_goes_on_uncounted(self, status):
        (one,) = replicas(1)

        assert [told(one, status=status)[0] for _ in range(20)] == [Verdict(decision=Decision.FAILED_OPEN)] * 20
        assert sum(told(one)[0] == PASS for _ in range(9)) == 5

    @pytest.mark.parametrize("status", [0, 503])
    def test_or_is_refused(self, status):
        (one,) = replicas(1, failure_mode_deny=True)
        (other,) = replicas(1, failure_mode_deny=True, status_on_error=403)

        assert told(one, status=status)[0] == Verdict(500, Flag.RLSE, decision=Decision.FAILED_CLOSED)
        assert told(other, status=status)[0].status == 403
        assert told(one)[0] == PASS


class TestNearCache:
    def test_keys_over_the_limit_are_not_asked_for_until_their_window_ends(self):
        (one,) = replicas(1, rule(2, key="address"), near_cache=True, headers=True)
        here, there = Request(address=1), Request(address=2)

        assert [told(one, 0, here)[1] for _ in range(5)] == [True, True, True, False, False]
        assert told(one, 0, there) == (PASS, True)
        refused, is_asked = told(one, 999 * MS, here)
        assert (refused.status, refused.retry_after_ns, is_asked) == (429, SECOND, False)
        assert one.counted.limited == [4]
        assert told(one, SECOND, here) == (PASS, True)

    def test_it_admits_what_would_be_admitted_without(self):
        with_cache, without = replicas(1, near_cache=True)[0], replicas(1)[0]
        times = range(0, 5000, 17)

        assert [told(with_cache, at * MS)[0] for at in times] == [told(without, at * MS)[0] for at in times]
        assert sum(told(with_cache, at * MS)[1] for at in times) < sum(told(without, at * MS)[1] for at in times)

    def test_each_replica_has_its_own(self):
        one, other = replicas(2, near_cache=True)
        for _ in range(6):
            told(one)

        assert told(one) == (LIMITED, False)
        assert told(other) == (LIMITED, True)
        assert told(other) == (LIMITED, False)

    def test_a_token_bucket_is_over_for_as_long_as_a_token_takes(self):
        bucket = RateLimitRule(limit=TokenBucket(max_tokens=1, tokens_per_fill=10, fill_interval="1s"))
        (one,) = replicas(1, bucket, near_cache=True)

        assert [told(one, at * MS)[1] for at in (0, 1, 2, 99, 100)] == [True, True, False, False, True]


def admitted(count, interval, rate, limit, window="1s", until_s=1.0):
    """How many of an even load the replicas admit in turn."""
    settings = {} if interval is None else {"sync_interval": interval}
    made = replicas(count, rule(limit, window), **settings)
    return sum(told(made[number % count], number * SECOND // rate)[0] == PASS for number in range(int(rate * until_s)))


class TestSync:
    def test_a_proxy_asks_once_for_a_key_and_then_counts_by_itself(self):
        (one,) = replicas(1, rule(100, key="address"), sync_interval="100ms")
        here, there = Request(address=1), Request(address=2)

        assert [told(one, at * MS, here)[1] for at in (0, 1, 99, 100, 101, 199, 200)] == [
            True,
            False,
            False,
            True,
            False,
            False,
            True,
        ]
        assert told(one, 210 * MS, there)[1]

    def test_what_it_counts_it_tells_after_the_interval(self):
        """What was asked for counts at once, what came after that when the interval is over."""
        for later_ms, left in ((99, 9), (100, 4)):
            one, other = replicas(2, rule(10), sync_interval="100ms")
            for _ in range(6):
                told(one, 0)
            assert sum(told(other, later_ms * MS)[0] == PASS for _ in range(20)) == left

    def test_a_single_replica_admits_the_limit_whatever_the_interval(self):
        for interval in ("1ms", "100ms", "10s"):
            assert admitted(1, interval, rate=1000, limit=100, until_s=3) == 300

    @pytest.mark.parametrize("count", [2, 4, 8])
    def test_they_overshoot_the_more_the_longer_they_do_not_talk(self, count):
        """The limit, and at most (replicas - 1) x their rate x twice the interval; asked for each request it is exact."""
        rate, limit = 2000, 200
        found = [admitted(count, interval, rate, limit) for interval in (None, "2ms", "10ms", "50ms", "1s")]

        assert found[0] == limit
        assert found == sorted(found)
        for interval_s, total in zip((0.002, 0.01, 0.05), found[1:], strict=False):
            assert limit <= total <= limit + 2 * interval_s * rate * (count - 1) / count + count
        assert found[3] > 1.1 * limit

    def test_where_the_interval_is_a_whole_window_each_admits_the_limit(self):
        """But for what the others had asked for before it did."""
        assert admitted(4, "1s", rate=2000, limit=100) == 4 * 100 - (1 + 2 + 3)

    def test_each_window_is_counted_anew(self):
        assert admitted(4, "10ms", rate=2000, limit=100, until_s=3) == 3 * admitted(4, "10ms", rate=2000, limit=100)

    def test_several_rules_and_shadow(self):
        (one,) = replicas(1, rule(3, key="address"), rule(4, shadow=True), rule(5), sync_interval="1s")
        asked = [Request(address=1)] * 4 + [Request(address=2)] * 4
        decisions = [told(one, asked=each)[0].decision.name for each in asked]

        assert decisions == ["ADMITTED"] * 3 + ["LIMITED", "ADMITTED", "SHADOWED", "LIMITED", "LIMITED"]
        assert one.counted.limited == [1, 0, 2]

    def test_when_the_store_does_not_answer_what_it_would_have_told_is_unknown(self):
        (one,) = replicas(1, sync_interval="100ms")

        assert told(one, status=0) == (Verdict(decision=Decision.FAILED_OPEN), True)
        assert told(one, status=200) == (PASS, True)
        assert told(one, status=0) == (PASS, False)


@pytest.mark.parametrize(
    "settings",
    [
        {"rules": ()},
        {"rules": (rule(3, cost=4),)},
        {"timeout": "0s"},
        {"sync_interval": "0s"},
        {"sync_interval": "1s", "near_cache": True},
        {"sync_interval": "1s", "rules": (RateLimitRule(limit=TokenBucket(max_tokens=1, fill_interval="1s")),)},
    ],
)
def test_mistakes(settings):
    with pytest.raises(SettingError):
        GlobalRateLimit(**{"service": "limits", "rules": (rule(),), **settings}).check()
