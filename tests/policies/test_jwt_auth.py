"""JSON web tokens: what a look costs, what is remembered of it, and Envoy's way to get the keys."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Then, Verdict
from meshsim.policies.filters.jwt_auth import JwtAuth
from meshsim.randomness import Draw
from meshsim.registry import SettingError

MS = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
AROUND = Surroundings(routes=("search", "cart"))
DRAW = Draw()
DENIED = Verdict(401, Flag.unauthenticated, decision=Decision.DENIED)
FAILED = Verdict(401, Flag.auth_unavailable, decision=Decision.FAILED_CLOSED)
ASK = Verdict(then=Then.ASK)
GOOD = Request(credential=3)
BAD = Request(credential=9, is_valid=False)


def made(**settings):
    filter_ = JwtAuth(**{"verify_time": "10us", **settings})
    filter_.check()
    return filter_.build(around=AROUND)


def told(filter_, now_ns=0, asked=GOOD, status=200):
    """The verdict, with the key set if that was asked for; and whether it was."""
    verdict = filter_.judge(now_ns, asked, DRAW)
    if verdict.then is Then.ASK:
        return filter_.answered(now_ns, asked, status, DRAW), True
    return verdict, False


class TestTokens:
    def test_a_good_token_passes_after_its_verification(self):
        assert made().judge(0, GOOD, DRAW) == PASS._replace(work_ns=10_000)

    def test_a_bad_token_is_401_after_its_verification(self):
        """UAEX is the external authorization's."""
        assert made().judge(0, BAD, DRAW) == DENIED._replace(work_ns=10_000)

    def test_no_token_is_401_and_costs_nothing(self):
        assert made().judge(0, PLAIN, DRAW) == DENIED

    def test_no_token_passes_where_that_is_allowed_but_a_bad_one_does_not(self):
        """Istio's RequestAuthentication by itself keeps nobody out who brings no token."""
        filter_ = made(allow_missing=True)

        assert filter_.judge(0, PLAIN, DRAW) == PASS
        assert filter_.judge(0, BAD, DRAW).status == 401

    @pytest.mark.parametrize(("route", "status"), [(0, 0), (1, 401), (-1, 0)])
    def test_only_the_named_routes_need_one(self, route, status):
        assert made(routes=("cart",)).judge(0, Request(route=route), DRAW).status == status

    def test_rsa_is_verified_faster_than_elliptic_curves(self):
        """It is signing that RSA is slow at."""
        names = ["HS256", "RS256", "ES256", "EdDSA"]
        times = [made(algorithm=name, verify_time=None).judge(0, GOOD, DRAW).work_ns for name in names]

        assert times == sorted(times)
        assert times[1] * 2 < times[2]


class TestTokenCache:
    def test_without_one_each_request_pays(self):
        filter_ = made()

        assert [filter_.judge(0, GOOD, DRAW) for _ in range(2)] == [PASS._replace(work_ns=10_000)] * 2

    def test_a_good_token_is_verified_once(self):
        filter_ = made(cache_size=10)
        verdicts = [filter_.judge(0, GOOD, DRAW) for _ in range(2)]

        assert verdicts == [Verdict(work_ns=10_000, decision=Decision.MISS), Verdict(decision=Decision.HIT)]

    def test_a_bad_token_is_verified_each_time(self):
        filter_ = made(cache_size=10)

        assert [filter_.judge(0, BAD, DRAW).work_ns for _ in range(2)] == [10_000] * 2

    def test_the_one_used_longest_ago_is_forgotten(self):
        filter_ = made(cache_size=2)
        order = [filter_.judge(0, Request(credential=number), DRAW).decision for number in (1, 2, 1, 3, 1, 2)]

        assert [decision is Decision.HIT for decision in order] == [False, False, True, False, True, False]

    @pytest.mark.parametrize("size", [99, 100])
    def test_asked_for_in_turn_one_token_too_many_makes_it_useless(self, size):
        """100 clients in turn, 100 being Envoy's size: with 99 places there is not one hit."""
        filter_ = made(cache_size=size)
        hits = sum(filter_.judge(0, Request(credential=turn % 100), DRAW).decision is Decision.HIT for turn in range(300))

        assert hits == (200 if size == 100 else 0)

    def test_a_new_token_of_the_same_client_is_verified(self):
        filter_ = made(cache_size=10, token_lifetime="1m")  # noqa: S106 — no password
        first = Request(credential=0)
        found = [filter_.judge(now_ns, first, DRAW).decision for now_ns in (0, MINUTE - 1, MINUTE)]

        assert found == [Decision.MISS, Decision.HIT, Decision.MISS]

    def test_an_old_token_takes_room_until_newer_ones_have_pushed_it_out(self):
        """Client 0 takes a new token at 60 s: its old one was used after that of client 1, which goes."""
        filter_ = made(cache_size=2, token_lifetime="1m")  # noqa: S106 — no password
        turns = [(1, 58), (0, 59), (0, 60), (1, 61)]
        found = [filter_.judge(second * SECOND, Request(credential=number), DRAW).decision for number, second in turns]

        assert found == [Decision.MISS] * 4

    def test_a_cached_token_needs_no_key_any_more(self):
        """Neither is the set fetched for it, nor does it matter that its key is gone: it is good until it expires."""
        filter_ = made(cache_size=10, service="issuer", cache_duration="1m")
        told(filter_)

        assert told(filter_, 2 * MINUTE) == (Verdict(decision=Decision.HIT), False)


