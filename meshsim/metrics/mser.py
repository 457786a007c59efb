"""MSER-5: where the warm-up of a simulation ends, told from its output.

The mean of what is left after the first d batches has a standard error; the d that makes it smallest leaves out the start's bias
without throwing away more than that. A minimum in the second half of the run says that the run is too short to tell.

Sources: K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69(6), 1997; batches
of five: K. P. White, M. J. Cobb and S. C. Spratt, "A comparison of five steady-state truncation heuristics for simulation",
Proceedings of the Winter Simulation Conference, 2000.
"""

from __future__ import annotations

import numpy as np

BATCH = 5


def mser5(values: np.ndarray) -> int | None:
    """How many values to leave out at the start.

    Args:
        values: In the order of time, shape (n,).

    Returns:
        A multiple of five; None where the values do not settle in the first half, or are fewer than ten.
    """
    batches = len(values) // BATCH
    found = mser(np.asarray(values[: batches * BATCH], dtype=np.float64).reshape(batches, BATCH).mean(axis=1))
    return None if found is None else found * BATCH


def mser(batch_means: np.ndarray) -> int | None:
    """How many batches to leave out at the start.

    Args:
        batch_means: In the order of time, shape (n,).

    Returns:
        The d below n/2 with the smallest sum((x[d:] - mean(x[d:]))^2) / (n - d)^2, the first of several; None where the minimum
        over all d up to n/2 lies at the last of them, or there are fewer than two batches.
    """
    count = len(batch_means)
    bound = count // 2
    if not bound:
        return None
    centred = np.asarray(batch_means, dtype=np.float64) - np.mean(batch_means)  # so that squares do not swamp differences
    left = count - np.arange(bound + 1)
    sums = np.cumsum(centred[::-1])[::-1][: bound + 1]
    squares = np.cumsum(centred[::-1] ** 2)[::-1][: bound + 1]
    errors = np.maximum(squares - sums**2 / left, 0.0) / left.astype(np.float64) ** 2
    found = int(np.argmin(errors))
    return None if found == bound else found
