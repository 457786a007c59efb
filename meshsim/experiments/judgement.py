"""What the figures of a comparison come to: thresholds with intervals, gates, differences, and a sentence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from meshsim.metrics.thresholds import COMPARISONS, figure_text
from meshsim.scenario.figure import of_threshold
from meshsim.scenario.thresholds import parse_condition
from meshsim.statistics.intervals import Interval
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshsim.experiments.replications import Replications
    from meshsim.scenario.figure import Figure, Gate
    from meshsim.scenario.thresholds import Quantity

NOTHING = "nothing to measure"
MOST_TOLD = 6
"""Variants that a verdict tells of one by one."""
SMALLEST_TOLD = 0.01
"""Shares that change by less are not told first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One threshold of one variant, over all replications."""

    variant: str
    metric: str
    condition: str
    value: float | None
    """Over all replications; None where there was nothing to measure, or it never came to it."""
    low: float | None
    high: float | None
    observed_text: str
    """The value with its interval, for people."""
    passed: bool
    """Whether the value keeps the limit."""
    held: float
    """Share of the replications in which it held."""

    @property
    def text(self) -> str:
        """The threshold on one line."""
        return f"{self.metric} {self.condition}"

    def to_dict(self) -> dict[str, Any]:
        """As a row."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """One gate for one variant."""

    gate: str
    """As it was written."""
    variant: str
    change: float | None
    """Against the baseline: a share for a relative gate, else in the figure's own unit; None where it cannot be told."""
    low: float | None
    high: float | None
    outcome: str
    """`holds`, `crossed`, or `undecided` where the interval lies on both sides of the limit."""
    text: str
    """The change with its interval, for people."""

    @property
    def crossed(self) -> bool:
        """Whether the whole interval lies beyond the limit: the change is worse, and not by chance."""
        return self.outcome == "crossed"


def standing(metric: str, condition_text: str, variant: str, kept: Replications, confidence: float) -> Standing:
    """How a threshold stands over the replications of a variant."""
    figure = of_threshold(metric, condition_text)
    condition = parse_condition(condition_text, figure.selector.metric)
    limit = condition.limit / NS_PER_S if condition.quantity == "duration" else condition.limit
    keeps = COMPARISONS[condition.operator]
    values = kept.values(figure)
    interval = bounded(figure, kept.interval(figure, confidence))
    is_known = interval.count > 0 and not math.isnan(interval.value)
    return Standing(
        variant=variant,
        metric=str(figure.selector),
        condition=condition.text,
        value=_finite(interval.value),
        low=_finite(interval.low),
        high=_finite(interval.high),
        observed_text=with_interval(figure.quantity, interval),
        passed=is_known and bool(keeps(interval.value, limit)),
        held=float(sum(bool(keeps(value, limit)) for value in values if not math.isnan(value)) / len(values)),
    )


def gate(wanted: Gate, variant: str, baseline: Replications, changed: Replications, confidence: float) -> GateVerdict:
    """Whether a variant's change against the baseline is within a gate."""
    figure = wanted.figure
    interval = changed.difference(baseline, figure, confidence)
    quantity: Quantity = figure.quantity
    limit = wanted.limit
    relative = None
    if wanted.is_relative:
        relative = changed.relative(baseline, figure, confidence)
        if relative is None:  # a share of nothing: any growth is beyond every share, none keeps them all
            limit = 0.0
        else:
            interval, quantity = relative, "share"
    keeps = COMPARISONS[wanted.operator]
    if interval.low is None or interval.high is None:
        return GateVerdict(wanted.text, variant, None, None, None, "undecided", interval.method)
    sides = {bool(keeps(interval.low, limit)), bool(keeps(interval.high, limit))}
    outcome = "undecided" if len(sides) == 2 else "holds" if sides == {True} else "crossed"
    text = with_interval(quantity, interval, is_change=True)
    if interval is relative:
        text = f"{interval.value:+.1%} [{interval.low:+.1%}, {interval.high:+.1%}]"
    return GateVerdict(
        wanted.text, variant, _finite(interval.value), _finite(interval.low), _finite(interval.high), outcome, text
    )


