"""A sample of requests with all their rows, of which the slowest are looked at closely; its memory is bounded however long the run."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from meshsim.flags import flag_text
from meshsim.metrics.stages.critical_path import NONE, Try
from meshsim.random_blocks import uniforms
from meshsim.randomness import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.plan import Plan
    from meshsim.records import Chunk

    Columns = dict[str, np.ndarray]

REQUEST_COLUMNS = ("request", "route", "started_ns", "ended_ns", "status", "response_flags")
TRY_COLUMNS = ("request", *Try._fields)
KEPT = {"requests": REQUEST_COLUMNS, "attempts": TRY_COLUMNS, "waits": TRY_COLUMNS}
EMPTY = ("worked_ns", "inbound_ns", "response_flags")
"""Columns of attempts in which 0 stands for nothing, and not -1."""
TRIES_EACH = 20
"""Rows of attempts for each request of the limit, beyond which requests are dropped as well."""
LEAST_SLOW = 10
ALL_ROUTES = NONE - 1
"""In place of a route: all of them, and what no route matched."""


@dataclass(frozen=True, slots=True)
class Records:
    """Requests and the attempts and waits that belong to them, as columns, with the names of what they number."""

    requests: Columns
    tries: Columns
    routes: tuple[str, ...]
    services: tuple[str, ...]
    operations: tuple[str, ...]
    flag_text: Callable[[int], str] = flag_text
    knows_waits: bool = True

    def ranked(self, route: int) -> np.ndarray:
        """Positions of the requests of a route, or of `ALL_ROUTES`, the slowest first; equal ones by number."""
        requests = self.requests
        mine = np.flatnonzero((requests["route"] == route) | (route == ALL_ROUTES))
        latency_ns = requests["ended_ns"][mine] - requests["started_ns"][mine]
        ranked: np.ndarray = mine[np.lexsort((requests["request"][mine], -latency_ns))]
        return ranked

    def slowest(self, route: int, share: float) -> np.ndarray:
        """Of the ranked, so many: `LEAST_SLOW` at least where there are that many."""
        ranked = self.ranked(route)
        return ranked[: max(LEAST_SLOW, ceil(share * len(ranked)))]

    def tries_of(self, numbers: np.ndarray) -> dict[int, list[Try]]:
        """The attempts and waits of these requests, by request."""
        found: dict[int, list[Try]] = {number: [] for number in numbers.tolist()}
        rows = np.flatnonzero(np.isin(self.tries["request"], numbers))
        columns = [self.tries[name][rows].tolist() for name in Try._fields]
        for number, values in zip(self.tries["request"][rows].tolist(), zip(*columns, strict=True), strict=True):
            found[number].append(Try(*values))
        return found


class SlowSample:
    """A sink that keeps the rows of some of the requests that start in the measured window.

    Whether a request is kept depends on its number alone, as in the run directory: below a share that begins at 1 and is halved
    whenever too much is held. So a run with fewer requests is looked at in full. Copies, and calls that nobody waits for, are no request's.

    Args:
        plan: What is simulated.
        limit: So many requests at most.
    """

    def __init__(self, plan: Plan, limit: int = 20_000) -> None:
        self._plan = plan
        self._limit = limit
        self.share = 1.0
        """Of the requests, how many are kept."""
        self._parts: dict[str, list[Columns]] = {table: [] for table in KEPT}

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows of one of `meshsim.records.TABLES`."""
        if table not in KEPT:
            return
        since_ns = chunk["started_ns" if table == "requests" else "request_started_ns"]
        drawn = uniforms(chunk["request"].astype(np.uint64), SAMPLE)
        kept = (
            (chunk["request"] >= 0)
            & (drawn < self.share)
            & (since_ns >= self._plan.warm_up_ns)
            & (since_ns < self._plan.duration_ns)
        )
        part = {name: chunk[name][kept] for name in KEPT[table] if name in chunk}
        self._parts[table].append({"drawn": drawn[kept], **part})
        while self._held("requests") > self._limit or self._held("attempts") > TRIES_EACH * self._limit:
            self._halve()

    def records(self) -> Records:
        """What is held."""
        names = self._plan.names
        tries = columns_of_tries(self._joined("attempts"), self._joined("waits"))
        return Records(self._joined("requests"), tries, names.routes, names.services, names.operations)

    def _held(self, table: str) -> int:
        return sum(len(part["drawn"]) for part in self._parts[table])

    def _halve(self) -> None:
        self.share /= 2
        for table in (table for table, parts in self._parts.items() if parts):
            whole = self._joined(table)
            kept = whole["drawn"] < self.share
            self._parts[table] = [{name: column[kept] for name, column in whole.items()}]

    def _joined(self, table: str) -> Columns:
        parts = self._parts[table]
        if not parts:
            return {name: np.zeros(0, dtype=np.float64 if name == "drawn" else np.int64) for name in ("drawn", *KEPT[table])}
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def columns_of_tries(attempts: Columns, waits: Columns) -> Columns:
    """Attempts and waits in one table."""
    return {name: np.concatenate([_column(attempts, name), _column(waits, name)]) for name in TRY_COLUMNS}


def _column(rows: Columns, name: str) -> np.ndarray:
    """A column; of those that waits do not have, what stands for nothing."""
    return rows[name] if name in rows else np.full(len(rows["request"]), 0 if name in EMPTY else NONE)
