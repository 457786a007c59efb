"""Rate limit by rules: what is counted together, which rules apply, and what the strictest of them leaves to the others."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.admission import FixedWindow, Gcra, LeakyBucket, SlidingWindowCounter, TokenBucket
from meshsim.policies.filters import PASS, Decision, RateLimit, RateLimitRule, Surroundings, Verdict
from meshsim.randomness import Draw
from meshsim.registry import SettingError

MS = 1_000_000
SECOND = 1_000_000_000
AROUND = Surroundings(
    consumers=("", "web", "app"), routes=("search", "cart"), addresses=1_000_000, keys=50, credentials=10, shared={}
)
DRAW = Draw()


def rule(requests=1, **settings):
    return RateLimitRule(limit=FixedWindow(requests=requests, window="1s"), **settings)


def made(*rules, around=AROUND, **settings):
    filter_ = RateLimit(rules=rules, **settings)
    filter_.check()
    return filter_.build(around=around)


def passed(filter_, *requests, now_ns=0):
    return [filter_.judge(now_ns, asked, DRAW).status == 0 for asked in requests]


ALIKE = {
    "consumer": {"consumer": 1},
    "route": {"route": 1},
    "address": {"address": 7},
    "credential": {"credential": 3},
    "content": {"content_key": 9},
}
OTHER = {
    "consumer": {"consumer": 2},
    "route": {"route": 0},
    "address": {"address": 8},
    "credential": {"credential": 4},
    "content": {"content_key": 0},
}


class TestKeys:
    @pytest.mark.parametrize("key", list(ALIKE))
    def test_requests_with_the_same_key_are_counted_together(self, key):
        """And whatever else they have makes no difference."""
        everything = {name: value for part in ALIKE.values() for name, value in part.items()}
        nothing_alike = {name: value for part in OTHER.values() for name, value in part.items()}
        limit = made(rule(key=key))

        assert passed(limit, Request(**everything)) == [True]
        assert passed(limit, Request(**{**nothing_alike, **ALIKE[key]})) == [False]
        assert passed(limit, Request(**{**everything, **OTHER[key]})) == [True]

    def test_without_a_key_all_are(self):
        assert passed(made(rule()), Request(consumer=1), Request(consumer=2, address=5)) == [True, False]

    def test_a_joint_key_counts_each_combination(self):
        limit = made(rule(key=("consumer", "address")))
        asked = [Request(consumer=consumer, address=address) for consumer in (1, 2) for address in (0, 1, 999_999)]

        assert passed(limit, *asked) == [True] * 6
        assert passed(limit, *asked) == [False] * 6

    @pytest.mark.parametrize(("key", "lacking"), [("credential", {"credential": -1}), ("content", {"content_key": -1})])
    def test_who_lacks_the_key_is_not_counted(self, key, lacking):
        """A limit by credential does not stop those without one; nor does a joint one."""
        for whole in (key, ("address", key)):
            assert passed(made(rule(key=whole)), *[Request(address=5, **lacking)] * 5) == [True] * 5

    def test_requests_without_a_consumer_or_a_route_are_counted_together(self):
        assert passed(made(rule(key="consumer")), PLAIN, PLAIN, Request(consumer=1)) == [True, False, True]
        lost = Request(route=-1)
        assert passed(made(rule(key="route")), lost, lost, Request(route=1), Request(route=0)) == [True, False, True, True]

    @pytest.mark.parametrize("key", ["address", "credential", "content", ("route", "consumer")])
    def test_the_short_form_takes_every_key_too(self, key):
        bucket = TokenBucket(max_tokens=1, fill_interval="1s")
        limit = RateLimit(token_bucket=bucket, key=key).build(around=AROUND)
        here, there = Request(address=1, credential=1, content_key=1), Request(1, 1, 2, 2, 2)

        assert passed(limit, here, here, there, there) == [True, False, True, False]

    def test_counters_are_made_as_they_come(self):
        """A million addresses cost nothing before they ask."""
        limit = made(rule(key="address"))
        passed(limit, *[Request(address=address) for address in (5, 999_999, 5)])

        assert len(limit.counted.rules[0].counters) == 2


class TestMatch:
    def test_a_rule_for_routes_leaves_the_others_alone(self):
        limit = made(rule(routes=("cart",)))

        assert passed(limit, Request(route=1), Request(route=1)) == [True, False]
        assert passed(limit, *[Request(route=0), Request(route=-1)] * 3) == [True] * 6

    def test_a_rule_for_consumers_leaves_the_others_alone(self):
        limit = made(rule(consumers=("app",)))

        assert passed(limit, Request(consumer=2), Request(consumer=2)) == [True, False]
        assert passed(limit, *[Request(consumer=1), PLAIN] * 3) == [True] * 6

    def test_a_name_that_nobody_has_is_an_error(self):
        for settings in ({"routes": ("card",)}, {"consumers": ("App",)}):
            with pytest.raises(SettingError, match="there is no"):
                made(rule(**settings))


class TestSeveral:
    """Two a second for each consumer, three a second for all."""

    TWO_EACH, THREE_IN_ALL = rule(2, key="consumer"), rule(3)
    ASKED = [Request(consumer=1)] * 4 + [Request(consumer=2)] * 2

    @pytest.mark.parametrize("rules", [(TWO_EACH, THREE_IN_ALL), (THREE_IN_ALL, TWO_EACH)])
    def test_the_strictest_wins_in_whatever_order(self, rules):
        assert passed(made(*rules), *self.ASKED) == [True, True, False, False, True, False]

    def test_what_one_rule_refuses_takes_nothing_from_the_others(self):
        limit = made(self.THREE_IN_ALL, self.TWO_EACH)
        passed(limit, *self.ASKED[:4])

        assert limit.counted.rules[0].counter(0).remaining(0) == 1
        assert limit.counted.limited == [0, 2]

    def test_in_order_it_takes_from_the_rules_before(self):
        """As Envoy's local rate limit does: the third request of the first consumer uses up the common limit."""
        assert passed(made(self.THREE_IN_ALL, self.TWO_EACH, consume="in_order"), *self.ASKED) == [True, True] + [False] * 4
        assert passed(made(self.TWO_EACH, self.THREE_IN_ALL, consume="in_order"), *self.ASKED) == [
            True, True, False, False, True, False,
        ]  # fmt: skip

    def test_a_refused_request_is_counted_by_the_rule_that_counts_these(self):
        penal = RateLimitRule(limit=SlidingWindowCounter(requests=2, window="1s", count_refused=True))
        limit = made(penal, rule(100))
        passed(limit, *[PLAIN] * 5)

        assert limit.counted.rules[0].counter(0).estimate(0) == 5
        assert limit.counted.rules[1].counter(0).remaining(0) == 98


