"""The plain SimPy model of the benchmark: it is what the engine is compared with, so it is compared with others first.

Tolerances come from the spread of 40 runs of 60 s with other seeds: the standard deviations below, times the square root of
60 s by the length of the run. Seeds are fixed, so the odds given are those that a model which only draws other numbers fails.
"""

import importlib
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
DURATION_S = 80.0
SCALE = math.sqrt(60.0 / DURATION_S)
MEAN_SD_MS, P50_SD_MS, P99_SD_MS = 0.0475 * SCALE, 0.0377 * SCALE, 0.400 * SCALE
REJECTED_SD, RETRIED_A_SD, RETRIED_B_SD = 0.00135 * SCALE, 0.00050 * SCALE, 0.00019 * SCALE


@pytest.fixture(scope="module")
def plain() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("plain_simpy")


@pytest.fixture(scope="module")
def result(plain: ModuleType) -> Any:
    return plain.run(DURATION_S, seed=1)


@pytest.fixture(scope="module")
def latency_ms(result: Any) -> np.ndarray:
    return result.latency_ms[result.status == 200]


def rejected_by_token_bucket(arrival_rate: float, fill_rate: float, max_tokens: int) -> float:
    """Share of Poisson arrivals that a token bucket which fills continuously refuses.

    The missing tokens are the work in an M/D/1 queue that admits only who finds at most max_tokens - 1 services of work. Up to
    that level its work is distributed as without a limit, but for a factor: level crossings balance there in the same way.
    Without a limit it is F(x) = (1 - rho) sum_k (-y_k)^k / k! e^(y_k), y_k = rho (x - k) (Erlang 1909). What is admitted is
    served, which gives the factor, and refused = 1 - F / (1 - rho + rho F). The terms alternate in sign, so they are summed
    with 60 digits.
    """
    with localcontext() as context:
        context.prec = 60
        rho = Decimal(arrival_rate) / Decimal(fill_rate)
        terms = (
            (-y) ** k / math.factorial(k) * y.exp() if k else y.exp()
            for k in range(max_tokens)
            for y in [rho * (max_tokens - 1 - k)]
        )
        below = (1 - rho) * sum(terms, Decimal(0))
        return float(1 - below / (1 - rho + rho * below))


def test_every_request_ends_with_a_status(result: Any) -> None:
    assert len(result.status) == pytest.approx(1100 * DURATION_S, abs=4 * math.sqrt(1100 * DURATION_S))
    assert set(np.unique(result.status)) <= {200, 429, 500, 504}
    assert np.isfinite(result.latency_ms).all()


def test_mean_latency_matches_the_reference(latency_ms: np.ndarray) -> None:
    """Within 3 % of 19.43 to 19.48 ms, in fact within 4 standard deviations (0.2 % each): fails by chance once in 15,000."""
    assert latency_ms.mean() == pytest.approx(19.455, rel=0.03)
    assert latency_ms.mean() == pytest.approx(19.455, abs=0.025 + 4 * MEAN_SD_MS)


def test_median_latency_matches_the_reference(latency_ms: np.ndarray) -> None:
    """Within 3 % of 16.64 to 16.70 ms, in fact within 4 standard deviations (0.2 % each): fails by chance once in 15,000."""
    assert np.median(latency_ms) == pytest.approx(16.67, rel=0.03)
    assert np.median(latency_ms) == pytest.approx(16.67, abs=0.03 + 4 * P50_SD_MS)


def test_p99_latency_matches_the_reference(latency_ms: np.ndarray) -> None:
    """Within 3 % of 70.9 to 71.4 ms: that is 6 standard deviations of the sampling, which chance passes once in 10^9."""
    assert 6 * P99_SD_MS < 0.03 * 71.15
    assert np.quantile(latency_ms, 0.99) == pytest.approx(71.15, rel=0.03)


def test_the_exact_share_that_the_bucket_refuses_is_the_references() -> None:
    """0.94 % was measured, over some 100,000 requests."""
    assert rejected_by_token_bucket(1100, 1150, 20) == pytest.approx(0.009552, abs=1e-6)


