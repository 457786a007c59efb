"""Passwords: who is refused, and what each hash costs, at every request."""

from __future__ import annotations

import pytest
from asking import PLAIN, Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Verdict
from meshsim.policies.filters.basic_auth import BasicAuth
from meshsim.randomness import Draw

MS = 1_000_000
AROUND = Surroundings(routes=("search", "cart"))
DRAW = Draw()
GOOD = Request(credential=3)
BAD = Request(credential=9, is_valid=False)


def made(**settings):
    return BasicAuth(**settings).build(around=AROUND)


def work_ns(filter_, asked=GOOD, now_ns=0):
    return filter_.judge(now_ns, asked, DRAW).work_ns


class TestWho:
    def test_a_good_password_passes(self):
        assert made(verify_time=0).judge(0, GOOD, DRAW) == PASS

    @pytest.mark.parametrize("asked", [PLAIN, BAD], ids=["none", "wrong"])
    def test_none_and_a_wrong_one_are_401(self, asked):
        assert made(verify_time=0).judge(0, asked, DRAW) == Verdict(401, Flag.unauthenticated, decision=Decision.DENIED)

    @pytest.mark.parametrize(("route", "status"), [(0, 0), (1, 401), (-1, 0)])
    def test_only_the_named_routes_need_one(self, route, status):
        assert made(routes=("cart",)).judge(0, Request(route=route), DRAW).status == status


class TestCost:
    def test_a_wrong_password_costs_as_much_as_a_good_one_and_none_costs_nothing(self):
        filter_ = made(algorithm="bcrypt", bcrypt_cost=10)

        assert work_ns(filter_, BAD) == work_ns(filter_, GOOD) > 40 * MS
        assert work_ns(filter_, PLAIN) == 0

    def test_each_request_pays_anew(self):
        filter_ = made(algorithm="bcrypt")

        assert [work_ns(filter_, now_ns=second * 1000 * MS) for second in range(3)] == [work_ns(filter_)] * 3 != [0] * 3

    def test_algorithms_differ_by_six_orders_of_magnitude(self):
        names = ["sha", "apr1", "sha512_crypt", "bcrypt"]
        times = [work_ns(made(algorithm=name, bcrypt_cost=12)) for name in names]

        assert times == sorted(times)
        assert times[-1] > 1_000_000 * times[0]

    @pytest.mark.parametrize("cost", [4, 9, 30])
    def test_one_more_bcrypt_cost_doubles_the_time(self, cost):
        assert work_ns(made(algorithm="bcrypt", bcrypt_cost=cost + 1)) == 2 * work_ns(made(algorithm="bcrypt", bcrypt_cost=cost))

    @pytest.mark.parametrize(
        ("cost", "measured_ns"), [(4, 800_000), (5, 1_493_000), (8, 11_350_000), (10, 45_500_000), (12, 182_500_000)]
    )
    def test_bcrypt_takes_what_was_measured(self, cost, measured_ns):
        """The best of many runs of crypt(3); within 15 %, since the part that does not double counts at small costs."""
        assert work_ns(made(algorithm="bcrypt", bcrypt_cost=cost)) == pytest.approx(measured_ns, rel=0.15)

    def test_a_given_time_stands_for_any_algorithm(self):
        assert work_ns(made(algorithm="bcrypt", verify_time="7ms")) == 7 * MS

    def test_it_takes_time_unless_it_is_said_to_take_none(self):
        assert made().delays
        assert not made(verify_time=0).delays


class TestCache:
    def test_without_one_nothing_is_a_hit_or_a_miss(self):
        assert made().judge(0, GOOD, DRAW).decision is Decision.ADMITTED

    def test_a_good_password_is_hashed_once(self):
        filter_ = made(algorithm="bcrypt", cache_size=5)
        first = filter_.judge(0, GOOD, DRAW)
        later = filter_.judge(first.work_ns, GOOD, DRAW)

        assert first.decision is Decision.MISS
        assert (later.work_ns, later.decision) == (0, Decision.HIT)

    def test_who_comes_while_it_is_being_hashed_hashes_it_too(self):
        """What people forget: a browser's first eight requests all pay."""
        filter_ = made(algorithm="bcrypt", cache_size=5)
        first = filter_.judge(0, GOOD, DRAW)

        assert filter_.judge(first.work_ns - 1, GOOD, DRAW) == first
        assert filter_.judge(first.work_ns, GOOD, DRAW).work_ns == 0

    def test_a_wrong_password_is_hashed_each_time(self):
        filter_ = made(algorithm="bcrypt", cache_size=5)

        assert [filter_.judge(second * 1000 * MS, BAD, DRAW).work_ns > 0 for second in range(3)] == [True] * 3

    def test_the_one_used_longest_ago_is_forgotten(self):
        filter_ = made(verify_time="1us", cache_size=2)
        for number in (1, 2, 1, 3):
            filter_.judge(0, Request(credential=number), DRAW)

        assert [work_ns(filter_, Request(credential=number), 10_000) for number in (1, 3, 2)] == [0, 0, 1000]
