"""What filters decided: over the whole run, by filter and by consumer, and how evenly the consumers were treated."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from meshsim.metrics.policies.idle import filter_name, filter_place
from meshsim.metrics.policies.summaries import FilterSummary
from meshsim.metrics.rows import groups
from meshsim.policies.filters import Decision

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

REFUSALS = frozenset({Decision.LIMITED, Decision.DENIED, Decision.FAILED_CLOSED, Decision.SHED, Decision.ABORTED})
"""Of these the request gets an answer of the filter's own, and it is a failure."""
COLUMNS = ("kind", "service", "filter_number", "decision", "consumer")


class Decisions:
    """A sink of decisions, over the whole run: the warm-up included, since a filter may act there."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counts: Counter[tuple[int, ...]] = Counter()
        """By `COLUMNS`."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows."""
        if table != "decisions" or not len(chunk["time_ns"]):
            return
        columns = [chunk[name] for name in COLUMNS]
        code = np.zeros(len(columns[0]), dtype=np.int64)
        for column in columns:
            code = code * (int(column.max()) + 2) + column + 1
        for _, rows in groups(code):
            self._counts[tuple(int(column[rows[0]]) for column in columns)] += int(chunk["requests"][rows].sum())

    def summaries(self) -> tuple[FilterSummary, ...]:
        """One for each filter of each kind of proxy, in their order."""
        plan, places = self._plan, sorted({key[:3] for key in self._counts})
        return tuple(
            FilterSummary(
                place=filter_place(plan, kind, service),
                filter=filter_name(plan, service, number),
                number=number,
                counts=self._of(kind, service, number),
                fairness=self._fairness(kind, service, number),
            )
            for kind, service, number in places
        )

    def _of(self, *place: int) -> dict[str, int]:
        found: Counter[str] = Counter()
        for key, requests in sorted(self._counts.items()):
            if key[:3] == place:
                found[Decision(key[3]).name.lower()] += requests
        return dict(found)

    def _fairness(self, *place: int) -> float | None:
        """Jain's index of the shares of each consumer's requests that were let pass; None with fewer than two consumers.

        1 where all consumers have the same share, 1/n where only one of n gets anything.

        Source: Jain, Chiu and Hawe, "A quantitative measure of fairness and discrimination for resource allocation in shared
        computer systems", DEC-TR-301, 1984.
        """
        asked: Counter[int] = Counter()
        passed: Counter[int] = Counter()
        for key, requests in self._counts.items():
            if key[:3] == place:
                asked[key[4]] += requests
                passed[key[4]] += 0 if key[3] in REFUSALS else requests
        shares = [passed[consumer] / asked[consumer] for consumer in sorted(asked)]
        squares = sum(share * share for share in shares)
        return sum(shares) ** 2 / (len(shares) * squares) if len(shares) > 1 and squares else None
