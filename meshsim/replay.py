"""Measured worlds: times of arrival, and service times and errors by request and attempt, from CSV, Parquet or NumPy files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from meshsim.errors import ReplayError
from meshsim.units import LONGEST_NS, NS_PER_MS, NS_PER_S, NS_PER_US

if TYPE_CHECKING:
    from collections.abc import Iterable

UNITS: dict[str, int] = {"s": NS_PER_S, "ms": NS_PER_MS, "us": NS_PER_US, "ns": 1}
"""What `unit:` may say, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Table:
    """A measured world: one number for each request and attempt.

    Attributes:
        values: float64, shape (attempts, requests); nanoseconds, or 0/1 for errors; NaN where the file has no row.
        path: The file, for messages.
        attempts_per_call: How many attempts belong to one attempt of the hop before, where that is no client or gateway.
    """

    values: np.ndarray
    path: str
    attempts_per_call: int = 4


def read_column(path: Path | str, column: str | None, unit: str) -> np.ndarray:
    """One column of a file, in nanoseconds.

    Args:
        path: `.csv`, `.parquet`, `.npy` or `.npz`.
        column: Name of the column or array; may be left out where there is only one.
        unit: Key of `UNITS`.

    Returns:
        float64, shape (rows,), nanoseconds, in the order of the file.

    Raises:
        ReplayError: The file cannot be read, has no such column, or holds what is no number.
    """
    values = _numbers(_read(Path(path), column), path)
    if values.ndim != 1:
        raise ReplayError(f"{path}: expected one row of numbers, found {values.ndim} dimensions")
    return values * UNITS[unit]


def read_arrivals(path: Path | str, column: str | None, unit: str, stretch: float = 1.0) -> np.ndarray:
    """Times of arrival, each multiplied by `stretch`: int64 nanoseconds since the start, sorted, shape (requests,)."""
    times_ns = read_column(path, column, unit) * stretch
    if len(times_ns) == 0:
        raise ReplayError(f"{path}: has no time of arrival")
    if not np.isfinite(times_ns).all() or times_ns.min() < 0:
        raise ReplayError(f"{path}: a time of arrival is negative or missing; times count from the start of the run")
    _check_length(times_ns, path)
    return np.sort(np.rint(times_ns).astype(np.int64), kind="stable")


def read_table(path: Path | str, column: str | None, unit: str) -> np.ndarray:
    """One number for each request and attempt.

    A NumPy array is two-dimensional (attempts, requests); a CSV or Parquet file has the columns `request` (from 0), `attempt`
    (from 1) and the one named.

    Returns:
        float64, shape (attempts, requests), nanoseconds; NaN where the file has no row.

    Raises:
        ReplayError: The file cannot be read or does not have that shape.
    """
    path = Path(path)
    if path.suffix in {".npy", ".npz"}:
        values = _numbers(_read(path, column), path)
        if values.ndim == 1:
            values = values[np.newaxis, :]
        if values.ndim != 2:
            raise ReplayError(f"{path}: expected numbers by attempt and request, found {values.ndim} dimensions")
        return _check_length(values * UNITS[unit], path)
    frame = _frame(path)
    name = _only_column([c for c in frame.columns if c not in {"request", "attempt"}], column, path)
    for needed in ("request", "attempt"):
        if needed not in frame.columns:
            raise ReplayError(
                f"{path}: has no column '{needed}'; a table by request and attempt needs request, attempt and '{name}'"
            )
    requests, attempts = (_whole(_numbers(frame[key].to_numpy(), path), key, path) for key in ("request", "attempt"))
    if len(requests) == 0 or requests.min() < 0 or attempts.min() < 1:
        raise ReplayError(f"{path}: requests count from 0, attempts from 1, and there must be one at least")
    if int(attempts.max()) * (int(requests.max()) + 1) > 200_000_000:
        raise ReplayError(
            f"{path}: {int(requests.max()) + 1} requests x {int(attempts.max())} attempts are too many to hold in memory"
        )
    if len(np.unique(attempts * (int(requests.max()) + 1) + requests)) < len(requests):
        raise ReplayError(f"{path}: has more than one row for the same request and attempt")
    table = np.full((int(attempts.max()), int(requests.max()) + 1), math.nan)
    table[attempts - 1, requests] = _numbers(frame[name].to_numpy(), path) * UNITS[unit]
    return _check_length(table, path)


