"""Queue disciplines and limits on the wait against exact theory, for one station.

Each asserts 99.9 % intervals: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

from math import exp

import pytest
from statistics_of_runs import erlang_c, mean_waiting, measured, replicate, station

import meshsim as ms

EXPONENTIAL_10MS = {"exponential": {"mean": "10ms"}}


def waits_s(result):
    frame = measured(result)
    return (frame["started_ns"] - frame["arrived_ns"]) / 1e9


def mean_square_of_waiting(result):
    return float((waits_s(result) ** 2).mean())


def test_lifo_has_the_mean_wait_of_fifo_and_a_mean_square_that_is_larger_by_one_over_one_minus_rho():
    """In M/M/1 E[W] = rho / (mu - lambda) in any order that does not look at the work, and E[W^2] = 2 rho / (mu - lambda)^2 in FIFO.

    In LIFO who waits does so for a busy period: E[W^2] = 2 rho / (mu^2 (1 - rho)^3) (Takacs, "Delay distributions for one line with Poisson
    input, general holding times, and various orders of service", Bell System Technical Journal 42, 1963).
    """
    waiting, square = replicate(
        station("60/s", EXPONENTIAL_10MS, duration="200s", warm_up="5s", queue={"discipline": "lifo"}),
        12,
        mean_waiting,
        mean_square_of_waiting,
    )

    assert waiting.agrees(0.6 / 40, 0.10), waiting
    assert square.agrees(2 * 0.6 / 40**2 / (1 - 0.6), 0.40), square


@pytest.mark.slow
def test_waits_of_two_classes_in_m_m_c_are_cobhams():
    """W_k = C(c, a) / (c mu (1 - s_(k-1)) (1 - s_k)), s_k the utilisation by classes 1 to k.

    Source: Cobham, Operations Research 2(1), 1954; Kella and Yechiali, "Waiting times in the non-preemptive priority M/M/c queue",
    Communications in Statistics: Stochastic Models 1(2), 1985.
    """
    scenario = station("60/s", EXPONENTIAL_10MS, 2, duration="150s", warm_up="5s", queue={"discipline": "priority"})
    clients = scenario["load"].pop("clients")
    scenario["load"] = {
        "first": {**clients, "criticality": "critical_plus"},
        "second": {**clients, "rate": "100/s", "criticality": "sheddable"},
    }

    def mean_of(load):
        def mean(result):
            mine = result.requests.loc[result.requests["source"] == load, "request"]
            frame = measured(result)
            frame = frame[frame["request"].isin(mine)]
            return float((frame["started_ns"] - frame["arrived_ns"]).mean() / 1e9)

        return mean

    first, second, together = replicate(scenario, 12, mean_of("first"), mean_of("second"), mean_waiting)

    chance = erlang_c(2, 1.6)
    assert first.agrees(chance / (200 * (1 - 0.3)), 0.05), first
    assert second.agrees(chance / (200 * (1 - 0.3) * (1 - 0.8)), 0.20), second
    assert together.agrees(chance / (200 * (1 - 0.8)), 0.20), together


def test_what_is_served_of_two_consumers_is_max_min_fair():
    """Of 100/s the one that asks for 20/s gets 20 and the other the rest (Bertsekas and Gallager, "Data Networks", section 6.5.2): constant work,
    and queues that are never both empty, so that nothing is left to chance but who comes in the first and the last moment."""
    scenario = station("20/s", "10ms", duration="20s", queue={"discipline": "fair", "limit": 20}, on_cancel="drop_queued")
    modest = {**scenario["load"].pop("clients"), "consumer": "modest"}
    scenario["load"] = {"modest": modest, "greedy": {**modest, "rate": "200/s", "consumer": "greedy"}}

    requests = ms.load(scenario).run(seed=5).requests
    served = requests[requests["status"] == 200]["source"].value_counts()
    asked = int((requests["source"] == "modest").sum())

    assert served["modest"] == asked
    assert served["greedy"] == pytest.approx(2000 - asked, abs=25)


@pytest.mark.parametrize("rate", [80, pytest.param(130, marks=pytest.mark.slow)])
def test_a_longest_wait_refuses_as_m_m_1_with_constant_patience(rate):
    """The work v before a newcomer has density lambda p0 exp((lambda - mu) v) up to the limit t, and falls by exp(-mu v) after it.

    So P(refused) = p0 lambda / mu exp((lambda - mu) t), below overload and above it. Source: Barrer, "Queuing with impatient customers and
    ordered service", Operations Research 5(5), 1957.
    """

    def refused(result):
        return float((result.requests["response_flags"] == "queue_timeout").mean())

    limit_s, growth = 0.05, rate - 100
    idle = 1 / (1 + rate * (exp(growth * limit_s) - 1) / growth + rate / 100 * exp(growth * limit_s))
    (share,) = replicate(station(f"{rate}/s", EXPONENTIAL_10MS, duration="150s", queue={"max_wait": "50ms"}), 12, refused)

    assert share.agrees(idle * rate / 100 * exp(growth * limit_s), 0.12), share


@pytest.mark.parametrize("how", [{"max_wait": "50ms"}, {"shed": {"max_wait": {"limit": "50ms"}}}])
def test_to_refuse_in_time_or_at_the_head_of_a_fifo_is_the_same_to_who_is_served(how):
    """First come, first served: who is too late at the head has been too late before; the answer comes later, and that is all."""
    result, other = (
        replicate(station("130/s", EXPONENTIAL_10MS, duration="20s", queue=queue), 2, mean_waiting)[0]
        for queue in (how, {"max_wait": "50ms"})
    )

    assert result == other
