"""Envoy's arithmetic of priorities, panic and localities, in whole percents as Envoy does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = 100


class Loads(NamedTuple):
    """What each priority level gets."""

    percent: list[int]
    """Of the requests, by level; the sum is 100, or 0 where there is nobody."""
    is_panic: list[bool]
    """Whether a level's requests go to all of its hosts, healthy or not."""


def health(healthy: int, total: int, overprovisioning: float) -> int:
    """What a level can take, in percent of all requests: its healthy share times the overprovisioning factor, 100 at most."""
    return min(ALL, round(overprovisioning * ALL) * healthy // total) if total else 0


def priority_loads(healthy: Sequence[int], total: Sequence[int], panic_threshold: float, overprovisioning: float) -> Loads:
    """Share the requests out among priority levels.

    Each level takes what its health allows, and the rest spills over to the next. Where all together cannot take 100 %, the loads are
    scaled up. A level is in panic where its healthy share is below the threshold, but never while all levels together are
    healthy enough. Where all are in panic, requests go by numbers of hosts.

    Args:
        healthy: Healthy hosts of each level.
        total: Hosts of each level.
        panic_threshold: Share from 0 to 1; 0 for no panic.
        overprovisioning: 1.4 in Envoy: a level can lose 28 % of its hosts before anything spills over.

    Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (recalculatePerPriorityState,
    recalculatePerPriorityPanic, recalculateLoadInTotalPanic).
    """
    levels = range(len(total))
    healths = [health(healthy[level], total[level], overprovisioning) for level in levels]
    available = min(ALL, sum(healths))
    if not panic_threshold and not available:
        return Loads([0 for _ in levels], [False for _ in levels])
    is_panic = [available < ALL and healthy[level] < panic_threshold * total[level] for level in levels]
    is_empty = [not count for count in total]
    if all(panic or empty for panic, empty in zip(is_panic, is_empty, strict=True)):
        return Loads(_by_numbers(total), is_panic)
    if not available:
        return Loads(_by_numbers(total), is_panic)
    return Loads(_scaled(healths, available), is_panic)


def _scaled(healths: list[int], available: int) -> list[int]:
    left, loads = ALL, []
    for one in healths:
        loads.append(min(left, one * ALL // available))
        left -= loads[-1]
    first = next(level for level, one in enumerate(healths) if one)
    loads[first] += left  # what rounding has left over
    return loads


def _by_numbers(total: Sequence[int]) -> list[int]:
    everyone = sum(total)
    if not everyone:
        return [0] * len(total)
    loads = [ALL * count // everyone for count in total]
    loads[next(level for level, count in enumerate(total) if count)] += ALL - sum(loads)
    return loads
