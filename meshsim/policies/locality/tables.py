"""What becomes of priorities and zones where a load balancer hashes: one table for each priority, and the hash says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.locality.locality import EVERYONE, HEALTHY, Arrangement, Level
from meshsim.policies.locality.priorities import ALL, priority_loads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshsim.policies.locality.locality import Host, LocalityState


class Tables(Arrangement):
    """One group of hosts for each priority, and their weights in its table."""

    __slots__ = ("_chosen", "weights")

    def __init__(
        self, numbers: list[int], levels: list[Level], weights: list[list[float] | None], loads: list[int], is_panic: list[bool]
    ) -> None:
        """Tables of so many priorities.

        Args:
            numbers: Of the priorities.
            levels: One group each, that may be empty.
            weights: Of each group's hosts; None for their own.
            loads: Percent of the requests for each priority, those for healthy hosts first, then those for degraded ones.
            is_panic: Of each priority.
        """
        super().__init__(numbers, levels, [ALL] * len(numbers), is_panic)
        self.weights = weights
        self._chosen: list[tuple[int, int]] = []
        """Upper bounds of hashes modulo 100, and the group up to there."""
        bound = 0
        for place, load in enumerate(loads):
            bound += load
            if load:
                self._chosen.append((bound, place % len(numbers)))

    def choose_by(self, hash_key: int) -> int:
        """The group that a hash leads to.

        Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (choosePriority).
        """
        place = hash_key % ALL
        return next((number for bound, number in self._chosen if place < bound), 0)


def by_hash(
    locality: LocalityState, hosts: Sequence[Host], own_zone: int, panic_threshold: float, overprovisioning: float
) -> Tables:
    """The tables of a hashing load balancer.

    A request's hash chooses the priority, and then the host in that priority's table, so that one key stays with one priority as long as
    the loads of the priorities do. A table has the healthy hosts, in panic all; degraded hosts are in none: their share of the
    requests meets the healthy ones of its priority, and nobody where there are none. Zones do nothing but for weights, which make hosts
    heavier or lighter in the table, whatever the health of their zone; hosts of a zone without a weight are left out.

    Source: Envoy, source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc (refresh, normalizeWeights,
    normalizeLocalityWeights, LoadBalancerImpl::chooseHost).
    """
    members: dict[int, list[int]] = {}
    for position, host in enumerate(hosts):
        members.setdefault(locality.level(host, own_zone), []).append(position)
    numbers = sorted(members)
    healthy = [[position for position in members[number] if hosts[position].is_healthy] for number in numbers]
    degraded = [sum(hosts[position].is_degraded for position in members[number]) for number in numbers]
    total = [len(members[number]) for number in numbers]
    loads = priority_loads([len(some) for some in healthy], total, panic_threshold, overprovisioning, degraded)
    levels, weights = [], []
    for number, well, is_panic in zip(numbers, healthy, loads.is_panic, strict=True):
        group, kind = (members[number], EVERYONE) if is_panic else (well, HEALTHY)
        by_zone = locality.zone_weights(hosts, members[number], own_zone)
        if by_zone is not None:
            group = [position for position in group if by_zone.get(hosts[position].zone)]
        levels.append(Level([group], [kind]))
        weights.append(None if by_zone is None else _shares(by_zone, hosts, group))
    return Tables(numbers, levels, weights, loads.percent + loads.degraded, loads.is_panic)


def _shares(by_zone: Mapping[int, float], hosts: Sequence[Host], group: list[int]) -> list[float]:
    """The weight of each host in its zone, times the zone's."""
    sums: dict[int, float] = {}
    for position in group:
        sums[hosts[position].zone] = sums.get(hosts[position].zone, 0.0) + hosts[position].weight
    return [by_zone[host.zone] * host.weight / sums[host.zone] for host in (hosts[position] for position in group)]
