"""Compression of answers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from meshsim.policies.filters.filter import PASS, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, Size

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

Level = Annotated[int, Ge(0), Le(22)]
Ratio = Annotated[float, Ge(1), Le(1000)]
BYTES_PER_KIB = 1024
DEFAULT_LEVELS = {"gzip": 6, "brotli": 3, "zstd": 3}
"""Those of Envoy's compressor libraries; gzip's is zlib's default."""
MEASURED = {
    "gzip": ((1, 119, 36.45), (6, 35, 32.19), (9, 14, 31.92)),
    "brotli": ((0, 420, 37.01), (2, 154, 32.11), (5, 35, 28.11), (8, 10, 26.96), (11, 0.63, 23.79)),
    "zstd": (
        (1, 480, 34.68), (2, 356, 32.84), (5, 104, 30.19), (8, 46, 28.67),
        (11, 20, 27.95), (15, 7.12, 26.97), (18, 3.58, 25.33), (22, 2.28, 24.88),
    ),
}  # fmt: skip
"""Level, speed in MB/s, percent that is left: lzbench 1.8 on one core of an Intel Core i7-8700K, silesia.tar; zlib 1.2.11, brotli
2019-10-01, zstd 1.4.3."""


def measured(algorithm: str, level: int) -> tuple[float, float] | None:
    """Nanoseconds per KiB and share of the size that is left; None outside of what was measured.

    Between two measured levels both are interpolated along a line.
    """
    rows = MEASURED[algorithm]
    for (low, low_speed, low_percent), (high, high_speed, high_percent) in pairwise(rows):
        if low <= level <= high:
            weight = (level - low) / (high - low)
            slow, fast = BYTES_PER_KIB * 1000 / high_speed, BYTES_PER_KIB * 1000 / low_speed
            return fast + weight * (slow - fast), (low_percent + weight * (high_percent - low_percent)) / 100
    return None


@policy
class Compress(Filter):
    """Hold a worker for compressing answers, so that fewer bytes go over the link.

    The time is paid by size before compression, at the gateway, whose workers everybody shares; the gain is on the link only. Answers
    below `min_content_length` go as they are. The measured figures are of large files: small bodies of JSON or HTML compress otherwise
    (and Envoy's gzip has a window of 4 KiB by default), so give `ratio` and `time_per_kib` where you know them.

    Source: Envoy 1.40, source/extensions/filters/http/compressor/compressor_filter.cc and source/extensions/compression (defaults);
    time and ratio by algorithm and level: lzbench 1.8, README.md, "Benchmarks".
    """

    works_on_answers: ClassVar[bool] = True

    algorithm: Literal["gzip", "brotli", "zstd"] = "gzip"
    """Which figures, where no others are given."""
    level: Level | None = None
    """More takes longer and leaves less; Envoy's default for the algorithm where absent: 6 for gzip, 3 for brotli and zstd."""
    time_per_kib: Duration | None = None
    """Work for each KiB of an answer; the measured one where absent."""
    ratio: Ratio | None = None
    """KiB before for one after compression; the measured one where absent."""
    min_content_length: Size = 30
    """Smaller answers are not compressed."""

    def check(self) -> None:
        """Raise `SettingError` where the algorithm has no such level."""
        if measured(self.algorithm, self.level_taken()) is None:
            rows = MEASURED[self.algorithm]
            raise SettingError("level", f"{self.algorithm} has levels from {rows[0][0]} to {rows[-1][0]}")

    def build(self, **_: object) -> CompressState:
        """What a KiB costs and what is left of it."""
        return CompressState(self)

    def level_taken(self) -> int:
        """The level, or the algorithm's default."""
        return DEFAULT_LEVELS[self.algorithm] if self.level is None else self.level


class CompressState(FilterState):
    """What a KiB costs, and what is left of it."""

    draws = False
    works_on_answers = True

    def __init__(self, settings: Compress) -> None:
        """What a KiB costs and what is left of it."""
        self.min_content_length = settings.min_content_length
        found = measured(settings.algorithm, settings.level_taken())
        if found is None:  # `check` has refused that
            raise SettingError("level", f"{settings.algorithm} has no level {settings.level}")
        ns_per_kib, share_left = found
        self._ns_per_kib = ns_per_kib if settings.time_per_kib is None else float(settings.time_per_kib)
        self._share_left = share_left if settings.ratio is None else 1.0 / settings.ratio

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`: requests go as they are."""
        return PASS

    def answer_work_ns(self, asked: Asked, status: int, kib: float) -> int:  # noqa: ARG002
        """The work for the answer's size before compression."""
        return round(self._ns_per_kib * kib) if status and self._is_compressed(kib) else 0

    def answer_kib(self, kib: float) -> float:
        """What goes over the link of an answer of this size."""
        return kib * self._share_left if self._is_compressed(kib) else kib

    def _is_compressed(self, kib: float) -> bool:
        return kib * BYTES_PER_KIB >= self.min_content_length
