"""Connections to an instance that was picked: what they cost, how they are shared, when they end, what happens when none can be made."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import pytest
from connection_bench import BROKEN, HTTP1, HTTP2, MS, TLS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

import meshsim as ms
from meshsim.distributions import Exponential
from meshsim.flags import Flag
from meshsim.plan import Connections, Tls

ONCE = replace(HTTP1, max_requests=1)
TCP_MS = 2.0
FULL_MS = 2.0 + 3 + 2 + 3
"""TCP, the caller's worker, the handshake's round trip, the other side's worker."""
RESUMING = replace(TLS, resumed_ns=1 * MS)
RESUMED_MS = 2.0 + 1 + 2 + 1


def waits(*requests):
    return [one.waited_ms for one in requests]


class TestHandshakes:
    def test_tcp_takes_a_round_trip_and_a_connection_that_is_there_takes_nothing(self):
        bench = Bench()
        first, second = bench.send(), bench.send(50)
        bench.run()
        assert waits(first, second) == [TCP_MS, 0]
        assert (bench.activity.opened, bench.activity.pool_waits, bench.activity.handshakes) == (1, 1, 0)

    @pytest.mark.parametrize(("trips", "wait_ms"), [(0, 2), (1, 4), (2, 6)])
    def test_tls_takes_round_trips_of_its_own(self, trips, wait_ms):
        bench = Bench(tls=replace(TLS, round_trips=trips, handshake_ns=0))
        request = bench.send()
        bench.run()
        assert (request.waited_ms, request.tls_ms) == (wait_ms, wait_ms - TCP_MS)

    @pytest.mark.parametrize(("workers", "wait_ms"), [(0, FULL_MS - 3), (1, FULL_MS)])
    @pytest.mark.parametrize("sidecar_workers", [0, 1])
    def test_both_ends_work_for_it_and_a_caller_without_a_proxy_is_no_station(self, workers, sidecar_workers, wait_ms):
        bench = Bench(workers=workers, sidecar_workers=sidecar_workers, tls=TLS)
        request = bench.send()
        bench.run()
        assert (request.waited_ms, request.tls_ms) == (wait_ms, wait_ms - TCP_MS)

    def test_it_waits_for_a_worker_at_either_end(self):
        for name in ("caller", "instance"):
            bench = Bench(workers=1, sidecar_workers=1, tls=TLS)
            station = bench.view.proxy.station if name == "caller" else bench.doors[0].sidecar.station
            bench.at(0, lambda bench=bench, station=station: bench.clock.start(station.hold(9 * MS)))
            request = bench.send()
            bench.run()
            busy_until_ms = {"caller": 9 - 2, "instance": 9 - 7}[name]
            assert request.waited_ms == FULL_MS + busy_until_ms

    def test_of_a_wait_that_began_in_the_handshake_only_the_rest_was_for_it(self):
        bench = Bench(HTTP2, workers=1, sidecar_workers=1, tls=TLS)
        early, late = bench.send(0), bench.send(5)
        bench.run()
        assert (early.waited_ms, early.tls_ms) == (FULL_MS, FULL_MS - TCP_MS)
        assert (late.waited_ms, late.tls_ms) == (FULL_MS - 5, FULL_MS - 5)

    def test_a_connection_that_becomes_free_first_serves_whoever_waits(self):
        bench = Bench(workers=2, sidecar_workers=2, tls=TLS)
        bench.send(0, length_ms=5)
        second, third = bench.send(12), bench.send(30)
        bench.run()
        assert (second.waited_ms, second.tls_ms) == (FULL_MS + 5 - 12, 0)
        assert third.waited_ms == 0
        assert bench.activity.opened == 2

    def test_each_round_trip_draws_its_own_latency(self):
        bench = Bench(ONCE, latency=Exponential(mean=MS), tls=replace(TLS, handshake_ns=0, round_trips=2))
        made = [bench.send(1000 * number) for number in range(400)]
        bench.run()
        for one in made:
            assert one.tls_ms != pytest.approx(2 * (one.waited_ms - one.tls_ms))
        mean = sum(one.waited_ms for one in made) / len(made)
        assert mean == pytest.approx(6, abs=5 * (6 / 400) ** 0.5)  # six exponentials of 1 ms: once in 1.7 million seeds it is not

    @pytest.mark.parametrize(
        ("tls", "second_ms"), [(TLS, FULL_MS), (RESUMING, RESUMED_MS), (replace(RESUMING, resumed_ns=2 * MS), RESUMED_MS + 2)]
    )
    def test_a_session_is_resumed(self, tls, second_ms):
        bench = Bench(ONCE, workers=1, sidecar_workers=1, tls=tls)
        made = bench.send(0), bench.send(50)
        bench.run()
        assert waits(*made) == [FULL_MS, second_ms]
        assert (bench.activity.handshakes, bench.activity.resumed) == (2, second_ms < FULL_MS)

    def test_a_session_is_with_one_instance_and_one_life_of_it(self):
        bench = Bench(ONCE, instances=2, workers=1, sidecar_workers=1, tls=RESUMING)
        made = [bench.send(0), bench.send(50, to=1), bench.send(100), bench.send(200)]
        bench.at(150, bench.doors[0].crash)
        bench.at(151, bench.doors[0].restart)
        bench.run()
        assert waits(*made) == [FULL_MS, FULL_MS, RESUMED_MS, FULL_MS]

    def test_two_handshakes_at_once_are_both_full(self):
        bench = Bench(workers=2, sidecar_workers=2, tls=RESUMING)
        made = bench.send(), bench.send()
        bench.run()
        assert waits(*made) == [FULL_MS, FULL_MS]

    def test_new_certificates_end_sessions_and_connections(self):
        bench = Bench(workers=2, sidecar_workers=2, tls=RESUMING)
        bench.send(0, length_ms=30)
        bench.send(0, length_ms=10)
        open_then = []
        bench.at(25, bench.view.pool.drain)
        bench.at(25.5, lambda: open_then.append(bench.view.connections.in_use))
        late = bench.send(45)
        bench.run()
        assert open_then == [1]  # the idle one closed at once, the busy one after its request
        assert late.waited_ms == FULL_MS
        assert (bench.activity.opened, bench.activity.closed, bench.activity.resumed) == (3, 2, 0)

    def test_a_connection_that_was_being_made_under_old_certificates_is_of_no_use(self):
        bench = Bench(tls=replace(TLS, handshake_ns=0))
        request = bench.send()
        bench.at(3, bench.view.pool.drain)
        bench.run()
        assert request.waited_ms == 4 + 4
        assert (bench.activity.opened, bench.activity.closed) == (2, 1)

        bench = Bench(tls=replace(TLS, handshake_ns=0))
        bench.send(cut_ms=2.5)
        bench.at(3, bench.view.pool.drain)
        bench.run()
        assert (bench.activity.opened, bench.activity.closed) == (1, 1)  # at once, though nobody asks for it

    def test_after_a_restart_the_handshakes_of_all_callers_queue_at_the_instance(self):
        bench = Bench(callers=8, workers=1, sidecar_workers=2, tls=TLS)
        for caller in range(8):
            bench.send(0, caller=caller)
        storm = [bench.send(1000, caller=caller) for caller in range(8)]
        bench.at(500, bench.doors[0].crash)
        bench.at(600, bench.doors[0].restart)
        bench.run()
        assert waits(*storm) == [FULL_MS + 3 * turn for turn in (0, 0, 1, 1, 2, 2, 3, 3)]
        assert all(caller.view.activity.handshakes == 2 for caller in bench.callers)

    def test_an_instance_that_is_back_before_the_first_message_arrives_has_not_been_missed(self):
        bench = Bench()
        request = bench.send()
        bench.at(0.2, bench.doors[0].crash)
        bench.at(0.5, bench.doors[0].restart)
        late = bench.send(50)
        bench.run()
        assert waits(request, late) == [TCP_MS, 0]


