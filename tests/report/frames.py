"""Plausible frames for every chart and for the report, without a run: a shop whose payment service is slow for half a minute.

Each function makes one of the tidy frames that metrics make: times in seconds, rates per second, shares from 0 to 1, `variant` and
`replication` first. The numbers are drawn with fixed seeds.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from meshsim.metrics.over_time.decisions import COLUMNS
from meshsim.metrics.over_time.policies import LEVELS
from meshsim.records import ACTIVITY

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIANTS = ("as-is", "budget", "no-retries")
ROUTES = ("browse", "checkout")
SERVICES = ("frontend", "checkout", "payment", "catalog", "ads")
STAGES = ("queue", "service", "network", "proxy", "connection", "back-off", "other")
FAULT = (60.0, 90.0)
EDGES = (
    ("(client)", "(gateway)", 800.0),
    ("(gateway)", "frontend", 720.0),
    ("(gateway)", "checkout", 80.0),
    ("frontend", "catalog", 720.0),
    ("frontend", "ads", 432.0),
    ("checkout", "payment", 80.0),
)
_LASTING = {"as-is": 45.0, "budget": 12.0, "no-retries": 3.0}
"""Seconds that a variant needs after the fault."""
_TRIES = {"as-is": 2.6, "budget": 1.25, "no-retries": 1.0}
"""Tries of a call while payment is slow."""


def latency(variants: Sequence[str] = VARIANTS, replications: int = 5, requests: int = 40_000) -> pd.DataFrame:
    """Histograms of latency; a share of the requests meets the fault and is cut off at 5 s."""
    parts = []
    for variant, replication, route in _cases(variants, replications, ROUTES):
        random = _random("latency", variant, replication, route)
        size = requests * (9 if route == "browse" else 1) // 10
        values = random.lognormal(np.log(0.012 if route == "browse" else 0.040), 0.55, size)
        if route == "checkout":
            slow = random.random(size) < _lasting(variant) / 400
            values[slow] = np.minimum(random.lognormal(np.log(1.1), 0.8, int(slow.sum())), 5.0)
        edges = np.geomspace(1e-4, 10, 2300)
        counts, _ = np.histogram(values, edges)
        kept = counts > 0
        frame = pd.DataFrame({"latency_s": np.sqrt(edges[1:] * edges[:-1])[kept], "requests": counts[kept]})
        parts.append(_keyed(frame, variant, replication, route=route))
    return pd.concat(parts, ignore_index=True)


def timeline(
    variants: Sequence[str] = VARIANTS, replications: int = 5, intervals: int = 90, interval_s: float = 2.0
) -> pd.DataFrame:
    """Load, latency and requests in flight over the whole run, by route and for "(all)"."""
    time = np.arange(intervals) * interval_s
    parts = []
    for variant, replication, route in _cases(variants, replications, ("(all)", *ROUTES)):
        random = _random("timeline", variant, replication, route)
        strain = _strain(time, variant)
        rate = {"(all)": 800.0, "browse": 720.0, "checkout": 80.0}[route] * np.minimum(1, (time + interval_s) / 20)
        offered = rate * random.normal(1, 0.02, intervals)
        hit = strain * {"(all)": 0.09, "browse": 0.0, "checkout": 0.9}[route]
        errors = offered * np.clip(hit + 0.002, 0, 1)
        median = 0.014 * (1 + 4 * hit) * random.normal(1, 0.03, intervals)
        tail = (0.11 + 2.2 * strain * (route != "browse")) * random.normal(1, 0.08, intervals)
        mean = median * 1.2 + tail * 0.02
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "offered_per_s": offered,
                "goodput_per_s": offered - errors,
                "errors_per_s": errors,
                "in_flight": np.round(offered * mean),
                "latency_p50_s": median,
                "latency_p90_s": np.sqrt(median * tail),
                "latency_p99_s": tail,
                "latency_mean_s": mean,
                "attempts_per_s": offered * (1 + (_tries(variant) - 1) * hit),
            }
        )
        parts.append(_keyed(frame, variant, replication, route=route))
    return pd.concat(parts, ignore_index=True)


def errors(variants: Sequence[str] = VARIANTS, replications: int = 5, intervals: int = 90) -> pd.DataFrame:
    """Failed requests by flags over time; they sum up to the errors of `timeline`."""
    shares = {"URX,UT": 0.55, "UT": 0.2, "UO": 0.15, "URX,UF": 0.06, "error": 0.04}
    times = timeline(variants, replications, intervals)
    keys = ["variant", "replication", "route", "time_s", "interval_s"]
    parts = [times[keys].assign(flag=flag, errors_per_s=times["errors_per_s"] * share) for flag, share in shares.items()]
    return pd.concat(parts, ignore_index=True)


def services(
    variants: Sequence[str] = VARIANTS,
    replications: int = 5,
    intervals: int = 90,
    interval_s: float = 2.0,
    names: Sequence[str] = SERVICES,
) -> pd.DataFrame:
    """Calls, attempts, utilisation and queue of each service over the whole run."""
    time = np.arange(intervals) * interval_s
    parts = []
    for variant, replication, service in _cases(variants, replications, names):
        random = _random("services", variant, replication, service)
        strain = _strain(time, variant) * (service == "payment")
        calls = 80 * (2 + zlib.crc32(service.encode()) % 8) * random.normal(1, 0.02, intervals)
        attempts = calls * (1 + (_tries(variant) - 1) * strain)
        busy_share = np.clip(0.35 + 0.05 * (len(service) % 7) + strain, 0, 1) * random.normal(1, 0.01, intervals)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "calls_per_s": calls,
                "attempts_per_s": attempts,
                "failures_per_s": attempts * (0.002 + 0.7 * strain),
                "utilisation": np.clip(busy_share, 0, 1),
                "queue": np.round(260 * strain * random.normal(1, 0.05, intervals) + 0.4 * random.random(intervals), 2),
                "busy": 9 * np.clip(busy_share, 0, 1),
                "replicas_up": 3.0,
            }
        )
        parts.append(_keyed(frame, variant, replication, service=service))
    return pd.concat(parts, ignore_index=True)


def policies(
    variants: Sequence[str] = VARIANTS, replications: int = 5, intervals: int = 90, interval_s: float = 2.0
) -> pd.DataFrame:
    """What checkout's and the gateway's policies did: payment is ejected, retried and held back while it is slow."""
    time = np.arange(intervals) * interval_s
    parts = []
    for variant, replication, way in _cases(variants, replications, ("(gateway) to checkout", "checkout to payment")):
        random = _random("policies", variant, replication, way)
        caller, service = way.split(" to ")
        strain = _strain(time, variant) * (service == "payment")
        tries = 80 * (_tries(variant) - 1) * strain * random.normal(1, 0.05, intervals)
        opened = np.where(time == 0, 12.0, 6 * strain)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "proxies": 3,
                **dict.fromkeys(LEVELS, 0.0),
                "members": 9.0,
                "healthy": 9 - 3 * np.round(strain),
                "connections": 24 + 30 * strain,
                "pending": 5 * strain,
                "active_retries": tries / 4,
                "healthy_share": 1 - np.round(strain) / 3,
                "breakers_open_share": np.round(strain) * (_tries(variant) > 1) / 3,
                "breakers_half_open_share": 0.0,
                **{f"{name}_per_s": 0.0 for name in ACTIVITY},
                "opened_per_s": opened,
                "handshakes_per_s": opened,
                "closed_per_s": opened / 2,
                "pool_waits_per_s": 8 * strain,
                "stale_picks_per_s": 2 * strain,
                "ejections_per_s": np.round(strain) * (np.diff(strain, prepend=0) > 0) * 0.5,
                "retries_per_s": tries,
                "retries_refused_per_s": tries * (variant == "budget"),
            }
        )
        parts.append(_keyed(frame, variant, replication, destination=way, caller=caller, service=service, subset=""))
    return pd.concat(parts, ignore_index=True)


def decision_rates(
    variants: Sequence[str] = VARIANTS, replications: int = 5, intervals: int = 90, interval_s: float = 2.0
) -> pd.DataFrame:
    """What the gateway's rate limit decided: of two consumers one is held back while payment is slow, since it retries then."""
    time = np.arange(intervals) * interval_s
    parts = []
    for variant, replication, who in _cases(variants, replications, ("", "partner", "shoppers")):
        random = _random("decisions", variant, replication, who)
        limited = 30 * _strain(time, variant) * (who != "shoppers") * random.normal(1, 0.05, intervals)
        admitted = {"": 800, "partner": 100, "shoppers": 700}[who] - limited
        rates = {**dict.fromkeys(COLUMNS, 0.0), "admitted_per_s": admitted, "limited_per_s": limited}
        frame = pd.DataFrame({"time_s": time, "interval_s": interval_s, **rates})
        parts.append(
            _keyed(frame, variant, replication, filter_name="gateway: rate_limit", by="consumer" if who else "", name=who)
        )
    return pd.concat(parts, ignore_index=True)


