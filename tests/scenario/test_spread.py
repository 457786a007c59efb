"""Where replicas are: at the start, as a service grows and shrinks, by subset, and in which order they are restarted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from meshsim.planning import make_plan
from meshsim.scenario.load import read
from meshsim.scenario.spread import grown, order, subsets_over

if TYPE_CHECKING:
    from meshsim.plan import Plan, Service


def planned(deployment: str = "none", **changes: Any) -> Plan:
    """One service, `shop`, and a gateway where it is asked for."""
    gateway = changes.pop("gateway", {})
    made = {
        "name": "spread",
        "deployment": deployment,
        "load": {
            "clients": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": "1/s",
                "requests": {"shop": 1},
                "zone": "a",
            }
        },
        **({"gateway": {"routes": {"shop": {"path": "/", "to": "shop"}}, **gateway}} if deployment == "gateway" else {}),
        "services": {"shop": {"script": [{"compute": "1ms"}], **changes}},
        "run": {"duration": "1s"},
    }
    return make_plan(read(made)[0])


def shop(**changes: Any) -> Service:
    return planned(**changes).services[0]


def spread(service: Service, replicas: int) -> list[int]:
    """Replicas in each zone while there are so many."""
    assert service.lifecycle is not None
    there = Counter(service.zones[place] for place in service.lifecycle.order[:replicas])
    return [there[zone] for zone in range(max(service.zones) + 1)]


def scaled(zones: dict[str, int], *replicas: int, **changes: Any) -> Service:
    return shop(zones=zones, scale=[{"at": f"{at + 1}s", "replicas": count} for at, count in enumerate(replicas)], **changes)


@pytest.mark.parametrize(
    ("zones", "replicas", "there"),
    [
        ({"a": 2, "b": 2, "c": 2}, 9, [3, 3, 3]),
        ({"a": 2, "b": 2, "c": 2}, 7, [3, 2, 2]),
        ({"a": 4, "b": 1, "c": 1}, 9, [4, 3, 2]),
        ({"a": 3, "b": 0}, 6, [3, 3]),
        ({"a": 2, "b": 2, "c": 2}, 4, [2, 1, 1]),
        ({"a": 4, "b": 1, "c": 1}, 3, [1, 1, 1]),
        ({"a": 2, "b": 2, "c": 2}, 1, [1, 0, 0]),
        ({"a": 5}, 3, [3]),
    ],
)
def test_new_replicas_go_where_the_fewest_are_and_the_fullest_zone_loses_one_first(
    zones: dict[str, int], replicas: int, there: list[int]
) -> None:
    assert spread(scaled(zones, replicas), replicas) == there


def test_what_has_come_last_goes_first() -> None:
    service = scaled({"a": 2, "b": 2, "c": 2}, 9, 6, 4)

    assert [spread(service, count) for count in (6, 9, 6, 4)] == [[2, 2, 2], [3, 3, 3], [2, 2, 2], [2, 1, 1]]
    assert service.lifecycle is not None
    assert set(service.lifecycle.order[:6]) == set(range(6))


def test_places_at_the_start_are_numbered_zone_by_zone() -> None:
    assert shop(zones={"b": 1, "a": 2}).zones == (0, 0, 1)


def test_in_one_zone_places_come_and_go_by_number() -> None:
    service = shop(replicas=3, scale=[{"at": "1s", "replicas": 5}])

    assert service.lifecycle is not None
    assert service.lifecycle.order == (0, 1, 2, 3, 4)


def test_batches_of_restarts_take_one_from_each_zone_before_a_second() -> None:
    life = shop(zones={"a": 2, "b": 2, "c": 2}, restarts=[{"at": "1s", "batch": 3}]).lifecycle

    assert life is not None
    assert [{place // 2 for place in life.order[first : first + 3]} for first in (0, 3)] == [{0, 1, 2}, {0, 1, 2}]


def test_batches_of_the_gateways_restarts_too() -> None:
    gateway = planned("gateway", gateway={"zones": {"a": 2, "b": 2}, "restarts": [{"at": "1s", "batch": 2}]}).gateway

    assert gateway is not None
    assert gateway.edge is not None
    assert gateway.zones == (1, 1, 2, 2)  # the service is in none, which is number 0
    assert gateway.edge.order == (0, 2, 1, 3)


class TestSubsets:
    def test_each_is_spread_as_a_deployment_of_its_own(self) -> None:
        """By number alone the canary would stand in one zone: callers that stay in theirs would never meet it, or meet nothing else."""
        service = shop(zones={"a": 2, "b": 2, "c": 2}, subsets={"stable": 4, "v2": 2})

        assert list(zip(service.zones, service.subsets, strict=True)) == [(0, 0), (0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]

    def test_in_one_zone_the_first_are_of_the_first_name(self) -> None:
        assert shop(replicas=5, subsets={"v2": 2, "v1": 3}).subsets == (0, 0, 0, 1, 1)

    def test_new_ones_go_to_the_zone_with_the_fewest_of_their_subset(self) -> None:
        """Ten of each, and each subset in each zone once more often at most."""
        zones, subsets = grown([0, 1, 2], [0, 1, 2], [0, 1, 0], 30)
        counts = Counter(zip(subsets, zones, strict=True))

        assert [Counter(zones)[zone] for zone in range(3)] == [10, 10, 10]
        assert all(max(each) - min(each) <= 1 for each in ([counts[subset, zone] for zone in range(3)] for subset in (0, 1)))

    def test_both_shrink(self) -> None:
        """By number alone the last name would lose all of its replicas first."""
        there = order([0] * 6, [0, 0, 0, 1, 1, 1], 6)

        assert [there[:count] for count in (4, 2)] == [(0, 3, 1, 4), (0, 3)]

    def test_a_subset_without_room_in_a_zone_takes_what_is_free(self) -> None:
        assert subsets_over([0, 1, 1, 1], {7: 1, 8: 3}) == [8, 7, 8, 8]


def test_ten_thousand_places_take_no_time() -> None:
    zones, subsets = grown([0, 1] * 2000, [0, 1, 2], [], 10_000)

    assert Counter(zones) == {0: 3334, 1: 3333, 2: 3333}
    assert len(order(zones, subsets, 4000)) == 10_000
