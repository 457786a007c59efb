"""The run directory: Parquet tables, a summary, and a manifest that is enough to repeat the run.

It is written under another name beside its place and renamed when it is whole, so that a directory with the right name is
complete, and two runs at once do not mix.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from meshsim.errors import ResultError
from meshsim.experiments.arrow import numbers, strings
from meshsim.experiments.places import refuse_what_is_not_ours, take_away
from meshsim.experiments.workplace import Workplace
from meshsim.flags import flag_text
from meshsim.plan import MessageEnd
from meshsim.policies.autoscaling import Limit, Reason
from meshsim.policies.filters import Decision
from meshsim.random_blocks import uniforms
from meshsim.randomness import SAMPLE
from meshsim.records import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from meshsim.plan import Names
    from meshsim.records import Chunk

SMALL = {
    "attempt": pa.int16(),
    "status": pa.int16(),
    "grpc_status": pa.int8(),
    "instance": pa.int32(),
    "proxy": pa.int32(),
    "filter_number": pa.int16(),
    "metric": pa.int16(),
}
"""Columns that need fewer than 64 bits."""


class TableWriter:
    """A sink that writes chunks into Parquet files, names in place of numbers.

    Args:
        folder: Where the files go.
        names: What the numbers stand for.
        share: Of the requests, and of the copies and calls that belong to none, how many are kept with all their attempts: 1 all, 0 none.
            The counters are always kept.
    """

    def __init__(self, folder: Path, names: Names, share: float) -> None:
        self._folder = folder
        self._share = share
        self._names = {
            "source": names.sources,
            "route": (*names.routes, None),
            "service": (*names.services, None),
            "origin": (*names.services, None),
            "caller": (*names.services, "(waypoint)", "(gateway)", "(client)"),
            "operation": (*names.operations, None),
            "kind": ("gateway", "sidecar", "node proxy", "waypoint"),
            "subset": (*names.subsets, None),
            "connection_pool": names.connection_pools,
            "queue": names.queues,
            "became": tuple(end.name.lower() for end in MessageEnd),
            "cache": names.caches,
            "consumer": (*names.consumers[1:], None),
            "decision": tuple(decision.name.lower() for decision in Decision),
            "scaling_reason": tuple(reason.name.lower() for reason in Reason),
            "limited_by": tuple(limit.name.lower() for limit in Limit),
        }
        self._writers: dict[str, pq.ParquetWriter] = {}

    def take(self, table: str, chunk: Chunk) -> None:
        """Write rows, those that are sampled where not all are kept."""
        if "request" in chunk and self._share < 1:
            if self._share == 0:
                return
            kept = _drawn(chunk) < self._share
            chunk = {name: column[kept] for name, column in chunk.items()}
        arrays = pa.Table.from_arrays([self._column(name, column) for name, column in chunk.items()], names=list(chunk))
        if table not in self._writers:
            self._writers[table] = _open(self._folder / f"{table}.parquet", arrays.schema)
        self._writers[table].write_table(arrays)

    def close(self) -> None:
        """End the files; a table without a row becomes a file without a row."""
        for table, columns in TABLES.items():
            if table not in self._writers and (self._share > 0 or "request" not in columns):
                self.take(table, {name: np.zeros(0, dtype=np.int64) for name in columns})
        for writer in self._writers.values():
            writer.close()

    def _column(self, name: str, column: np.ndarray) -> pa.Array:
        if name in self._names:
            names = self._names[name]
            column = column - 1 if name == "consumer" else column  # there 0 is nobody
            return _dictionary(np.where(column < 0, column + len(names), column), names)
        if name.endswith("flags"):
            masks, indices = np.unique(column, return_inverse=True) if column.any() else (column[:1], np.zeros_like(column))
            return _dictionary(indices, [flag_text(int(mask)) for mask in masks])
        return numbers(column, SMALL.get(name, pa.int64()))


def _drawn(chunk: Chunk) -> np.ndarray:
    """A number between 0 and 1 for each row, the same for all rows that are kept together.

    Rows of one request share its number. Those without a request (mirrored copies, calls that nobody waits for) are kept with what they
    call: all of one such tree share the instant at which it began.
    """
    requests = chunk["request"]
    drawn = uniforms(requests.astype(np.uint64), SAMPLE)
    apart = requests < 0
    if apart.any():
        drawn[apart] = uniforms(chunk["request_started_ns"][apart].astype(np.uint64), SAMPLE, 1)
    return drawn


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer for a file; times are stored as differences, which are small: half the size and a third of the time."""
    times = [field.name for field in schema if field.type == pa.int64()]
    others = [field.name for field in schema if field.type != pa.int64()]
    return pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=others, column_encoding=dict.fromkeys(times, "DELTA_BINARY_PACKED")
    )


def _dictionary(indices: np.ndarray, names: Any) -> pa.Array:
    """Text by index; an index whose name is None is null."""
    known = [name for name in names if name is not None]
    missing = None if len(known) == len(names) else indices >= len(known)
    return pa.DictionaryArray.from_arrays(numbers(indices, pa.int32(), missing), strings(known))


class RunDirectory:
    """A directory in the making: `path` is where it will be, `workplace` where it is until then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        refuse_what_is_not_ours(path)  # now, and not when the work of hours is done
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made = Workplace(path)
        except OSError as error:
            raise ResultError(f"cannot write results to {path}: {error.strerror or error}") from None
        self.workplace = self._made.path

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """One JSON file: keys in the order given, a line each."""
        self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """One text file."""
        self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> None:
        """One file of any kind."""
        (self.workplace / name).write_bytes(content)

    def publish(self, *, is_whole: bool) -> Path:
        """Give the directory its name; one that was there before is replaced, and an interrupted run gets a name of its own."""
        path = self.path if is_whole else self.path.with_name(f"{self.path.name}-interrupted")
        for _ in range(100):
            try:
                os.replace(self.workplace, path)  # noqa: PTH105 — Path.rename refuses on some systems what this does
            except OSError:
                if not path.exists():
                    raise
                take_away(path)
            else:
                self._made.give_up()
                return path
        raise ResultError(f"cannot replace {path}: other runs keep writing to it")

    def discard(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.workplace, ignore_errors=True)
        self._made.give_up()
