"""One measured run, in a process of its own so that its peak memory is its own; prints JSON. `run.py` starts it.

python benchmarks/measure.py meshsim --duration-s 60 --seed 1
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plain_simpy

import meshsim as ms

SCENARIO = Path(__file__).with_name("two_hop_chain.yaml")
BATCH_S = 10.0


@dataclass
class Outcomes:
    """What became of each request: arrays of shape (requests,)."""

    started_s: np.ndarray
    latency_ms: np.ndarray
    status: np.ndarray
    is_retried_a: np.ndarray
    """Whether the gateway tried again at a."""
    is_retried_b: np.ndarray
    """Whether any instance of a tried again at b."""


def batches(outcomes: Outcomes, duration_s: float) -> dict[str, list[float]]:
    """The figures that both models must agree on, in each `BATCH_S` of simulated time (in each half of a shorter run).

    Latencies are those of the answers with status 200. Shares are of all requests (`rejected`) or of the admitted ones. Batches
    are long against every memory of the model, so that their spread gives the standard error of their mean.
    """
    count = max(2, int(duration_s / BATCH_S))
    batch = np.minimum((outcomes.started_s * count / duration_s).astype(int), count - 1)
    is_answered, is_rejected = outcomes.status == 200, outcomes.status == 429
    figures: dict[str, list[float]] = {name: [] for name in ("mean_ms", "p50_ms", "p99_ms", "rejected", "retried_a", "retried_b")}
    for number in range(count):
        is_here = batch == number
        latency_ms = outcomes.latency_ms[is_here & is_answered]
        p50_ms, p99_ms = np.quantile(latency_ms, [0.5, 0.99])
        is_admitted = is_here & ~is_rejected
        values = (
            latency_ms.mean(), p50_ms, p99_ms, is_rejected[is_here].mean(),
            outcomes.is_retried_a[is_admitted].mean(), outcomes.is_retried_b[is_admitted].mean(),
        )  # fmt: skip
        for name, value in zip(figures, values, strict=True):
            figures[name].append(float(value))
    return figures


def of_plain(result: plain_simpy.Result) -> Outcomes:
    """The outcomes of the plain model's run."""
    return Outcomes(result.started_ms / 1e3, result.latency_ms, result.status, result.retries_a > 0, result.retries_b > 0)


def of_meshsim(result: ms.Result) -> Outcomes:
    """The outcomes of meshsim's run, from its records."""
    requests, attempts = result.requests, result.attempts
    again = attempts[attempts["attempt"] > 1]

    def is_retried(service: str) -> np.ndarray:
        return requests["request"].isin(again.loc[again["service"] == service, "request"]).to_numpy()

    return Outcomes(
        requests["started_ns"].to_numpy() / 1e9,
        (requests["ended_ns"] - requests["started_ns"]).to_numpy() / 1e6,
        requests["status"].to_numpy(),
        is_retried("a"),
        is_retried("b"),
    )


def peak_bytes() -> int:
    """The largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(model: str, duration_s: float, seed: int) -> dict[str, object]:
    """Run a model once.

    Returns:
        `requests`, `events`, `wall_s` and `cpu_s` of the run alone (with writing the records, without imports and without reading
        the scenario), `peak_bytes` of the process up to the run's end, `before_bytes` up to its start, and the `batches` of
        the figures, None where no records were kept.
    """
    if model != "plain":
        experiment = ms.load(SCENARIO, duration=f"{duration_s:g}s")
    before_bytes, began_s, began_cpu_s = peak_bytes(), time.perf_counter(), time.process_time()
    share = 1.0 if model == "meshsim" else 0.0
    result = plain_simpy.run(duration_s, seed) if model == "plain" else experiment.run(seed=seed, records=share)
    figures = {
        "wall_s": time.perf_counter() - began_s,
        "cpu_s": time.process_time() - began_cpu_s,
        "before_bytes": before_bytes,
        "peak_bytes": peak_bytes(),
        "events": result.events,
    }
    if model == "plain":
        return {**figures, "requests": len(result.status), "batches": batches(of_plain(result), duration_s)}
    found = batches(of_meshsim(result), duration_s) if model == "meshsim" else None
    return {**figures, "requests": result.manifest["requests"], "batches": found}


def main() -> None:
    """Run once and print JSON."""
    parser = argparse.ArgumentParser(description="One measured run of the two-hop chain.")
    parser.add_argument("model", choices=["plain", "meshsim", "meshsim-no-records"])
    parser.add_argument("--duration-s", type=float, default=60.0, help="simulated seconds (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.model, arguments.duration_s, arguments.seed)))


if __name__ == "__main__":
    main()
