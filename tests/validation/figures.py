"""The figures on which a measured case and its simulation are compared: one function of each for the same things."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from measured_cases import Case

    from meshsim import Result

BIN_S = 5
OWN_FLAGS = ("-", "error", "admission", "concurrency")
"""What Envoy's access log shows as `-`, and `-` itself."""


@dataclass(frozen=True)
class Figures:
    """What one run came to.

    Latencies are of successes after the warm-up, in ms; shares and attempts of the whole run.
    """

    success: float
    """Percent of the answered requests."""
    lost: float
    """Percent of all requests: not answered by the end of the drain."""
    attempts: float
    """That reached an instance, for each answered request."""
    flags: dict[str, float]
    """Percent of the answered requests with these flags."""
    latency: dict[str, float]
    """mean, p50, p90, p95, p99."""
    shares: tuple[float, ...]
    """Percent of the attempts by instance of the first service."""
    successes: tuple[float, ...]
    """Percent by 5 s of arrival, of all requests."""
    joined: tuple[float, ...]
    """Percent of the attempts that go to the last instance, by 5 s."""


def _latencies(ms: np.ndarray) -> dict[str, float]:
    quantiles = {f"p{share}": float(np.percentile(ms, share)) for share in (50, 90, 95, 99)}
    return {"mean": float(ms.mean()), **quantiles}


def _by_time(started_s: np.ndarray, what: np.ndarray, until_s: float) -> tuple[float, ...]:
    """Percent of what is true in each 5 s; the last bin may be short and is left out then."""
    bins = int(until_s // BIN_S)
    number = (started_s // BIN_S).astype(int)
    counts = np.bincount(number, minlength=bins)[:bins]
    return tuple(100 * np.bincount(number, weights=what, minlength=bins)[:bins] / np.maximum(counts, 1))


def measured(case: Case) -> Figures:
    """Of the real Envoy."""
    rows, summary = case.requests, case.summary
    counts = summary["flags"]
    total = sum(counts.values())
    answered = rows["latency_ms"] >= 0
    first = next(iter(summary["per_instance_share"]))
    duration_s = case.spec["arrival"]["duration_s"]
    return Figures(
        success=100 * summary["success_rate"],
        lost=100 * summary["unanswered"] / summary["count"],
        attempts=float(summary["attempts_per_request"]) if answered.all() else float(rows["attempts"][answered].mean()),
        flags={flags: 100 * count / total for flags, count in counts.items() if flags != "-"},
        latency={name: summary["latency_ok_ms"][name] for name in ("mean", "p50", "p90", "p95", "p99")},
        shares=tuple(100 * share for share in summary["per_instance_share"][first]),
        successes=_by_time(rows["started_s"], rows["status"] == 200, duration_s),
        joined=_by_time(rows["started_s"], rows["instance"] == case.spec["services"][0]["instances"] - 1, duration_s),
    )


def simulated(case: Case, result: Result) -> Figures:
    """Of the simulation, as the measurement counts."""
    requests, attempts = result.requests, result.attempts
    started_s = requests["started_ns"].to_numpy() / 1e9
    answered = requests["ended_ns"].to_numpy() / 1e9 <= case.drained_s
    kept = requests[answered & (started_s >= case.warm_up_s)]
    well = kept["status"].to_numpy() == 200
    sent_s, instances = _sent(case, attempts)
    flags = Counter(_as_logged(flags) for flags in kept["response_flags"])
    duration_s = case.spec["arrival"]["duration_s"]
    many = case.spec["services"][0]["instances"]
    counts = np.bincount(instances, minlength=many)
    return Figures(
        success=100 * float(well.mean()),
        lost=100 * float((~answered).mean()),
        attempts=float(requests["attempts"][answered].mean()),
        flags={flags: 100 * count / len(kept) for flags, count in flags.items() if flags},
        latency=_latencies(kept["latency_s"].to_numpy()[well] * 1e3),
        shares=tuple(100 * counts / counts.sum()),
        successes=_by_time(started_s, (requests["status"].to_numpy() == 200) & answered, duration_s),
        joined=_by_time(sent_s, instances == many - 1, duration_s),
    )


def median(runs: Sequence[Figures]) -> Figures:
    """Each figure the median of it over several runs."""

    def over(take: Callable[[Figures], Any]) -> Any:
        return np.median([take(run) for run in runs], axis=0)

    flags = sorted({name for run in runs for name in run.flags})
    return Figures(
        success=float(over(lambda run: run.success)),
        lost=float(over(lambda run: run.lost)),
        attempts=float(over(lambda run: run.attempts)),
        flags={name: float(over(lambda run, name=name: run.flags.get(name, 0.0))) for name in flags},
        latency={name: float(over(lambda run, name=name: run.latency[name])) for name in runs[0].latency},
        shares=tuple(over(lambda run: run.shares)),
        successes=tuple(over(lambda run: run.successes)),
        joined=tuple(over(lambda run: run.joined)),
    )


def _sent(case: Case, attempts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """When attempts at the first service were sent, in s, and to which of its instances."""
    spec = case.spec["services"][0]
    names = attempts["service"].astype(str)
    forced = names.str.fullmatch(r"i\d+")
    rows = attempts[((names == spec["name"]) & (attempts["instance"] >= 0)) | forced]
    instances = rows["instance"].to_numpy()
    if forced.any():  # forced picks: each instance is a service of its own
        instances = names[rows.index].str[1:].astype(int).to_numpy()
    return rows["sent_ns"].to_numpy() / 1e9, instances


def _as_logged(flags: str) -> str:
    """Flags as Envoy's access log has them: without those that are the service's own, in alphabetical order."""
    shown = sorted(flag for flag in str(flags).replace("|", ",").replace(" ", "").split(",") if flag and flag not in OWN_FLAGS)
    return ",".join(shown)
