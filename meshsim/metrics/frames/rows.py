"""Which rows of the records a figure is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from meshsim.metrics.rows import GRPC_SERVER_ERRORS, NO_CONSUMER, NO_ROUTE
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL = "(all)"


def measured(rows: pd.DataFrame, *, warm_up_s: float, duration_s: float) -> pd.DataFrame:
    """The requests that started from the warm-up on and before the end of the load, or the attempts that these made.

    Args:
        rows: `Result.requests` or `Result.attempts`.
        warm_up_s: Length of the warm-up; `Result.manifest["warm_up_s"]`.
        duration_s: When the load ends, counted from the start of the run; `Result.manifest["duration_s"]`.

    Example:
        >>> measured(result.requests, warm_up_s=60, duration_s=480)["latency_s"].mean()
    """
    started_ns = rows["request_started_ns" if "request_started_ns" in rows else "started_ns"]
    return rows[(started_ns >= round(warm_up_s * NS_PER_S)) & (started_ns < round(duration_s * NS_PER_S))]


def failed(rows: pd.DataFrame) -> pd.Series:
    """Whether each request or attempt failed: HTTP 400 and above, any gRPC status but OK, or the caller gave up; bool.

    Args:
        rows: `Result.requests` or `Result.attempts`.

    Example:
        >>> failed(result.requests).mean()
    """
    found: pd.Series = (rows["status"] == 0) | (rows["status"] >= 400) | (rows["grpc_status"] > 0)
    return found.rename("failed")


def errors_of_service(attempts: pd.DataFrame) -> pd.Series:
    """Whether each attempt was an error of its service: HTTP 5xx or no answer, or such a gRPC status; bool. 4xx is the caller's.

    Args:
        attempts: `Result.attempts`.

    Example:
        >>> errors_of_service(result.attempts).groupby(result.attempts["service"]).mean()
    """
    status = attempts["status"]
    found: pd.Series = (status == 0) | (status >= 500) | attempts["grpc_status"].isin(GRPC_SERVER_ERRORS)
    return found.rename("error")


def with_consumers(requests: pd.DataFrame, consumers: Mapping[str, str | None]) -> pd.DataFrame:
    """Requests with a column `consumer`, to group by.

    Args:
        requests: `Result.requests`.
        consumers: The consumer by load; a load that is not here has none.

    Returns:
        A copy; `(no consumer)` where a load has none.

    Example:
        >>> requests = with_consumers(result.requests, {"partner": "partner-a"})
        >>> latency_quantiles(requests, by="consumer", warm_up_s=60, duration_s=480)
    """
    names = requests["source"].astype(object).map(lambda load: consumers.get(load) or NO_CONSUMER)
    return requests.assign(consumer=names)


def grouping(rows: pd.DataFrame, by: str | Sequence[str] | None) -> list[pd.Series]:
    """The columns to group by, as text; without any, all rows are of `(all)`."""
    names = [by] if isinstance(by, str) else list(by or ())
    if not names:
        return [pd.Series(ALL, index=rows.index, name="of")]
    return [rows[name].astype(object).where(rows[name].notna(), NO_ROUTE if name == "route" else "-") for name in names]