def balance(
    variants: Sequence[str] = VARIANTS, replications: int = 5, intervals: int = 90, interval_s: float = 2.0
) -> pd.DataFrame:
    """How evenly the three instances of payment and of checkout are used."""
    time = np.arange(intervals) * interval_s
    parts = []
    for variant, replication, way in _cases(variants, replications, ("(gateway) to checkout", "checkout to payment")):
        random = _random("balance", variant, replication, way)
        caller, service = way.split(" to ")
        strain = _strain(time, variant) * (service == "payment")
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "attempts_per_s": 80.0,
                "spread": 1.02 + 0.48 * strain + 0.01 * random.random(intervals),
                "used_share": 1 - np.round(strain) / 3,
                "in_zone_share": 0.6 - 0.3 * strain if service == "payment" else np.nan,
            }
        )
        parts.append(_keyed(frame, variant, replication, destination=way, caller=caller, service=service))
    return pd.concat(parts, ignore_index=True)


def edges(variants: Sequence[str] = VARIANTS, replications: int = 5) -> pd.DataFrame:
    """Who calls whom, how often, and how it goes."""
    rows = []
    for variant, replication, _ in _cases(variants, replications, ("",)):
        random = _random("edges", variant, replication, "")
        for caller, service, rate in EDGES:
            hurt = _lasting(variant) / 150 if service in {"payment", "checkout"} else 0.0
            tries = rate * (1 + (_tries(variant) - 1) * hurt) * random.normal(1, 0.01)
            rows.append((variant, replication, caller, service, tries, 0.002 + 0.6 * hurt, 0.05 + 4 * hurt))
    columns = ["variant", "replication", "caller", "service", "attempts_per_s", "error_share", "latency_p99_s"]
    return pd.DataFrame(rows, columns=columns)


