"""What filters decided over time: rates by filter, and by the rule, route and consumer that it was about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshsim.metrics.over_time.intervals import Counted, Intervals
from meshsim.metrics.policies.idle import filter_labels
from meshsim.metrics.rows import NO_CONSUMER, NO_ROUTE, groups
from meshsim.policies.filters import Decision
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from meshsim.plan import Plan
    from meshsim.records import Chunk

SPLITS = ("rule", "route", "consumer")
"""What the decisions of a filter are divided by, each for itself."""
MOST_NAMES = 5
"""Of a split: those with the most requests; what is left is together in `OTHERS`."""
OTHERS = "(others)"
NO_RULE = "(no rule)"
COLUMNS = tuple(f"{decision.name.lower()}_per_s" for decision in Decision)
"""A rate for each decision, in the table."""
_KEY = ("kind", "service", "filter_number", "decision", *SPLITS)
Place = tuple[int, int, int]
"""Kind of the proxy, its service, and number of the filter."""


class Part(NamedTuple):
    """All decisions of a filter, or those about one rule, route or consumer."""

    place: Place
    by: str = ""
    value: int = 0


class DecisionsOverTime:
    """A sink of decisions; its intervals are those of `meshsim.metrics.over_time.requests`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._axis = Intervals(plan.interval_ns, plan.duration_ns)
        self._counted: Counted[tuple[Part, int]] = Counted()
        """Key: of what, and the decision."""

    def take(self, table: str, chunk: Chunk) -> None:
        """Add rows; of decisions only."""
        if table != "decisions" or not len(chunk["time_ns"]):
            return
        for _ in range(self._axis.halvings(int(chunk["time_ns"].max()) - 1)):
            self._counted.halve()
        intervals = (chunk["time_ns"] - 1) // self._axis.width_ns
        for _, rows in groups(_code([chunk[name] for name in _KEY])):
            kind, service, number, decision, *values = (int(chunk[name][rows[0]]) for name in _KEY)
            place = kind, service, number
            for part in (Part(place), *(Part(place, *split) for split in zip(SPLITS, values, strict=True))):
                self._counted.add((part, decision), intervals[rows], chunk["requests"][rows])

    def table(self, simulated_ns: int) -> dict[str, np.ndarray]:
        """One row for each interval of each filter, and of each of its parts where there are several.

        Args:
            simulated_ns: How far the run has come.

        Returns:
            Columns of equal length: filter_name (such as `gateway: rate_limit`), by (`rule`, `route` or `consumer`; empty: all of the
            filter), name (of that; rules are `rules[0]` and so on), time_s (start of the interval), interval_s, and for each decision a
            rate, such as limited_per_s.
        """
        edges_ns = self._axis.edges_ns(simulated_ns)
        count, lengths_s = len(edges_ns) - 1, np.diff(edges_ns) / NS_PER_S
        places = sorted({part.place for part, _ in self._counted.known()})
        labels = dict(zip(places, filter_labels(self._plan, places), strict=True))
        found = [(labels[place], *part) for place in places for part in self._of(place, count)]
        texts = zip(("filter_name", "by", "name"), range(3), strict=True)
        rates = np.concatenate([counts / lengths_s for *_, counts in found], axis=1) if found else np.zeros((len(COLUMNS), 0))
        return {
            **{name: np.repeat(np.asarray([part[at] for part in found], dtype=object), count) for name, at in texts},
            "time_s": np.tile(edges_ns[:-1] / NS_PER_S, len(found)),
            "interval_s": np.tile(lengths_s, len(found)),
            **dict(zip(COLUMNS, rates, strict=True)),
        }

    def _of(self, place: Place, count: int) -> list[tuple[str, str, np.ndarray]]:
        """By what, the name, and the counts by decision and interval: int64, shape (decisions, count)."""
        made = [("", "", self._counts(Part(place), count))]
        for by in SPLITS:
            values = sorted({part.value for part, _ in self._counted.known() if part[:2] == (place, by)})
            if len(values) < 2 or (by == "rule" and max(values) < 1):  # one rule, or none at all, tells no more than the filter
                continue
            counts = {value: self._counts(Part(place, by, value), count) for value in values}
            main = set(sorted(values, key=lambda value: -counts[value].sum())[:MOST_NAMES])
            made += [(by, self._name(by, value), counts[value]) for value in values if value in main]
            if rest := [counts[value] for value in values if value not in main]:
                made.append((by, OTHERS, np.sum(rest, axis=0)))
        return made

    def _counts(self, part: Part, count: int) -> np.ndarray:
        return np.stack([self._counted.row((part, int(decision)), count) for decision in Decision])

    def _name(self, by: str, value: int) -> str:
        names = self._plan.names
        if by == "rule":
            return f"rules[{value}]" if value >= 0 else NO_RULE
        if by == "route":
            return names.routes[value] if value >= 0 else NO_ROUTE
        return names.consumers[value] if value else NO_CONSUMER


def _code(columns: list[np.ndarray]) -> np.ndarray:
    """One number for each combination of numbers from -1 on, int64."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code = code * (int(column.max()) + 2) + column + 1
    return code
