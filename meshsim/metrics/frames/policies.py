"""What policies did over time, and how evenly instances were used, from the records of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meshsim.metrics.over_time.policies import LEVELS, way_name
from meshsim.records import ACTIVITY
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

_WAY = ["destination", "caller", "service", "subset"]
_SHARES = ["healthy_share", "breakers_open_share", "breakers_half_open_share"]
POLICIES = [*_WAY, "time_s", "interval_s", "proxies", *LEVELS, *_SHARES, *(f"{name}_per_s" for name in ACTIVITY)]
BALANCE = [
    "destination", "caller", "service", "time_s", "interval_s", "attempts_per_s", "spread", "used_share", "in_zone_share",
]  # fmt: skip


def policies(destinations: pd.DataFrame, *, simulated_s: float, interval_s: float = 1.0) -> pd.DataFrame:
    """Health, breakers, retries, connections and all else that policies did on the way from each caller to each destination.

    Args:
        destinations: `Result.destinations`.
        simulated_s: How far the run has come; `Result.manifest["simulated_s"]`.
        interval_s: Length of an interval: a multiple of the records' own; the last one ends with the run.

    Returns:
        A row for each interval of each way on which anything was sent or done: destination (`front to back`), caller (a service,
        `(client)`, `(gateway)` or `(waypoint)`), service, subset (empty: all of it), time_s (start of the interval), interval_s,
        proxies (how many the row is the sum of); the levels of the records (members, healthy, connections, in_flight, pending,
        active_retries, breakers_open, breakers_half_open, concurrency_limit), as they were in the mean of the instants at which
        they were written; healthy_share, breakers_open_share, breakers_half_open_share from 0 to 1; and a rate for each of
        `meshsim.records.ACTIVITY`, such as retries_per_s and ejections_per_s.

    Example:
        >>> over = policies(result.destinations, simulated_s=60)
        >>> over.pivot(index="time_s", columns="destination", values="healthy_share").plot()
    """
    edges_s = _edges_s(simulated_s, interval_s)
    ways = destinations.assign(
        **{name: destinations[name].astype(object) for name in ("caller", "service")},
        subset=destinations["subset"].astype(object).fillna(""),
    )
    did = [*ACTIVITY, "connections", "in_flight"]
    parts = []
    for way, rows in ways.groupby(["caller", "service", "subset"], sort=True):
        if rows[did].to_numpy().any():
            part = _policies(rows.sort_values("time_ns"), edges_s, interval_s)
            part[_WAY] = _names(way)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)[POLICIES] if parts else pd.DataFrame(columns=POLICIES)


def balance(
    attempts: pd.DataFrame,
    zones: Mapping[str, Sequence[str]],
    *,
    simulated_s: float,
    interval_s: float = 1.0,
    caller_zones: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """How evenly each caller used the instances of each service.

    Args:
        attempts: `Result.attempts`.
        zones: The zone of each instance, by service: as many as there are instances.
        simulated_s: How far the run has come.
        interval_s: Length of an interval.
        caller_zones: The zone of each proxy by caller, `(gateway)` among them; without a caller nothing is said of its zones.

    Returns:
        A row for each interval of each caller and service: destination, caller, service, time_s, interval_s, attempts_per_s (that
        were sent), spread (attempts at the instance that got the most, by the mean over all instances: 1 is even, and chance alone
        makes it more where there are few), used_share (of the instances, those that got any), in_zone_share (of the attempts, those
        that stayed in the caller's zone; NaN where that is not told). The last three are NaN where nothing was sent.

    Example:
        >>> balance(result.attempts, {"back": ["a", "a", "b"]}, simulated_s=60).groupby("destination")["spread"].max()
    """
    edges_s = _edges_s(simulated_s, interval_s)
    sent = attempts[(attempts["instance"] >= 0) & (attempts["sent_ns"] >= 0) & attempts["service"].notna()]
    sent = sent.assign(**{name: sent[name].astype(object) for name in ("caller", "service")})
    parts = []
    for (caller, service), rows in sent.groupby(["caller", "service"], sort=True):
        known = (caller_zones or {}).get(str(caller), ())
        part = _balance(rows, edges_s, interval_s, zones[str(service)], known)
        part[_WAY[:3]] = _names((caller, service))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)[BALANCE] if parts else pd.DataFrame(columns=BALANCE)


def _policies(rows: pd.DataFrame, edges_s: np.ndarray, interval_s: float) -> pd.DataFrame:
    """Levels are weighed by the time since the row before."""
    length_ns = rows["time_ns"].diff().fillna(rows["time_ns"])
    interval = _interval(rows["time_ns"] - 1, edges_s, interval_s)
    every = pd.RangeIndex(len(edges_s) - 1)
    seen_ns = length_ns.groupby(interval).sum().reindex(every)
    levels = {name: (rows[name] * length_ns).groupby(interval).sum().reindex(every) / seen_ns for name in LEVELS}
    proxies = int(rows["proxies"].iloc[-1])
    lengths_s = np.diff(edges_s)
    counts = {name: rows[name].groupby(interval).sum().reindex(every, fill_value=0) for name in ACTIVITY}
    return pd.DataFrame(
        {
            **_times(edges_s),
            "proxies": proxies,
            **levels,
            "healthy_share": levels["healthy"] / levels["members"].where(levels["members"] > 0),
            **{f"{name}_share": levels[name] / proxies for name in ("breakers_open", "breakers_half_open")},
            **{f"{name}_per_s": count / lengths_s for name, count in counts.items()},
        }
    )


def _balance(
    rows: pd.DataFrame, edges_s: np.ndarray, interval_s: float, zones: Sequence[str], caller_zones: Sequence[str]
) -> pd.DataFrame:
    every = pd.RangeIndex(len(edges_s) - 1)
    interval = _interval(rows["sent_ns"], edges_s, interval_s)
    sent = pd.crosstab(interval, rows["instance"]).reindex(every, fill_value=0).reindex(columns=range(len(zones)), fill_value=0)
    total = sent.sum(axis=1).where(lambda sums: sums > 0)
    is_told = (rows["proxy"] >= 0) & (len({*zones, *caller_zones}) > 1 and len(caller_zones) > 0)
    told = rows[is_told]
    is_same = pd.Series(
        [caller_zones[proxy] == zones[instance] for proxy, instance in zip(told["proxy"], told["instance"], strict=True)],
        index=told.index,
        dtype=float,
    )
    return pd.DataFrame(
        {
            **_times(edges_s),
            "attempts_per_s": sent.sum(axis=1) / np.diff(edges_s),
            "spread": sent.max(axis=1) * len(zones) / total,
            "used_share": ((sent > 0).sum(axis=1) / len(zones)).where(total.notna()),
            "in_zone_share": is_same.groupby(interval[told.index]).mean().reindex(every),
        }
    )


def _names(way: tuple[Hashable, ...]) -> list[str]:
    """Of a way: its destination, and what that is made of."""
    texts = [str(name) for name in way]
    return [way_name(*texts), *texts]


def _edges_s(simulated_s: float, interval_s: float) -> np.ndarray:
    """Starts of all intervals, and the end of the run."""
    count = max(1, int(np.ceil(round(simulated_s * NS_PER_S) / round(interval_s * NS_PER_S))))
    return np.append(np.arange(count) * interval_s, simulated_s)


def _times(edges_s: np.ndarray) -> dict[str, np.ndarray]:
    return {"time_s": edges_s[:-1], "interval_s": np.diff(edges_s)}


def _interval(time_ns: pd.Series, edges_s: np.ndarray, interval_s: float) -> pd.Series:
    """The number of the interval of each instant; the very end of the run belongs to the last."""
    found: pd.Series = (time_ns // round(interval_s * NS_PER_S)).clip(upper=len(edges_s) - 2)
    return found