class TestSharing:
    def test_http2_carries_many_requests_at_once_and_http1_one(self):
        opened = {}
        for name, kind in (("http1", HTTP1), ("http2", HTTP2)):
            bench = Bench(kind)
            made = [bench.send(), *(bench.send(5) for _ in range(9))]
            bench.run()
            opened[name] = bench.activity.opened
            assert waits(*made[1:]) == [0 if name == "http2" else TCP_MS] * 9
        assert opened == {"http1": 10, "http2": 1}

    @pytest.mark.parametrize(("streams", "opened"), [(1, 10), (4, 3), (5, 2), (9, 2), (10, 1)])
    def test_as_many_connections_are_opened_as_those_that_wait_need(self, streams, opened):
        bench = Bench(HTTP2, max_concurrent_streams=streams)
        made = [bench.send() for _ in range(10)]
        bench.run()
        assert bench.activity.opened == opened
        assert waits(*made) == [TCP_MS] * 10

    def test_when_all_are_full_another_is_opened(self):
        bench = Bench(HTTP2, max_concurrent_streams=2)
        made = [bench.send(0, 100), bench.send(10, 100), bench.send(20, 100), bench.send(30, 100)]
        bench.run()
        assert waits(*made) == [TCP_MS, 0, TCP_MS, 0]

    def test_a_connection_for_few_requests_is_not_counted_on_for_many(self):
        bench = Bench(HTTP2, max_requests=2)
        made = [bench.send() for _ in range(4)]
        bench.run()
        assert waits(*made) == [TCP_MS] * 4  # one that is opened only when the first has taken its two would be later
        assert (bench.activity.opened, bench.activity.closed) == (2, 2)

    def test_those_that_wait_are_served_in_their_order_and_those_that_have_gone_are_passed_over(self):
        bench = Bench(limits={"max_connections": 1})
        made = [bench.send(number, length_ms=20, cut_ms=10 if number == 2 else 0) for number in range(4)]
        bench.run()
        assert [one.sent_ms for one in made] == [2, 22, -1, 42]

    def test_the_connection_used_last_is_used_first(self):
        bench = Bench(idle_timeout_ns=40 * MS)
        bench.send(0, length_ms=5)
        bench.send(0, length_ms=10)
        for number in range(1, 10):
            bench.send(20 * number, length_ms=1)
        bench.run()
        assert (bench.activity.opened, bench.activity.closed) == (2, 1)  # the other one had nothing to do and was closed