def nodes(variants: Sequence[str] = VARIANTS, replications: int = 5, names: Sequence[str] = SERVICES) -> pd.DataFrame:
    """Each service and the gateway as a whole."""
    rows = []
    for variant, replication, service in _cases(variants, replications, ("(gateway)", *names)):
        random = _random("nodes", variant, replication, service)
        hurt = _lasting(variant) / 150 if service == "payment" else 0.0
        share = min(1.0, (0.25 + 0.05 * (len(service) % 9) + 0.8 * hurt) * random.normal(1, 0.015))
        tries = 1 + (_tries(variant) - 1) * hurt
        rows.append((variant, replication, service, share, 80 * tries * (1 + len(service) % 5), 0.002 + 0.6 * hurt, tries, 3))
    columns = [
        "variant",
        "replication",
        "service",
        "utilisation",
        "attempts_per_s",
        "error_share",
        "retry_amplification",
        "replicas",
    ]
    return pd.DataFrame(rows, columns=columns)


def stages(variants: Sequence[str] = VARIANTS, replications: int = 5) -> pd.DataFrame:
    """Where the slowest 1 % of the requests spend their time; shares sum to 1 in each route."""
    rows = []
    for variant, replication, route in _cases(variants, replications, ("(all)", *ROUTES)):
        random = _random("stages", variant, replication, route)
        spent = {("payment", "queue"): _lasting(variant) / 15, ("payment", "service"): 0.6, ("checkout", "service"): 0.05}
        spent |= {("payment", "network"): 0.004, ("payment", "proxy"): 0.003, ("(gateway)", "proxy"): 0.002}
        spent |= {
            ("checkout", "back-off"): (_tries(variant) - 1) / 6,
            ("checkout", "connection"): 0.02,
            ("(client)", "other"): 0.01,
        }
        means = {key: value * random.normal(1, 0.04) for key, value in spent.items()}
        total = sum(means.values())
        rows += [(variant, replication, route, *key, value, value / total) for key, value in means.items()]
    return pd.DataFrame(rows, columns=["variant", "replication", "route", "service", "stage", "mean_s", "share"])


