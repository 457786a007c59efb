"""The experiments of tests/statistics/test_coverage.py, 2,000 times each: `python docs/studies/many_coverages.py [repetitions]`, some minutes.

The stations are computed by their recursions in NumPy, on the draws that the engine makes for the same seeds: the first 60 repetitions are those of
the test, seen by another model.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np

from meshsim.random_blocks import request_keys, uniforms
from meshsim.randomness import ARRIVAL, SERVICE_TIME, root_key, stream
from meshsim.statistics.intervals import interval
from meshsim.statistics.paired import difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    Figures = dict[str, tuple[list[float], float | None]]

REPLICATIONS = 10
WARM_UP_S = 2.0
BATCH = 20
"""Repetitions that are computed side by side."""


def responses(seeds: Sequence[int], rate: float, served: float, workers: int, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Response times in s, and which of them are measured, shape (requests, repetitions x replications)."""
    count = int(rate * duration_s + 8 * math.sqrt(rate * duration_s))
    keys = [
        request_keys(root_key(seed, replication, stream("load clients")), 0, count)
        for seed in seeds
        for replication in range(REPLICATIONS)
    ]
    arrivals = np.cumsum(-np.log(np.stack([uniforms(each, ARRIVAL) for each in keys], axis=1)) / rate, axis=0)
    services = -np.log1p(-np.stack([uniforms(each, SERVICE_TIME) for each in keys], axis=1)) / served
    found, free = np.empty_like(arrivals), np.zeros((workers, arrivals.shape[1]))
    for number in range(count):  # Kiefer and Wolfowitz: the first worker that is free takes the request
        ended = np.maximum(arrivals[number], free[0]) + services[number]
        found[number] = ended - arrivals[number]
        free[0] = ended
        free.sort(axis=0)
    return found, (arrivals >= WARM_UP_S) & (arrivals < duration_s)


def figures(times: np.ndarray, is_measured: np.ndarray) -> Figures:
    """Mean and quantiles of each replication, and the quantiles of all together."""
    parts = [times[is_measured[:, column], column] for column in range(times.shape[1])]
    together = np.concatenate(parts)
    quantiles = {
        name: ([_quantile(part, share) for part in parts], _quantile(together, share))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    return {"mean": ([float(part.mean()) for part in parts], None), **quantiles}


def held(
    rate: float, served: Sequence[float], workers: int, duration_s: float, seeds: range, truth: dict[str, float]
) -> dict[str, int]:
    """How many intervals hold the truth: of the response time, or of the difference where there are two service rates."""
    found = dict.fromkeys(truth, 0)
    for first in range(seeds.start, seeds.stop, BATCH):
        made = [responses(range(first, min(first + BATCH, seeds.stop)), rate, each, workers, duration_s) for each in served]
        for begin in range(0, made[0][0].shape[1], REPLICATIONS):
            columns = slice(begin, begin + REPLICATIONS)
            each = [figures(times[:, columns], is_measured[:, columns]) for times, is_measured in made]
            for name, true in truth.items():
                found[name] += not _interval([one[name] for one in each], name).excludes(true)
    return found


def _interval(each: list[tuple[list[float], float | None]], name: str):  # noqa: ANN202 — of meshsim.statistics
    kind = "mean" if name == "mean" else "quantile"
    if len(each) == 1:
        return interval(each[0][0], kind=kind, pooled=each[0][1])
    (first, pooled_first), (second, pooled_second) = each
    return difference(first, second, kind=kind, pooled_first=pooled_first, pooled_second=pooled_second)


def _quantile(values: np.ndarray, share: float) -> float:
    rank = math.ceil(share * len(values)) - 1
    return float(np.partition(values, rank)[rank])


def main() -> None:
    """Shares of the intervals that hold the truth, one line for each experiment."""
    sys.path.insert(0, "tests/statistics")
    from test_coverage import mmc  # noqa: PLC0415 — the formulas of the test

    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    slow, fast = mmc(60, 100, 1)._asdict(), mmc(60, 110, 1)._asdict()
    faster = {name: fast[name] - slow[name] for name in slow}
    for name, found in (
        ("M/M/1", held(60, [100], 1, 152, range(repetitions), slow)),
        ("M/M/3", held(72, [40], 3, 127, range(repetitions), mmc(72, 40, 3)._asdict())),
        ("paired", held(60, [100, 110], 1, 152, range(1000, 1000 + repetitions), faster)),
    ):
        print(name, {figure: f"{count} of {repetitions}, {count / repetitions:.1%}" for figure, count in found.items()})  # noqa: T201


if __name__ == "__main__":
    main()
