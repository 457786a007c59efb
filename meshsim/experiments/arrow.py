"""Columns to Arrow without pandas: `pa.array` would load all of it, for 0.3 s and 50 MB, to look at its argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def as_parquet(columns: Mapping[str, Sequence[Any] | np.ndarray]) -> bytes:
    """A Parquet file of columns of text or numbers by name; None is null."""
    table = pa.Table.from_arrays([column(values) for values in columns.values()], names=list(columns))
    target = pa.BufferOutputStream()
    pq.write_table(table, target, compression="zstd")
    content: bytes = target.getvalue().to_pybytes()
    return content


def column(values: Sequence[Any] | np.ndarray) -> pa.Array:
    """Text, whole numbers or floats; None is null."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        return numbers(values, pa.float64() if values.dtype.kind == "f" else pa.int64())
    listed = list(values)
    missing = np.array([value is None for value in listed], dtype=bool)
    known = [value for value in listed if value is not None]
    if not known or isinstance(known[0], str):
        return strings([None if value is None else str(value) for value in listed])
    kind = pa.int64() if all(isinstance(value, int | np.integer) for value in known) else pa.float64()
    return numbers(np.array([0 if value is None else value for value in listed]), kind, missing if missing.any() else None)


def strings(texts: Sequence[str | None]) -> pa.Array:
    """Text, null where None."""
    encoded = [(text or "").encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    missing = np.array([text is None for text in texts], dtype=bool)
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)), _validity(missing) if missing.any() else None
    )


def numbers(values: np.ndarray, kind: pa.DataType, missing: np.ndarray | None = None) -> pa.Array:
    """Numbers, null where missing."""
    packed = np.ascontiguousarray(values, dtype=kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(packed), [None if missing is None else _validity(missing), pa.py_buffer(packed)])


def _validity(missing: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(~missing, bitorder="little"))