def spans(variant: str = "as-is") -> pd.DataFrame:
    """One checkout whose payment is tried three times."""
    rows = [
        (0, -1, 0, "(client)", "checkout", 1, "", "network", 0.0, 0.0005, 503, "URX,UT"),
        (1, 0, 1, "(gateway)", "checkout", 1, "(gateway)/0", "proxy", 0.0005, 0.0012, 503, "URX,UT"),
        (2, 1, 2, "checkout", "checkout", 1, "checkout/2", "queue", 0.0012, 0.0300, 503, "URX,UT"),
        (2, 1, 2, "checkout", "checkout", 1, "checkout/2", "service", 0.0300, 0.0410, 503, "URX,UT"),
        (2, 1, 2, "checkout", "checkout", 1, "checkout/2", "back-off", 0.6410, 0.6600, 503, "URX,UT"),
        (2, 1, 2, "checkout", "checkout", 1, "checkout/2", "back-off", 1.2600, 1.3100, 503, "URX,UT"),
        (3, 2, 3, "payment", "charge", 1, "payment/0", "queue", 0.0410, 0.6410, 504, "UT"),
        (4, 2, 3, "payment", "charge", 2, "payment/1", "queue", 0.6600, 1.2600, 504, "UT"),
        (5, 2, 3, "payment", "charge", 3, "payment/0", "queue", 1.3100, 1.7000, 504, "UT"),
        (5, 2, 3, "payment", "charge", 3, "payment/0", "service", 1.7000, 1.9100, 504, "UT"),
    ]
    columns = [
        "span",
        "parent",
        "depth",
        "service",
        "operation",
        "attempt",
        "instance",
        "stage",
        "from_s",
        "until_s",
        "status",
        "response_flags",
    ]
    return _keyed(pd.DataFrame(rows, columns=columns), variant, 0, request=4711)


def faults() -> pd.DataFrame:
    """Payment is slow for half a minute."""
    return pd.DataFrame({"from_s": [FAULT[0]], "until_s": [FAULT[1]], "label": ["payment 5x slower"]})


def figures(variants: Sequence[str] = VARIANTS) -> pd.DataFrame:
    """The comparison's table: values with intervals, and paired differences to the first variant."""
    known = (
        ("latency{route:checkout}:p(50)", "duration", "lower", 0.041, {"budget": -0.0004, "no-retries": -0.0006}, 0.0010),
        ("latency{route:checkout}:p(99)", "duration", "lower", 3.20, {"budget": -1.90, "no-retries": -2.60}, 0.21),
        ("errors{route:checkout}:share", "share", "lower", 0.121, {"budget": -0.031, "no-retries": 0.012}, 0.008),
        ("goodput:rate", "rate", "higher", 781.0, {"budget": 3.1, "no-retries": 0.4}, 1.2),
        ("retry_amplification{service:payment}:value", "number", "lower", 1.46, {"budget": -0.38, "no-retries": -0.46}, 0.02),
    )
    rows = []
    for name, quantity, better, base, changes, half in known:
        for place, variant in enumerate(variants):
            step = changes.get(variant, -0.5 * half) if place else float("nan")
            value, slack = base + (step if place else 0.0), abs(step) * 0.1 + half
            paired = (step, step - half, step + half)
            row = (name, variant, quantity, value, value - slack, value + slack, "95 % t interval over 5 replications")
            rows.append((*row, *paired, *(part / base for part in paired), bool(place and abs(step) > half), better, 5))
    columns = [
        "figure",
        "variant",
        "quantity",
        "value",
        "low",
        "high",
        "method",
        "difference",
        "difference_low",
        "difference_high",
    ]
    columns += ["relative", "relative_low", "relative_high", "is_distinct", "better", "replications"]
    return pd.DataFrame(rows, columns=columns)