class TestFetching:
    def test_the_first_request_fetches_and_the_next_ones_have_it(self):
        filter_ = made(service="issuer")

        assert told(filter_) == (PASS._replace(work_ns=10_000), True)
        assert told(filter_, 1) == (PASS._replace(work_ns=10_000), False)

    def test_keys_of_its_own_are_never_fetched(self):
        assert told(made(), 1000 * MINUTE)[1] is False

    def test_a_bad_token_makes_it_fetch_too_and_none_does_not(self):
        assert told(made(service="issuer"), asked=BAD) == (DENIED._replace(work_ns=10_000), True)
        assert told(made(service="issuer"), asked=PLAIN) == (DENIED, False)

    def test_each_request_that_comes_meanwhile_fetches_once_more(self):
        filter_ = made(service="issuer")

        assert [filter_.judge(number, GOOD, DRAW) for number in range(5)] == [ASK] * 5

    @pytest.mark.parametrize(("duration", "over_ns"), [("5m", 300 * 10**9), ("10m", 600 * 10**9)])
    def test_it_fetches_again_when_the_set_is_over(self, duration, over_ns):
        filter_ = made(service="issuer", cache_duration=duration)
        told(filter_)

        assert [told(filter_, now_ns)[1] for now_ns in (over_ns - 1, over_ns, over_ns + 1)] == [False, True, False]

    @pytest.mark.parametrize("status", [0, 404, 503])
    def test_a_fetch_that_fails_is_the_requests_401_and_not_503(self, status):
        assert told(made(service="issuer"), status=status) == (FAILED, True)

    def test_the_old_set_is_of_no_use_when_the_new_one_does_not_come(self):
        filter_ = made(service="issuer", cache_duration="1m")
        told(filter_)

        assert [told(filter_, MINUTE + number, status=503) for number in range(3)] == [(FAILED, True)] * 3

    def test_in_the_background_nobody_waits_and_nobody_fetches(self):
        filter_ = made(service="issuer", cache_duration="1m", async_fetch=True)

        assert [told(filter_, now_ns)[1] for now_ns in (0, MINUTE, 100 * MINUTE)] == [False] * 3

    def test_envoys_defaults(self):
        filter_ = JwtAuth(service="issuer")

        assert (filter_.cache_duration, filter_.async_fetch, filter_.coalesce) == (10 * MINUTE, False, False)
        assert (filter_.refetch_cooldown, filter_.cache_size) == (None, 0)


class TestMistakes:
    @pytest.mark.parametrize(
        ("field", "settings"),
        [
            ("timeout", {"timeout": 0}),
            ("cache_duration", {"cache_duration": 0}),
            ("token_lifetime", {"token_lifetime": 0}),
            ("rotations", {"rotations": (1,)}),
            ("async_fetch", {"async_fetch": True}),
            ("coalesce", {"coalesce": True}),
            ("refetch_cooldown", {"refetch_cooldown": 0}),
            ("publish_ahead", {"service": "issuer", "publish_ahead": "1h"}),
            ("async_fetch", {"service": "issuer", "async_fetch": True, "coalesce": True}),
            ("async_fetch", {"service": "issuer", "async_fetch": True, "refetch_cooldown": 0}),
        ],
    )
    def test_settings_that_do_not_go_together_are_told(self, field, settings):
        with pytest.raises(SettingError) as caught:
            made(**settings)
        assert caught.value.field == field
