"""Cases of the HorizontalPodAutoscaler from tables: how a line of figures becomes pods, readings and rules.

A pod is a letter: `r` ready for long, `u` unready and never ready, `h` ready and just started, `H` unready and just started, `f` failed,
`d` being deleted, `p` pending. Their times are those of Kubernetes' tests: what was "long ago" there is so here.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from meshsim.policies.autoscaling import (
    NoMetricsError,
    Pod,
    Proposal,
    Reading,
    ScalingPolicy,
    ScalingRules,
    Timing,
    Tolerances,
    by_average,
    by_total,
    by_total_per_pod,
    by_utilization,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

S = 1_000_000_000
NOW_NS = 100_000 * S
TIMING = Timing(120 * S, 10 * S)
"""Of Kubernetes' tests."""
CASES = Path(__file__).parent / "autoscaling_cases"


def cases(name: str) -> list[dict[str, str]]:
    """The lines of a table."""
    with (CASES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names(table: Sequence[dict[str, str]]) -> list[str]:
    return [case["name"].replace(" ", "-") for case in table]


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split()]


def pods(letters: str, requests: Sequence[int]) -> list[Pod]:
    """Numbered from 0; one request is that of all."""
    made = []
    for name, letter in enumerate(letters):
        is_new = letter in "hH"
        made.append(
            Pod(
                name,
                started_ns=NOW_NS if is_new else 0,
                is_ready=letter in "rh",
                changed_ns=NOW_NS if is_new else 0,
                is_pending=letter == "p",
                is_ending=letter in "fd",
                request=0 if not requests else requests[0] if len(requests) == 1 else requests[name],
            )
        )
    return made


def readings(levels: str, times: int = 1) -> dict[int, Reading]:
    """By pod; of a minute that ends now."""
    if levels.startswith("other:"):
        return {1000: Reading(int(levels.removeprefix("other:")) * times, NOW_NS, 60 * S)}
    return {name: Reading(level * times, NOW_NS, 60 * S) for name, level in enumerate(numbers(levels))}


def rules(text: str) -> ScalingRules | None:
    """`4/15 100/15 0`: pods and period, percent and period, window of stabilisation, all periods in seconds; 0 for no such policy."""
    if not text:
        return None
    by_pods, by_percent, window = text.split()
    policies = []
    for is_percent, policy in ((False, by_pods), (True, by_percent)):
        value, period = (int(part) for part in policy.split("/"))
        if value:
            policies.append(ScalingPolicy(value, period * S, is_percent=is_percent))
    return ScalingRules(tuple(policies), stabilization_ns=int(window) * S)


def history(text: str) -> list[tuple[int, int]]:
    """`4@120 5@60`: how many, and how many seconds ago; as how many and when."""
    return [(int(count), NOW_NS - int(ago) * S) for count, _, ago in (one.partition("@") for one in text.split())]


def asked(
    kind: str, target: int, current: int, existing: int, them: list[Pod], levels: dict[int, Reading], tolerances: Tolerances
) -> Proposal:
    """What a metric of this kind asks for."""
    total = sum(reading.value for reading in levels.values())
    if kind in {"utilization", "cpu"}:
        return by_utilization(current, target, them, levels, tolerances, TIMING, NOW_NS)
    if kind in {"average", "pods"}:
        return by_average(current, target, them, levels, tolerances, TIMING, NOW_NS)
    if kind == "total":
        return by_total(current, target, total, them, tolerances)
    if kind in {"total per pod", "total-per-pod"}:
        return by_total_per_pod(existing, target, total, tolerances)
    raise NoMetricsError("unknown metric source type")