def points(lines: Sequence[str] = ("as-is", "budget"), *, is_matrix: bool = False) -> pd.DataFrame:
    """A sweep over the load; with `is_matrix` over the number of retries as well."""
    rows = []
    for place, line in enumerate(lines):
        for rate in (200, 400, 600, 800, 1000, 1200):
            for retries in (0, 1, 2, 3) if is_matrix else (2,):
                load = rate * (1 + 0.1 * retries) / (1250 + 150 * place)
                value = 0.08 / max(1 - load, 0.02) * (1 + 0.1 * retries)
                text = (float(rate), f"{rate}/s", float(retries), str(retries), line)
                rows.append((*text, "latency:p(99)", "duration", value, value * 0.93, value * 1.08, 5))
    return pd.DataFrame(
        rows, columns=["x", "x_text", "y", "y_text", "line", "figure", "quantity", "value", "low", "high", "replications"]
    )


def _cases(variants: Sequence[str], replications: int, names: Sequence[str]) -> list[tuple[str, int, str]]:
    return [(variant, replication, name) for variant in variants for replication in range(replications) for name in names]


def _random(*key: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def _lasting(variant: str) -> float:
    return _LASTING.get(variant, 5.0 + len(variant))


def _tries(variant: str) -> float:
    return _TRIES.get(variant, 1.0 + len(variant) % 4 / 2)


def _strain(time: np.ndarray, variant: str) -> np.ndarray:
    """From 0 to 1: up within two seconds of the fault, and down as fast as the variant lets it."""
    after = np.maximum(time - FAULT[1], 0) / _lasting(variant)
    return np.where(time < FAULT[0], 0.0, np.minimum((time - FAULT[0] + 1) / 4, 1.0) * np.exp(-3 * after))


def _keyed(frame: pd.DataFrame, variant: str, replication: int, **keys: object) -> pd.DataFrame:
    for place, (name, value) in enumerate({"variant": variant, "replication": replication, **keys}.items()):
        frame.insert(place, name, value)
    return frame


def scaling(variants: Sequence[str] = VARIANTS, replications: int = 5, interval_s: float = 5.0) -> pd.DataFrame:
    """What payment's autoscaler saw and asked for: more replicas while it is slow, which are ready half a minute later."""
    time = np.arange(0, 180, interval_s)
    parts = []
    for variant, replication, service in _cases(variants, replications, ("payment",)):
        strain = _strain(time, variant)
        asked = 4 + np.round(12 * strain * _random("scaling", variant, replication).uniform(0.9, 1.1))
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "wanted": np.maximum.accumulate(asked),
                "ready": np.maximum.accumulate(np.concatenate([np.full(6, 4.0), asked[:-6]])),
                "of_target": 0.8 + 2 * strain,
            }
        )
        parts.append(_keyed(frame, variant, replication, service=service))
    return pd.concat(parts, ignore_index=True)


def cpu(variants: Sequence[str] = VARIANTS, replications: int = 5, interval_s: float = 5.0) -> pd.DataFrame:
    """What payment uses of its limit, and how much of the time it stands still meanwhile: most while it is slow."""
    time = np.arange(0, 180, interval_s)
    parts = []
    for variant, replication, service in _cases(variants, replications, ("payment",)):
        strain = _strain(time, variant) * _random("cpu", variant, replication).uniform(0.9, 1.1)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "used_cores": 1.2 + 2.5 * strain,
                "throttled_share": np.clip(0.05 + 0.9 * strain, 0, 1),
                "throttled_cores": 6 * strain,
            }
        )
        parts.append(_keyed(frame, variant, replication, service=service))
    return pd.concat(parts, ignore_index=True)


def failures(variants: Sequence[str]) -> pd.DataFrame:
    """Two ways of the first variant, one of the second, none of the rest."""
    ways = [(503, None, "UO", "payment", "UO", 300, 0.1), (0, None, "DC", None, "DC", 30, 0.01)]
    rows = [(variant, "checkout", *way) for place, variant in enumerate(variants) for way in ways[: max(0, 2 - place)]]
    columns = ["variant", "route", "status", "grpc_status", "response_flags", "origin", "origin_flags", "requests", "share"]
    return pd.DataFrame(rows, columns=columns)


