"""Single stations against exact theory.

Each asserts two 99.9 % intervals or more: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

import math

import pytest
from statistics_of_runs import erlang_c, mean_response, mean_waiting, measured, replicate, station

EXPONENTIAL_10MS = {"exponential": {"mean": "10ms"}}


@pytest.mark.parametrize(
    ("rate", "load", "duration", "replications", "within"),
    [(50, 0.5, "200s", 10, 0.05), pytest.param(80, 0.8, "400s", 12, 0.10, marks=pytest.mark.slow)],
)
def test_mean_response_in_m_m_1_is_one_over_mu_minus_lambda(rate, load, duration, replications, within):
    """W = 1 / (mu - lambda) (Kleinrock 1975, section 3.2); golden rows mm1_r50_W and mm1_r80_W."""
    response, waiting = replicate(
        station(f"{rate}/s", EXPONENTIAL_10MS, duration=duration, warm_up="20s"), replications, mean_response, mean_waiting
    )

    assert response.agrees(1 / (100 - rate), within), response
    assert waiting.agrees(load / (100 - rate), 2 * within), waiting


@pytest.mark.slow
def test_mean_response_in_m_m_1_at_ninety_five_percent():
    """The same at rho 0.95, where a mean needs 28 million requests for 2 %: it is enough that the interval is 25 % wide."""
    (response,) = replicate(station("95/s", EXPONENTIAL_10MS, duration="3000s", warm_up="200s"), 12, mean_response)

    assert response.agrees(1 / (100 - 95), 0.25), response


@pytest.mark.slow
def test_quantiles_of_response_in_m_m_1_are_exponential():
    """The response time is exponential with mean W (Kleinrock 1975, section 3.2); golden rows mm1_r80_p50 to p99."""

    def quantile(q):
        return lambda result: float(result.requests.query("started_ns >= 20e9")["latency_s"].quantile(q))

    median, tail = replicate(station("80/s", EXPONENTIAL_10MS, duration="400s", warm_up="20s"), 12, quantile(0.5), quantile(0.99))

    assert median.agrees(math.log(2) / 20, 0.10), median
    assert tail.agrees(math.log(100) / 20, 0.20), tail


@pytest.mark.slow
@pytest.mark.parametrize(("servers", "rate", "within"), [(4, 320, 0.10), (10, 800, 0.12)])
def test_waiting_in_m_m_c_is_erlang_c(servers, rate, within):
    """Wq = C(c, a) / (c mu - lambda), P(wait) = C (Kleinrock 1975, section 3.5); golden rows mmc_c4_r80 and mmc_c10_r80."""

    def waited(result):
        frame = measured(result)
        return float((frame["started_ns"] > frame["arrived_ns"]).mean())

    probability = erlang_c(servers, rate / 100)
    waiting, share = replicate(
        station(f"{rate}/s", EXPONENTIAL_10MS, servers, duration="200s", warm_up="10s"), 16, mean_waiting, waited
    )

    assert waiting.agrees(probability / (servers * 100 - rate), within), waiting
    assert share.agrees(probability, within), share


@pytest.mark.slow
def test_waiting_in_m_d_1_is_half_of_m_m_1():
    """Wq = rho / (2 mu (1 - rho)) (Pollaczek and Khinchine; Kleinrock 1975, section 5.6)."""
    (waiting,) = replicate(station("80/s", "10ms", duration="300s", warm_up="20s"), 12, mean_waiting)

    assert waiting.agrees(0.8 / (2 * 100 * 0.2), 0.08), waiting


@pytest.mark.slow
def test_waiting_in_m_g_1_grows_with_the_square_of_the_variation():
    """Wq = rho (1 + cv^2) / (2 mu (1 - rho)) (Pollaczek and Khinchine), with lognormal times of cv 1.5 at rho 0.7."""
    compute = {"lognormal": {"mean": "10ms", "cv": 1.5}}

    (waiting,) = replicate(station("70/s", compute, duration="600s", warm_up="20s"), 20, mean_waiting)

    assert waiting.agrees(0.7 * (1 + 1.5**2) / (2 * 100 * 0.3), 0.12), waiting


@pytest.mark.slow
def test_a_bounded_queue_blocks_as_m_m_1_k():
    """Blocking is (1 - rho) rho^K / (1 - rho^(K+1)) with K = 1 worker + 5 waiting; golden row mmck_c1_K6_r90_block."""

    def refused(result):
        return float((result.requests["response_flags"] == "queue_full").mean())

    blocking = (1 - 0.9) * 0.9**6 / (1 - 0.9**7)
    share, accepted = replicate(
        station("90/s", EXPONENTIAL_10MS, duration="300s", queue={"limit": 5}), 20, refused, mean_response
    )

    assert share.agrees(blocking, 0.05), share
    assert accepted.agrees(0.03194782301, 0.03), accepted
