"""What stands before the gateway: which replica a new connection goes to."""

from __future__ import annotations

from collections import Counter

import pytest
from scripted import Scripted

from meshsim.policies.edge import NOBODY, DnsRoundRobin, LeastConnections, RandomReplica, SourceHash, TakeTurns
from meshsim.randomness import Draw

SECOND = 1_000_000_000
ALL = (True, True, True)
EVERYBODY = [DnsRoundRobin, LeastConnections, RandomReplica, SourceHash, TakeTurns]
NO_DRAW = Scripted()


def made(kind, replicas=3, seed=0, **settings):
    return kind(**settings).build(replicas=replicas, seed=seed)


def pick(balancer, is_ready=ALL, connections=None, address=0, now_ns=0, draw=NO_DRAW):
    return balancer.pick(connections or [0] * len(is_ready), is_ready, address, now_ns, draw)


@pytest.mark.parametrize("kind", EVERYBODY)
def test_where_nobody_is_ready_nobody_is_picked(kind):
    assert pick(made(kind), (False, False, False)) == NOBODY


@pytest.mark.parametrize("kind", EVERYBODY)
def test_the_only_one_that_is_ready_gets_everything(kind):
    balancer = made(kind)
    for number in range(20):
        draw = Draw().at(number, 0)
        assert pick(balancer, (False, False, True), [0, 0, 9], address=number, now_ns=number, draw=draw) == 2


class TestTakeTurns:
    def test_one_after_the_other(self):
        balancer = made(TakeTurns)
        assert [pick(balancer) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]

    def test_who_is_not_ready_loses_its_turn_to_the_next(self):
        """The turn goes on from the one that was picked: its neighbour does not get two in a row."""
        balancer = made(TakeTurns)
        assert [pick(balancer, (True, False, True)) for _ in range(4)] == [0, 2, 0, 2]

    def test_who_comes_back_gets_its_turn_and_no_more(self):
        balancer = made(TakeTurns)
        for _ in range(5):
            pick(balancer, (True, True, False))
        assert Counter(pick(balancer) for _ in range(30)) == {0: 10, 1: 10, 2: 10}

    def test_it_begins_elsewhere_in_another_replication(self):
        assert {pick(made(TakeTurns, seed=seed)) for seed in range(3)} == {0, 1, 2}

    def test_a_huge_seed_is_no_index(self):
        assert pick(made(TakeTurns, seed=2**64 - 1)) in (0, 1, 2)

    def test_connections_do_not_matter(self):
        assert pick(made(TakeTurns), connections=[99, 0, 0]) == 0


class TestLeastConnections:
    @pytest.mark.parametrize(("connections", "picked"), [([3, 1, 2], 1), ([1, 1, 1], 0), ([2, 1, 1], 1), ([0, 0, 5], 0)])
    def test_the_fewest_and_of_equals_the_first(self, connections, picked):
        assert pick(made(LeastConnections), connections=connections) == picked

    def test_who_is_not_ready_does_not_count(self):
        assert pick(made(LeastConnections), (False, True, True), [0, 4, 3]) == 2

    def test_a_new_replica_gets_all_until_it_has_as_many(self):
        """The storm after a restart: 20 in a row go to the empty one."""
        balancer, connections = made(LeastConnections), [20, 20, 0]
        picked = []
        for _ in range(23):
            index = pick(balancer, connections=connections)
            connections[index] += 1
            picked.append(index)
        assert picked == [2] * 20 + [0, 1, 2]


class TestRandomReplica:
    @pytest.mark.parametrize(
        ("is_ready", "drawn", "picked"), [(ALL, 1, 1), ((False, True, True), 0, 1), ((True, False, True), 1, 2)]
    )
    def test_any_of_the_ready_ones(self, is_ready, drawn, picked):
        draw = Scripted(drawn)
        assert pick(made(RandomReplica), is_ready, draw=draw) == picked
        assert draw.asked == [sum(is_ready)]


class TestSourceHash:
    def test_an_address_stays_where_it_is(self):
        balancer = made(SourceHash)
        for address in range(50):
            assert len({pick(balancer, address=address, now_ns=now_ns) for now_ns in range(3)}) == 1

    def test_only_the_addresses_of_a_replica_that_goes_move(self):
        balancer = made(SourceHash)
        before = [pick(balancer, address=address) for address in range(300)]
        after = [pick(balancer, (True, False, True), address=address) for address in range(300)]

        assert {one for one, old in zip(after, before, strict=True) if old == 1} == {0, 2}
        assert all(one == old for one, old in zip(after, before, strict=True) if old != 1)

    def test_when_it_comes_back_they_come_back(self):
        balancer = made(SourceHash)
        before = [pick(balancer, address=address) for address in range(100)]
        for address in range(100):
            pick(balancer, (False, True, True), address=address)
        assert [pick(balancer, address=address) for address in range(100)] == before

    def test_many_addresses_are_even(self):
        """Each of 3,000 addresses on any of three: 1,000 each within 4 standard deviations (103); odds 1 in 5,000. Fixed seed."""
        counts = Counter(pick(made(SourceHash, seed=7), address=address) for address in range(3000))
        assert all(abs(counts[index] - 1000) <= 103 for index in range(3))

    def test_another_replication_hashes_otherwise(self):
        first, second = ([pick(made(SourceHash, seed=seed), address=address) for address in range(30)] for seed in (1, 2))
        assert first != second


class TestDnsRoundRobin:
    def test_answers_are_rotated_from_one_client_to_the_next(self):
        balancer = made(DnsRoundRobin)
        assert [pick(balancer, address=address) for address in range(6)] == [0, 1, 2, 0, 1, 2]

    def test_an_address_stays_for_the_ttl_and_looks_up_again_at_its_end(self):
        balancer = made(DnsRoundRobin, ttl=10 * SECOND)
        assert [pick(balancer, now_ns=now_ns) for now_ns in (0, 1, 10 * SECOND - 1, 10 * SECOND, 15 * SECOND, 20 * SECOND)] == [
            0, 0, 0, 1, 1, 2
        ]  # fmt: skip

    def test_use_does_not_make_an_answer_younger(self):
        balancer = made(DnsRoundRobin, ttl=10 * SECOND)
        assert [pick(balancer, now_ns=second * SECOND) for second in range(0, 12, 2)] == [0, 0, 0, 0, 0, 1]

    def test_an_old_answer_leads_to_a_replica_that_has_gone(self):
        balancer = made(DnsRoundRobin, ttl=10 * SECOND)
        assert pick(balancer) == 0
        assert pick(balancer, (False, True, True), now_ns=9 * SECOND) == 0
        assert pick(balancer, (False, True, True), now_ns=10 * SECOND) == 1

    def test_where_nobody_was_ready_nothing_is_remembered(self):
        balancer = made(DnsRoundRobin, ttl=10 * SECOND)
        assert pick(balancer, (False, False, False)) == NOBODY
        assert pick(balancer, now_ns=1) == 0

    def test_without_a_ttl_every_connection_looks_up(self):
        balancer = made(DnsRoundRobin, ttl=0)
        assert [pick(balancer) for _ in range(4)] == [0, 1, 2, 0]

    def test_it_begins_elsewhere_in_another_replication(self):
        assert {pick(made(DnsRoundRobin, seed=seed)) for seed in range(3)} == {0, 1, 2}