def caches(variants: Sequence[str] = VARIANTS, replications: int = 5, interval_s: float = 5.0) -> pd.DataFrame:
    """The shop's cache of products, which hits less and loads more while there is strain."""
    time = np.arange(0, 180, interval_s)
    parts = []
    for variant, replication, service in _cases(variants, replications, ("shop",)):
        strain = _strain(time, variant)
        noise = _random("caches", variant, replication).uniform(0.9, 1.1)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "hit_ratio": 0.95 - 0.4 * strain,
                "lookups_per_s": 400.0,
                "loads_per_s": (20 + 160 * strain) * noise,
                "failed_loads_per_s": 30 * strain * noise,
                "coalesced_per_s": 60 * strain * noise,
                "evictions_per_s": 0.0,
            }
        )
        parts.append(_keyed(frame, variant, replication, service=service, cache="products"))
    return pd.concat(parts, ignore_index=True)


def connection_pools(variants: Sequence[str] = VARIANTS, replications: int = 5, interval_s: float = 5.0) -> pd.DataFrame:
    """Payment's connections to its ledger: all taken while it is slow, and requests that wait in vain."""
    time = np.arange(0, 180, interval_s)
    parts = []
    for variant, replication, service in _cases(variants, replications, ("payment",)):
        strain = _strain(time, variant)
        asked = (8 + 40 * strain) * _random("pools", variant, replication).uniform(0.9, 1.1)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "in_use": np.minimum(asked, 20),
                "waiting": np.maximum(asked - 20, 0),
                "acquired_per_s": 400.0,
                "timed_out_per_s": np.maximum(asked - 30, 0),
            }
        )
        parts.append(_keyed(frame, variant, replication, service=service, connection_pool="ledger"))
    return pd.concat(parts, ignore_index=True)


def message_queues(variants: Sequence[str] = VARIANTS, replications: int = 5, interval_s: float = 5.0) -> pd.DataFrame:
    """Payment's orders: they pile up while it is slow, and some are lost."""
    time = np.arange(0, 180, interval_s)
    parts = []
    for variant, replication, queue in _cases(variants, replications, ("orders",)):
        strain = _strain(time, variant)
        lag = (5 + 900 * strain) * _random("queues", variant, replication).uniform(0.9, 1.1)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "lag": lag,
                "oldest_s": lag / 100,
                "published_per_s": 100.0,
                "consumed_per_s": 100 - 30 * strain,
                "redelivered_per_s": 8 * strain,
                "dead_lettered_per_s": strain,
                "lost_per_s": np.maximum(lag - 800, 0) / 20,
            }
        )
        parts.append(_keyed(frame, variant, replication, queue=queue))
    return pd.concat(parts, ignore_index=True)


def rollouts(variants: Sequence[str] = VARIANTS, replications: int = 5, interval_s: float = 5.0) -> pd.DataFrame:
    """Payment's pods while a new version comes: three rounds of half a minute, in which one of six is missing."""
    time = np.arange(0, 180, interval_s)
    steps = np.clip((time - FAULT[0]) // 30, -1, 3)
    parts = []
    for variant, replication, service in _cases(variants, replications, ("payment",)):
        is_under_way = (steps >= 0) & (steps < 3)
        late = _random("rollouts", variant, replication).uniform(0, 0.1)
        frame = pd.DataFrame(
            {
                "time_s": time,
                "interval_s": interval_s,
                "available_share": np.where(is_under_way, 5 / 6, 1.0),
                "updated_share": np.where(steps < 0, 1.0, np.clip(0.25 + 0.25 * steps + late, 0, 1)),
                "pods": np.where(is_under_way, 8.0, 6.0),
                "terminating": np.where(is_under_way & (time % 30 < 10), 2.0, 0.0),
            }
        )
        parts.append(_keyed(frame, variant, replication, service=service))
    return pd.concat(parts, ignore_index=True)
