"""Held workers, queues, replicas and the proxies' processor time, from the counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from meshsim.metrics.edges import GATEWAY
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping


def utilisation(counters: pd.DataFrame, workers: Mapping[str, int]) -> pd.DataFrame:
    """Share of the workers that are held, over time.

    Args:
        counters: `Result.counters`.
        workers: Of each replica, by service; `{one.name: one.workers for one in result.summary().services}`.

    Returns:
        0 to 1: a row for each interval, indexed by its end in s (`time_s`), a column for each service.

    Example:
        >>> utilisation(result.counters, {"payment": 8})["payment"].plot()
    """
    rows = counters.assign(length_ns=interval_lengths_ns(counters))
    sums = rows.groupby(["time_ns", _text(rows["service"])])[["busy_ns", "length_ns"]].sum()
    held = (sums["busy_ns"] / sums["length_ns"]).rename("share").reset_index()
    held["share"] /= held["service"].map(dict(workers))
    return _by_second(held.dropna(), "share")


def queue_length(counters: pd.DataFrame) -> pd.DataFrame:
    """Requests that wait for a worker, over time.

    Args:
        counters: `Result.counters`; `Result.proxies` gives those that wait for a proxy, without the gateway.

    Returns:
        The mean of each interval over all replicas together: a row for each interval, indexed by its end in s (`time_s`), a column
        for each service.

    Example:
        >>> queue_length(result.counters)["payment"].max()
    """
    rows = counters.assign(length_ns=interval_lengths_ns(counters))
    groups = rows.groupby(["time_ns", _text(rows["service"])])
    return _by_second((groups["queued_ns"].sum() / groups["length_ns"].max()).rename("queue").reset_index(), "queue")


def replica_hours(counters: pd.DataFrame, *, warm_up_s: float, duration_s: float) -> pd.Series:
    """How long replicas were up in the measured window.

    Args:
        counters: `Result.counters`.
        warm_up_s: When the window begins.
        duration_s: When it ends, counted from the start of the run.

    Returns:
        Hours by service, over all replicas, told at the ends of intervals.

    Example:
        >>> replica_hours(result.counters, warm_up_s=60, duration_s=480).sum()
    """
    rows = _window(counters.assign(length_ns=interval_lengths_ns(counters)), warm_up_s, duration_s)
    return (rows["length_ns"] * rows["is_up"]).groupby(_text(rows["service"])).sum().rename("replica_hours") / (3600 * NS_PER_S)


def proxy_cpu(proxies: pd.DataFrame, *, warm_up_s: float, duration_s: float) -> pd.Series:
    """Processor cores that the proxies keep busy.

    Args:
        proxies: `Result.proxies`.
        warm_up_s: When the window begins.
        duration_s: When it ends, counted from the start of the run.

    Returns:
        Workers at work in the mean, over all replicas: of `(gateway)`, and of the sidecars of each service.

    Example:
        >>> proxy_cpu(result.proxies, warm_up_s=60, duration_s=480)["(gateway)"]
    """
    rows = _window(proxies, warm_up_s, duration_s)
    names = _text(rows["service"]).where(rows["kind"] != "gateway", GATEWAY)
    return rows["busy_ns"].groupby(names).sum().rename("cpu_cores") / ((duration_s - warm_up_s) * NS_PER_S)


def interval_lengths_ns(counters: pd.DataFrame) -> pd.Series:
    """How long the time is that each row speaks of: since the instant before it."""
    instants = counters["time_ns"].drop_duplicates().sort_values()
    lengths = pd.Series(instants.diff().fillna(instants.iloc[:1]).to_numpy(), index=instants.to_numpy())
    return counters["time_ns"].map(lengths).astype("int64")


def _window(rows: pd.DataFrame, warm_up_s: float, duration_s: float) -> pd.DataFrame:
    return rows[(rows["time_ns"] > round(warm_up_s * NS_PER_S)) & (rows["time_ns"] <= round(duration_s * NS_PER_S))]


def _text(names: pd.Series) -> pd.Series:
    return names.astype(object)


def _by_second(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """A row for each instant, a column for each service."""
    return rows.assign(time_s=rows["time_ns"] / NS_PER_S).pivot_table(index="time_s", columns="service", values=value)