def test_the_bucket_refuses_the_exact_share(result: Any) -> None:
    """Within 4 standard deviations (0.12 % of the requests each): fails by chance once in 15,000."""
    assert np.mean(result.status == 429) == pytest.approx(rejected_by_token_bucket(1100, 1150, 20), abs=4 * REJECTED_SD)


def test_retry_shares_match_the_reference(result: Any) -> None:
    """Within 3 % and 4 standard deviations of 1.85 % at a and 0.37 % at b: fails by chance less than once in 15,000."""
    admitted = result.status != 429
    assert np.mean(result.retries_a[admitted] > 0) == pytest.approx(0.0185, abs=0.03 * 0.0185 + 4 * RETRIED_A_SD)
    assert np.mean(result.retries_b[admitted] > 0) == pytest.approx(0.0037, abs=0.03 * 0.0037 + 4 * RETRIED_B_SD)


def test_the_same_seed_gives_the_same_run(plain: ModuleType) -> None:
    first, second, other = plain.run(2.0, seed=7), plain.run(2.0, seed=7), plain.run(2.0, seed=8)

    assert np.array_equal(first.latency_ms, second.latency_ms)
    assert not np.array_equal(first.latency_ms[:100], other.latency_ms[:100])


def test_the_scenario_has_the_plain_models_numbers(plain: ModuleType) -> None:
    scenario = YAML(typ="safe").load(BENCHMARKS / "two_hop_chain.yaml")
    a, b = scenario["services"]["a"], scenario["services"]["b"]
    to_a, to_b = scenario["gateway"]["traffic"]["a"], scenario["mesh"]["traffic"]["b"]
    back_off = {"base_interval": f"{plain.BACK_OFF_BASE_MS}ms", "max_interval": f"{10 * plain.BACK_OFF_BASE_MS}ms"}

    assert scenario["load"]["clients"]["rate"] == f"{1000 * plain.ARRIVALS_PER_MS:g}/s"
    assert scenario["gateway"]["proxy_time"] == f"{plain.GATEWAY_MS:g}ms"
    assert scenario["gateway"]["filters"][0]["rate_limit"]["token_bucket"] == {
        "max_tokens": plain.MAX_TOKENS, "tokens_per_fill": 1000 * plain.TOKENS_PER_MS, "fill_interval": "1s",
    }  # fmt: skip
    assert scenario["network"] == {"same_zone": "0ms", "cross_zone": f"{plain.NETWORK_MS:g}ms"}
    assert (a["replicas"], a["workers"]) == (plain.A_INSTANCES, plain.A_WORKERS)
    assert (b["replicas"], b["workers"]) == (plain.B_INSTANCES, plain.B_WORKERS)
    assert a["script"] == [{"compute": {"lognormal": {"mean": f"{plain.A_MEAN_MS:g}ms", "sigma": plain.A_SIGMA}}}, {"call": "b"}]
    assert b["script"] == [{"compute": {"exponential": {"mean": f"{plain.B_MEAN_MS:g}ms"}}}]
    for traffic, timeout_ms in ((to_a, plain.A_TIMEOUT_MS), (to_b, plain.B_TIMEOUT_MS)):
        assert traffic["retries"] == {
            "num_retries": plain.NUM_RETRIES, "retry_on": ["5xx"], "per_try_timeout": f"{timeout_ms:g}ms",
            "retry_back_off": back_off,
        }  # fmt: skip


def test_the_benchmark_prints_every_figure_as_json() -> None:
    command = [sys.executable, BENCHMARKS / "run.py", "--models", "plain", "--rounds", "1", "--duration-s", "4", "--json"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert printed["runs"]["plain"][0]["requests"] == pytest.approx(4400, abs=4 * math.sqrt(4400))
    assert printed["speeds"]["plain"]["ratio"] == [1.0]
    assert set(printed["estimates"]["plain"]) == {"mean_ms", "p50_ms", "p99_ms", "rejected", "retried_a", "retried_b"}