def rows(figure: Figure, kept: Mapping[str, Replications], confidence: float) -> Iterator[dict[str, Any]]:
    """The rows of a figure in the table: one for each variant."""
    baseline = next(iter(kept.values()))
    for variant, replications in kept.items():
        interval = bounded(figure, replications.interval(figure, confidence))
        row: dict[str, Any] = {
            "figure": str(figure), "variant": variant, "quantity": figure.quantity, "value": interval.value,
            "low": _number(interval.low), "high": _number(interval.high), "method": interval.method, "note": interval.note,
        }  # fmt: skip
        is_other = replications is not baseline
        paired = replications.difference(baseline, figure, confidence) if is_other else None
        relative = replications.relative(baseline, figure, confidence) if is_other else None
        for name, one in (("difference", paired), ("relative", relative)):
            row[name] = math.nan if one is None else one.value
            row[f"{name}_low"] = math.nan if one is None else _number(one.low)
            row[f"{name}_high"] = math.nan if one is None else _number(one.high)
        row["is_distinct"] = paired is not None and paired.excludes(0.0)
        row["better"] = figure.better
        row["replications"] = interval.count
        yield row


def bounded(figure: Figure, interval: Interval) -> Interval:
    """The interval within what the figure can be at all: no time is negative, no share above 1."""
    if interval.low is None or interval.high is None:
        return interval
    most = 1.0 if figure.quantity == "share" else math.inf
    return replace(interval, low=max(interval.low, 0.0), high=min(interval.high, most))


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table for people: value and difference with their intervals as text.

    Columns: figure, variant, value, difference, in words.
    """
    rows = []
    for row in table.to_dict("records"):
        value = Interval(row["value"], row["low"], row["high"], 0.95, row["replications"], "")
        paired = Interval(row["difference"], row["difference_low"], row["difference_high"], 0.95, row["replications"], "")
        told = {
            "figure": row["figure"],
            "variant": row["variant"],
            "value": with_interval(row["quantity"], value),
            "difference": "" if math.isnan(paired.value) else with_interval(row["quantity"], paired, is_change=True),
            "in words": word(row),
        }
        rows.append(told)
    return pd.DataFrame(rows)


def word(row: Mapping[Any, Any]) -> str:
    """What a difference comes to: `better`, `worse`, `differs`, `noise`, `the same`; empty without one."""
    if math.isnan(row["difference"]):
        return ""
    if not row["difference"] and row["difference_low"] == row["difference_high"]:
        return "the same"
    if not row["is_distinct"]:
        return "noise"
    if not row["better"]:
        return "differs"
    return "better" if (row["difference"] < 0) == (row["better"] == "lower") else "worse"


def verdict(variants: Sequence[str], standings: Sequence[Standing], table: pd.DataFrame) -> str:
    """Which variants hold their thresholds, and what the others cross; then the clearest difference."""
    sentences = []
    if standings:
        crossed = {name: [one for one in standings if one.variant == name and not one.passed] for name in variants}
        count = len([one for one in standings if one.variant == variants[0]])
        holding = [name for name in variants if not crossed[name]]
        thresholds = "the threshold" if count == 1 else f"all {count} thresholds"
        if len(holding) == len(variants):
            sentences.append(f"{'Every variant holds' if len(variants) > 1 else f'{variants[0]} holds'} {thresholds}.")
        elif holding:
            others = "; ".join(f"{name} crosses {len(crossed[name])}" for name in variants if crossed[name])
            verb = "holds" if len(holding) == 1 else "hold"
            sentences.append(f"{_listed(holding)} {verb} {thresholds}; {others}.")
        else:
            numbers = "; ".join(f"{name} crosses {len(crossed[name])}" for name in variants)
            sentences.append(f"No variant holds {thresholds}: {numbers}.")
    sentences += _differences(variants, table)
    return " ".join(sentences)


def _differences(variants: Sequence[str], table: pd.DataFrame) -> Iterator[str]:
    """What each variant does better and worse than the baseline, of the figures that can be told from noise."""
    if len(variants) > MOST_TOLD or table["difference_low"].isna().all():  # one replication tells nothing from noise
        return
    for name in variants[1:]:
        judged = table[(table["variant"] == name) & (table["better"] != "") & table["difference"].notna()]
        mine = judged[judged["is_distinct"]]
        sign = mine["better"].map({"lower": -1, "higher": 1}).astype(float)
        better, worse = mine[mine["difference"] * sign > 0], mine[mine["difference"] * sign < 0]
        if not len(mine):
            is_same = (judged["difference"] == 0).all() and (judged["difference_low"] == judged["difference_high"]).all()
            yield f"{name} is the same as {variants[0]}." if is_same else f"Nothing tells {name} from {variants[0]} but noise."
            continue
        told = [f"{word} in {_clearest(part)}" for part, word in ((better, "better"), (worse, "worse")) if len(part)]
        yield f"Against {variants[0]}, {name} is {', '.join(told)}."


def _clearest(distinct: pd.DataFrame) -> str:
    """The two largest changes, those that clients notice first."""
    ratio = (1 + distinct["relative"]).clip(lower=1e-3).map(math.log).abs().fillna(math.inf)
    notice = distinct["figure"].str.match("latency|goodput|recovery_time|errors")
    points = (distinct["quantity"] == "share") & (distinct["difference"].abs() < SMALLEST_TOLD)
    order = pd.DataFrame({"notice": notice & ~points, "ratio": ratio}).sort_values(
        ["notice", "ratio"], ascending=False, kind="stable"
    )
    top = [distinct.loc[index] for index in order.index[:2]]
    rest = len(distinct) - len(top)
    return " and ".join(f"{row['figure']} ({_change(row)})" for row in top) + (f" and {rest} more" if rest else "")


def _change(row: pd.Series[Any]) -> str:
    """`79% lower`, `34 times as high`, `+51.6 points`, `never`."""
    relative, difference = float(row["relative"]), float(row["difference"])
    if math.isinf(difference):
        return "never" if difference > 0 else "no longer never"
    if row["quantity"] == "share":
        return f"{difference * 100:+.3g} percentage points"
    if not math.isfinite(relative):
        return signed(row["quantity"], difference)
    if relative >= 2:
        return f"{1 + relative:.3g} times as high"
    percent = abs(relative) * 100
    shown = f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"
    return f"{shown}% {'lower' if relative < 0 else 'higher'}"


def with_interval(quantity: Quantity, interval: Interval, *, is_change: bool = False) -> str:
    """`412ms [405ms, 419ms]`; a change with its sign."""
    if math.isnan(interval.value):
        return NOTHING
    value = signed(quantity, interval.value) if is_change else shown_value(quantity, interval.value)
    if interval.low is None or interval.high is None or math.isnan(interval.low):
        return value
    ends = [signed(quantity, one) if is_change else shown_value(quantity, one) for one in (interval.low, interval.high)]
    return f"{value} [{ends[0]}, {ends[1]}]"


def shown_value(quantity: Quantity, value: float) -> str:
    """A value for people; `never` for infinity."""
    if math.isinf(value):
        return "never"
    return f"-{figure_text(quantity, -value)}" if value < 0 else figure_text(quantity, value)


def signed(quantity: Quantity, value: float) -> str:
    """A change for people: `+12ms`, `-10/s`; of a share in percentage points, `-0.4pp`."""
    if quantity in {"rate", "number"} and math.isfinite(value):
        text = f"{abs(value):,.0f}" if abs(value) >= 100 else f"{abs(value):.2g}"
        text += "/s" if quantity == "rate" else ""
    elif quantity == "share" and math.isfinite(value):
        text = f"{abs(value) * 100:.3g}pp"
    else:
        text = shown_value(quantity, abs(value))
    return f"+{text}" if value > 0 else f"-{text}" if value < 0 else text


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
