"""What one should know before believing the figures of a comparison: warm-up, precision, pairs that are none."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from meshsim.experiments.replications import Replications
    from meshsim.experiments.run import Experiment
    from meshsim.scenario.figure import Figure

FEW = 5
"""Replications below which an interval rests on little."""
MOST_IDLE = 4
"""Policies that never acted which are named."""
FEW_BEYOND = 50
"""Requests of a replication beyond a quantile below which its interval holds the truth less often than it says: docs/statistics.md."""


class Compared(Protocol):
    """What the notes are about: as much of a `Comparison` as they look at."""

    @property
    def manifest(self) -> dict[str, Any]:
        """What was asked for."""
        ...

    @property
    def kind(self) -> str:
        """`comparison`, `sweep`, or `run`."""
        ...

    @property
    def variants(self) -> tuple[str, ...]:
        """Names, the baseline first."""
        ...

    @property
    def baseline(self) -> str:
        """What the others are compared with."""
        ...

    @property
    def replications(self) -> int:
        """Of each variant."""
        ...

    @property
    def confidence(self) -> float:
        """Of all intervals."""
        ...

    @property
    def experiments(self) -> Mapping[str, Experiment]:
        """The scenario of each variant."""
        ...

    @property
    def kept(self) -> Mapping[str, Replications]:
        """The replications of each variant."""
        ...

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What the table shows."""
        ...

    @property
    def until_figures(self) -> tuple[Figure, ...]:
        """What had to be precise."""
        ...

    def table(self) -> pd.DataFrame:
        """One row for each figure and variant."""
        ...


def notes(comparison: Compared) -> tuple[str, ...]:
    """The warnings, each a sentence or two."""
    parts = (_interrupted, _warm_up, _precision, _replications, _tails, _requests, _intervals, _idle)
    return tuple(note for part in parts for note in part(comparison))


def _interrupted(comparison: Compared) -> Iterator[str]:
    """A comparison that has not come to its end."""
    if not comparison.manifest.get("is_whole", True):
        count = comparison.replications
        done = "one replication" if count == 1 else f"{count} replications"
        yield f"Interrupted: this is of the {done} that every variant has so far. --resume goes on from there."


def _warm_up(comparison: Compared) -> Iterator[str]:
    """What MSER-5 says of the warm-up, once for each answer."""
    unchecked: dict[str, list[str]] = {}
    for name, kept in comparison.kept.items():
        reasons = {summary.warm_up_check for summary in kept.summaries if summary.warm_up_check}
        if reasons:
            unchecked.setdefault(min(reasons), []).append(name)
            continue
        needed_s, given_s = median(_needed(kept)), kept.summaries[0].warm_up_s
        if math.isinf(needed_s):
            yield f"{name}: the run is too short to tell when it has warmed up (MSER-5): make it longer."
        elif needed_s > given_s:
            yield (
                f"{name}: the warm-up of {_time(given_s)} is too short. MSER-5 finds that the figures settle after {_time(needed_s)} "
                "(median over the replications)."
            )
    for reason, names in unchecked.items():
        who = "" if len(names) == len(comparison.variants) else f" of {', '.join(names)}"
        yield f"The warm-up{who} was not checked: {reason}."


def _idle(comparison: Compared) -> Iterator[str]:
    """Policies that made no difference to any request of any replication: what the comparison says nothing of."""
    idle: dict[str, list[str]] = {}
    for name, kept in comparison.kept.items():
        common = set.intersection(*(set(summary.never_acted) for summary in kept.summaries)) if kept.summaries else set()
        for text in kept.summaries[0].never_acted if kept.summaries else ():
            if text in common:
                idle.setdefault(text, []).append(name)
    everywhere = [text for text, names in idle.items() if len(names) == len(comparison.variants)]
    if everywhere:
        left = f", and {len(everywhere) - MOST_IDLE} more" if len(everywhere) > MOST_IDLE else ""
        yield f"In no variant did these policies act, so nothing here tells whether they matter: {'; '.join(everywhere[:MOST_IDLE])}{left}."


def _needed(kept: Replications) -> list[float]:
    return [math.inf if one.warm_up_needed_s is None else one.warm_up_needed_s for one in kept.summaries]


def _precision(comparison: Compared) -> Iterator[str]:
    """Whether the precision that was asked for was reached."""
    until = comparison.manifest["until"]
    if until is None or comparison.replications < until["max_replications"]:
        return
    wide = []
    for figure in comparison.until_figures:
        for name, kept in comparison.kept.items():
            interval = kept.interval(figure, comparison.confidence)
            if interval.half_width is not None and interval.half_width > until["relative_error"] * abs(interval.value):
                wide.append(f"{figure} of {name}")
    if wide:
        yield (
            f"After {comparison.replications} replications, the most that were allowed, these are less precise than the "
            f"{until['relative_error']:.3g} (share of the value) asked for: {', '.join(wide)}."
        )


def _replications(comparison: Compared) -> Iterator[str]:
    if comparison.replications == 1:
        yield "One replication has no interval: nothing here can be told from chance. Ask for ten or more."
    elif comparison.replications < FEW:
        yield f"The intervals rest on {comparison.replications} replications; with ten or more they are narrower and more reliable."


def _tails(comparison: Compared) -> Iterator[str]:
    """Quantiles that rest on a handful of requests."""
    thin: dict[int, list[str]] = {}
    for figure in comparison.figures if comparison.replications > 1 else ():
        for name, kept in comparison.kept.items():
            beyond = kept.beyond(figure)
            if beyond is not None and 0 < beyond < FEW_BEYOND:
                thin.setdefault(math.ceil(beyond), []).append(f"{figure} of {name}")
    if thin:
        where = [one for beyond in sorted(thin) for one in thin[beyond]]
        listed = ", ".join(where[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else "")
        yield (
            f"Fewer than {FEW_BEYOND} requests of a replication lie beyond these quantiles, {min(thin)} at the fewest, and intervals of so "
            f"few are a little too narrow: {listed}. Make the run longer."
        )


def _requests(comparison: Compared) -> Iterator[str]:
    """Variants whose requests are not the baseline's: their pairs share less."""
    first = comparison.experiments[comparison.baseline]
    others = [
        name
        for name, experiment in comparison.experiments.items()
        if experiment.scenario.load != first.scenario.load
        or experiment.scenario.run.duration != first.scenario.run.duration
        or experiment.scenario.run.warm_up != first.scenario.run.warm_up
    ]
    if others and comparison.kind == "comparison":
        yield f"{', '.join(others)}: load or length of the run differ from {comparison.baseline}'s, so the requests are not the same."


def _intervals(comparison: Compared) -> Iterator[str]:
    """What the intervals themselves have to say."""
    table = comparison.table()
    said: dict[str, list[str]] = {}
    for row in table.itertuples():
        if row.note:
            said.setdefault(str(row.note), []).append(f"{row.figure} of {row.variant}")
    for note, where in said.items():
        listed = ", ".join(where[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else "")
        yield f"{listed}: {note}."
    distinct = int(table["is_distinct"].sum())
    compared = int(table["difference"].notna().sum())
    if compared >= 10 and comparison.kind != "sweep":
        yield (
            f"Each of the {compared} differences has an interval of its own at {comparison.confidence:.0%}: about "
            f"{compared * (1 - comparison.confidence):.1f} would seem distinct by chance if there were none; {distinct} do."
        )


def _time(seconds: float) -> str:
    return format_duration(round(seconds * NS_PER_S))
