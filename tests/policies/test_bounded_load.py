"""Bounded loads of the hashing balancers, as Envoy bounds them, and how even a Maglev table is."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted

from meshsim.policies.load_balancing import Endpoint, Maglev, RingHash
from meshsim.randomness import call_key

KEYS = [call_key(23, number) for number in range(4000)]
BOTH = pytest.mark.parametrize("policy", [RingHash, Maglev])


def hosts_of(in_flight, weights=None):
    hosts = [Endpoint(1.0 if weights is None else weights[index], index) for index in range(len(in_flight))]
    for host, count in zip(hosts, in_flight, strict=True):
        host.in_flight = count
    return hosts


def homes(policy, hosts, keys=KEYS):
    balancer = policy.build(endpoints=hosts, draw=Scripted())
    return [balancer.pick(hosts, Scripted(), 0, key) for key in keys]


@BOTH
def test_an_endpoint_is_full_when_it_has_more_than_its_slots_and_not_when_it_has_just_them(policy):
    """Four endpoints, 7 in flight and one to come: 8 x 150 % = 12 slots, 3 for each. With 3 in flight it keeps its keys, with 4 none."""
    own = homes(policy(), hosts_of([0] * 4))

    assert homes(policy(hash_balance_factor=150), hosts_of([3, 2, 1, 1])) == own
    assert 0 not in homes(policy(hash_balance_factor=150), hosts_of([4, 1, 1, 1]))


@BOTH
def test_an_endpoint_that_has_just_its_slots_takes_the_keys_of_a_full_one_too(policy):
    """Two endpoints, 11 in flight and one to come: 12 slots at 100 %, 6 for each; the first has 5, the second its 6. Then 7 and 4.

    Three endpoints, 17 and one to come: 18 slots, 6 for each; 7, 6 and 4: the keys of the first go to the second as to the third.
    """
    assert set(homes(policy(hash_balance_factor=100), hosts_of([5, 6]))) == {0, 1}
    assert set(homes(policy(hash_balance_factor=100), hosts_of([7, 4]))) == {1}
    own = [key for key, home in zip(KEYS, homes(policy(), hosts_of([0] * 3)), strict=True) if home == 0]
    assert set(homes(policy(hash_balance_factor=100), hosts_of([7, 6, 4]), own)) == {1, 2}


@BOTH
def test_slots_are_rounded_up_for_all_before_they_are_dealt_out_and_rounded_up_again(policy):
    """Weights 2 and 3, four in flight and one to come: 5 x 150 % = 7.5, so 8 slots, 40 % of which are 3.2, so 4.

    Rounded once it would be 3 (40 % of 7.5), and the first with its four would get nothing.
    """
    own = homes(policy(), hosts_of([0, 0], [2.0, 3.0]))

    assert homes(policy(hash_balance_factor=150), hosts_of([4, 0], [2.0, 3.0])) == own
    assert set(homes(policy(hash_balance_factor=150), hosts_of([5, 0], [2.0, 3.0]))) == {1}


@BOTH
def test_the_keys_of_a_full_endpoint_are_dealt_out_to_all_others_and_each_key_has_one_substitute(policy):
    """Not all to the next one, which would fill up in its turn: Envoy jumps at random, by the hash."""
    free, full = hosts_of([0] * 5), hosts_of([10, 0, 0, 0, 0])
    own = [key for key, home in zip(KEYS, homes(policy(), free), strict=True) if home == 0]

    substitutes = homes(policy(hash_balance_factor=125), full, own)

    assert substitutes == homes(policy(hash_balance_factor=125), full, own)
    counts = Counter(substitutes)
    assert set(counts) == {1, 2, 3, 4}
    assert all(abs(count - len(own) / 4) < 5 * (len(own) * 3 / 16) ** 0.5 for count in counts.values())


@pytest.mark.parametrize(("table_size", "most"), [(1009, 0.12), (10_007, 0.015), (100_003, 0.0015)])
def test_a_maglev_table_is_the_more_even_the_larger_it_is(table_size, most):
    """Every endpoint takes a place in turn, so with equal weights counts of places differ by one at most: ten endpoints or a hundred.

    Maglev paper, section 3.4: the imbalance of 1 % that it accepts needs M > 100 N; the largest share over the mean is 1 + N / M.
    """
    for count in (10, 100):
        hosts = hosts_of([0] * count)
        balancer = Maglev(table_size=table_size).build(endpoints=hosts, draw=Scripted())
        places = Counter(balancer.pick(hosts, Scripted(), 0, place) for place in range(table_size))

        assert max(places.values()) - min(places.values()) <= 1
        assert max(places.values()) * count / table_size - 1 < most


@BOTH
def test_the_order_in_which_endpoints_are_listed_does_not_move_their_keys_and_neither_does_who_came_first(policy):
    """A ring hangs on who is there only. Maglev's endpoints take their turns in order of their number, whatever the list's is."""
    hosts = hosts_of([0] * 6)
    balancer = policy().build(endpoints=hosts[:3], draw=Scripted())
    balancer.update(hosts, Scripted())

    assert [balancer.pick(hosts, Scripted(), 0, key) for key in KEYS] == homes(policy(), hosts)
    reverse = hosts[::-1]
    assert [reverse[home].index for home in homes(policy(), reverse)] == homes(policy(), hosts)


def test_a_ring_of_as_many_places_each_loses_only_the_keys_of_the_one_that_left_and_a_tenth_of_all():
    """Karger et al. 1997: a tenth of the keys move, those of the one of ten that left; standard error of the ring's own lumps, 3 %."""
    ten, nine = RingHash(minimum_ring_size=4000), RingHash(minimum_ring_size=3600)
    hosts = hosts_of([0] * 10)
    before, after = homes(ten, hosts), [hosts[:9][home].index for home in homes(nine, hosts[:9])]
    moved = [one for one, two in zip(before, after, strict=True) if one != two]

    assert set(moved) == {9}
    assert len(moved) / len(KEYS) == pytest.approx(0.1, abs=0.03)
