"""The luck of a placement: addresses and keys are drawn anew in each replication, or given and then those of Envoy."""

from __future__ import annotations

from itertools import product
from math import comb, sqrt
from typing import Any

import made_up
import pytest

import meshsim as ms
from meshsim.engines.reference.destinations.hash_keys import HashKeys
from meshsim.engines.reference.travel.addresses import Addresses
from meshsim.engines.reference.travel.request import Request
from meshsim.plan import HashOn
from meshsim.policies.load_balancing import Aperture, DeterministicSubsetting, Endpoint, Maglev, RingHash, RoundRobin
from meshsim.randomness import Draw, call_key, root_key

TENANTS = 12
PODS = 5


class Named(Endpoint):
    """An endpoint with this address."""

    def __init__(self, index: int, address: Any) -> None:
        super().__init__(index=index)
        self._address = address

    @property
    def address(self) -> Any:
        return self._address


def envoys_hosts() -> list[Named]:
    return [Named(index, Addresses(0, f"127.0.0.1:{90 + index}").of(0)) for index in range(6)]


def test_a_ring_of_given_addresses_is_envoys():
    """Envoy, ring_hash_lb_test.cc, Basic: the owner of each of the twelve places, from the first on."""
    hosts = envoys_hosts()
    ring = RingHash(minimum_ring_size=12).build(endpoints=hosts, draw=Draw())
    places = [
        833437586790550860, 928266305478181108, 1033482794131418490, 3551244743356806947, 3851675632748031481, 5583722120771150861,
        6311230543546372928, 7700377290971790572, 13144177310400110813, 13444792449719432967, 15516499411664133160, 16117243373044804889,
    ]  # fmt: skip

    assert [90 + ring.position(place) for place in places] == [94, 92, 90, 95, 93, 91, 91, 93, 95, 92, 94, 90]
    assert [90 + ring.position(key) for key in (0, 3551244743356806948, 2**64 - 1)] == [94, 93, 94]


def test_a_maglev_table_of_given_addresses_is_envoys_in_whatever_order_they_come():
    """Envoy, maglev_lb_test.cc, Basic."""
    for hosts in (envoys_hosts(), envoys_hosts()[::-1]):
        table = Maglev(table_size=7).build(endpoints=hosts, draw=Draw())

        assert [90 + hosts[table.position(key)].index for key in range(7)] == [92, 94, 90, 91, 95, 90, 93]


def fullest(replication: int) -> int:
    """Tenants of the pod that has most of them, by a table of Maglev's, whose shares are even."""
    service = root_key(1, replication, 17)
    hosts = [Named(index, Addresses(call_key(service, index)).of(0)) for index in range(PODS)]
    table = Maglev(table_size=503).build(endpoints=hosts, draw=Draw())
    plan, counts = made_up.plan(), [0] * PODS
    keys = HashKeys(plan, 1, replication)
    for tenant in range(TENANTS):
        request = Request(0, 0, -1, 0, 0, 0, 0)
        request.content_key = tenant
        counts[table.position(keys.of(request, HashOn.KEY))] += 1
    return max(counts)


def test_over_replications_the_fullest_pod_has_as_many_tenants_as_balls_in_bins():
    """Twelve balls in five bins, exactly: 49 % have five or more in one. 600 replications, four standard errors: odds 1 in 16,000."""

    def ways(most: int, bins: int, balls: int) -> int:
        if bins == 1:
            return int(balls <= most)
        return sum(comb(balls, first) * ways(most, bins - 1, balls - first) for first in range(min(most, balls) + 1))

    expected = 1 - ways(4, PODS, TENANTS) / PODS**TENANTS
    found = [fullest(replication) for replication in range(600)]

    assert sum(one >= 5 for one in found) / 600 == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / 600))
    assert min(found) == 3
    assert max(found) >= 7


def scenario(balancer: Any = "ring_hash", hash_on: str = "key", load: Any = None, **parts: Any) -> dict[str, Any]:
    """Users of a dozen keys, 300 requests a second, to five instances of `back` behind three replicas of a gateway."""
    keys = {"keys": {"count": TENANTS}} if load is None else load
    users = {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "300/s", "requests": {"all": 1}, **keys}
    traffic = {"back": {"load_balancer": balancer, "hash_on": hash_on}}
    gateway = {"replicas": 3, "routes": {"all": {"path": "/", "to": "back"}}, "traffic": traffic}
    back = {"replicas": 5, "workers": 100, "script": [{"compute": "1ms"}], **parts.pop("back", {})}
    return {
        "name": "placement", "deployment": "gateway", "load": {"users": users}, "gateway": gateway,
        "services": {"back": back, **parts.pop("services", {})}, "run": {"duration": "1s"}, **parts,
    }  # fmt: skip


def placement(made: dict[str, Any], seed: int = 1, replication: int = 0) -> tuple[int, ...]:
    """Requests of each instance; the same requests come whatever the addresses are."""
    attempts = ms.load(made).run(seed=seed, replication=replication).attempts
    return tuple(int((attempts["instance"] == index).sum()) for index in range(5))


@pytest.mark.parametrize(
    ("balancer", "hash_on", "load"),
    [
        ("ring_hash", "key", None),
        ({"maglev": {"table_size": 503}}, "key", None),
        ("ring_hash", "address", {"addresses": 12}),
        ("ring_hash", "user", {"executor": "constant-vus", "vus": 6, "think_time": "20ms", "rate": None, "arrivals": None}),
        ("ring_hash", "consumer", {"consumer": "partner"}),
        ("ring_hash", "route", {}),
    ],
)
def test_each_seed_and_each_replication_has_a_placement_of_its_own(balancer, hash_on, load):
    made = scenario(balancer, hash_on, load)
    users = made["load"]["users"]
    made["load"]["users"] = {name: value for name, value in users.items() if value is not None}
    places = [placement(made, seed, replication) for seed, replication in product((1, 2), (0, 1, 2, 3))]

    busiest = {max(range(5), key=lambda index: place[index]) for place in places}
    assert len(busiest) >= 2
    assert len(set(places)) >= 6 or hash_on in (
        "consumer",
        "route",
    )  # of eight: six users may be dealt out alike; those are one key


