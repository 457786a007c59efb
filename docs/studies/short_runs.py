"""How often 95 % intervals hold the truth when replications are short: `python docs/studies/short_runs.py`, half a minute.

M/M/1 at 60 % by Lindley's recursion, started in its stationary state, so that nothing but the length is at fault: 1,000 experiments of ten
replications for each length. The p99 of the response time is known exactly.
"""

from __future__ import annotations

import math

import numpy as np

from meshsim.statistics.intervals import mean_interval, quantile_interval

ARRIVALS_PER_S, SERVED_PER_S = 60.0, 100.0
EXPERIMENTS, REPLICATIONS = 1000, 10
TRUE_MEAN_S = 1 / (SERVED_PER_S - ARRIVALS_PER_S)
TRUE_P99_S = math.log(100) * TRUE_MEAN_S


def responses(requests: int, runs: int, draws: np.random.Generator) -> np.ndarray:
    """Response times, s, shape (requests, runs)."""
    waits = np.where(draws.random(runs) < ARRIVALS_PER_S / SERVED_PER_S, draws.exponential(TRUE_MEAN_S, runs), 0.0)
    found = np.empty((requests, runs), dtype=np.float32)
    for number in range(requests):
        found[number] = waits + draws.exponential(1 / SERVED_PER_S, runs)
        waits = np.maximum(0, found[number] - draws.exponential(1 / ARRIVALS_PER_S, runs))
    return found


def main() -> None:
    """One line for each length."""
    print("requests  beyond p99  mean holds  p99 by sectioning holds  p99 by the mean of quantiles holds")  # noqa: T201
    draws = np.random.default_rng(3)
    for requests in (1_200, 3_000, 6_000, 12_000):
        held = np.zeros(3)
        times = responses(requests, EXPERIMENTS * REPLICATIONS, draws)
        for first in range(0, EXPERIMENTS * REPLICATIONS, REPLICATIONS):
            block = times[:, first : first + REPLICATIONS]
            quantiles = np.quantile(block, 0.99, axis=0, method="inverted_cdf").astype(float)
            pooled = float(np.quantile(block, 0.99, method="inverted_cdf"))
            held += [
                not mean_interval(block.mean(axis=0, dtype=float)).excludes(TRUE_MEAN_S),
                not quantile_interval(quantiles, pooled).excludes(TRUE_P99_S),
                not mean_interval(quantiles).excludes(TRUE_P99_S),
            ]
        shares = "  ".join(f"{share:12.1%}" for share in held / EXPERIMENTS)
        print(f"{requests:8,}  {requests // 100:10}  {shares}")  # noqa: T201


if __name__ == "__main__":
    main()
