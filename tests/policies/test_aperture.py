"""Aperture: what lies in a proxy's stretch of the ring, and that the parts at its ends count as parts."""

from __future__ import annotations

from collections import Counter

import pytest

from meshsim.policies.load_balancing import NO_HASH, Aperture, Endpoint
from meshsim.randomness import Draw


class Numbered(Endpoint):
    """An endpoint whose place on the ring is its number."""

    @property
    def address(self):
        return self

    def hash(self):
        return self.index


def hosts_of(in_flight):
    hosts = [Numbered(index=index) for index in range(len(in_flight))]
    for host, count in zip(hosts, in_flight, strict=True):
        host.in_flight = count
    return hosts


def built(hosts, client, clients, least):
    return Aperture(min_aperture=least).build(endpoints=hosts, draw=Draw(), client=client, clients=clients)


class Places:
    """A draw of these numbers between 0 and 1."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def uniform(self):
        return self.numbers.pop(0)


def reached(balancer, hosts, count=400):
    return {balancer.pick(hosts, Draw().at(key, 1), 0, NO_HASH) for key in range(count)}


@pytest.mark.parametrize(
    ("client", "clients", "count", "least", "expected"),
    [
        (0, 4, 8, 2, {0, 1}),  # a quarter of the ring each
        (3, 4, 8, 2, {6, 7}),
        (0, 4, 8, 3, {0, 1, 2, 3}),  # room for three only in two quarters
        (3, 4, 8, 3, {6, 7, 0, 1}),  # around the end
        (1, 4, 10, 1, {2, 3, 4}),  # from 2.5 to 5
        (0, 1, 8, 3, set(range(8))),  # one proxy has the whole ring
        (2, 100, 4, 12, set(range(4))),  # more room than endpoints
    ],
)
def test_the_stretch_begins_at_the_proxys_place_and_has_room_for_the_minimum_in_whole_multiples(
    client, clients, count, least, expected
):
    hosts = hosts_of([0] * count)
    balancer = built(hosts, client, clients, least)

    assert reached(balancer, hosts) == expected
    assert balancer.size == len(expected)


def test_the_two_are_different_endpoints_where_the_stretch_has_two():
    """Finagle draws the second from what is left: of two endpoints the idle one always wins, from either place in the stretch."""
    hosts = hosts_of([1, 0, 0, 1])

    assert reached(built(hosts, 0, 2, 2), hosts) == {1}
    assert reached(built(hosts, 1, 2, 2), hosts) == {2}


def test_a_stretch_of_one_endpoint_picks_it():
    hosts = hosts_of([9, 0])

    assert reached(built(hosts, 0, 2, 1), hosts) == {0}


def test_an_endpoint_of_which_half_lies_in_the_stretch_counts_as_twice_as_busy():
    """From 2.5 to 5: endpoint 2 lies in it by half, so that its one request makes 2; endpoint 4 is whole. 3 is out of the way."""
    hosts = hosts_of([0, 0, 1, 50, 3, 0, 0, 0, 0, 0])
    balancer = built(hosts, 1, 4, 1)

    assert [balancer.pick(hosts, Places(*drawn), 0, NO_HASH) for drawn in ((0.1, 0.9), (0.9, 0.1))] == [2, 2]
    hosts[4].in_flight = 1
    assert [balancer.pick(hosts, Places(*drawn), 0, NO_HASH) for drawn in ((0.1, 0.9), (0.9, 0.1))] == [4, 4]


def test_endpoints_beyond_the_rings_end_count_as_whole_ones_too():
    """Endpoints 6, 7, 0, 1, the latter two less busy: of six pairs only 6 and 7 leaves no choice. Five standard errors of 3000 picks."""
    hosts = hosts_of([1, 1, 0, 0, 0, 0, 5, 5])
    balancer = built(hosts, 3, 4, 3)

    picks = Counter(balancer.pick(hosts, Draw().at(key, 1), 0, NO_HASH) for key in range(3000))

    assert (picks[6] + picks[7]) / 3000 == pytest.approx(1 / 6, abs=0.034)
    assert picks[0] / 3000 == pytest.approx(5 / 12, abs=0.045)


def test_idle_endpoints_get_what_lies_of_them_in_the_stretch():
    """All idle: the first drawn wins, a fifth of the time the half one. 10,000 picks: five standard errors are 2 %."""
    hosts = hosts_of([0] * 10)
    balancer = built(hosts, 1, 4, 1)

    picks = Counter(balancer.pick(hosts, Draw().at(key, 1), 0, NO_HASH) for key in range(10_000))

    assert [picks[index] / 10_000 for index in (2, 3, 4)] == pytest.approx([0.2, 0.4, 0.4], abs=0.02)


def test_the_stretch_follows_when_endpoints_join():
    hosts = hosts_of([0] * 8)
    balancer = built(hosts[:4], 3, 4, 1)
    assert reached(balancer, hosts[:4]) == {3}

    balancer.update(hosts, Draw())
    assert reached(balancer, hosts) == {6, 7}
