"""Rows of the same things at every instant, of which only the changed ones are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.recorder import CHUNK_CELLS, Recorder, Standing
from meshsim.records import COUNTERS

if TYPE_CHECKING:
    import numpy as np

    from meshsim.records import Chunk

COUNTS = {"queued_ns", "busy_ns", "arrived", "finished"}
BUSY = [3, 2, 30, 20, 5, 4, 1]
"""queued, busy, queued_ns, busy_ns, arrived, finished, is_up."""


class Kept:
    """Chunks of counters."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def take(self, table: str, chunk: Chunk) -> None:
        assert table == "counters"
        self.chunks.append(chunk)

    def rows(self) -> list[list[int]]:
        columns: list[np.ndarray] = [chunk[name] for chunk in self.chunks for name in COUNTERS]
        return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def written(*changes: dict[int, list[int]]) -> list[list[int]]:
    kept = Kept()
    recorder = Recorder((kept,))
    standing = Standing(recorder, "counters", [(0, 0), (0, 1)], COUNTS)
    for number, changed in enumerate(changes):
        standing.write(10 * (number + 1), changed)
    recorder.flush()
    return kept.rows()


def test_what_did_not_change_stands_as_it_was_and_counts_nothing() -> None:
    assert written({0: BUSY}, {}) == [
        [10, 0, 0, *BUSY],
        [10, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        [20, 0, 0, 3, 2, 0, 0, 0, 0, 1],
        [20, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_a_later_row_does_not_change_an_earlier_one() -> None:
    idle = [0, 0, 1, 1, 0, 1, 0]

    assert written({1: BUSY}, {1: idle})[1::2] == [[10, 0, 1, *BUSY], [20, 0, 1, *idle]]


def test_full_chunks_are_handed_on_before_the_end() -> None:
    kept = Kept()
    recorder = Recorder((kept,))
    things = CHUNK_CELLS // len(COUNTERS) // 2 + 1
    standing = Standing(recorder, "counters", [(0, number) for number in range(things)], COUNTS)
    standing.write(10, {})
    recorder.flush_full()
    assert not kept.chunks
    standing.write(20, {})
    recorder.flush_full()

    assert [len(chunk["time_ns"]) for chunk in kept.chunks] == [2 * things]


def test_without_things_there_are_no_rows() -> None:
    kept = Kept()
    recorder = Recorder((kept,))
    Standing(recorder, "counters", [], COUNTS).write(10, {})
    recorder.flush()

    assert not kept.chunks
