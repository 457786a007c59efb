"""Introspection of tokens: whose answers are believed for how long, and who asks."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Then, Verdict
from meshsim.policies.filters.oauth2_introspection import Oauth2Introspection
from meshsim.randomness import Draw
from meshsim.registry import SettingError

SECOND = 1_000_000_000
AROUND = Surroundings(routes=("search", "cart"))
DRAW = Draw()
GOOD = Request(credential=3)
BAD = Request(credential=9, is_valid=False)
DENIED = Verdict(401, Flag.unauthenticated, decision=Decision.DENIED)
FAILED = Verdict(500, Flag.auth_unavailable, decision=Decision.FAILED_CLOSED)
HIT = Verdict(decision=Decision.HIT)
MISS = Verdict(decision=Decision.MISS)


def made(**settings):
    filter_ = Oauth2Introspection(service="issuer", **settings)
    filter_.check()
    return filter_.build(around=AROUND)


def told(filter_, now_ns=0, asked=GOOD, status=200):
    """The verdict, with the issuer's answer if that was asked; and whether it was."""
    verdict = filter_.judge(now_ns, asked, DRAW)
    if verdict.then is Then.ASK:
        return filter_.answered(now_ns, asked, status, DRAW), True
    return verdict, False


def asks(filter_, *times, asked=GOOD, status=200):
    """The times at which the issuer is asked."""
    return [now_ns for now_ns in times if told(filter_, now_ns, asked, status)[1]]


class TestAnswers:
    def test_a_good_token_is_asked_about_once(self):
        filter_ = made()

        assert [told(filter_, now_ns) for now_ns in (0, 1, 2)] == [(MISS, True), (HIT, False), (HIT, False)]

    def test_a_bad_token_is_401_and_asked_about_once(self):
        filter_ = made()

        assert [told(filter_, now_ns, BAD) for now_ns in (0, 1)] == [(DENIED, True), (DENIED, False)]

    def test_without_a_token_nobody_is_asked(self):
        assert told(made(), asked=PLAIN) == (DENIED, False)

    def test_a_bad_token_may_be_something_else_but_none_is_401(self):
        assert told(made(status=403), asked=BAD)[0].status == 403
        assert told(made(status=403), asked=PLAIN)[0].status == 401

    @pytest.mark.parametrize(("route", "status"), [(0, 0), (1, 401), (-1, 0)])
    def test_only_the_named_routes_need_one(self, route, status):
        assert made(routes=("cart",)).judge(0, Request(route=route), DRAW).status == status


class TestCache:
    @pytest.mark.parametrize(("ttl", "over_ns"), [("10s", 10 * SECOND), ("30s", 30 * SECOND)])
    @pytest.mark.parametrize("asked", [GOOD, BAD], ids=["good", "bad"])
    def test_an_answer_is_believed_for_its_time(self, ttl, over_ns, asked):
        assert asks(made(ttl=ttl), 0, 1, over_ns - 1, over_ns, asked=asked) == [0, over_ns]

    def test_bad_tokens_may_have_a_time_of_their_own(self):
        filter_ = made(ttl="10s", negative_ttl="2s")

        assert asks(filter_, 0, 2 * SECOND, 10 * SECOND) == [0, 10 * SECOND]
        assert asks(filter_, 0, 2 * SECOND - 1, 2 * SECOND, asked=BAD) == [0, 2 * SECOND]

    def test_it_may_keep_good_tokens_only_or_bad_ones_only_or_nothing(self):
        assert asks(made(negative_ttl=0), 0, 1, 2, asked=BAD) == [0, 1, 2]
        assert asks(made(negative_ttl=0), 0, 1, 2) == [0]
        assert asks(made(ttl=0, negative_ttl="1s"), 0, 1, 2, asked=BAD) == [0]
        assert asks(made(ttl=0), 0, 1, 2) == [0, 1, 2]

    def test_the_time_runs_from_the_answer(self):
        filter_ = made(ttl="1s")
        filter_.judge(0, GOOD, DRAW)
        filter_.answered(5 * SECOND, GOOD, 200, DRAW)

        assert told(filter_, 6 * SECOND - 1) == (HIT, False)

    def test_made_up_tokens_push_good_ones_out(self):
        filter_ = made(size=3)
        told(filter_)
        for number in range(10, 13):
            told(filter_, asked=Request(credential=number, is_valid=False))

        assert told(filter_, 1) == (MISS, True)

    def test_where_bad_ones_are_not_kept_they_do_not(self):
        filter_ = made(size=3, negative_ttl=0)
        told(filter_)
        for number in range(10, 13):
            told(filter_, asked=Request(credential=number, is_valid=False))

        assert told(filter_, 1) == (HIT, False)

    @pytest.mark.parametrize(("size", "count"), [(2, 3), (3, 0)])
    def test_its_size_is_what_it_holds(self, size, count):
        filter_ = made(size=size)
        tokens = [Request(credential=number) for number in range(3)]
        for asked in tokens:
            told(filter_, asked=asked)

        assert sum(told(filter_, 1, asked)[1] for asked in tokens) == count