class TestEnds:
    def test_after_its_last_request_a_connection_is_closed(self):
        bench = Bench(max_requests=2)
        made = [bench.send(50 * number) for number in range(5)]
        bench.run()
        assert waits(*made) == [TCP_MS, 0, TCP_MS, 0, TCP_MS]
        assert (bench.activity.opened, bench.activity.closed) == (3, 2)

    def test_a_connection_that_drains_ends_with_its_last_stream(self):
        bench = Bench(HTTP2, max_requests=2)
        bench.send(0, length_ms=100)
        bench.send(10, length_ms=20)
        seen = []
        for at_ms in (50, 101.5, 102.5):
            bench.at(at_ms, lambda: seen.append(bench.view.connections.in_use))
        bench.run()
        assert seen == [1, 1, 0]

    @pytest.mark.parametrize(("age_ms", "wait_ms"), [(0, 0), (60, TCP_MS), (98, TCP_MS), (98.001, 0)])
    def test_an_old_connection_takes_no_further_request(self, age_ms, wait_ms):
        bench = Bench(max_age_ns=round(age_ms * MS))
        bench.send(0)
        late = bench.send(100)
        bench.run()
        assert late.waited_ms == wait_ms

    def test_age_cuts_no_request_off(self):
        bench = Bench(HTTP2, max_age_ns=20 * MS)
        long, late = bench.send(0, length_ms=100), bench.send(50)
        bench.run()
        assert (long.ended_ms, late.waited_ms) == (102, TCP_MS)
        assert (bench.activity.opened, bench.activity.closed) == (2, 1)

    @pytest.mark.parametrize(("idle_ms", "wait_ms"), [(0, 0), (50, TCP_MS), (88, TCP_MS), (88.001, 0)])
    def test_an_idle_connection_is_closed(self, idle_ms, wait_ms):
        bench = Bench(idle_timeout_ns=round(idle_ms * MS))
        bench.send(0)
        late = bench.send(100)
        bench.run()
        assert late.waited_ms == wait_ms

    def test_a_connection_with_a_long_request_is_not_idle(self):
        bench = Bench(HTTP2, idle_timeout_ns=20 * MS)
        bench.send(0, length_ms=100)
        late = bench.send(90)
        bench.run()
        assert late.waited_ms == 0

    @pytest.mark.parametrize(("kind", "wait_ms"), [(HTTP1, TCP_MS), (HTTP2, 0)])
    @pytest.mark.parametrize("cut", [{"cut_ms": 20}, {"per_try_ms": 20}])
    def test_who_gives_up_closes_an_http1_connection_and_resets_an_http2_stream(self, kind, wait_ms, cut):
        bench = Bench(kind)
        first = bench.send(0, length_ms=1000, **cut)
        late = bench.send(50)
        bench.run()
        assert first.flags == Flag.UT
        assert late.waited_ms == wait_ms
        assert bench.activity.closed == (wait_ms > 0)

    @pytest.mark.parametrize("kind", [HTTP1, HTTP2])
    def test_what_breaks_a_request_breaks_its_connection(self, kind):
        bench = Bench(kind)
        bench.send(0, answer=BROKEN)
        late = bench.send(50)
        bench.run()
        assert (late.waited_ms, bench.activity.closed) == (TCP_MS, 1)

    @pytest.mark.parametrize("kind", [HTTP1, HTTP2])
    def test_connections_to_an_earlier_life_of_an_instance_are_dead(self, kind):
        bench = Bench(kind)
        bench.send(0)
        bench.at(20, bench.doors[0].crash)
        bench.at(30, bench.doors[0].restart)
        late = bench.send(50)
        bench.run()
        assert (late.waited_ms, late.outcome.status) == (TCP_MS, 200)
        assert (bench.activity.opened, bench.activity.closed) == (2, 1)


