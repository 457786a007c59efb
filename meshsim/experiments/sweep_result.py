"""What came of a sweep: a frame by point, and curves."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from meshsim.errors import UnitError
from meshsim.experiments.comparison import Comparison
from meshsim.scenario.figure import parse_figure
from meshsim.scenario.matrix import VARIANT
from meshsim.units import NS_PER_S, parse_duration, parse_rate, parse_share, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS: tuple[tuple[Callable[[object], float], float], ...] = (
    (parse_duration, NS_PER_S),
    (parse_rate, 1.0),
    (parse_share, 1.0),
    (parse_size, 1.0),
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Comparison):
    """The points of a sweep; `variants` are their names."""

    @property
    def axes(self) -> tuple[str, ...]:
        """The paths that were varied, in their order."""
        return tuple(self.manifest["axes"])

    @cached_property
    def verdict(self) -> str:
        """At how many points all thresholds hold."""
        if not self.standings:
            return f"{len(self.variants)} points were measured; the scenario has no thresholds to judge them by."
        thresholds = len({one.text for one in self.standings})
        what = "the threshold" if thresholds == 1 else f"all {thresholds} thresholds"
        verb = "holds" if len(self.holding) == 1 else "hold"
        return f"{len(self.holding)} of {len(self.variants)} points {verb} {what}."

    def to_frame(self) -> pd.DataFrame:
        """One row for each point: its settings as they were written, then each figure and the ends of its interval.

        Columns: one for each axis; for each figure `<figure>`, `<figure> low`, `<figure> high`; `replications`.
        """
        table = self.table()
        rows = []
        for point in self.manifest["points"]:
            row: dict[str, Any] = {path: point["settings"].get(path) for path in self.axes}
            for one in table[table["variant"] == point["name"]].itertuples():
                row |= {str(one.figure): one.value, f"{one.figure} low": one.low, f"{one.figure} high": one.high}
            rows.append({**row, "replications": self.replications})
        return pd.DataFrame(rows)

    def curve(self, figure: str, x: str | None = None, *, is_two_way: bool = True) -> pd.DataFrame:
        """The points of one figure, ready for a curve or a heat map.

        Args:
            figure: One that was measured.
            x: The axis to the right; the first that holds numbers where None.
            is_two_way: Whether a second axis with numbers goes upwards; else each of its values has a line.

        Returns:
            Columns x, x_text, y, y_text (of a second axis with numbers; NaN and "" without one), line (the settings of the
            other axes), figure, quantity, value, low, high, replications. `attrs` has `axis_x` and `axis_y`, None without a second.
        """
        wanted = parse_figure(figure)
        numeric = [path for path in self.axes if all(math.isfinite(number(text)) for text in self._texts(path))]
        axis_x = x or (numeric[0] if numeric else self.axes[0])
        axis_y = next((path for path in numeric if path != axis_x), None) if is_two_way else None
        table = self.table()
        table = table[table["figure"] == str(wanted)].set_index("variant")
        rows = []
        for position, point in enumerate(self.manifest["points"]):
            settings, one = point["settings"], table.loc[point["name"]]
            others = [_told(path, text) for path, text in settings.items() if path not in {axis_x, axis_y}]
            x_text = settings.get(axis_x, "")
            rows.append(
                {
                    "x": number(x_text) if axis_x in numeric else float(position), "x_text": x_text,
                    "y": number(settings.get(axis_y, "")) if axis_y else math.nan,
                    "y_text": settings.get(axis_y, "") if axis_y else "", "line": ", ".join(others),
                    "figure": str(wanted), "quantity": wanted.quantity, "value": one["value"], "low": one["low"],
                    "high": one["high"], "replications": one["replications"],
                }
            )  # fmt: skip
        frame = pd.DataFrame(rows)
        frame.attrs |= {"axis_x": axis_x, "axis_y": axis_y}
        return frame

    def _texts(self, path: str) -> list[str]:
        return [point["settings"][path] for point in self.manifest["points"] if path in point["settings"]]


def _told(path: str, text: str) -> str:
    """A setting in the name of a curve: the last word of its path is enough, and a variant speaks for itself."""
    return text if path == VARIANT else f"{path.rpartition('.')[2]}={text}"


def number(text: str) -> float:
    """A setting as a number: seconds of a duration, per second of a rate, a share from 0 to 1, bytes of a size; NaN of a word."""
    if _NUMBER.fullmatch(text):
        return float(text)
    for parse, scale in _UNITS:
        try:
            return parse(text) / scale
        except UnitError:
            continue
    return math.nan
