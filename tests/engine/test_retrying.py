"""One try after the other: how long it waits, what it holds, what pays for it, and when it stops."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_calls import (
    ERROR,
    MS,
    NOT_FOUND,
    REFUSED,
    TIMED_OUT,
    UNAVAILABLE,
    Bench,
    Noting,
    NotingBudget,
    back_offs_ms,
    flags,
    numbers,
    retries,
)

import meshsim as ms
from meshsim.engines.reference.layers.retrying import RetryLayer
from meshsim.engines.reference.layers.timeout import ALL_FLAGS
from meshsim.engines.reference.time.outcome import OK
from meshsim.flags import Flag
from meshsim.policies.retry import RetryQuota
from meshsim.randomness import GATEWAY, SIDECAR
from meshsim.records import WAITS

FOR_EVER = (1000.0, OK)


def layer(bench: Bench, script: Any, made: Any, *, visible: int = ALL_FLAGS, number: int = GATEWAY) -> RetryLayer:
    return RetryLayer(script, made, bench.refusals, number, bench.view, visible)


class TestTheWaits:
    def test_each_wait_comes_from_the_policy_which_is_told_the_one_before(self):
        back_off = Noting(5, 7, 11)
        bench = Bench()
        script = bench.script((10, ERROR), (10, ERROR), (10, ERROR), (10, OK))

        assert bench.run(layer(bench, script, retries(3, back_off=back_off))) is OK

        assert script.started_ms == [0, 15, 32, 53]
        assert back_offs_ms(script) == [0, 5, 7, 11]
        assert back_off.asked == [(1, 0), (2, 5), (3, 7)]
        assert numbers(script) == [1, 2, 3, 4]

    def test_no_wait_is_no_wait(self):
        bench = Bench()
        script = bench.script((10, ERROR), (10, OK))

        bench.run(layer(bench, script, retries(back_off=Noting(0))))

        assert script.started_ms == [0, 10]

    def test_every_wait_draws_anew_and_another_layer_or_call_draws_others(self):
        """The same call in the same layer draws the same: variants are compared request by request."""
        drawn = []
        for number, key in ((GATEWAY, 1), (GATEWAY, 1), (SIDECAR, 1), (GATEWAY, 2)):
            bench, back_off = Bench(), Noting(1, 1)
            bench.run(layer(bench, bench.script(*[(1, ERROR)] * 3), retries(back_off=back_off), number=number), bench.call(key))
            drawn.append(back_off.drawn)
        assert drawn[0] == drawn[1]
        assert len({number for waits in drawn[1:] for number in waits}) == 5  # the first wait knows of no layer yet

    @pytest.mark.parametrize(("most_ms", "started"), [(2, [0, 11, 116]), (0, [0, 105, 210])])
    def test_what_an_answer_asks_for_takes_the_place_of_the_back_off(self, most_ms, started):
        """The first answer asks for 1 ms, the second for 50 ms, which is more than is taken at its word."""
        bench = Bench()
        script = bench.script((10, ERROR._replace(retry_after_ns=MS)), (10, ERROR._replace(retry_after_ns=50 * MS)), (0, OK))

        bench.run(layer(bench, script, retries(back_off_ms=95, max_retry_after_ns=most_ms * MS)))

        assert script.started_ms == started

    def test_who_gives_up_in_the_wait_leaves_a_row_of_it(self):
        bench = Bench()
        script = bench.script((10, ERROR))

        outcome = bench.run(layer(bench, script, retries(back_off_ms=50)), cut_ms=30)

        assert Flag(outcome.flags) == Flag.UT
        assert script.started_ms == [0]
        (row,) = (dict(zip(WAITS, row, strict=True)) for row in bench.recorder.waits)
        assert (row["backoff_ns"], row["ended_ns"], row["connection_ns"]) == (20 * MS, 30 * MS, 0)


class TestWhenItStops:
    @pytest.mark.parametrize("number", [1, 2, 5])
    def test_so_many_after_the_first_and_the_last_row_says_that_they_are_used_up(self, number):
        bench = Bench()
        script = bench.script(*[(10, UNAVAILABLE)] * 9)

        outcome = bench.run(layer(bench, script, retries(number)))

        assert len(script.started_ms) == 1 + number
        assert Flag(outcome.flags) == Flag.error | Flag.URX
        assert [flags(row) for row in script.rows] == [Flag.error] * number + [Flag.error | Flag.URX]
        assert bench.view.activity.retries == number

    def test_what_no_condition_matches_is_final_without_a_flag(self):
        bench = Bench()
        script = bench.script((10, NOT_FOUND))

        assert bench.run(layer(bench, script, retries())) is NOT_FOUND

        assert script.started_ms == [0]

    def test_it_does_not_see_flags_that_its_proxy_keeps_to_itself(self):
        """A client sees a 503, not that the connection failed: `connect-failure` does not match for it."""
        for visible, tries in ((ALL_FLAGS, 3), (int(Flag.UT), 1)):
            bench = Bench()
            script = bench.script(*[(10, REFUSED)] * 3)
            bench.run(layer(bench, script, retries(2, "connect-failure"), visible=visible))
            assert len(script.started_ms) == tries


class TestWhatItHolds:
    def test_a_slot_from_the_decision_through_the_wait_until_the_outcome(self):
        bench = Bench(limits={"max_retries": 1})
        script = bench.script((10, ERROR), (20, ERROR), (20, OK))

        bench.run(layer(bench, script, retries(back_off_ms=10)), watch=[9, 11, 25, 41, 65, 71])

        assert script.started_ms == [0, 20, 50]
        assert bench.watched == {9: 0, 11: 1, 25: 1, 41: 1, 65: 1, 71: 0}

    @pytest.mark.parametrize("cut_ms", [15, 25])
    def test_who_gives_up_gives_it_back(self, cut_ms):
        bench = Bench()

        bench.run(layer(bench, bench.script((10, ERROR), FOR_EVER), retries(back_off_ms=10)), cut_ms=cut_ms)

        assert bench.view.retries.in_use == 0

    def test_without_a_slot_it_ends_with_uo_and_is_counted(self):
        bench = Bench(limits={"max_retries": 1})
        bench.view.retries.in_use = 1
        script = bench.script((10, ERROR))

        outcome = bench.run(layer(bench, script, retries()))

        assert Flag(outcome.flags) == Flag.error | Flag.UO == flags(script.rows[0])
        assert (bench.view.activity.retries, bench.view.activity.retries_refused) == (0, 1)
        assert bench.view.retries.in_use == 1


class TestWhatPays:
    def test_one_deposit_for_all_tries_a_withdrawal_for_each_further_one_and_the_success_is_told(self):
        budget = NotingBudget()
        bench = Bench(token_budget=budget)

        bench.run(layer(bench, bench.script((10, ERROR), (10, TIMED_OUT), (10, OK)), retries()))

        assert budget.told == [
            ("deposit", 0),
            ("withdraw", 10, False),
            ("withdraw", 25, True),
            ("succeeded", 40, True, True),
        ]

    def test_a_first_try_that_succeeds_is_no_retry_and_a_failure_pays_nothing_back(self):
        for outcome, told in ((OK, [("deposit", 0), ("succeeded", 10, False, False)]), (NOT_FOUND, [("deposit", 0)])):
            budget = NotingBudget()
            bench = Bench(token_budget=budget)
            bench.run(layer(bench, bench.script((10, outcome)), retries()))
            assert budget.told == told

    def test_no_token_no_retry_and_no_slot_taken(self):
        bench = Bench(token_budget=NotingBudget(tokens=1))
        script = bench.script(*[(10, ERROR)] * 3)

        outcome = bench.run(layer(bench, script, retries()))

        assert script.started_ms == [0, 15]
        assert Flag(outcome.flags) == Flag.error | Flag.UO
        assert (bench.view.retries.in_use, bench.view.activity.retries_refused) == (0, 1)

    def test_a_full_breaker_costs_no_token(self):
        bench = Bench(limits={"max_retries": 0}, token_budget=RetryQuota())

        bench.run(layer(bench, bench.script((10, ERROR)), retries()))

        assert bench.view.token_budget.tokens == 500  # type: ignore[union-attr]


def test_in_a_total_outage_a_quota_ends_the_retries():
    """Fifty retries of cost 5 empty a bucket of 250; not one comes after them, as no success fills it."""
    traffic = {"back": {"retry_token_budget": {"retry_quota": {"capacity": 250}}}}
    result = ms.load(
        {
            "name": "outage",
            "deployment": "gateway",
            "load": {
                "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "100/s", "requests": {"all": 1}}
            },
            "gateway": {
                "routes": {"all": {"path": "/", "to": "back", "retries": {"num_retries": 2, "retry_on": ["5xx"]}}},
                "traffic": traffic,
            },
            "services": {"back": {"workers": 100, "script": [{"compute": "1ms"}], "errors": "100%"}},
            "run": {"duration": "2s"},
        }
    ).run()

    assert (result.attempts["attempt"] > 1).sum() == 50
    assert result.destinations["retries"].sum() == 50
    assert result.destinations["retries_refused"].sum() > 100
