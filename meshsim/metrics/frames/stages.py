"""Where the time goes, from the records of a finished run as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meshsim.metrics.stages.critical_path import CLIENT, GATEWAY, NONE, Try
from meshsim.metrics.stages.slow_sample import REQUEST_COLUMNS, Records, columns_of_tries
from meshsim.metrics.stages.stages import SLOW_SHARE, spans_of_records, stages_of_records
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    Columns = dict[str, np.ndarray]

_OUTSIDE = {"(client)": CLIENT, "(gateway)": GATEWAY}


def stages(
    requests: pd.DataFrame,
    attempts: pd.DataFrame,
    warm_up_s: float,
    duration_s: float,
    share: float = SLOW_SHARE,
    waits: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Where the time goes on the slowest requests, as `meshsim.metrics.stages.stages.stages` says.

    Args:
        requests: `Result.requests`.
        attempts: `Result.attempts`.
        warm_up_s: Requests that started before do not count.
        duration_s: Nor do those that started then or later.
        share: Of the requests of a route, the slowest so many, but ten at least where there are that many.
        waits: `waits.parquet` of the run: waits that led to no attempt. Without, those in a service count as "other" and those of the
            gateway as network; where no timeout cuts a wait short and no gateway with filters takes time there are none.

    Returns:
        A row for each route, service and stage that took time: route, service, stage, mean_s, share.

    Example:
        >>> stages(result.requests, result.attempts, 60, 480, waits=result.waits).groupby("stage")["share"].sum()
    """
    since_ns, until_ns = round(warm_up_s * NS_PER_S), round(duration_s * NS_PER_S)
    measured = requests[(requests["started_ns"] >= since_ns) & (requests["started_ns"] < until_ns)]
    return pd.DataFrame(stages_of_records(_records(measured, attempts, waits), share))


def spans(
    requests: pd.DataFrame, attempts: pd.DataFrame, request: int | None = None, waits: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One request for a waterfall, as `meshsim.metrics.stages.stages.spans` says.

    Args:
        requests: `Result.requests`.
        attempts: `Result.attempts`.
        request: Its number; None for the one at the 99th percentile of latency.
        waits: `waits.parquet` of the run: waits that led to no attempt.

    Returns:
        A row for each stage of each span; the columns are described there.

    Example:
        >>> spans(result.requests, result.attempts, request=1234, waits=result.waits)
    """
    return pd.DataFrame(spans_of_records(_records(requests, attempts, waits), request))


def _records(requests: pd.DataFrame, attempts: pd.DataFrame, waits: pd.DataFrame | None) -> Records:
    """Names back to numbers."""
    services = _names(attempts["service"], attempts["caller"])
    routes, operations = _names(requests["route"]), _names(attempts["operation"])
    flags = _names(requests["response_flags"], attempts["response_flags"])
    known = {"service": services, "caller": services, "route": routes, "operation": operations, "response_flags": flags}
    none = attempts.iloc[:0].reindex(columns=["request", *Try._fields])
    tries = columns_of_tries(
        _numbers(attempts, Try._fields, known), _numbers(none if waits is None else waits, Try._fields, known)
    )
    return Records(
        _numbers(requests, REQUEST_COLUMNS, known),
        tries,
        tuple(routes),
        tuple(services),
        tuple(operations),
        lambda flag: flags[flag],
        knows_waits=waits is not None,
    )


def _names(*columns: pd.Series) -> list[str]:
    """What the columns name: in the order of their categories, which is that of the scenario, or by alphabet."""
    found: dict[str, None] = {}
    for column in columns:
        is_listed = isinstance(column.dtype, pd.CategoricalDtype)
        found |= dict.fromkeys(column.cat.categories if is_listed else sorted(column.dropna().unique()))
    return [name for name in found if name not in _OUTSIDE]


def _numbers(frame: pd.DataFrame, columns: Sequence[str], known: dict[str, list[str]]) -> Columns:
    """These columns of a table, as far as it has them, as whole numbers."""
    made: Columns = {"request": frame["request"].to_numpy(dtype=np.int64)}
    for name in columns:
        if name in known and name in frame:
            numbers = {text: number for number, text in enumerate(known[name])} | _OUTSIDE
            texts = frame[name].astype("category").cat
            made[name] = np.array([*(numbers[text] for text in texts.categories), NONE])[texts.codes.to_numpy()]
        elif name in frame:
            made[name] = frame[name].to_numpy(dtype=np.int64)
    return made
