"""Arrivals at the time stamps of a file, more or fewer of them if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from meshsim.arrivals.draws import draws
from meshsim.randomness import COPIES, request_key, uniform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


@dataclass(frozen=True, slots=True)
class Recorded:
    """Arrivals at given instants."""

    stamps_ns: np.ndarray
    """int64, sorted, shape (requests,)."""
    until_ns: int
    """Later ones are left out."""
    scale: float = 1.0
    """Requests for each stamp."""

    def arrive(self, root: int) -> Iterator[tuple[int, int]]:
        """Instants of arrival in nanoseconds, in order, each with its request's key."""
        stamps_ns = self.stamps_ns.tolist() if self.scale == 1.0 else self._scaled(root)
        for stamp_ns, (key, _) in zip(stamps_ns, draws(root), strict=False):
            if stamp_ns >= self.until_ns:
                return
            yield stamp_ns, key

    def _scaled(self, root: int) -> Iterator[int]:
        """As many instants for each stamp as asked for, one more or less by chance where that is no whole number.

        The first is the stamp itself; further ones are anywhere before the next stamp with the same chance. So the rate follows that of the
        record, and nothing comes twice in one instant which did not so before.
        """
        stamps_ns = self.stamps_ns.tolist()
        for number, (stamp_ns, next_ns) in enumerate(pairwise([*stamps_ns, stamps_ns[-1]])):
            key = request_key(root ^ COPIES, number)
            count = int(self.scale + uniform(key, COPIES))
            if count:
                yield stamp_ns
            yield from sorted(stamp_ns + int((next_ns - stamp_ns) * uniform(key, COPIES, copy)) for copy in range(1, count))
