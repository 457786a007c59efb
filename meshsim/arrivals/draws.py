"""What the requests of an open load draw for their arrival, with their keys."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from meshsim.randomness import ARRIVAL

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1024


def draws(root: int) -> Iterator[tuple[int, float]]:
    """For each request its key and what its arrival draws; made in blocks, which is ten times as fast."""
    from meshsim.random_blocks import request_keys, uniforms  # noqa: PLC0415 — NumPy, for those who let requests arrive

    for first in count(step=BLOCK):
        keys = request_keys(root, first, BLOCK)
        yield from zip(keys.tolist(), uniforms(keys, ARRIVAL).tolist(), strict=True)
