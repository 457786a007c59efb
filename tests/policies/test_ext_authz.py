"""External authorization: what the service says, and what follows where it says nothing."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Then, Verdict
from meshsim.policies.filters.ext_authz import ExtAuthz
from meshsim.randomness import Draw
from meshsim.registry import SettingError

AROUND = Surroundings(routes=("search", "cart"))
DRAW = Draw()
GOOD = Request(credential=3)
BAD = Request(credential=4, is_valid=False)


def made(**settings):
    filter_ = ExtAuthz(service="authz", **settings)
    filter_.check()
    return filter_.build(around=AROUND)


def answered(said, asked=GOOD, **settings):
    filter_ = made(**settings)
    assert filter_.judge(0, asked, DRAW).then is Then.ASK
    return filter_.answered(0, asked, said, DRAW)


class TestAnswers:
    def test_it_asks_for_each_request_anew(self):
        filter_ = made()
        for _ in range(3):
            assert filter_.judge(0, GOOD, DRAW) == Verdict(then=Then.ASK)
            assert filter_.answered(0, GOOD, 200, DRAW) == PASS

    @pytest.mark.parametrize("asked", [PLAIN, BAD], ids=["none", "bad"])
    def test_bad_credentials_are_403_with_uaex(self, asked):
        assert answered(200, asked) == Verdict(403, Flag.UAEX, decision=Decision.DENIED)

    def test_the_service_may_say_something_else(self):
        assert answered(200, BAD, status=401).status == 401

    @pytest.mark.parametrize("status", [302, 404, 429])
    def test_what_the_service_answers_itself_is_the_clients_answer(self, status):
        """An authorization service that is rate limited refuses with its own 429, and `failure_mode_allow` has no say in that."""
        denied = Verdict(status, Flag.UAEX, decision=Decision.DENIED)

        assert answered(status) == answered(status, failure_mode_allow=True) == denied


class TestFailures:
    @pytest.mark.parametrize("status", [0, 500, 503])
    def test_a_failure_looks_like_a_refusal_in_the_log(self, status):
        """403 and UAEX both; only the decision tells them apart."""
        assert answered(status) == Verdict(403, Flag.UAEX, decision=Decision.FAILED_CLOSED)
        assert answered(status)[:2] == answered(200, BAD)[:2]

    def test_unless_it_has_a_status_of_its_own(self):
        assert answered(503, status_on_error=503).status == 503
        assert answered(200, BAD, status_on_error=503).status == 403

    def test_who_fails_open_lets_bad_credentials_pass_too(self):
        assert answered(0, BAD, failure_mode_allow=True) == Verdict(decision=Decision.FAILED_OPEN)


class TestWhom:
    @pytest.mark.parametrize(("route", "is_asked"), [(0, False), (1, True), (-1, False)])
    def test_it_asks_for_the_named_routes_only(self, route, is_asked):
        verdict = made(routes=("cart",)).judge(0, Request(route=route), DRAW)

        assert verdict == (Verdict(then=Then.ASK) if is_asked else PASS)

    @pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
    def test_it_asks_for_a_share(self, share):
        """4000 draws lie within 4 standard deviations in all but 6 of 100,000 seeds."""
        filter_ = made(filter_enabled=share)
        asked = sum(filter_.judge(0, GOOD, DRAW.at(number, 1)).then is Then.ASK for number in range(4000))

        assert abs(asked - 4000 * share) <= 4 * (4000 * share * (1 - share)) ** 0.5

    def test_it_draws_only_for_a_share(self):
        assert not made().draws
        assert made(filter_enabled=0.5).draws


def test_envoys_defaults():
    filter_ = ExtAuthz(service="authz")

    assert (filter_.timeout, filter_.failure_mode_allow, filter_.status_on_error) == (200_000_000, False, 403)


def test_no_time_to_answer_is_told():
    with pytest.raises(SettingError, match="longer than 0s"):
        made(timeout=0)
