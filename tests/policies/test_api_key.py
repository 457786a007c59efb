"""API keys: who is refused, where, and what a look costs."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Verdict
from meshsim.policies.filters.api_key import ApiKey
from meshsim.randomness import Draw
from meshsim.registry import SettingError

AROUND = Surroundings(routes=("search", "cart"))
DRAW = Draw()
DENIED = Verdict(401, Flag.unauthenticated, decision=Decision.DENIED)
KNOWN = Request(credential=3)
UNKNOWN = Request(credential=4, is_valid=False)


def judged(asked, **settings):
    return ApiKey(**settings).build(around=AROUND).judge(0, asked, DRAW)


def test_a_known_key_passes():
    assert judged(KNOWN) == PASS


@pytest.mark.parametrize("asked", [PLAIN, UNKNOWN], ids=["none", "unknown"])
def test_no_key_and_an_unknown_one_are_both_401(asked):
    """Not 403, and not UAEX, which is the external authorization's."""
    assert judged(asked) == DENIED


def test_an_unknown_key_is_looked_up_like_a_known_one_and_none_is_not():
    assert judged(KNOWN, verify_time="5us").work_ns == 5000
    assert judged(UNKNOWN, verify_time="5us").work_ns == 5000
    assert judged(PLAIN, verify_time="5us").work_ns == 0


@pytest.mark.parametrize(("route", "status"), [(0, 0), (1, 401), (-1, 0)])
def test_only_the_named_routes_need_a_key(route, status):
    """A request that matches no route is not on any of them."""
    assert judged(Request(route=route), routes=("cart",)).status == status


def test_where_no_routes_are_named_a_request_without_a_route_needs_a_key_too():
    assert judged(Request(route=-1)) == DENIED


def test_it_takes_time_only_where_it_says_so():
    assert not ApiKey().build(around=AROUND).delays
    assert ApiKey(verify_time="1us").build(around=AROUND).delays


def test_an_unknown_route_is_told():
    with pytest.raises(SettingError, match="did you mean 'cart'"):
        ApiKey(routes=("carts",)).build(around=AROUND)