class TestFailures:
    @pytest.mark.parametrize("status", [0, 401, 404, 503])
    def test_anything_but_200_is_a_failure(self, status):
        """A bad token is a 200 with "active": false; a 401 says that the proxy itself was not let in."""
        assert told(made(), status=status) == (FAILED, True)

    def test_it_may_fail_with_another_status_or_open(self):
        assert told(made(status_on_error=503), status=0)[0].status == 503
        assert told(made(failure_mode_allow=True), asked=BAD, status=0)[0] == Verdict(decision=Decision.FAILED_OPEN)

    def test_a_failure_is_not_kept(self):
        filter_ = made()
        told(filter_, status=503)

        assert told(filter_, 1) == (MISS, True)

    def test_an_old_answer_is_used_while_the_issuer_fails_if_that_is_wanted(self):
        filter_ = made(ttl="10s", stale_if_error="5s", failure_mode_allow=False)
        told(filter_)
        told(filter_, asked=BAD)
        times = [10 * SECOND, 15 * SECOND - 1, 15 * SECOND]

        assert [told(filter_, now_ns, BAD, 503)[0] for now_ns in times] == [DENIED, DENIED, FAILED]
        stale = Verdict(decision=Decision.STALE)
        assert [told(filter_, now_ns, GOOD, 503)[0] for now_ns in times] == [stale, stale, FAILED]

    def test_otherwise_it_is_not(self):
        filter_ = made(ttl="10s")
        told(filter_)

        assert told(filter_, 10 * SECOND, status=503)[0] == FAILED

    def test_the_issuer_is_asked_first_though_there_is_an_old_answer(self):
        filter_ = made(ttl="10s", stale_if_error="5s")
        told(filter_)

        assert told(filter_, 12 * SECOND) == (MISS, True)


class TestCoalescing:
    def test_one_asks_and_others_with_the_same_token_wait_for_it(self):
        filter_ = made()
        verdicts = [filter_.judge(now_ns, GOOD, DRAW) for now_ns in range(3)]

        assert verdicts == [Verdict(then=Then.ASK, key=3), Verdict(then=Then.WAIT, key=3), Verdict(then=Then.WAIT, key=3)]
        filter_.answered(50, GOOD, 200, DRAW)
        assert filter_.judge(50, GOOD, DRAW) == HIT

    def test_another_token_is_another_question(self):
        filter_ = made()

        assert [filter_.judge(0, asked, DRAW).then for asked in (GOOD, BAD)] == [Then.ASK] * 2

    def test_without_it_all_ask(self):
        filter_ = made(coalesce=False)

        assert [filter_.judge(now_ns, GOOD, DRAW).then for now_ns in range(3)] == [Then.ASK] * 3

    def test_who_waited_fails_with_it_and_the_next_request_asks(self):
        filter_ = made()
        filter_.judge(0, GOOD, DRAW)
        filter_.answered(50, GOOD, 503, DRAW)

        assert filter_.judge(50, GOOD, DRAW) == FAILED
        assert filter_.judge(51, GOOD, DRAW).then is Then.ASK

    def test_who_waited_has_the_old_answer_too(self):
        filter_ = made(ttl="10s", stale_if_error="5s")
        told(filter_)
        filter_.judge(10 * SECOND, GOOD, DRAW)
        filter_.answered(11 * SECOND, GOOD, 503, DRAW)

        assert filter_.judge(11 * SECOND, GOOD, DRAW) == Verdict(decision=Decision.STALE)

    def test_when_the_client_of_the_one_that_asks_leaves_another_one_asks(self):
        filter_ = made(timeout="1s")
        filter_.judge(0, GOOD, DRAW)
        filter_.answered(SECOND - 1, GOOD, 0, DRAW)

        assert [filter_.judge(SECOND - 1, GOOD, DRAW).then for _ in range(2)] == [Then.ASK, Then.WAIT]

    @pytest.mark.parametrize(("asked", "verdict"), [(GOOD, HIT), (BAD, DENIED)], ids=["good", "bad"])
    def test_where_nothing_is_kept_those_who_waited_have_the_answer_all_the_same(self, asked, verdict):
        """Otherwise they would ask one after the other, as with NGINX's `proxy_cache_lock` and an answer that cannot be stored."""
        filter_ = made(ttl=0)
        filter_.judge(0, asked, DRAW)
        filter_.answered(50, asked, 200, DRAW)

        assert [filter_.judge(50, asked, DRAW) for _ in range(2)] == [verdict] * 2
        assert filter_.judge(51, asked, DRAW).then is Then.ASK


def test_kongs_defaults():
    filter_ = Oauth2Introspection(service="issuer")

    assert (filter_.ttl, filter_.timeout) == (30 * SECOND, 10 * SECOND)


@pytest.mark.parametrize(
    ("field", "settings"), [("timeout", {"timeout": 0}), ("stale_if_error", {"ttl": 0, "stale_if_error": "1s"})]
)
def test_settings_that_do_not_go_together_are_told(field, settings):
    with pytest.raises(SettingError) as caught:
        made(**settings)
    assert caught.value.field == field


def test_requests_on_no_route_of_the_named_ones_pass():
    assert made(routes=("cart",)).judge(0, BAD, DRAW) == PASS
