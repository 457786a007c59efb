"""Where an engine puts its rows, and how they become columns."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from meshsim.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from meshsim.records import Sink

BLOCK_ROWS = 1 << 12
"""Rows that are kept as Python lists at most: few enough to stay in the processor's cache."""
CHUNK_CELLS = 1 << 20
"""Cells that make a chunk: few enough that a table of many columns takes no more memory than one of few."""
LISTED = (
    "requests",
    "attempts",
    "waits",
    "filters",
    "decisions",
    "autoscaling",
    "cpu",
    "message_queues",
    "messages",
    "deployments",
)
"""Tables whose rows come one by one."""


class Recorder:
    """Collects rows and hands them to the sinks in chunks.

    A row is a list of whole numbers in the order of its table's columns. It may still be changed until the step of the simulation
    that added it is over: `flush_full` is called between steps.
    """

    __slots__ = (
        "_blocks",
        "_sinks",
        "_waiting",
        "attempts",
        "autoscaling",
        "cpu",
        "decisions",
        "deployments",
        "filters",
        "message_queues",
        "messages",
        "requests",
        "waits",
    )

    def __init__(self, sinks: tuple[Sink, ...]) -> None:
        self._sinks = sinks
        self._blocks: dict[str, list[np.ndarray]] = {table: [] for table in TABLES}
        self._waiting = dict.fromkeys(TABLES, 0)
        """Cells in those."""
        self.requests: list[list[int]] = []
        self.attempts: list[list[int]] = []
        self.waits: list[list[int]] = []
        self.filters: list[list[int]] = []
        self.decisions: list[list[int]] = []
        self.autoscaling: list[list[int]] = []
        self.cpu: list[list[int]] = []
        self.message_queues: list[list[int]] = []
        self.messages: list[list[int]] = []
        self.deployments: list[list[int]] = []

    def add(self, table: str, block: np.ndarray) -> None:
        """Rows of a table that has no list, as an array of rows by columns that nobody changes any more."""
        self._blocks[table].append(block)
        self._waiting[table] += block.size

    def flush_full(self) -> None:
        """Hand on the tables that have grown to a chunk."""
        for table in LISTED:
            if len(getattr(self, table)) >= BLOCK_ROWS:
                self._pack(table)
        for table in TABLES:
            if self._waiting[table] >= CHUNK_CELLS:
                self._hand_on(table)

    def flush(self) -> None:
        """Hand on all that is there."""
        for table in LISTED:
            self._pack(table)
        for table in TABLES:
            if self._blocks[table]:
                self._hand_on(table)

    def _pack(self, table: str) -> None:
        """Rows to a block of cells."""
        rows, width = getattr(self, table), len(TABLES[table])
        if rows:
            cells = array("q")
            for row in rows:
                cells.fromlist(row)
            self.add(table, np.frombuffer(cells, dtype=np.int64).reshape(len(rows), width))
            rows.clear()

    def _hand_on(self, table: str) -> None:
        blocks = self._blocks[table]
        columns = np.empty((len(TABLES[table]), sum(map(len, blocks))), dtype=np.int64)
        np.concatenate([block.T for block in blocks], axis=1, out=columns)
        blocks.clear()
        self._waiting[table] = 0
        chunk = dict(zip(TABLES[table], columns, strict=True))
        for sink in self._sinks:
            sink.take(table, chunk)


class Standing:
    """The rows of a table that has one for each of the same things at every instant, of which only those that changed are given.

    What nothing has happened to since the row before gets the same row again, without its counts.
    """

    def __init__(self, recorder: Recorder, table: str, things: Sequence[Sequence[int]], counts: Collection[str]) -> None:
        """No rows yet.

        Args:
            recorder: Takes the rows.
            table: Its name; its first column is the time.
            things: What the rows are of, in their order: the columns after the time, as far as they say that.
            counts: The columns that count what happened since the row before; the others say how it is.
        """
        self._recorder = recorder
        self._table = table
        columns = list(TABLES[table])
        self._cells = np.zeros((len(things), len(columns)), dtype=np.int64)
        self._first = 1 + len(things[0]) if things else 1
        if things:
            self._cells[:, 1 : self._first] = things
        self._counts = [number for number, name in enumerate(columns) if name in counts]

    def write(self, time_ns: int, changed: dict[int, list[int]]) -> None:
        """The rows of an instant.

        Args:
            time_ns: When.
            changed: The remaining columns of those that something happened to, by number of the thing.
        """
        if not len(self._cells):
            return
        cells = self._cells
        cells[:, 0] = time_ns
        if changed:
            cells[list(changed), self._first :] = list(changed.values())
        self._recorder.add(self._table, cells.copy())
        if changed:
            cells[:, self._counts] = 0
