"""Where an engine puts its rows, and how they become columns."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from meshsim.records import TABLES

if TYPE_CHECKING:
    from meshsim.records import Sink

BLOCK_ROWS = 1 << 12
"""Rows that are kept as Python lists at most: few enough to stay in the processor's cache."""
CHUNK_BLOCKS = 1 << 4
"""Blocks of columns that make a chunk."""


class Recorder:
    """Collects rows and hands them to the sinks in chunks.

    A row is a list of whole numbers in the order of its table's columns. It may still be changed until the step of the simulation
    that added it is over: `flush_full` is called between steps.
    """

    __slots__ = (
        "_blocks",
        "_sinks",
        "attempts",
        "autoscaling",
        "counters",
        "cpu",
        "decisions",
        "destinations",
        "filters",
        "proxies",
        "requests",
        "waits",
    )

    def __init__(self, sinks: tuple[Sink, ...]) -> None:
        self._sinks = sinks
        self._blocks: dict[str, list[np.ndarray]] = {table: [] for table in TABLES}
        self.requests: list[list[int]] = []
        self.attempts: list[list[int]] = []
        self.waits: list[list[int]] = []
        self.counters: list[list[int]] = []
        self.proxies: list[list[int]] = []
        self.filters: list[list[int]] = []
        self.decisions: list[list[int]] = []
        self.destinations: list[list[int]] = []
        self.autoscaling: list[list[int]] = []
        self.cpu: list[list[int]] = []

    def flush_full(self) -> None:
        """Hand on the tables that have grown to a chunk."""
        for table in TABLES:
            if len(getattr(self, table)) >= BLOCK_ROWS:
                self._pack(table)
                if len(self._blocks[table]) >= CHUNK_BLOCKS:
                    self._hand_on(table)

    def flush(self) -> None:
        """Hand on all that is there."""
        for table in TABLES:
            self._pack(table)
            if self._blocks[table]:
                self._hand_on(table)

    def _pack(self, table: str) -> None:
        """Rows to a block of cells."""
        rows, width = getattr(self, table), len(TABLES[table])
        if rows:
            cells = array("q")
            for row in rows:
                cells.fromlist(row)
            self._blocks[table].append(np.frombuffer(cells, dtype=np.int64).reshape(len(rows), width))
            rows.clear()

    def _hand_on(self, table: str) -> None:
        columns = np.ascontiguousarray(np.concatenate(self._blocks[table]).T)
        self._blocks[table].clear()
        chunk = dict(zip(TABLES[table], columns, strict=True))
        for sink in self._sinks:
            sink.take(table, chunk)
