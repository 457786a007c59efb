"""Processor sharing against exact theory: what is known of it does not hang on the distribution of the work.

Each asserts one 99.9 % interval or more: the odds of a false alarm on a fresh seed are one in a thousand for each.
"""

from __future__ import annotations

import pytest
from statistics_of_runs import erlang_c, mean_response, replicate, station

ONE_CORE = {"node_cores": 1}
HYPEREXPONENTIAL = {
    "mixture": {
        "of": [
            {"weight": 0.9, "time": {"exponential": {"mean": "5ms"}}},
            {"weight": 0.1, "time": {"exponential": {"mean": "55ms"}}},
        ]
    }
}
"""Mean 10 ms, squared coefficient of variation 5.5: E[S^2] = 2 (0.9 25 + 0.1 3025) ms^2."""
WORK = {"exponential": {"exponential": {"mean": "10ms"}}, "deterministic": "10ms", "hyperexponential": HYPEREXPONENTIAL}


def sharing(rate, compute, workers=None, **arguments):
    """A station whose computations share its CPU."""
    made = station(rate, compute, **arguments)
    made["services"]["server"]["workers"] = workers
    return made


@pytest.mark.parametrize("work", WORK)
def test_mean_response_in_m_g_1_ps_is_the_same_for_all_work_of_one_mean(work):
    """E[T] = E[S] / (1 - rho) (Kleinrock, Queueing Systems II, 1976, section 4.4): 20 ms at rho 0.5; first come, first served it is
    15 ms, 20 ms and 42.5 ms."""
    (response,) = replicate(sharing("50/s", WORK[work], cpu=ONE_CORE, duration="70s", warm_up="10s"), 8, mean_response)

    assert response.agrees(0.020, 0.12 if work != "hyperexponential" else 0.25), response


def test_the_response_in_m_g_1_ps_is_in_proportion_to_the_work():
    """E[T(x)] = x / (1 - rho) (Kleinrock, 1976, equation 4.17): nobody pays for the long ones of others more than for their own."""
    scenario = sharing(
        "50/s", "4ms", cpu=ONE_CORE, duration="70s", warm_up="10s", operations={"long": {"script": [{"compute": "28ms"}]}}
    )
    scenario["load"]["clients"]["requests"] = {"server": 3, "server/long": 1}

    def of(route):
        return lambda result: float(
            result.requests.query("route == @name and started_ns >= 10e9", local_dict={"name": route})["latency_s"].mean()
        )

    short, long = replicate(scenario, 8, of("server"), of("server/long"))

    assert short.agrees(0.004 / 0.5, 0.12), short
    assert long.agrees(0.028 / 0.5, 0.12), long


@pytest.mark.parametrize("work", ["deterministic", "exponential"])
def test_m_g_1_ps_k_loses_what_finds_k_others(work):
    """The loss is (1 - rho) rho^K / (1 - rho^(K+1)) whatever the distribution (Kelly, Reversibility, 1979, chapter 3), here with five
    threads and no room to wait."""

    def refused(result):
        return float((result.requests["response_flags"] == "queue_full").mean())

    scenario = sharing("80/s", WORK[work], 5, cpu=ONE_CORE, queue={"limit": 0}, duration="40s")
    (share,) = replicate(scenario, 8, refused)

    assert share.agrees((1 - 0.8) * 0.8**5 / (1 - 0.8**6), 0.2), share


@pytest.mark.slow
@pytest.mark.parametrize("work", ["deterministic", "exponential"])
def test_four_cores_are_shared_as_m_m_4_is_whatever_the_work(work):
    """With min(n, 4) cores at work the number in the system is that of M/M/4 (Kelly, 1979, section 3.3, symmetric queues), so that
    E[T] = 1 / mu + C(4, a) / (4 mu - lambda)."""
    (response,) = replicate(sharing("280/s", WORK[work], cpu={"node_cores": 4}, duration="14s", warm_up="2s"), 8, mean_response)

    assert response.agrees(0.010 + erlang_c(4, 2.8) / (400 - 280), 0.1), response


@pytest.mark.slow
def test_few_threads_on_one_core_answer_exponential_work_as_m_m_1():
    """One core works at the same rate whoever has it: with three threads and a queue before them the number in the system is that of
    M/M/1, and E[T] = 1 / (mu - lambda)."""
    (response,) = replicate(
        sharing("60/s", WORK["exponential"], 3, cpu=ONE_CORE, duration="70s", warm_up="10s"), 8, mean_response
    )

    assert response.agrees(1 / (100 - 60), 0.12), response
