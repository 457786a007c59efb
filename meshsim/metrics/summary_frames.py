"""Summaries as rows, frames and JSON."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from meshsim.metrics.latency.times import Times

if TYPE_CHECKING:
    import pandas as pd
    from _typeshed import DataclassInstance

NO_NUMBERS = {"name", "route", "source", "consumer", "causes", "failures_by_flag", "failures_by_status", "unknown"}


def cells_of(one: DataclassInstance) -> dict[str, Any]:
    """The numbers of a row; of times the mean and the percentiles, as `latency_p99_s`."""
    cells: dict[str, Any] = {}
    for each in fields(one):
        value = getattr(one, each.name)
        if isinstance(value, Times):
            kept = {name: number for name, number in value.to_dict().items() if name != "count"}
            cells |= {f"{each.name}_{name}": number for name, number in kept.items()}
        elif each.name not in NO_NUMBERS:
            cells[each.name] = value
    return cells


def frame_of(index: str, rows: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """A row for each name, numbers only."""
    import pandas as pd  # noqa: PLC0415 — pandas loads only where a frame is asked for

    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis(index)
    numbers: pd.DataFrame = frame.apply(pd.to_numeric)
    return numbers


def plain(value: Any) -> Any:
    """JSON of a figure of a summary; flags in alphabetical order."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return dict(sorted(value.items()))
    if isinstance(value, Times):
        return value.to_dict()
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return value