class TestFailures:
    def test_an_instance_that_is_down_refuses_after_a_round_trip(self):
        bench = Bench(connect_timeout_ns=50 * MS)
        bench.doors[0].crash()
        request = bench.send()
        bench.run()
        assert (request.ended_ms, request.outcome.status, request.flags) == (TCP_MS, 503, Flag.UF)
        assert bench.refused() == [(503, Flag.UF)]
        assert (bench.activity.connect_failures, bench.activity.connect_timeouts, bench.activity.opened) == (1, 0, 0)

    @pytest.mark.parametrize("timeout_ms", [20, 50])
    def test_an_instance_that_cannot_be_reached_is_given_up(self, timeout_ms):
        bench = Bench(connect_timeout_ns=timeout_ms * MS)
        bench.doors[0].cut_off()
        request = bench.send()
        bench.run()
        assert (request.ended_ms, request.outcome.status, request.flags) == (timeout_ms, 503, Flag.UF)
        assert (bench.activity.connect_failures, bench.activity.connect_timeouts) == (0, 1)

    def test_without_a_timeout_the_kernel_gives_up(self):
        bench = Bench()
        bench.doors[0].cut_off()
        request = bench.send()
        bench.run()
        assert (request.ended_ms, request.flags) == (131_000, Flag.UF)
        assert bench.activity.connect_timeouts == 1

    def test_the_timeout_is_for_all_of_the_handshake(self):
        for timeout_ms, flags in ((9.999, Flag.UF), (10.001, Flag(0))):
            bench = Bench(workers=1, sidecar_workers=1, tls=TLS, connect_timeout_ns=round(timeout_ms * MS))
            request = bench.send()
            bench.run()
            assert request.flags == flags
            assert request.waited_ms == (FULL_MS if not flags else 0)

    @pytest.mark.parametrize("at_ms", [1, 3, 9.5])
    def test_an_instance_that_goes_during_the_handshake_breaks_it(self, at_ms):
        bench = Bench(workers=1, sidecar_workers=1, tls=TLS)
        request = bench.send()
        bench.at(at_ms, bench.doors[0].crash)
        bench.run()
        assert request.flags == Flag.UF
        assert bench.activity.connect_failures == 1

    def test_all_that_wait_fail_with_the_attempt_to_connect(self):
        bench = Bench(connect_timeout_ns=20 * MS, limits={"max_connections": 1})
        bench.doors[0].cut_off()
        made = [bench.send(number) for number in (0, 5, 19)]
        late = bench.send(21)
        bench.run()
        assert [one.ended_ms for one in made] == [20, 20, 20]
        assert late.ended_ms == 41
        assert {one.flags for one in (*made, late)} == {Flag.UF}

    def test_a_retry_in_the_instant_of_the_failure_is_not_failed_with_it(self):
        bench = Bench()
        bench.doors[0].crash()
        made = [bench.send(), bench.send()]
        bench.at(1, lambda: bench.at(TCP_MS, lambda: made.append(bench.send(TCP_MS))))  # after the failure, in the same instant
        bench.at(TCP_MS + 1, bench.doors[0].restart)
        bench.run()
        assert [one.flags for one in made] == [Flag.UF, Flag.UF, Flag(0)]
        assert made[2].sent_ms == 2 * TCP_MS