class TestShadow:
    def test_a_rule_that_only_looks_on_refuses_nothing_and_counts(self):
        limit = made(rule(2, shadow=True))
        verdicts = [limit.judge(0, PLAIN, DRAW) for _ in range(5)]

        assert [verdict.decision for verdict in verdicts] == [Decision.ADMITTED] * 2 + [Decision.SHADOWED] * 3
        assert all(verdict.status == 0 for verdict in verdicts)
        assert limit.counted.shadowed == [3]
        assert limit.counted.limited == [0]

    def test_beside_it_the_others_refuse_as_ever(self):
        limit = made(rule(1, shadow=True), rule(3))
        verdicts = [limit.judge(0, PLAIN, DRAW) for _ in range(5)]

        assert [verdict.status for verdict in verdicts] == [0, 0, 0, 429, 429]
        assert limit.counted.shadowed == [2, 0]
        assert limit.counted.limited == [0, 2]

    def test_it_holds_nothing_up(self):
        leaky = LeakyBucket(rate="10/s", burst=5)
        limit = made(RateLimitRule(limit=leaky, shadow=True))

        assert [limit.judge(0, PLAIN, DRAW).delay_ns for _ in range(3)] == [0, 0, 0]
        assert not limit.delays


class TestAnswers:
    def test_cost_is_what_one_request_takes(self):
        assert passed(made(rule(6, cost=3)), *[PLAIN] * 4) == [True, True, False, False]

    def test_the_status_may_be_another(self):
        limit = made(rule(), status=503)

        assert [limit.judge(0, PLAIN, DRAW).status for _ in range(2)] == [0, 503]
        short = RateLimit(token_bucket=TokenBucket(max_tokens=1, fill_interval="1s"), status=503).build(around=AROUND)
        assert [short.judge(0, PLAIN, DRAW) for _ in range(2)][1] == Verdict(503, Flag.RL, decision=Decision.LIMITED, rule=0)

    def test_with_headers_the_answer_says_when_to_come_again_in_whole_seconds(self):
        """Rounded up: a client that comes a moment too early is refused again."""
        limit = made(RateLimitRule(limit=Gcra(count=2, period="3s")), headers=True)
        limit.judge(0, PLAIN, DRAW)

        assert limit.judge(0, PLAIN, DRAW) == Verdict(429, Flag.RL, retry_after_ns=2 * SECOND, decision=Decision.LIMITED, rule=0)
        assert limit.judge(600 * MS, PLAIN, DRAW).retry_after_ns == SECOND
        assert made(rule(), headers=False).judge(0, PLAIN, DRAW).retry_after_ns == -1

    def test_the_short_form_has_headers_too(self):
        limit = RateLimit(token_bucket=TokenBucket(max_tokens=1, fill_interval="5s"), headers=True).build(around=AROUND)
        limit.judge(0, PLAIN, DRAW)

        assert limit.judge(0, PLAIN, DRAW).retry_after_ns == 5 * SECOND

    def test_of_several_that_refuse_the_one_that_does_so_longest_says_when(self):
        slow, fast = (RateLimitRule(limit=FixedWindow(requests=1, window=window)) for window in ("1m", "1s"))
        for rules in ((slow, fast), (fast, slow)):
            limit = made(*rules, headers=True)
            limit.judge(0, PLAIN, DRAW)
            assert limit.judge(0, PLAIN, DRAW).retry_after_ns == 60 * SECOND

    def test_a_leaky_bucket_holds_requests_up(self):
        limit = made(RateLimitRule(limit=LeakyBucket(rate="10/s", burst=2)))
        verdicts = [limit.judge(0, PLAIN, DRAW) for _ in range(4)]

        assert [verdict.delay_ns // MS for verdict in verdicts] == [0, 100, 200, 0]
        assert [verdict.status for verdict in verdicts] == [0, 0, 0, 429]
        assert [verdict.decision for verdict in verdicts[:2]] == [Decision.ADMITTED, Decision.DELAYED]
        assert limit.delays
        assert not made(rule()).delays

    def test_of_several_delays_the_longest_counts(self):
        rules = [RateLimitRule(limit=LeakyBucket(rate=rate, burst=5)) for rate in ("10/s", "2/s", "50/s")]
        limit = made(*rules)

        assert [limit.judge(0, PLAIN, DRAW).delay_ns // MS for _ in range(3)] == [0, 500, 1000]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rules": (rule(),), "token_bucket": TokenBucket(max_tokens=1, fill_interval="1s")},
        {"rules": (rule(),), "key": "consumer"},
        {"rules": (rule(key=("consumer", "consumer")),)},
        {"rules": (rule(key=("none", "route")),)},
        {"rules": (rule(key=()),)},
        {"rules": (rule(3, cost=4),)},
    ],
)
def test_what_would_limit_nothing_or_everything_is_an_error(settings):
    with pytest.raises(SettingError):
        RateLimit(**settings).check()


