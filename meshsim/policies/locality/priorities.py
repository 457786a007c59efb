"""Envoy's arithmetic of priorities, panic and localities, in whole percents as Envoy does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = 100


class Loads(NamedTuple):
    """What each priority level gets."""

    percent: list[int]
    """Of the requests, what goes to each level, or to its healthy hosts where some are degraded; 0 of all where there is nobody."""
    is_panic: list[bool]
    """Whether a level's requests go to all of its hosts, healthy or not."""
    degraded: list[int]
    """Of the requests, in percent, what goes to degraded hosts of each level; with `percent` 100."""


def health(healthy: int, total: int, overprovisioning: float) -> int:
    """What a level can take, in percent of all requests: its healthy share times the overprovisioning factor, 100 at most."""
    return min(ALL, round(overprovisioning * ALL) * healthy // total) if total else 0


def is_panic(healthy: int, total: int, panic_threshold: float, overprovisioning: float) -> bool:
    """Whether requests go to all hosts of a destination with one level: too few are healthy, and those cannot take all requests."""
    return healthy < panic_threshold * total and health(healthy, total, overprovisioning) < ALL


def priority_loads(
    healthy: Sequence[int], total: Sequence[int], panic_threshold: float, overprovisioning: float, degraded: Sequence[int] = ()
) -> Loads:
    """Share the requests out among priority levels.

    Each level takes what its health allows, and the rest spills over to the next. Where all together cannot take 100 %, the loads are
    scaled up. A level is in panic where its healthy share is below the threshold, but never while all levels together are
    healthy enough. Where all are in panic, requests go by numbers of hosts.

    Args:
        healthy: Healthy hosts of each level.
        total: Hosts of each level.
        panic_threshold: Share from 0 to 1; 0 for no panic.
        overprovisioning: 1.4 in Envoy: a level can lose 28 % of its hosts before anything spills over.
        degraded: Degraded hosts of each level: they get what all healthy ones of all levels together cannot take.

    Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (recalculatePerPriorityState,
    recalculatePerPriorityPanic, recalculateLoadInTotalPanic).
    """
    levels = range(len(total))
    ill = degraded or [0 for _ in levels]
    nothing = [0 for _ in levels]
    healths = [health(healthy[level], total[level], overprovisioning) for level in levels]
    others = [health(ill[level], total[level], overprovisioning) for level in levels]
    available = min(ALL, sum(healths) + sum(others))
    if not panic_threshold and not available:
        return Loads(nothing, [False for _ in levels], nothing)
    in_panic = [available < ALL and healthy[level] + ill[level] < panic_threshold * total[level] for level in levels]
    is_empty = [not count for count in total]
    if not available or all(panic or empty for panic, empty in zip(in_panic, is_empty, strict=True)):
        return Loads(_by_numbers(total), in_panic, nothing)
    first, left = _scaled(healths, available, ALL)
    second, left = _scaled(others, available, left)
    best = first if any(healths) else second
    best[next(level for level, one in enumerate(healths if any(healths) else others) if one)] += (
        left  # what rounding has left over
    )
    return Loads(first, in_panic, second)


def _scaled(healths: list[int], available: int, left: int) -> tuple[list[int], int]:
    """What each level gets, and what is left."""
    loads = []
    for one in healths:
        loads.append(min(left, one * ALL // available))
        left -= loads[-1]
    return loads, left


def _by_numbers(total: Sequence[int]) -> list[int]:
    everyone = sum(total)
    if not everyone:
        return [0] * len(total)
    loads = [ALL * count // everyone for count in total]
    loads[next(level for level, count in enumerate(total) if count)] += ALL - sum(loads)
    return loads
