"""A knob of the scenario language, and how to see that it does something."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from bases import BASES

import meshsim as ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim import Result


@dataclass(frozen=True)
class Knob:
    """Two values of one key, and which way a figure goes from the first to the second."""

    key: str
    """`Section.key`, as `meshsim.scenario.documentation.fields` names them; several with spaces, where one stands for both."""
    base: str
    """Name of the scenario that is changed."""
    path: str
    """Where the key stands there."""
    values: tuple[str, str]
    """What it is set to, as on the command line; an empty one leaves the key out."""
    measure: str
    """Name of a figure in `MEASURES`."""
    direction: str = "more"
    """`more`, `less`, or `other` where there is no order."""
    also: tuple[str, ...] = ()
    """What else is set in both."""

    def __str__(self) -> str:
        return f"{self.key} {self.base} {self.path} {self.values[0]}..{self.values[1]}".replace(" ", "-")


def figures(knob: Knob) -> tuple[Any, Any]:
    """The figure with the first and with the second value."""
    return tuple(
        MEASURES[knob.measure](result(knob.base, knob.also + ((f"{knob.path}={value}",) if value else ())))
        for value in knob.values
    )


@cache
def result(base: str, changes: tuple[str, ...]) -> Result:
    """A run of a base with changes."""
    return ms.load(copy.deepcopy(BASES[base]), set=list(changes)).run()


def _latency(result: Result) -> np.ndarray:
    return (result.requests["ended_ns"] - result.requests["started_ns"]).to_numpy() / 1e6


def _counted(name: str, service: str | None = None) -> Callable[[Result], int]:
    def count(result: Result) -> int:
        rows = result.destinations
        rows = rows if service is None else rows[rows["service"] == service]
        return int(rows[name].sum())

    return count


def _column(name: str) -> Callable[[Result], int]:
    return lambda result: int(result.attempts[name].sum())


def _at(result: Result, service: str) -> Any:
    attempts = result.attempts
    return attempts[(attempts["service"] == service) & (attempts["instance"] >= 0)]


def _shares(result: Result, service: str = "b") -> np.ndarray:
    counts = np.bincount(_at(result, service)["instance"])
    return counts / counts.sum()


def _digest(result: Result) -> tuple[Any, ...]:
    requests, attempts = result.requests, result.attempts
    return (
        tuple(requests["ended_ns"]), tuple(requests["status"]), tuple(requests["response_flags"]),
        tuple(attempts["instance"]), tuple(attempts["ended_ns"]), tuple(result.destinations.sum(numeric_only=True)),
    )  # fmt: skip


def _late(column: str, from_s: float) -> Callable[[Result], float]:
    """Mean of a column of the destinations (those of b) from an instant on."""

    def mean(result: Result) -> float:
        rows = result.destinations[result.destinations["service"] == "b"]
        return float(rows.loc[rows["time_ns"] > from_s * 1e9, column].mean())

    return mean


MEASURES: dict[str, Callable[[Result], Any]] = {
    "anything": _digest,
    "mean": lambda result: float(_latency(result).mean()),
    "p90": lambda result: float(np.quantile(_latency(result), 0.9)),
    "max": lambda result: float(_latency(result).max()),
    "min": lambda result: float(_latency(result).min()),
    "spread of latency": lambda result: float(_latency(result).std()),
    "failures": lambda result: int((result.requests["response_flags"] != "-").sum()),
    "failures of users": lambda result: int((result.requests.query("source == 'users'")["response_flags"] != "-").sum()),
    "requests": lambda result: len(result.requests),
    "last arrival": lambda result: int(result.requests["started_ns"].max()),
    "first arrival": lambda result: int(result.requests["started_ns"].min()),
    "attempts": lambda result: len(_at(result, "b")),
    "attempts at c": lambda result: len(_at(result, "c")),
    "attempts at a": lambda result: len(_at(result, "a")),
    "statuses": lambda result: tuple(result.requests["status"]),
    "mean status": lambda result: float(result.requests["status"].mean()),
    "entry status": lambda result: tuple(result.attempts["grpc_status"]),
    "busiest": lambda result: float(_shares(result).max()),
    "first instance": lambda result: float(_shares(result)[0]),
    "last instance": lambda result: float(_shares(result)[-1]),
    "new instances": lambda result: float((_at(result, "b")["instance"] >= 4).mean()),
    "instances used": lambda result: int((_shares(result) > 0).sum()),
    "wasted": _column("wasted_ns"),
    "worked": _column("worked_ns"),
    "back-off": _column("backoff_ns"),
    "proxy time": _column("proxy_ns"),
    "inbound time": _column("inbound_ns"),
    "connection time": _column("connection_ns"),
    "tls time": _column("tls_ns"),
    "limited at filter": lambda result: int(result.filters["acted"].sum()),
    "healthy": lambda result: float(result.destinations.loc[result.destinations["service"] == "b", "healthy"].mean()),
    "healthy late": _late("healthy", 2.5),
    "members late": _late("members", 2.0),
    "members": _late("members", 0.0),
    "connections": _late("connections", 0.0),
    "connections late": _late("connections", 1.5),
    "limit": _late("concurrency_limit", 0.0),
    "open breakers": _late("breakers_open", 0.0),
    "counter rows": lambda result: len(result.counters),
    "kept requests": lambda result: len(result.requests) if (result.directory / "requests.parquet").is_file() else 0,
    "measured requests": lambda result: result.summary().total.requests,
    **{
        name.replace("_", " "): _counted(name, "b")
        for name in (
            "opened", "closed", "handshakes", "resumed", "connect_failures", "connect_timeouts", "pool_waits", "connection_overflows",
            "stale_picks", "panic_picks", "no_host", "sessions_moved", "endpoint_waits", "failfasts",
            "timeouts", "retries", "retries_refused", "hedges", "hedges_won", "mirrored", "breaker_rejected", "throttled", "limited",
            "ejections", "health_changes",
        )
    },
}  # fmt: skip