class TestLimits:
    def test_over_max_connections_requests_wait(self):
        bench = Bench(limits={"max_connections": 2})
        made = [bench.send() for _ in range(4)]
        bench.run()
        assert waits(*made) == [2, 2, 12, 12]
        assert bench.activity.opened == 2

    def test_each_host_may_have_one_beyond_the_limit(self):
        bench = Bench(instances=3, limits={"max_connections": 1})
        made = [bench.send(to=to) for to in (0, 0, 1, 2)]
        seen = []
        bench.at(5, lambda: seen.append(bench.view.connections.in_use))
        bench.run()
        assert waits(*made) == [2, 12, 2, 2]
        assert seen == [3]

    def test_an_idle_connection_of_another_host_counts_unless_it_has_ended(self):
        for idle_ms, wait_ms in ((0, 12), (30, 2)):
            bench = Bench(instances=2, limits={"max_connections": 2}, idle_timeout_ns=idle_ms * MS)
            bench.send(0, to=0)
            made = [bench.send(60, to=1), bench.send(60, to=1)]
            bench.run()
            assert waits(*made) == [2, wait_ms]

    def test_connections_of_a_host_that_died_make_room(self):
        bench = Bench(instances=2, limits={"max_connections": 2})
        bench.send(0, to=0)
        bench.at(30, bench.doors[0].crash)
        made = [bench.send(60, to=1), bench.send(60, to=1)]
        bench.run()
        assert waits(*made) == [2, 2]

    def test_who_finds_the_queue_full_is_refused_at_once(self):
        bench = Bench(limits={"max_connections": 1, "max_pending_requests": 2})
        made = [bench.send() for _ in range(4)]
        bench.run()
        assert [one.flags for one in made] == [Flag(0), Flag(0), Flag.UO, Flag.UO]
        assert [one.ended_ms for one in made[2:]] == [0, 0]
        assert bench.refused() == [(503, Flag.UO)] * 2

    @pytest.mark.parametrize("kind", [HTTP1, HTTP2])
    def test_the_limit_on_requests_is_looked_at_when_a_connection_is_at_hand(self, kind):
        bench = Bench(kind, limits={"max_requests": 1})
        first, second, third = bench.send(0), bench.send(0), bench.send(5)
        bench.run()
        assert (first.flags, second.flags, third.flags) == (Flag(0), Flag.UO, Flag.UO)
        assert (second.ended_ms, third.ended_ms) == (TCP_MS, 5)

    def test_who_gives_up_waiting_leaves_his_place(self):
        bench = Bench(limits={"max_connections": 1, "max_pending_requests": 1})
        bench.send(0, length_ms=100)
        gone = bench.send(10, cut_ms=10)
        stays = bench.send(30)
        bench.run()
        assert (gone.flags, gone.sent_ms, stays.flags) == (Flag.UT, -1, Flag(0))
        assert [row[-2] for row in bench.recorder.waits] == [10 * MS]

    @pytest.mark.parametrize("kind", [HTTP1, replace(HTTP2, max_concurrent_streams=1)])
    def test_who_goes_in_the_step_that_gave_him_a_connection_gives_it_back_unused(self, kind):
        bench = Bench(kind, limits={"max_connections": 1})
        first, second, third = bench.send(0, length_ms=18), bench.send(5), bench.send(6)
        first.takes_along = second
        bench.run()
        assert (second.outcome, second.sent_ms, third.sent_ms) == (None, -1, 20)
        assert bench.activity.closed == 0

    def test_who_goes_in_the_step_that_failed_him_has_nothing_to_give_back(self):
        bench = Bench(HTTP2)
        bench.doors[0].crash()
        first, second = bench.send(0), bench.send(1)
        first.takes_along = second
        bench.run()
        assert (first.flags, second.outcome) == (Flag.UF, None)

    def test_who_gives_up_in_the_instant_of_his_connection_leaves_it_to_the_next(self):
        bench = Bench(limits={"max_connections": 1})
        bench.send(0, length_ms=18)
        gone, next_one = bench.send(5, cut_ms=15), bench.send(6)
        bench.run()
        assert (gone.flags, gone.ended_ms, next_one.sent_ms) == (Flag.UT, 20, 20)
        assert bench.activity.closed == 0

    def test_a_connection_is_made_to_the_end_when_nobody_waits_for_it_any_more(self):
        bench = Bench(workers=1, sidecar_workers=1, tls=TLS)
        gone = bench.send(0, cut_ms=5)
        late = bench.send(20)
        bench.run()
        assert (gone.flags, gone.ended_ms, late.waited_ms) == (Flag.UT, 5, 0)


