"""Loads that are no Poisson process of one rate, against exact theory."""

from __future__ import annotations

import math

import numpy as np
from statistics_of_runs import mean_response, own_seed, replicate, station

import meshsim as ms


def mmpp_m_1(change: np.ndarray, rates: np.ndarray, service_rate: float) -> float:
    """Mean number in MMPP/M/1 by its matrix-geometric solution.

    The number in the system and the state are a quasi-birth-death process: up by diag(rates), down by the service rate. Its stationary
    vectors are pi_n = pi_0 R^n, where R is the least solution of A0 + R A1 + R^2 A2 = 0, and the mean is pi_0 R (I - R)^-2 1
    (Neuts, Matrix-Geometric Solutions in Stochastic Models, 1981, chapter 3).
    """
    one, up, down = np.eye(len(rates)), np.diag(rates), service_rate * np.eye(len(rates))
    level = change - up - down
    matrix = np.zeros_like(change)
    for _ in range(20_000):
        matrix = -(up + matrix @ matrix @ down) @ np.linalg.inv(level)
    boundary = change - up + matrix @ down
    inverse = np.linalg.inv(one - matrix)
    equations = np.vstack([boundary.T, (inverse @ np.ones(len(rates)))[np.newaxis]])
    empty = np.linalg.lstsq(equations, np.array([*np.zeros(len(rates)), 1.0]), rcond=None)[0]
    return float(empty @ matrix @ inverse @ inverse @ np.ones(len(rates)))


def test_the_solution_knows_m_m_1():
    alike = mmpp_m_1(np.array([[-1.0, 1.0], [1.0, -1.0]]), np.array([60.0, 60.0]), 100.0)

    assert math.isclose(alike, 0.6 / 0.4, rel_tol=1e-9)


def test_mean_response_in_mmpp_m_1():
    """50/s, 19 a second two thirds of the time and 112 otherwise, at a worker that can do 100: 35 ms, where M/M/1 has 20.

    Little's law makes the mean number a mean response. One 99.9 % interval.
    """
    rates = 50 * np.array([1.0, 6.0]) / (1 * 2 / 3 + 6 / 3)
    theory = mmpp_m_1(np.array([[-10.0, 10.0], [20.0, -20.0]]), rates, 100.0) / 50
    scenario = station("50/s", {"exponential": {"mean": "10ms"}}, duration="250s", warm_up="5s")
    states = [
        {"intensity": 1, "lasts": {"exponential": {"mean": "100ms"}}},
        {"intensity": 6, "lasts": {"exponential": {"mean": "50ms"}}},
    ]
    scenario["load"]["clients"]["bursts"] = {"states": states}

    (response,) = replicate(scenario, 8, mean_response)

    assert response.agrees(theory, 0.1), (str(response), theory)
    assert theory > 1.5 * 1 / (100 - 50)


def test_requests_in_flight_follow_a_sinusoidal_rate_late_and_damped():
    """M_t/M/infinity: N(t) is Poisson, and m' = r(t) - m / s with the solution below (Eick, Massey and Whitt 1993, equation 15).

    60 periods of 2 s, many service times each, at ten phases: the mean of 60 independent Poisson numbers is off by more than four of its
    standard deviations once in 1,600 runs.
    """
    rate, swing, period, mean = 100.0, 0.8, 2.0, 0.25
    scenario = station(f"{rate}/s", {"exponential": {"mean": f"{1000 * mean}ms"}}, 10_000, duration="122s")
    scenario["load"]["clients"]["sinusoid"] = {"amplitude": f"{100 * swing}%", "period": f"{period}s"}
    frame = ms.load(scenario).run(seed=own_seed()).requests
    started, ended = (np.sort(frame[name].to_numpy()) / 1e9 for name in ("started_ns", "ended_ns"))
    per_s = 2 * math.pi / period
    for phase in np.arange(10) * period / 10:
        at_s = phase + period * np.arange(1, 61)
        found = (np.searchsorted(started, at_s, "right") - np.searchsorted(ended, at_s, "right")).mean()
        damped = (math.cos(per_s * phase) + per_s * mean * math.sin(per_s * phase)) / (1 + (per_s * mean) ** 2)
        theory = rate * mean * (1 + swing * damped)
        assert abs(found - theory) < 4 * math.sqrt(theory / 60), (phase, found, theory)
