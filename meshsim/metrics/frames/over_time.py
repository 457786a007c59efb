"""A run over time, from its records: the tables that `meshsim.metrics.over_time.requests` makes as they stream by, with exact quantiles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meshsim.metrics.frames.rows import ALL, errors_of_service, failed, grouping
from meshsim.metrics.frames.stations import interval_lengths_ns
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUANTILES = {"latency_p50_s": 0.5, "latency_p90_s": 0.9, "latency_p99_s": 0.99}


def timeline(requests: pd.DataFrame, *, simulated_s: float, interval_s: float = 1.0) -> pd.DataFrame:
    """Load, goodput, errors, requests in flight and latency over time.

    Args:
        requests: `Result.requests`.
        simulated_s: How far the run has come; `Result.manifest["simulated_s"]`.
        interval_s: Length of an interval; the last one ends with the run.

    Returns:
        A row for each route and interval, and for all routes together (`(all)`, first): route, time_s (start of the interval),
        interval_s, offered_per_s (requests that started), goodput_per_s (that ended well), errors_per_s (that ended and failed),
        in_flight (at the interval's end), latency_p50_s, latency_p90_s, latency_p99_s, latency_mean_s (of the requests that
        started; NaN where none did), attempts_per_s (tries at the entry service of the requests that started).

    Example:
        >>> over = timeline(result.requests, simulated_s=481)
        >>> over[over["route"] == "checkout"].plot(x="time_s", y="latency_p99_s")
    """
    axis = _axis(simulated_s, interval_s)
    (routes,) = grouping(requests, "route")
    parts = [_timeline(ALL, requests, axis, interval_s)]
    parts += [_timeline(str(route), rows, axis, interval_s) for route, rows in requests.groupby(routes)]
    return pd.concat(parts, ignore_index=True)


def errors(requests: pd.DataFrame, *, simulated_s: float, interval_s: float = 1.0) -> pd.DataFrame:
    """Failed requests by flag over time.

    Args:
        requests: `Result.requests`.
        simulated_s: How far the run has come.
        interval_s: Length of an interval.

    Returns:
        A row for every interval of each route and flags that came up, and of all routes together (`(all)`): route, time_s,
        interval_s, flag (as an access log prints them: `URX,UT`), errors_per_s (requests that ended so in the interval).

    Example:
        >>> errors(result.requests, simulated_s=481).query("route == '(all)'").groupby("flag")["errors_per_s"].max()
    """
    axis = _axis(simulated_s, interval_s)
    bad = requests[failed(requests)]
    (routes,) = grouping(bad, "route")
    flags = bad["response_flags"].astype(object)
    groups = [(ALL, str(flag), rows) for flag, rows in bad.groupby(flags)]
    groups += [(str(route), str(flag), rows) for (route, flag), rows in bad.groupby([routes, flags])]
    parts = [
        axis.assign(route=route, flag=flag, errors_per_s=_count(rows["ended_ns"], axis, interval_s) / axis["interval_s"])
        for route, flag, rows in groups
    ]
    columns = ["route", "time_s", "interval_s", "flag", "errors_per_s"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def services(
    attempts: pd.DataFrame,
    counters: pd.DataFrame,
    workers: Mapping[str, int],
    *,
    simulated_s: float,
    interval_s: float = 1.0,
) -> pd.DataFrame:
    """Attempts, held workers and queues of each service over time.

    Args:
        attempts: `Result.attempts`.
        counters: `Result.counters`.
        workers: Of each replica, by service; its names are the services.
        simulated_s: How far the run has come.
        interval_s: Length of an interval: a multiple of the counters'.

    Returns:
        A row for each service and interval: service, time_s, interval_s, calls_per_s (first tries), attempts_per_s, failures_per_s
        (attempts that ended as its errors: `errors_of_service`), utilisation (share of the workers that are held), queue and busy
        (waiting requests and held workers over all replicas, in the mean), replicas_up (in the mean).

    Example:
        >>> services(result.attempts, result.counters, {"payment": 8}, simulated_s=481).groupby("service")["queue"].max()
    """
    axis = _axis(simulated_s, interval_s)
    counters = counters.assign(length_ns=interval_lengths_ns(counters), end_ns=counters["time_ns"] - 1)
    counters["up_ns"] = counters["length_ns"] * counters["is_up"]
    made_ns = attempts["sent_ns"].where(attempts["sent_ns"] >= 0, attempts["ended_ns"])
    bad = errors_of_service(attempts) & (attempts["ended_ns"] >= 0)
    parts = []
    for name, of_each in workers.items():
        of_service = (attempts["service"] == name) & (made_ns >= 0)
        watched = counters[counters["service"] == name]
        replicas = watched["instance"].nunique()
        sums = {
            column: _count(watched["end_ns"], axis, interval_s, watched[column])
            for column in ("busy_ns", "queued_ns", "length_ns", "up_ns")
        }
        seen_ns = np.where(sums["length_ns"] > 0, sums["length_ns"] / max(1, replicas), np.nan)
        parts.append(
            axis.assign(
                service=name,
                calls_per_s=_count(made_ns[of_service & (attempts["attempt"] == 1)], axis, interval_s) / axis["interval_s"],
                attempts_per_s=_count(made_ns[of_service], axis, interval_s) / axis["interval_s"],
                failures_per_s=_count(attempts["ended_ns"][(attempts["service"] == name) & bad], axis, interval_s)
                / axis["interval_s"],
                utilisation=sums["busy_ns"] / (seen_ns * replicas * of_each),
                queue=sums["queued_ns"] / seen_ns,
                busy=sums["busy_ns"] / seen_ns,
                replicas_up=sums["up_ns"] / seen_ns,
            )
        )
    columns = ["calls_per_s", "attempts_per_s", "failures_per_s", "utilisation", "queue", "busy", "replicas_up"]
    return pd.concat(parts, ignore_index=True)[["service", "time_s", "interval_s", *columns]]


def _timeline(route: str, requests: pd.DataFrame, axis: pd.DataFrame, interval_s: float) -> pd.DataFrame:
    bad, lengths_s = failed(requests), axis["interval_s"]
    started = _count(requests["started_ns"], axis, interval_s)
    well = _count(requests["ended_ns"][~bad], axis, interval_s)
    wrong = _count(requests["ended_ns"][bad], axis, interval_s)
    latency_s = (requests["ended_ns"] - requests["started_ns"]).groupby(_interval(requests["started_ns"], axis, interval_s))
    return pd.DataFrame(
        {
            "route": route,
            "time_s": axis["time_s"],
            "interval_s": lengths_s,
            "offered_per_s": started / lengths_s,
            "goodput_per_s": well / lengths_s,
            "errors_per_s": wrong / lengths_s,
            "in_flight": np.cumsum(started - well - wrong),
            **{
                name: latency_s.agg(partial(np.quantile, q=share, method="inverted_cdf")) / NS_PER_S
                for name, share in _QUANTILES.items()
            },
            "latency_mean_s": latency_s.mean() / NS_PER_S,
            "attempts_per_s": _count(requests["started_ns"], axis, interval_s, requests["attempts"]) / lengths_s,
        },
        index=axis.index,
    )


def _axis(simulated_s: float, interval_s: float) -> pd.DataFrame:
    """The intervals: time_s, interval_s."""
    width_ns, simulated_ns = round(interval_s * NS_PER_S), round(simulated_s * NS_PER_S)
    starts_ns = np.arange(max(1, -(-simulated_ns // width_ns)), dtype=np.int64) * width_ns
    lengths_ns = np.diff(np.append(starts_ns, max(simulated_ns, 1)))
    return pd.DataFrame({"time_s": starts_ns / NS_PER_S, "interval_s": lengths_ns / NS_PER_S})


def _interval(time_ns: pd.Series, axis: pd.DataFrame, interval_s: float) -> pd.Series:
    """The number of the interval of each instant; the very end of the run belongs to the last."""
    return (time_ns // round(interval_s * NS_PER_S)).clip(upper=len(axis) - 1)


def _count(time_ns: pd.Series, axis: pd.DataFrame, interval_s: float, amounts: pd.Series | None = None) -> np.ndarray:
    """How many instants, or the sum of amounts, in each interval."""
    made = np.zeros(len(axis), dtype=np.int64)
    np.add.at(made, _interval(time_ns, axis, interval_s).to_numpy(), 1 if amounts is None else amounts.to_numpy())
    return made