TLS_CHANGES = {"round_trips": 2, "handshake_ns": 4 * MS, "resumed_ns": 1 * MS}
CHANGES = {
    "is_http2": True,
    "max_concurrent_streams": 2,
    "max_requests": 2,
    "max_age_ns": 60 * MS,
    "idle_timeout_ns": 30 * MS,
    "connect_timeout_ns": 5 * MS,
    "is_balanced": True,
    "max_connections": 1,
}
ELSEWHERE = {"per_request_ns", "per_kib_ns", "rotations_ns", "tls"}
"""Tested with whole scenarios in test_mesh_mechanisms.py; and most are no matter of the pool."""


BURSTS = ((0, 10), (0, 10), (30, 5), (90, 5), (92, 5), (150, 5), (151, 30), (200, 10), (200, 10))


def trace(**changes):
    """What becomes of a few requests that meet everything: bursts, pauses, one that is cut short, one that is long."""
    bench = Bench(HTTP1, instances=2, workers=1, sidecar_workers=1, **{"tls": TLS, "max_age_ns": 500 * MS, **changes})
    made = [bench.send(at_ms, length_ms) for at_ms, length_ms in BURSTS]
    made.append(bench.send(170, 100, per_try_ms=10))
    bench.run()
    return [(one.sent_ms, one.ended_ms, one.instance) for one in made]


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_changes_something(name):
    at_layer_4 = {"is_balanced": True} if name == "max_connections" else {}
    assert trace(**at_layer_4, **{name: CHANGES[name]}) != trace(**at_layer_4)


