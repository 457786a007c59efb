"""What policies did over time, read back for charts: of each replication its table, or else made from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from meshsim.experiments.places import read_manifest
from meshsim.metrics import frames
from meshsim.metrics.over_time.balance import MOST_INTERVALS, caller_zones
from meshsim.metrics.over_time.decisions import COLUMNS
from meshsim.metrics.policies.activity import GATEWAY, OUTSIDE
from meshsim.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from meshsim.experiments.comparison import Comparison
    from meshsim.plan import Plan

    Maker = Callable[[Path, Plan], pd.DataFrame]


def policies(comparison: Comparison) -> pd.DataFrame:
    """Frame `policies` of all variants: columns as `meshsim.metrics.frames.policies`, with variant and replication first."""
    return _read(comparison, "policies", "destinations", _policies)


def balance(comparison: Comparison) -> pd.DataFrame:
    """Frame `balance` of all variants: columns as `meshsim.metrics.frames.balance`, with variant and replication first."""
    return _read(comparison, "balance", "attempts", _balance)


def decisions(comparison: Comparison) -> pd.DataFrame:
    """Frame `decision_rates` of all variants: columns as `meshsim.metrics.over_time.decisions.DecisionsOverTime.table`, and those two."""
    columns = ["variant", "replication", "filter_name", "by", "name", "time_s", "interval_s", *COLUMNS]
    return _kept(comparison, "decision_rates", columns)


def scaling(comparison: Comparison) -> pd.DataFrame:
    """Frame `scaling` of all variants: columns as `meshsim.metrics.over_time.scaling.ScalingOverTime.table`, and those two first."""
    columns = ["variant", "replication", "service", "time_s", "interval_s", "wanted", "ready", "of_target"]
    return _kept(comparison, "scaling", columns)


def connection_pools(comparison: Comparison) -> pd.DataFrame:
    """Frame `pools` of all variants: columns as `meshsim.metrics.over_time.connection_pools.PoolsOverTime.table`, and those two first."""
    columns = [
        "variant", "replication", "service", "connection_pool", "time_s", "interval_s", "in_use", "waiting", "acquired_per_s",
        "timed_out_per_s",
    ]  # fmt: skip
    return _kept(comparison, "pools", columns)


def caches(comparison: Comparison) -> pd.DataFrame:
    """Frame `caches_over_time` of all variants: columns as `meshsim.metrics.over_time.caches.CachesOverTime.table`, and those two first."""
    columns = [
        "variant", "replication", "service", "cache", "time_s", "interval_s", "hit_ratio", "lookups_per_s", "loads_per_s",
        "failed_loads_per_s", "coalesced_per_s", "evictions_per_s",
    ]  # fmt: skip
    return _kept(comparison, "caches_over_time", columns)


def cpu(comparison: Comparison) -> pd.DataFrame:
    """Frame `cpu_over_time` of all variants: columns as `meshsim.metrics.over_time.cpu.CpuOverTime.table`, and those two first."""
    columns = ["variant", "replication", "service", "time_s", "interval_s", "used_cores", "throttled_share", "throttled_cores"]
    return _kept(comparison, "cpu_over_time", columns)


def message_queues(comparison: Comparison) -> pd.DataFrame:
    """Frame `queues` of all variants: columns as `meshsim.metrics.over_time.message_queues.QueuesOverTime.table`, and those two first."""
    columns = [
        "variant", "replication", "queue", "time_s", "interval_s", "lag", "oldest_s", "published_per_s", "consumed_per_s",
        "redelivered_per_s", "dead_lettered_per_s", "lost_per_s",
    ]  # fmt: skip
    return _kept(comparison, "queues", columns)


def rollouts(comparison: Comparison) -> pd.DataFrame:
    """Frame `rollouts` of all variants: columns as `meshsim.metrics.over_time.rollouts.RolloutsOverTime.table`, and those two first."""
    columns = [
        "variant",
        "replication",
        "service",
        "time_s",
        "interval_s",
        "available_share",
        "updated_share",
        "pods",
        "terminating",
    ]
    return _kept(comparison, "rollouts", columns)


def _kept(comparison: Comparison, table: str, columns: list[str]) -> pd.DataFrame:
    """A table of the replications that have it."""
    parts = [
        pd.read_parquet(file).assign(variant=variant, replication=number)
        for variant, kept in comparison.kept.items()
        for number, place in enumerate(kept.places)
        if (file := place / f"{table}.parquet").is_file()
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _read(comparison: Comparison, table: str, records: str, make: Maker) -> pd.DataFrame:
    """A replication that kept neither has no rows."""
    parts = []
    for variant, kept in comparison.kept.items():
        for number, place in enumerate(kept.places):
            if (place / f"{table}.parquet").is_file():
                part = pd.read_parquet(place / f"{table}.parquet")
            elif (place / f"{records}.parquet").is_file():
                part = make(place, comparison.experiments[variant].plan)
            else:
                continue
            part.insert(0, "variant", variant)
            part.insert(1, "replication", number)
            parts.append(part)
    columns = ["variant", "replication", "destination", "time_s", "interval_s"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _policies(place: Path, plan: Plan) -> pd.DataFrame:
    simulated_s = float(read_manifest(place)["simulated_s"])
    records = pd.read_parquet(place / "destinations.parquet")
    return frames.policies(records, simulated_s=simulated_s, interval_s=plan.interval_ns / NS_PER_S)


def _balance(place: Path, plan: Plan) -> pd.DataFrame:
    names = plan.names
    zones = {name: _named(plan, service.zones) for name, service in zip(names.services, plan.services, strict=True)}
    callers = {OUTSIDE[GATEWAY]: GATEWAY, **{name: number for number, name in enumerate(names.services)}}
    known = {name: found for name, number in callers.items() if (found := caller_zones(plan, number)) is not None}
    together = max(1, -(-plan.duration_ns // (plan.interval_ns * MOST_INTERVALS)))
    return frames.balance(
        pd.read_parquet(place / "attempts.parquet"),
        zones,
        simulated_s=float(read_manifest(place)["simulated_s"]),
        interval_s=plan.interval_ns * together / NS_PER_S,
        caller_zones={name: _named(plan, found.tolist()) for name, found in known.items()},
    )


def _named(plan: Plan, zones: Iterable[int]) -> list[str]:
    return [plan.names.zones[zone] for zone in zones]