def test_the_short_form_is_a_rule():
    """Request by request."""
    bucket = TokenBucket(max_tokens=2, tokens_per_fill=3, fill_interval="1s")
    for key in ("none", "consumer", "route"):
        short = RateLimit(token_bucket=bucket, key=key).build(around=AROUND)
        long = made(RateLimitRule(limit=bucket, key=key))
        for number in range(300):
            asked = Request(consumer=number % 3, route=number % 4 % 3 - 1)
            now_ns = number * 37 * MS
            assert short.judge(now_ns, asked, DRAW) == long.judge(now_ns, asked, DRAW)
    assert short.judge(0, PLAIN, DRAW) in (PASS, Verdict(429, Flag.RL, decision=Decision.LIMITED, rule=0))


class TestWhichRuleDecided:
    def test_the_one_that_refuses_for_longest(self):
        limits = (
            FixedWindow(requests=1, window="1s"),
            FixedWindow(requests=1, window="5s"),
            FixedWindow(requests=9, window="9s"),
        )
        limit = made(*(RateLimitRule(limit=each) for each in limits))

        assert [limit.judge(0, PLAIN, DRAW).rule for _ in range(2)] == [-1, 1]

    def test_of_those_that_refuse_equally_long_the_first(self):
        limit = made(rule(9), rule(), rule())

        assert [limit.judge(0, PLAIN, DRAW).rule for _ in range(2)] == [-1, 1]

    def test_in_order_the_first_that_refuses(self):
        limits = (FixedWindow(requests=1, window="1s"), FixedWindow(requests=1, window="5s"))
        limit = made(*(RateLimitRule(limit=each) for each in limits), consume="in_order")

        assert [limit.judge(0, PLAIN, DRAW).rule for _ in range(2)] == [-1, 0]

    def test_the_one_that_delays_most(self):
        slow, slower = (LeakyBucket(rate=rate, burst=5) for rate in (10, 5))
        limit = made(RateLimitRule(limit=slow), RateLimitRule(limit=slower))

        assert [limit.judge(0, PLAIN, DRAW).rule for _ in range(2)] == [-1, 1]

    def test_the_first_that_only_looks_on(self):
        limit = made(rule(9), rule(shadow=True), rule(shadow=True))

        assert [limit.judge(0, PLAIN, DRAW).rule for _ in range(2)] == [-1, 1]


def test_time_is_work_for_each_request_whatever_comes_of_it():
    bucket = TokenBucket(max_tokens=1, tokens_per_fill=1, fill_interval="1s")
    limit = RateLimit(token_bucket=bucket, time="17us").build(around=AROUND)

    assert [(verdict.status, verdict.work_ns) for verdict in (limit.judge(0, PLAIN, DRAW) for _ in range(2))] == [
        (0, 17_000),
        (429, 17_000),
    ]
    assert limit.delays
    assert RateLimit(token_bucket=bucket).build(around=AROUND).judge(0, PLAIN, DRAW).work_ns == 0
