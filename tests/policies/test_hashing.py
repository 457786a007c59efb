"""Ring hash and Maglev: spread, disruption, weights, bounded loads."""

from __future__ import annotations

import pytest
from scripted import Scripted

from meshsim.policies.load_balancing import NO_HASH, Endpoint, Maglev, RingHash
from meshsim.randomness import Draw, call_key
from meshsim.registry import SettingError

KEYS = [call_key(17, number) for number in range(20_000)]


def pool(count, weights=None, without=()):
    return [Endpoint(1.0 if weights is None else weights[index], index) for index in range(count) if index not in without]


def homes(policy, hosts):
    """Index of the endpoint of each key."""
    built = policy.build(endpoints=hosts, draw=Scripted())
    return [hosts[built.pick(hosts, Scripted(), 0, key)].index for key in KEYS]


def shares(found, count):
    return [found.count(index) / len(found) for index in range(count)]


@pytest.mark.parametrize("policy", [RingHash(), Maglev()], ids=["ring_hash", "maglev"])
def test_a_key_has_one_home_and_a_request_without_a_key_goes_anywhere(policy):
    hosts = pool(5)
    built = policy.build(endpoints=hosts, draw=Scripted())

    assert len({built.pick(hosts, Scripted(), 0, KEYS[0]) for _ in range(10)}) == 1
    draw = Scripted(KEYS[3])
    assert built.pick(hosts, draw, 0, NO_HASH) == built.pick(hosts, Scripted(), 0, KEYS[3])
    assert draw.asked == [2**64]


def test_shares_of_a_maglev_table_are_within_a_percent_and_those_of_a_ring_are_lumpy():
    """Maglev paper, section 5.3: a table a hundred times the number of hosts keeps the imbalance near 1 %. Here 65537 places, 10 hosts.

    20,000 keys: a share of 10 % has a standard error of 0.21 %, so that 1 % of all keys is almost five of them (odds below 1e-5).
    """
    even, lumpy = shares(homes(Maglev(), pool(10)), 10), shares(homes(RingHash(), pool(10)), 10)

    assert max(abs(share - 0.1) for share in even) < 0.01
    assert 0.01 < max(abs(share - 0.1) for share in lumpy) < 0.05


def test_a_larger_ring_is_less_lumpy():
    def unevenness(size):
        return max(abs(share - 0.1) for share in shares(homes(RingHash(minimum_ring_size=size), pool(10)), 10))

    assert unevenness(65_536) < unevenness(1024) < unevenness(20)
    assert unevenness(65_536) < 0.012


def test_the_largest_ring_caps_the_smallest():
    small = RingHash(minimum_ring_size=64, maximum_ring_size=64).build(endpoints=pool(10), draw=Scripted())
    large = RingHash(minimum_ring_size=64).build(endpoints=pool(10, [1.0] * 9 + [40.0]), draw=Scripted())
    capped = RingHash(minimum_ring_size=64, maximum_ring_size=80).build(endpoints=pool(10, [1.0] * 9 + [40.0]), draw=Scripted())

    assert len(small._hashes) <= 70  # noqa: SLF001 — the ring is what the settings shape
    assert len(capped._hashes) < len(large._hashes)  # noqa: SLF001


@pytest.mark.parametrize(
    ("before", "after", "least", "most"),
    [
        (RingHash(minimum_ring_size=1000), RingHash(minimum_ring_size=900), 0.0, 0.0),
        (RingHash(), RingHash(), 0.05, 0.12),
        (Maglev(), Maglev(), 0.001, 0.05),
    ],
    ids=["as many places each", "Envoy's shared number of places", "maglev"],
)
def test_how_many_keys_of_the_others_move_when_a_host_leaves(before, after, least, most):
    """Karger et al.: none, where each host keeps its places. Envoy's ring deals a fixed number of places out anew, so some do.

    Maglev paper, section 5.3: a few percent.
    """
    first, second = homes(before, pool(10)), homes(after, pool(10, without=(4,)))
    moved = sum(one != two for one, two in zip(first, second, strict=True) if one != 4) / len(first)

    assert least <= moved <= most
    assert all(two != 4 for two in second)


@pytest.mark.parametrize("policy", [RingHash(minimum_ring_size=16_384), Maglev()], ids=["ring_hash", "maglev"])
def test_shares_follow_weights(policy):
    assert shares(homes(policy, pool(3, [1.0, 1.0, 2.0])), 3) == pytest.approx([0.25, 0.25, 0.5], abs=0.03)


@pytest.mark.parametrize("make", [RingHash, Maglev], ids=["ring_hash", "maglev"])
def test_a_bounded_load_sends_a_hot_key_on_to_others(make):
    hosts = pool(5)
    free, bounded = (
        make().build(endpoints=hosts, draw=Scripted()),
        make(hash_balance_factor=150).build(endpoints=hosts, draw=Scripted()),
    )

    for built, busiest in ((free, 20), (bounded, 7)):
        for host in hosts:
            host.in_flight = 0
        for _ in range(20):
            hosts[built.pick(hosts, Scripted(), 0, KEYS[0])].in_flight += 1
        assert max(host.in_flight for host in hosts) == busiest


def test_a_table_of_another_size_is_another_table():
    assert homes(Maglev(table_size=101), pool(5)) != homes(Maglev(), pool(5))


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (Maglev(table_size=100), "table_size"),
        (Maglev(hash_balance_factor=50), "hash_balance_factor"),
        (RingHash(hash_balance_factor=99), "hash_balance_factor"),
        (RingHash(minimum_ring_size=100, maximum_ring_size=10), "minimum_ring_size"),
    ],
)
def test_settings_that_envoy_refuses(policy, field):
    with pytest.raises(SettingError) as error:
        policy.check()
    assert error.value.field == field


def test_real_draws_for_requests_without_a_key_reach_everybody():
    hosts, draw = pool(4), Draw()
    built = RingHash().build(endpoints=hosts, draw=draw)

    assert {built.pick(hosts, draw.at(key, 5), 0, NO_HASH) for key in range(100)} == {0, 1, 2, 3}
