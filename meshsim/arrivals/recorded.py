"""Arrivals at the time stamps of a file, more or fewer of them if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.arrivals.draws import draws
from meshsim.randomness import COPIES

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
        stamps_ns = self.stamps_ns if self.scale == 1.0 else self._scaled(root)
        for stamp_ns, (key, _) in zip(stamps_ns.tolist(), draws(root), strict=False):
            if stamp_ns >= self.until_ns:
                return
            yield stamp_ns, key

    def _scaled(self, root: int) -> np.ndarray:
        """As many instants for each stamp as asked for, one more or less by chance where that is no whole number.

        The first is the stamp itself; further ones are anywhere before the next stamp with the same chance. So the rate follows that of the
        record, and nothing comes twice in one instant which did not so before.
        """
        import numpy as np  # noqa: PLC0415 — as in `draws`

        from meshsim.random_blocks import request_keys, uniforms  # noqa: PLC0415 — as in `draws`

        stamps_ns = self.stamps_ns
        keys = request_keys(root ^ COPIES, 0, len(stamps_ns))
        count = np.floor(self.scale + uniforms(keys, COPIES)).astype(np.int64)
        gaps_ns = np.diff(stamps_ns, append=stamps_ns[-1:])
        made = [stamps_ns[count > 0]]
        for number in range(1, int(count.max())):
            again = count > number
            made.append(stamps_ns[again] + (gaps_ns[again] * uniforms(keys[again], COPIES, number)).astype(np.int64))
        return np.sort(np.concatenate(made), kind="stable")
