"""The replications of one point, read back: figures with intervals, and tables."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from meshsim.errors import ResultError, UsageError
from meshsim.experiments.observer import HISTOGRAMS
from meshsim.experiments.places import SUMMARY
from meshsim.metrics.figures import Never, NoFigure, observe
from meshsim.metrics.histogram_table import pooled, with_histograms
from meshsim.metrics.summary import Summary
from meshsim.scenario.thresholds import Selector
from meshsim.statistics.intervals import Interval, interval
from meshsim.statistics.paired import difference, relative

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from meshsim.scenario.figure import Figure
    from meshsim.statistics.intervals import Kind


@dataclass(frozen=True)
class Replications:
    """What the replications of one point have left."""

    places: tuple[Path, ...]
    """Their folders, in the order of their numbers."""

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """One for each replication, with the histograms of all times."""
        return tuple(_summary(place) for place in self.places)

    @cached_property
    def pooled(self) -> Summary:
        """A summary whose times are those of all replications together; its other figures are the first one's."""
        return pooled(self.summaries)

    def values(self, figure: Figure) -> np.ndarray:
        """The figure of each replication, float, shape (replications,): NaN where there was nothing to measure, inf for never."""
        return np.array([_observed(figure, summary) for summary in self.summaries])

    def pooled_value(self, figure: Figure) -> float | None:
        """The quantile of all replications together; None of a figure that is no quantile."""
        return _observed(figure, self.pooled) if figure.is_quantile else None

    def beyond(self, figure: Figure) -> float | None:
        """How many requests of a replication lie beyond a quantile, in the mean; None of a figure that is no quantile."""
        if not figure.is_quantile:
            return None
        share = 0.5 if figure.argument is None else figure.argument / 100
        requests = replace(figure, selector=Selector("requests", figure.selector.labels), aggregation="count", argument=None)
        return min(share, 1 - share) * float(np.nan_to_num(self.values(requests)).mean())

    def interval(self, figure: Figure, confidence: float) -> Interval:
        """The figure over all replications."""
        return interval(self.values(figure), kind=_kind(figure), pooled=self.pooled_value(figure), confidence=confidence)

    def difference(self, baseline: Replications, figure: Figure, confidence: float) -> Interval:
        """What is more here than in the baseline, paired replication by replication."""
        return difference(
            baseline.values(figure),
            self.values(figure),
            kind=_kind(figure),
            pooled_first=baseline.pooled_value(figure),
            pooled_second=self.pooled_value(figure),
            confidence=confidence,
        )

    def relative(self, baseline: Replications, figure: Figure, confidence: float) -> Interval | None:
        """The difference as a share of the baseline's value; None where that is zero."""
        return relative(
            baseline.values(figure),
            self.values(figure),
            kind=_kind(figure),
            pooled_first=baseline.pooled_value(figure),
            pooled_second=self.pooled_value(figure),
            confidence=confidence,
        )

    def table(self, name: str) -> pd.DataFrame:
        """One of the tables of all replications, with a column `replication`."""
        import pandas as pd  # noqa: PLC0415 — pandas loads only where a frame is asked for

        frames = []
        for number, place in enumerate(self.places):
            frame = pd.read_parquet(place / f"{name}.parquet")
            frame.insert(0, "replication", number)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True).infer_objects()  # the columns of an empty one are text


def _summary(place: Path) -> Summary:
    try:
        content = json.loads((place / SUMMARY).read_bytes())
        content.pop("thresholds", None)
        histograms = pq.read_table(place / f"{HISTOGRAMS}.parquet")
        columns = {name: histograms.column(name).to_pylist() for name in histograms.column_names}
        return with_histograms(Summary.from_dict(content), columns)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{place} holds no replication that can be read ({error})") from None


def _kind(figure: Figure) -> Kind:
    if figure.selector.metric == "recovery_time":
        return "censored"
    return "quantile" if figure.is_quantile else "mean"


def _observed(figure: Figure, summary: Summary) -> float:
    try:
        return float(observe(figure.selector.metric, dict(figure.selector.labels), figure.aggregation, figure.argument, summary))
    except Never:
        return math.inf
    except NoFigure:
        return math.nan
    except KeyError as error:
        raise UsageError(f"{figure} cannot be told here ({error})") from None
