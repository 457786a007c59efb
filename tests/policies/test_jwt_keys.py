"""Rotation of the keys of JSON web tokens: who is refused for how long, and fetching once for all."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Then, Verdict
from meshsim.policies.filters.jwt_auth import JwtAuth
from meshsim.policies.filters.key_set import KeySet
from meshsim.randomness import Draw

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DRAW = Draw()
DENIED = Verdict(401, Flag.unauthenticated, decision=Decision.DENIED)
FAILED = Verdict(401, Flag.auth_unavailable, decision=Decision.FAILED_CLOSED)
ASK = Verdict(then=Then.ASK)
WAIT = Verdict(then=Then.WAIT)
GOOD = Request(credential=3)


def made(**settings):
    filter_ = JwtAuth(service="issuer", verify_time=0, **settings)
    filter_.check()
    return filter_.build(around=Surroundings())


def told(filter_, now_ns, asked=GOOD, status=200):
    verdict = filter_.judge(now_ns, asked, DRAW)
    return filter_.answered(now_ns, asked, status, DRAW) if verdict.then is Then.ASK else verdict


def refused(filter_, until_ns, step_ns=SECOND, asked=GOOD):
    """The times, in steps, at which requests are refused."""
    return [now_ns // step_ns for now_ns in range(0, until_ns, step_ns) if told(filter_, now_ns, asked).status]


class TestKeySet:
    def test_a_key_signs_from_the_instant_of_its_rotation(self):
        keys = KeySet((50, 20), 0, 100, is_async=False)

        assert [keys.signing(at_ns) for at_ns in (-5, 0, 19, 20, 49, 50, 999)] == [0, 0, 0, 1, 1, 2, 2]

    def test_it_is_published_before_that(self):
        keys = KeySet((20, 50), 15, 100, is_async=False)

        assert [keys.published(at_ns) for at_ns in (0, 4, 5, 34, 35)] == [0, 0, 1, 1, 2]

    def test_what_is_known_is_what_was_published_when_it_came(self):
        keys = KeySet((20,), 0, 100, is_async=False)
        keys.fetched(19)
        assert keys.known(30) == 0
        keys.fetched(20)
        assert keys.known(30) == 1

    def test_it_is_missing_before_it_comes_and_when_it_is_over(self):
        keys = KeySet((), 0, 100, is_async=False)
        assert keys.is_missing(0)
        keys.fetched(10)
        assert [keys.is_missing(now_ns) for now_ns in (10, 109, 110)] == [False, False, True]

    def test_a_set_from_the_start_is_never_missing(self):
        assert not KeySet((), 0, None, is_async=False).is_missing(10**18)

    @pytest.mark.parametrize(("lifetime_ns", "period_ns"), [(60 * SECOND, 55 * SECOND), (5 * SECOND, 5 * SECOND)])
    def test_in_the_background_it_comes_five_seconds_before_it_is_over(self, lifetime_ns, period_ns):
        keys = KeySet((1,), 0, lifetime_ns, is_async=True)

        assert not keys.is_missing(10 * lifetime_ns)
        assert [keys.known(now_ns) for now_ns in (0, period_ns - 1, period_ns)] == [0, 0, 1]


class TestRotation:
    def test_new_tokens_are_refused_until_the_set_is_over(self):
        """Fetched at 0 for 10 s; keys change at 7."""
        assert refused(made(cache_duration="10s", rotations=(7 * SECOND,)), 30 * SECOND) == [7, 8, 9]

    @pytest.mark.parametrize(("duration", "count"), [("2s", 1), ("10s", 3), ("1m", 53)])
    def test_the_longer_the_set_is_used_the_longer_they_are_refused(self, duration, count):
        assert len(refused(made(cache_duration=duration, rotations=(7 * SECOND,)), 120 * SECOND)) == count

    @pytest.mark.parametrize(("ahead", "times"), [("0s", [7, 8, 9]), ("6s", [7, 8, 9]), ("7s", []), ("1h", [])])
    def test_a_key_that_was_published_in_time_is_known(self, ahead, times):
        """The set that is used at 7 came at 0."""
        assert refused(made(cache_duration="10s", rotations=(7 * SECOND,), publish_ahead=ahead), 30 * SECOND) == times

    def test_each_rotation_costs_anew(self):
        filter_ = made(cache_duration="10s", rotations=(7 * SECOND, 18 * SECOND))

        assert refused(filter_, 40 * SECOND) == [7, 8, 9, 18, 19]

    def test_in_the_background_it_is_the_same_only_sooner(self):
        filter_ = made(cache_duration="15s", async_fetch=True, rotations=(7 * SECOND,))

        assert refused(filter_, 40 * SECOND) == [7, 8, 9]

    def test_who_still_has_an_old_token_is_not_refused(self):
        """Clients take new tokens at their own times: of 1000 with tokens of a minute, as many are refused as have a new one by then."""
        filter_ = made(cache_duration="1h", rotations=(MINUTE,), token_lifetime="1m")  # noqa: S106 — no password
        shares = [
            sum(told(filter_, now_ns, Request(credential=number)).status == 401 for number in range(1000))
            for now_ns in (MINUTE - 1, MINUTE + 15 * SECOND, MINUTE + 45 * SECOND, 2 * MINUTE)
        ]

        assert shares == pytest.approx([0, 250, 750, 1000], abs=5)

    def test_without_a_lifetime_all_have_new_tokens_after_a_rotation(self):
        filter_ = made(cache_duration="1h", rotations=(SECOND,), cache_size=5)

        assert [told(filter_, now_ns).decision for now_ns in (0, SECOND - 1, SECOND)] == [
            Decision.MISS,
            Decision.HIT,
            Decision.DENIED,
        ]

    def test_a_token_in_the_cache_outlives_its_key(self):
        filter_ = made(cache_duration="1h", rotations=(SECOND,), cache_size=5, token_lifetime="10s")  # noqa: S106 — no password
        first = Request(credential=0)
        found = [told(filter_, now_ns, first) for now_ns in (0, 9 * SECOND, 10 * SECOND)]

        assert found == [Verdict(decision=Decision.MISS), Verdict(decision=Decision.HIT), DENIED]


class TestUnknownKeys:
    def test_a_token_whose_key_is_unknown_is_not_verified(self):
        filter_ = JwtAuth(service="issuer", rotations=(SECOND,), verify_time="1ms").build(around=Surroundings())
        told(filter_, 0)

        assert told(filter_, SECOND) == DENIED

    def test_fetching_at_once_refuses_nobody(self):
        filter_ = made(cache_duration="10m", rotations=(7 * SECOND,), refetch_cooldown="1s")

        assert refused(filter_, 30 * SECOND) == []

    def test_the_set_is_not_fetched_again_within_the_cooldown(self):
        """It came at 0, so that the next one comes at 10 at the earliest."""
        filter_ = made(cache_duration="10m", rotations=(7 * SECOND,), refetch_cooldown="10s")

        assert refused(filter_, 30 * SECOND) == [7, 8, 9]

    def test_while_the_issuer_fails_tokens_with_a_known_key_pass_all_the_same(self):
        """Client 0 takes a new token each hour, client 1 at 38 % of it; the key changes at 50 %."""
        filter_ = made(cache_duration="9h", rotations=(30 * MINUTE,), refetch_cooldown=0, token_lifetime="1h")  # noqa: S106 — no password
        new, old = Request(credential=0), Request(credential=1)
        told(filter_, 0)

        assert [told(filter_, 60 * MINUTE, asked, status=503) for asked in (new, old)] == [FAILED, PASS]


class TestCoalescing:
    def test_one_fetches_and_the_others_wait(self):
        filter_ = made(coalesce=True)

        assert [filter_.judge(number, GOOD, DRAW) for number in range(3)] == [ASK, WAIT, WAIT]
        assert filter_.answered(50, GOOD, 200, DRAW) == PASS
        assert filter_.judge(50, GOOD, DRAW) == PASS

    def test_who_waited_fails_with_it_and_the_next_request_fetches(self):
        filter_ = made(coalesce=True)
        filter_.judge(0, GOOD, DRAW)

        assert filter_.answered(50, GOOD, 503, DRAW) == FAILED
        assert filter_.judge(50, GOOD, DRAW) == FAILED
        assert filter_.judge(51, GOOD, DRAW) == ASK

    def test_when_the_client_of_the_one_that_fetches_leaves_another_one_fetches(self):
        filter_ = made(coalesce=True, timeout="1s")
        filter_.judge(0, GOOD, DRAW)
        filter_.answered(SECOND - 1, GOOD, 0, DRAW)

        assert [filter_.judge(SECOND - 1, GOOD, DRAW) for _ in range(2)] == [ASK, WAIT]

    def test_no_answer_in_time_is_a_failure(self):
        filter_ = made(coalesce=True, timeout="1s")
        filter_.judge(0, GOOD, DRAW)
        filter_.answered(SECOND, GOOD, 0, DRAW)

        assert filter_.judge(SECOND, GOOD, DRAW) == FAILED
