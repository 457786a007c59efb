"""Empirical: times as they were measured, from quantiles, a list or a file."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from meshsim.distributions.distribution import Distribution
from meshsim.errors import ReplayError
from meshsim.registry import SettingError, policy
from meshsim.units import LONGEST_NS, Duration, format_duration, parse_duration

_QUANTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,9})?)", re.ASCII)
_WAYS = ("quantiles", "values", "file")


@policy
class Empirical(Distribution):
    """As measured: quantiles with straight lines between them, or a sample, each of whose values is equally likely.

    Source: Law, Simulation Modeling and Analysis, 5th ed. 2015, section 6.2.4.
    """

    quantiles: dict[str, Duration] | None = None
    """Times by percentile, such as `{p0: 1ms, p50: 3ms, p99.9: 20ms, p100: 30ms}`; p0 and p100 are needed."""
    values: tuple[Duration, ...] | None = None
    """The sample itself."""
    file: Path | None = None
    """A file with the sample: CSV, Parquet or NumPy."""
    column: str | None = None
    """Name of the file's column or array; may be left out where there is only one."""
    unit: Literal["s", "ms", "us", "ns"] | None = None
    """Unit of the numbers in the file."""

    def check(self) -> None:
        """One way is given, the quantiles are in order, and the file can be read."""
        given = [name for name in _WAYS if getattr(self, name) is not None]
        if len(given) != 1:
            field = given[1] if given else "quantiles"
            raise SettingError(field, f"give one of quantiles, values and file; found {' and '.join(given) or 'none'}")
        if self.file is not None and self.unit is None:
            raise SettingError("unit", "say which unit the numbers of the file have: s, ms, us or ns")
        for name in ("column", "unit"):
            if self.file is None and getattr(self, name) is not None:
                raise SettingError(name, f"{name} goes with file, and there is none")
        if self.quantiles is not None:
            self._check_quantiles(self.quantiles)
        else:
            self._sample()

    def set_up(self, **_context: Any) -> None:
        """The points of the inverse distribution function, or the sample in order."""
        if self.quantiles is None:
            self._times = self._sample()
        else:
            self._shares, self._times = _points(self.quantiles)

    def quantile(self, u: float) -> float:
        """On the line between the quantiles on both sides, or of the sample; in nanoseconds."""
        times = self._times
        if self.quantiles is None:
            return times[int(u * len(times))]
        shares = self._shares
        right = bisect_right(shares, u)
        low = times[right - 1]
        return low + (times[right] - low) * ((u - shares[right - 1]) / (shares[right] - shares[right - 1]))

    @property
    def mean_ns(self) -> float:
        """Mean of the sample, or of the lines between the quantiles; in nanoseconds."""
        if self.quantiles is None:
            sample = self._sample()
            return math.fsum(sample) / len(sample)
        shares, times = _points(self.quantiles)
        points = pairwise(zip(shares, times, strict=True))
        return math.fsum((right - left) * (low + high) / 2 for (left, low), (right, high) in points)

    def _check_quantiles(self, quantiles: dict[str, int]) -> None:
        for name in quantiles:
            match = _QUANTILE.fullmatch(name)
            if match is None or Decimal(match.group(1)) > 100:
                raise SettingError("quantiles", f"'{name}' is not a percentile from p0 to p100 (write p50 or p99.9)")
        shares, times = _points(quantiles)
        if not shares or shares[0] != 0 or shares[-1] != 1:
            raise SettingError("quantiles", "p0 and p100 are needed: the shortest and the longest time")
        for index in range(1, len(shares)):
            if shares[index] == shares[index - 1]:
                raise SettingError("quantiles", f"{_name(shares[index])} is given twice")
            if times[index] < times[index - 1]:
                raise SettingError(
                    "quantiles",
                    f"{_name(shares[index])} ({format_duration(times[index])}) is less than "
                    f"{_name(shares[index - 1])} ({format_duration(times[index - 1])})",
                )

    def _sample(self) -> list[float]:
        """The sample in ascending order, nanoseconds."""
        field = "values" if self.file is None else "file"
        times = [float(_nanoseconds(value)) for value in self.values or ()] if self.file is None else self._read()
        if not times:
            raise SettingError(field, "has no value")
        times.sort()
        if times[0] < 0 or times[-1] > LONGEST_NS:
            raise SettingError(field, "has a value that is negative or longer than ten years")
        return times

    def _read(self) -> list[float]:
        from meshsim.replay import read_column  # noqa: PLC0415 — NumPy loads only where a file is read

        try:
            times = read_column(str(self.file), self.column, self.unit or "ns")
        except ReplayError as error:
            raise SettingError("file", str(error)) from None
        if (times != times).any():  # noqa: PLR0124 — only what is no number differs from itself
            raise SettingError("file", "has rows without a number")
        return [float(time) for time in times]


def _points(quantiles: dict[str, int]) -> tuple[list[float], list[float]]:
    """Shares from 0 to 1 in order, and the times in nanoseconds there."""
    points = sorted((float(Decimal(name[1:]) / 100), float(_nanoseconds(time))) for name, time in quantiles.items())
    return [share for share, _ in points], [time for _, time in points]


def _name(share: float) -> str:
    return f"p{share * 100:.10g}"


def _nanoseconds(value: int | str) -> int:
    return parse_duration(value) if isinstance(value, str) else value
