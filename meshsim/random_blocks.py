"""The keys and numbers of `meshsim.randomness`, for many requests at once, equal to them in every bit.

Apart from it so that what only reads a scenario need not load NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshsim.randomness import FIRST, GOLDEN, MASK, REQUEST_KEY, SECOND, STEP

if TYPE_CHECKING:
    import numpy.typing as npt


def request_keys(root: int, first: int, count: int) -> np.ndarray:
    """`request_key` of the requests from number `first` on, equal to it in every bit.

    Returns:
        uint64, shape (count,).
    """
    start = np.uint64((root + REQUEST_KEY + first * GOLDEN) & MASK)
    return _mix(start + np.arange(count, dtype=np.uint64) * np.uint64(GOLDEN))


def uniforms(keys: npt.NDArray[np.uint64], purpose: int, index: int = 0) -> npt.NDArray[np.float64]:
    """`uniform` of many keys at once, equal to it in every bit.

    Args:
        keys: uint64, shape (n,).
        purpose: As for `uniform`.
        index: As for `uniform`.

    Returns:
        float64, shape (n,), strictly between 0 and 1.
    """
    z = _mix(keys + np.uint64((purpose + (index + 1) * GOLDEN) & MASK)) >> np.uint64(12)
    numbers: npt.NDArray[np.float64] = (z.astype(np.float64) + 0.5) * STEP
    return numbers


def _mix(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """`mix` of many."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND)
    return z ^ (z >> np.uint64(31))