def attempt_behind(table: Table, tries: Iterable[int]) -> int:
    """Which attempt of a table a try is, behind callers that try again as well.

    `attempts_per_call` x (the caller's attempt - 1) + its own: who asks again because a call has failed does not meet the same luck
    once more, and what one try meets does not hang on how many were made before it.

    Args:
        table: The measured world.
        tries: Number of the try at each hop, from 1, the first hop first.

    Raises:
        ReplayError: A call has been tried more often than one attempt of its caller has numbers for.
    """
    attempt, most = 0, table.attempts_per_call
    for own in tries:
        if attempt and own > most:
            raise ReplayError(
                f"{table.path}: try {own} of a call has no number: of each attempt of the caller it has {most};"
                f" write attempts_per_call: {own} or more"
            )
        attempt = own if not attempt else most * (attempt - 1) + own
    return attempt


def look_up(table: Table, request: int, attempt: int) -> float:
    """The number of a request's attempt; `ReplayError` where the file has none."""
    attempts, requests = table.values.shape
    if request < requests and attempt <= attempts:
        value = float(table.values[attempt - 1, request])
        if value >= 0:
            return value
    raise ReplayError(
        f"{table.path}: has no number for request {request}, attempt {attempt} (it has {requests} requests and {attempts} attempts)"
    )


def _read(path: Path, column: str | None) -> np.ndarray:
    if path.suffix in {".npy", ".npz"}:
        return _array(path, column)
    frame = _frame(path)
    return np.asarray(frame[_only_column(list(frame.columns), column, path)].to_numpy())


def _array(path: Path, column: str | None) -> np.ndarray:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            is_one = isinstance(loaded, np.ndarray)
            return np.asarray(loaded if is_one else loaded[_only_column(list(loaded.files), column, path)])
    except ReplayError:
        raise
    except Exception as error:  # noqa: BLE001 — zip, zlib and NumPy, each with errors of its own
        raise ReplayError(f"{path}: cannot be read as a NumPy file ({error})") from None


def _frame(path: Path) -> Any:
    import pandas as pd  # noqa: PLC0415 — pandas loads only where a frame is read or asked for

    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:  # noqa: BLE001 — parsers of two libraries, each with errors of its own
        raise ReplayError(f"{path}: cannot be read as {path.suffix.lstrip('.') or 'csv'} ({error})") from None


def _only_column(columns: list[str], column: str | None, path: Path) -> str:
    if column is None and len(columns) == 1:
        return columns[0]
    if column is None:
        raise ReplayError(f"{path}: say which `column:` (it has {', '.join(map(str, columns)) or 'none'})")
    if column not in columns:
        raise ReplayError(f"{path}: has no column '{column}' (it has {', '.join(map(str, columns)) or 'none'})")
    return column


def _numbers(values: np.ndarray, path: Path | str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ReplayError(f"{path}: holds something that is no number") from None


def _whole(values: np.ndarray, name: str, path: Path) -> np.ndarray:
    """Whole numbers that a table of any size could have, int64."""
    with np.errstate(invalid="ignore"):
        if not (np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2**31)).all():
            raise ReplayError(f"{path}: every '{name}' must be a whole number")
    return values.astype(np.int64)


def _check_length(values_ns: np.ndarray, path: Path | str) -> np.ndarray:
    """The same nanoseconds; what is longer than anybody means would not fit into the records."""
    if (values_ns > LONGEST_NS).any():
        raise ReplayError(f"{path}: holds a time of more than ten years; is the unit right?")
    return values_ns
