"""Layer 4: the endpoint is chosen when a connection is opened, and every request on it goes there."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from connection_bench import BROKEN, HTTP1, HTTP2, MS, TLS, Bench

from meshsim.flags import Flag

GRPC = replace(HTTP2, is_balanced=True, max_connections=1)
"""A gRPC client behind kube-proxy: one connection."""
LAYER_4 = replace(HTTP1, is_balanced=True)
TCP_MS = 2.0


def waits(*requests):
    return [one.waited_ms for one in requests]


def used(made):
    return {one.instance for one in made}


class TestStickiness:
    def test_one_connection_takes_all_requests_to_one_instance(self):
        bench = Bench(GRPC, instances=4)
        made = [bench.send(20 * number, length_ms=50) for number in range(40)]
        bench.run()
        assert len(used(made)) == 1
        assert sum(waits(*made)) == TCP_MS
        assert bench.activity.opened == 1

    def test_an_age_spreads_them_over_time(self):
        bench = Bench(GRPC, instances=4, max_age_ns=100 * MS)
        made = [bench.send(20 * number) for number in range(40)]
        bench.run()
        assert used(made) == {0, 1, 2, 3}
        for one, following in pairwise(made):
            assert one.instance == following.instance or following.waited_ms == TCP_MS

    @pytest.mark.parametrize(("change", "opened"), [({"max_requests": 4}, 3), ({"idle_timeout_ns": 10 * MS}, 10), ({}, 1)])
    def test_so_do_all_other_ends_of_connections(self, change, opened):
        bench = Bench(GRPC, instances=4, **change)
        made = [bench.send(50 * number) for number in range(10)]
        bench.run()
        assert bench.activity.opened == opened
        assert len(used(made)) == min(opened, 4)

    def test_http1_with_a_connection_for_each_request_is_spread(self):
        bench = Bench(LAYER_4, instances=4)
        made = [bench.send() for _ in range(8)]
        later = [bench.send(50 + 20 * number) for number in range(8)]
        bench.run()
        assert [sum(one.instance == index for one in made) for index in range(4)] == [2, 2, 2, 2]
        assert len(used(later)) == 1  # of many idle connections the one used last, so the same again and again
        assert bench.activity.opened == 8

    @pytest.mark.parametrize("kind", [GRPC, LAYER_4])
    def test_after_the_death_of_an_instance_the_connection_is_made_to_another(self, kind):
        bench = Bench(kind, instances=2)
        first, late = bench.send(0), bench.send(100)
        bench.at(50, lambda: bench.doors[first.instance].crash())  # noqa: PLW0108 — which one is known then
        bench.run()
        assert late.outcome.status == 200
        assert late.instance == 1 - first.instance
        assert (bench.activity.opened, bench.activity.closed) == (2, 1)

    def test_a_client_keeps_its_connection_to_an_instance_that_has_left_and_lives(self):
        bench = Bench(GRPC, instances=2)
        first, late = bench.send(0), bench.send(100)
        bench.at(50, lambda: bench.view.leave(first.instance))
        bench.run()
        assert (late.instance, late.waited_ms) == (first.instance, 0)

    def test_new_certificates_mean_new_connections(self):
        bench = Bench(GRPC, instances=2, workers=1, sidecar_workers=1, tls=replace(TLS, resumed_ns=1 * MS))
        long, late = bench.send(0, length_ms=100), bench.send(60)
        bench.at(50, bench.view.pool.drain)
        last = bench.send(200)
        bench.run()
        assert (long.ended_ms, late.instance, last.instance) == (110, 1 - long.instance, 1 - long.instance)
        assert (late.waited_ms, last.waited_ms) == (50 + 10, 0)  # one connection at most: it waits until the old one has ended
        assert bench.activity.resumed == 0

    def test_new_certificates_end_sessions(self):
        bench = Bench(LAYER_4, workers=1, sidecar_workers=1, max_requests=1, tls=replace(TLS, resumed_ns=1 * MS))
        made = [bench.send(50 * number) for number in range(3)]
        bench.at(80, bench.view.pool.drain)
        bench.run()
        assert waits(*made) == [10, 6, 10]


class TestWaiting:
    def test_all_that_waited_for_the_handshake_go_when_it_is_done(self):
        bench = Bench(GRPC, tls=replace(TLS, handshake_ns=0))
        made = [bench.send(0.5 * number) for number in range(6)]
        bench.run()
        assert [one.sent_ms for one in made] == [4] * 6
        assert [one.waited_ms for one in made] == [4, 3.5, 3, 2.5, 2, 1.5]
        assert [one.tls_ms for one in made] == [2, 2, 2, 2, 2, 1.5]

    def test_streams_are_limited(self):
        bench = Bench(GRPC, max_concurrent_streams=2)
        made = [bench.send() for _ in range(5)]
        bench.run()
        assert [one.sent_ms for one in made] == [2, 2, 12, 12, 22]

    @pytest.mark.parametrize(("most", "sent_ms"), [(1, [2, 12, 22, 32]), (2, [2, 2, 12, 12]), (4, [2, 2, 2, 2])])
    def test_connections_are_limited(self, most, sent_ms):
        bench = Bench(LAYER_4, max_connections=most)
        made = [bench.send() for _ in range(4)]
        bench.run()
        assert [one.sent_ms for one in made] == sent_ms
        assert bench.activity.opened == most

    def test_first_come_first_served_even_in_the_instant_of_a_free_connection(self):
        bench = Bench(LAYER_4, max_connections=1)
        bench.send(0, length_ms=18)
        early = bench.send(10)
        newcomer = bench.send(20)
        bench.run()
        assert (early.sent_ms, newcomer.sent_ms) == (20, 30)

    def test_who_has_gone_is_passed_over_and_keeps_his_place_of_nobody(self):
        bench = Bench(LAYER_4, max_connections=1)
        bench.send(0, length_ms=50)
        gone, stays = bench.send(5, cut_ms=20), bench.send(6)
        bench.run()
        assert (gone.flags, gone.ended_ms, stays.sent_ms) == (Flag.UT, 25, 52)
        assert [row[-2] for row in bench.recorder.waits] == [20 * MS]

    def test_who_gives_up_in_the_instant_of_his_turn_hands_it_on(self):
        for length_ms, answer, sent_ms in ((18, None, 20), (18, BROKEN, 22)):  # a connection to use, leave to make one
            bench = Bench(LAYER_4, max_connections=1)
            bench.send(0, length_ms=length_ms, **({} if answer is None else {"answer": answer}))
            gone, next_one = bench.send(5, cut_ms=15), bench.send(6)
            bench.run()
            assert (gone.flags, next_one.sent_ms) == (Flag.UT, sent_ms)

    def test_who_goes_in_the_step_of_his_turn_hands_it_on(self):
        for kind, wait_ms in ((replace(GRPC, max_concurrent_streams=1), 0), (replace(LAYER_4, max_connections=1), TCP_MS)):
            bench = Bench(kind)
            first, second, third = bench.send(0, length_ms=100), bench.send(5), bench.send(6)
            bench.cancel(20, first, second)
            late = bench.send(60)
            bench.run()
            assert (second.outcome, third.sent_ms, late.waited_ms) == (None, 20 + wait_ms, 0)

    @pytest.mark.parametrize("kind", [replace(LAYER_4, max_connections=1), replace(GRPC, max_concurrent_streams=1)])
    def test_a_connection_that_was_given_and_not_used_stays_open(self, kind):
        bench = Bench(kind)
        first, second, third = bench.send(0, length_ms=18), bench.send(5), bench.send(6)
        first.takes_along = second
        bench.run()
        assert (second.outcome, second.sent_ms, third.sent_ms) == (None, -1, 20)
        assert bench.activity.closed == 0

    def test_a_wait_for_a_busy_connection_is_no_handshake(self):
        bench = Bench(LAYER_4, max_connections=1, tls=replace(TLS, handshake_ns=0))
        first, second = bench.send(0), bench.send(1)
        bench.run()
        assert (first.tls_ms, second.waited_ms, second.tls_ms) == (2, 13, 0)

    def test_who_gives_up_dialling_lets_the_next_dial(self):
        bench = Bench(LAYER_4, max_connections=1, tls=replace(TLS, handshake_ns=0))
        gone, stays = bench.send(0, cut_ms=3), bench.send(1)
        bench.run()
        assert (gone.flags, stays.sent_ms) == (Flag.UT, 3 + 4)
        assert (bench.activity.opened, bench.activity.closed) == (1, 0)

    def test_what_is_held_is_seen(self):
        bench = Bench(LAYER_4, max_connections=2)
        for _ in range(5):
            bench.send()
        seen = []
        for at_ms in (1, 5, 100):
            view = bench.view
            bench.at(at_ms, lambda view=view: seen.append((view.connections.in_use, view.requests.in_use, view.pending.in_use)))
        bench.run()
        assert seen == [(2, 0, 5), (2, 2, 3), (2, 0, 0)]
        assert bench.activity.pool_waits == 5


class TestEnds:
    @pytest.mark.parametrize(("kind", "wait_ms"), [(LAYER_4, TCP_MS), (GRPC, 0)])
    @pytest.mark.parametrize("cut", [{"cut_ms": 20}, {"per_try_ms": 20}])
    def test_who_gives_up_closes_an_http1_connection_and_resets_an_http2_stream(self, kind, wait_ms, cut):
        bench = Bench(kind)
        first = bench.send(0, length_ms=1000, **cut)
        late = bench.send(50)
        bench.run()
        assert (first.flags, late.waited_ms) == (Flag.UT, wait_ms)

    def test_an_instance_that_refuses_is_a_failure_and_the_next_may_try(self):
        bench = Bench(LAYER_4, instances=2, max_connections=2)  # one to each, whichever is first
        bench.doors[0].crash()
        made = [bench.send() for _ in range(2)]
        bench.run()
        failed, good = sorted(made, key=lambda one: one.outcome.status, reverse=True)
        assert (failed.outcome.status, failed.flags, good.flags) == (503, Flag.UF, Flag(0))
        assert bench.activity.connect_failures == 1
        assert bench.refused() == [(503, Flag.UF)]
        assert failed.call.endpoint.index == 0  # for outlier detection: whose fault it was

    @pytest.mark.parametrize("timeout_ms", [10, 30])
    def test_an_instance_that_cannot_be_reached_is_given_up(self, timeout_ms):
        bench = Bench(LAYER_4, connect_timeout_ns=timeout_ms * MS)
        bench.doors[0].cut_off()
        request = bench.send()
        bench.run()
        assert (request.ended_ms, request.flags, bench.activity.connect_timeouts) == (timeout_ms, Flag.UF, 1)

    def test_where_nobody_is_there_all_are_told_so(self):
        bench = Bench(LAYER_4, max_connections=1)
        first = bench.send(0)
        waiting = [bench.send(number, cut_ms=1000) for number in (3, 4)]
        bench.at(5, lambda: bench.view.leave(0))
        bench.at(6, bench.doors[0].crash)
        bench.run()
        assert first.flags == Flag.UC
        assert [(one.outcome.status, one.flags, one.ended_ms) for one in waiting] == [(503, Flag.UH, 12)] * 2
        assert bench.activity.no_host == 2