@pytest.mark.parametrize("name", TLS_CHANGES)
def test_every_setting_of_tls_changes_something(name):
    assert trace(max_requests=1, tls=replace(TLS, **{name: TLS_CHANGES[name]})) != trace(max_requests=1)


def test_no_setting_is_forgotten():
    named = {*CHANGES, *TLS_CHANGES, *ELSEWHERE}
    assert named == {one.name for kind in (Connections, Tls) for one in fields(kind)}


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from([HTTP1, HTTP2, replace(HTTP2, max_concurrent_streams=2)]),
    changes=st.fixed_dictionaries(
        {},
        optional={
            "max_requests": st.integers(1, 4),
            "max_age_ns": st.sampled_from([7 * MS, 40 * MS]),
            "idle_timeout_ns": st.sampled_from([3 * MS, 20 * MS]),
            "connect_timeout_ns": st.sampled_from([1 * MS, 9 * MS, 30 * MS]),
            "tls": st.sampled_from([TLS, RESUMING]),
        },
    ),
    layer_4=st.sampled_from([None, 1, 2, 1000]),
    limits=st.fixed_dictionaries(
        {},
        optional={
            "max_connections": st.integers(0, 3),
            "max_pending_requests": st.integers(0, 6),
            "max_requests": st.integers(0, 6),
        },
    ),
)
def test_whatever_happens_nothing_stays_held_and_everybody_is_answered(seed, kind, changes, layer_4, limits):
    """Timeouts, crashes, outages and new certificates at random instants, many of them the very instants of something else."""
    chance = random.Random(seed)
    balanced = {} if layer_4 is None else {"is_balanced": True, "max_connections": layer_4}
    bench = Bench(kind, instances=3, workers=1, sidecar_workers=1, callers=2, limits=limits, **balanced, **changes)
    for _ in range(60):
        bench.send(
            chance.randrange(120),
            chance.choice((0, 1, 5, 40)),
            to=chance.randrange(3),
            caller=chance.randrange(2),
            cut_ms=chance.choice((0, 0, 1, 2, 5, 10, 30)),
            per_try_ms=chance.choice((0, 0, 3, 5)),
        )
    for _ in range(4):
        door, at_ms, length_ms = chance.choice(bench.doors), chance.randrange(120), chance.choice((0, 1, 20))
        begin, end = chance.choice(((door.crash, door.restart), (door.cut_off, door.reconnect)))
        bench.at(at_ms, begin)
        bench.at(at_ms + length_ms, end)
    for caller in bench.callers:
        bench.at(chance.randrange(120), caller.view.pool.drain)
    bench.run()
    assert all(one.outcome is not None for one in bench.sent.values())
    for caller in bench.callers:
        for host in caller.view.pool.hosts if layer_4 is None else ():
            assert not host.connecting
            assert not host.missing


def test_a_dial_that_nobody_waits_for_keeps_no_run_alive():
    """Without a connect timeout TCP dials for two minutes; the callers have given up after 300 ms, and the run ends with the load."""
    result = ms.load(
        {
            "name": "unreachable",
            "defaults": "none",
            "deployment": "none",
            "load": {
                "u": {
                    "executor": "constant-arrival-rate",
                    "arrivals": "poisson",
                    "rate": "20/s",
                    "requests": {"a": 1},
                    "timeout": "300ms",
                }
            },
            "direct": {"traffic": {"a": {"connections": {}}}},
            "services": {"a": {"workers": 1, "script": [{"compute": "1ms"}]}},
            "network": {"same_zone": "1ms"},
            "faults": [{"at": "100ms", "for": "10s", "service": "a", "unreachable": True}],
            "run": {"duration": "1s", "interval": "100ms"},
        }
    ).run(seed=1)

    assert (result.requests["ended_ns"] <= 1_300_000_000).all()
    assert result.counters["time_ns"].max() <= 1_500_000_000
