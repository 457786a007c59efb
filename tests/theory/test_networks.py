"""Several stations, closed loads, and policies against exact theory. False alarms: one in a thousand for each interval."""

from __future__ import annotations

import numpy as np
import pytest
from statistics_of_runs import mean_response, measured, replicate, station

from meshsim.experiments.run import load


@pytest.mark.slow
def test_tandem_queues_are_independent_m_m_1():
    """Burke: the departures of M/M/1 are Poisson, so each station of a tandem is M/M/1 by itself (Kleinrock 1975, section 4.1).

    A service holds no worker while it calls (`async`), and its whole work precedes the call.
    """
    scenario = station("60/s", {"exponential": {"mean": "10ms"}}, duration="300s", warm_up="20s")
    scenario["services"] = {
        "server": {"workers": 1, "async": True, "script": [{"compute": {"exponential": {"mean": "10ms"}}}, {"call": "second"}]},
        "second": {"workers": 1, "script": [{"compute": {"exponential": {"mean": "12ms"}}}]},
    }

    def response_of_second(result):
        frame = measured(result)
        frame = frame[frame["service"] == "second"]
        return float((frame["finished_ns"] - frame["arrived_ns"]).mean() / 1e9)

    def waiting_of_first(result):
        frame = measured(result)
        frame = frame[frame["service"] == "server"]
        return float((frame["started_ns"] - frame["arrived_ns"]).mean() / 1e9)

    second, first = replicate(scenario, 12, response_of_second, waiting_of_first)

    assert second.agrees(1 / (1 / 0.012 - 60), 0.10), second
    assert first.agrees(0.6 / (100 - 60), 0.12), first


@pytest.mark.slow
def test_a_random_split_of_poisson_is_poisson():
    """Each of two instances behind a random pick is M/M/1 with half of the rate."""
    scenario = station("160/s", {"exponential": {"mean": "10ms"}}, duration="200s", warm_up="20s", replicas=2)

    (response,) = replicate(scenario, 12, mean_response)

    assert response.agrees(1 / (100 - 80), 0.10), response


@pytest.mark.parametrize(
    ("users", "throughput", "response"),
    [(5, 4.712840259, 0.06093135466), pytest.param(20, 16.82216077, 0.1889079099, marks=pytest.mark.slow)],
)
def test_a_closed_load_is_mean_value_analysis(users, throughput, response):
    """Exact MVA of N users who think 1 s and ask a server of 50 ms; golden rows closed_N5 and closed_N20."""
    scenario = station("1/s", {"exponential": {"mean": "50ms"}}, duration="2000s", warm_up="50s")
    scenario["load"] = {
        "users": {
            "executor": "constant-vus",
            "vus": users,
            "think_time": {"exponential": {"mean": "1s"}},
            "requests": {"server": 1},
        }
    }

    def rate(result):
        return float((result.requests["started_ns"] >= 50e9).sum() / 1950)

    asked, answered = replicate(scenario, 10, rate, mean_response)

    assert asked.agrees(throughput, 0.02), asked
    assert answered.agrees(response, 0.05), answered


@pytest.mark.parametrize(
    ("rate", "burst", "rejected", "within"),
    [
        (80, 5, 0.03529039644, 0.10),
        pytest.param(100, 10, 0.05084745763, 0.10, marks=pytest.mark.slow),
        pytest.param(150, 20, 0.3333333435, 0.02, marks=pytest.mark.slow),
    ],
)
def test_a_token_bucket_rejects_as_the_loss_of_m_d_1_k(rate, burst, rejected, within):
    """A token bucket of size b under Poisson arrivals is M/D/1/b (Tijms, A First Course in Stochastic Models, 2003);
    golden rows tokenbucket_*."""
    scenario = station(f"{rate}/s", "0s", 1000, duration="200s")
    scenario["deployment"] = "gateway"
    scenario["gateway"] = {
        "filters": [{"rate_limit": {"token_bucket": {"max_tokens": burst, "tokens_per_fill": 100, "fill_interval": "1s"}}}],
        "routes": {"all": {"path": "/", "to": "server"}},
    }
    scenario["load"]["clients"]["requests"] = {"all": 1}

    (share,) = replicate(scenario, 24, lambda result: float((result.requests["response_flags"] == "RL").mean()))

    assert share.agrees(rejected, within), share


@pytest.mark.slow
def test_attempts_with_independent_errors_are_a_truncated_geometric_sum():
    """With error probability p and n attempts at most, a request needs (1 - p^n) / (1 - p) attempts and fails with p^n."""
    scenario = station("200/s", "1ms", 100, duration="100s", errors="30%")
    scenario["load"]["clients"]["retries"] = {"num_retries": 3, "retry_on": ["5xx"]}

    attempts, failed = replicate(
        scenario,
        10,
        lambda result: float(result.requests["attempts"].mean()),
        lambda result: float((result.requests["status"] != 200).mean()),
    )

    assert attempts.agrees((1 - 0.3**4) / (1 - 0.3), 0.01), attempts
    assert failed.agrees(0.3**4, 0.15), failed


def test_littles_law_holds_at_every_station():
    """L = lambda W, as an identity: both sides are of the same run, from an empty start to an empty end, so they differ by rounding."""
    scenario = station("150/s", {"exponential": {"mean": "10ms"}}, 2, duration="60s", replicas=2, queue={"limit": 40})
    scenario["deployment"] = "mesh"
    scenario["mesh"] = {"proxy_time": {"exponential": {"mean": "1ms"}}, "workers": 1}
    scenario["services"]["server"]["script"].append({"call": "behind"})
    scenario["services"]["behind"] = {"replicas": 3, "workers": 2, "script": [{"compute": {"exponential": {"mean": "8ms"}}}]}

    result = load(scenario).run(seed=5)

    counters, attempts = result.counters, result.attempts
    for (service, instance), rows in counters.groupby(["service", "instance"], observed=True):
        visits = attempts[(attempts["service"] == service) & (attempts["instance"] == instance) & (attempts["started_ns"] >= 0)]
        assert rows["queued_ns"].sum() == (visits["started_ns"] - visits["arrived_ns"]).sum()
        assert rows["busy_ns"].sum() == (visits["finished_ns"] - visits["started_ns"]).sum()
        assert len(visits) > 1000


def test_requests_of_two_loads_share_a_bucket_in_proportion_to_their_rates():
    """A bucket without a key admits whoever comes: the shares admitted are the shares offered."""
    scenario = station("1/s", "0s", 1000, duration="100s")
    scenario["deployment"] = "gateway"
    scenario["gateway"] = {
        "filters": [{"rate_limit": {"token_bucket": {"max_tokens": 10, "tokens_per_fill": 100, "fill_interval": "1s"}}}],
        "routes": {"all": {"path": "/", "to": "server"}},
    }
    scenario["load"] = {
        name: {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": f"{rate}/s", "requests": {"all": 1}}
        for name, rate in (("a", 60), ("b", 180))
    }

    result = load(scenario).run(seed=2)
    admitted = result.requests.query("status == 200")["source"].value_counts(normalize=True)

    assert len(result.requests.query("status == 200")) == pytest.approx(100 * 100 + 10, abs=3)
    assert admitted["b"] == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 10_000))  # four standard deviations: one in 16,000