def test_all_proxies_agree_on_the_placement():
    """One key, and three replicas of the gateway that take turns at random: all go to one instance."""
    assert sorted(placement(scenario(load={"keys": {"count": 1}})))[:4] == [0, 0, 0, 0]


def test_variants_meet_the_same_placement():
    """Another service, and other settings of this one, leave addresses as they are: they belong to names."""
    plain = placement(scenario())

    assert placement(scenario(services={"a-first-service": {"script": [{"compute": "1ms"}]}})) == plain
    assert placement(scenario(back={"queue": {"limit": 50}})) == plain
    five, six = (placement(scenario(back={"replicas": count})) for count in (5, 6))
    assert sum(abs(one - other) for one, other in zip(five, six, strict=True)) < sum(five) * 0.75  # the rest of the keys stay


def test_addresses_and_keys_that_are_given_make_one_placement_whatever_the_seed():
    """The two tenants with Envoy's own arithmetic: the ring of six hosts of its test."""
    addresses = [f"127.0.0.1:{90 + index}" for index in range(6)]
    ring = RingHash(minimum_ring_size=12).build(endpoints=envoys_hosts(), draw=Draw())
    names = ["tenant-a", "tenant-b", "tenant-c"]
    made = scenario(
        {"ring_hash": {"minimum_ring_size": 12}}, load={"keys": {"names": names}}, back={"replicas": 6, "addresses": addresses}
    )
    plan = made_up.plan(consumers=tuple(names))
    keys = HashKeys(plan, 1, 0)

    def home(name: str) -> int:
        return ring.position(keys.of(Request(0, 0, -1, 0, 0, plan.names.consumers.index(name), 0), HashOn.CONSUMER))

    homes = {home(name) for name in names}
    for seed in (1, 2, 3):
        assert set(ms.load(made).run(seed=seed).attempts["instance"]) == homes


def test_loads_that_name_the_same_key_ask_for_the_same_thing():
    named = {"keys": {"names": ["x"]}}
    made = scenario(load=named)
    made["load"]["others"] = {**made["load"]["users"], "keys": {"names": ["x", "y"], "zipf": 10}}
    alone = placement(scenario(load=named))

    assert [bool(count) for count in placement(made)] == [bool(count) for count in alone] or sum(
        bool(count) for count in placement(made)
    ) == 2


def restarted(balancer: dict[str, Any], seed: int) -> set[int]:
    """Where one key's requests went to after all instances were restarted, and before."""
    back = {"restarts": [{"at": "400ms", "batch": 5}], "startup_time": "50ms"}
    attempts = ms.load(scenario(balancer, load={"keys": {"count": 1}}, back=back)).run(seed=seed).attempts
    good = attempts[(attempts["status"] == 200) & (attempts["instance"] >= 0)]
    return set(good["instance"])


def test_a_restarted_pod_has_another_address_and_another_part_of_the_ring():
    """Five new addresses: the key stays where it was by accident only, once in five times; eight seeds, all alike 1 in 400,000."""
    assert any(len(restarted({"ring_hash": {}}, seed)) == 2 for seed in range(1, 9))


@pytest.mark.parametrize("name", ["ring_hash", "maglev"])
def test_with_hostnames_it_keeps_its_part(name):
    assert all(len(restarted({name: {"use_hostname_for_hashing": True}}, seed)) == 1 for seed in range(1, 5))


def test_subsets_and_stretches_of_proxies_are_other_ones_in_each_replication():
    def chosen(policy: Any, replication: int) -> frozenset[int]:
        service = root_key(1, replication, 17)
        hosts = [Named(index, Addresses(call_key(service, index)).of(0)) for index in range(12)]
        built = policy.build(endpoints=hosts, draw=Draw().at(1, 2), client=0, clients=4)
        return frozenset(built.pick(hosts, Draw().at(key, 3), 0, -1) for key in range(200))

    for policy in (DeterministicSubsetting(subset_size=3, load_balancer=RoundRobin()), Aperture(min_aperture=3)):
        found = {chosen(policy, replication) for replication in range(6)}
        assert {len(one) for one in found} == {3}
        assert len(found) >= 5


def test_who_is_sent_to_a_new_version_for_good_is_luck_too():
    """Five consumers, a fifth of them to `b` for good: other ones in each replication, nobody in a third of them."""
    loads = {
        f"load-{name}": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "20/s",
            "requests": {"all": 1},
            "consumer": name,
        }
        for name in ("ann", "bob", "cat", "dan", "eve")
    }
    route = {"path": "/", "to": {"a": 80, "b": 20}, "sticky": "consumer"}
    services = {name: {"workers": 9, "script": [{"compute": "1ms"}]} for name in "ab"}
    made = {
        "name": "sticky", "deployment": "gateway", "load": loads, "gateway": {"routes": {"all": route}},
        "services": services, "run": {"duration": "500ms"},
    }  # fmt: skip
    groups = set()
    for replication in range(8):
        result = ms.load(made).run(seed=1, replication=replication)
        rows = result.attempts.merge(result.requests[["request", "source"]], on="request")
        groups.add(frozenset(rows.loc[rows["service"] == "b", "source"]))

    assert len(groups) >= 4
