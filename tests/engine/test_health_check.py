"""Active health checks: when a host is taken out and let in again; 1 ms each way unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest
from control_bench import MS, ROUND_MS, Bench, check, fault

import meshsim as ms
from meshsim.distributions import Constant, Exponential
from meshsim.engines.reference.time.outcome import LOST_AFTER_NS
from meshsim.flags import Flag
from meshsim.plan import NONE, Effect
from meshsim.plan.failing import Failing

FOR_EVER = 1e9


def first_ill_ms(faults=None, until_ms=2000, **changes):
    """When instance 0, which is down from the start, is taken out."""
    bench = Bench(check=check(**changes), faults=faults or (fault(0, FOR_EVER, 0),))
    bench.run(until_ms)
    return bench.view.ill[0][0]


class TestThresholds:
    def test_as_many_failures_in_a_row_as_asked_for_take_a_host_out(self):
        first = first_ill_ms()
        assert 2 <= first <= 52
        assert first_ill_ms(unhealthy_threshold=2) == pytest.approx(first + ROUND_MS)
        assert first_ill_ms(unhealthy_threshold=4) == pytest.approx(first + 3 * ROUND_MS)

    def test_the_interval_is_between_an_answer_and_the_next_check(self):
        last = {interval_ms: first_ill_ms(unhealthy_threshold=4, interval=interval_ms) for interval_ms in (10, 100)}
        first = {interval_ms: first_ill_ms(interval=interval_ms) for interval_ms in (10, 100)}
        assert [last[interval_ms] - first[interval_ms] for interval_ms in (10, 100)] == pytest.approx([3 * 12, 3 * 102])

    def test_failures_that_are_not_in_a_row_do_nothing(self):
        """Instance 0 is down for every other check, wherever the phase is."""
        faults = tuple(fault(at_ms, at_ms + ROUND_MS, 0) for at_ms in range(0, 2000, 2 * ROUND_MS))
        bench = Bench(check=check(unhealthy_threshold=2), faults=faults)
        bench.run(2000)
        assert (bench.view.ill, bench.view.well) == ([], [])
        often = Bench(check=check(), faults=faults)
        often.run(2000)
        assert len(often.view.ill) > 15

    def test_as_many_successes_in_a_row_as_asked_for_let_it_in(self):
        back = {}
        for threshold in (1, 2, 4):
            bench = Bench(check=check(healthy_threshold=threshold), faults=(fault(0, 500, 0),))
            bench.run(2000)
            assert len(bench.view.ill) == len(bench.view.well) == 1
            back[threshold] = bench.view.well[0][0]
        assert 500 < back[1] <= 500 + ROUND_MS + 2
        assert (back[2] - back[1], back[4] - back[1]) == pytest.approx((ROUND_MS, 3 * ROUND_MS))

    def test_successes_that_are_not_in_a_row_do_nothing(self):
        faults = tuple(fault(at_ms, at_ms + ROUND_MS, 0) for at_ms in range(0, 2000, 2 * ROUND_MS))
        bench = Bench(check=check(healthy_threshold=2), faults=faults)
        bench.run(2000)
        assert len(bench.view.ill) == 1
        assert bench.view.well == []

    def test_who_is_out_is_not_picked(self):
        bench = Bench(check=check(), faults=(fault(0, 500, 0),))
        requests = [bench.send(at_ms) for at_ms in range(100, 500, 20)]
        later = [bench.send(at_ms) for at_ms in range(600, 1000, 20)]
        bench.run(2000)
        assert {one.instance for one in requests} == {1}
        assert {one.instance for one in later} == {0, 1}
        assert bench.view.activity.health_changes == 2


class TestTimeout:
    LOST = (fault(0, FOR_EVER, 0, effect=Effect.UNREACHABLE),)

    def test_who_cannot_be_reached_fails_when_the_time_is_over(self):
        first = first_ill_ms(self.LOST)
        assert first == pytest.approx(first_ill_ms() - 2 + 20)
        assert first_ill_ms(self.LOST, unhealthy_threshold=3) == pytest.approx(first + 2 * (50 + 20))
        assert first_ill_ms(self.LOST, timeout=300) == pytest.approx(first - 20 + 300)

    def test_an_answer_that_tcp_has_given_up_is_none_however_long_the_timeout(self):
        bench = Bench(check=check(timeout=LOST_AFTER_NS / MS + 1000), faults=self.LOST)
        bench.run(LOST_AFTER_NS / MS + 1000)
        assert [index for _, index in bench.view.ill] == [0]
        assert LOST_AFTER_NS / MS < bench.view.ill[0][0] < LOST_AFTER_NS / MS + 60

    @pytest.mark.parametrize(("latency_ms", "out"), [(9.5, set()), (10, {0, 1}), (11, {0, 1})])
    def test_an_answer_in_the_instant_of_the_timeout_is_too_late(self, latency_ms, out):
        bench = Bench(check=check(), latency=Constant(value=latency_ms * MS))
        bench.run(500)
        assert {index for _, index in bench.view.ill} == out

    def test_each_check_meets_the_network_anew(self):
        """There and back within 20 ms, where each way is exponential with mean 10 ms: p = 1 - 3 exp(-2) of 200 hosts pass.

        At each of 50 looks others do: p^2 pass at two looks. Within 5 standard errors: a false alarm once in 800,000 seeds.
        """
        bench = Bench(places=200, check=check(), latency=Exponential(mean=10 * MS))
        passed = []
        for at_ms in range(200, 5200, 100):
            bench.at(at_ms, lambda: passed.append(set(bench.healthy())))
        bench.run(5200)
        both = [first & second for first, second in zip(passed[::2], passed[1::2], strict=True)]
        p = 1 - 3 * exp(-2)
        for sets, share in ((passed, p), (both, p * p)):
            trials = 200 * len(sets)
            assert sum(map(len, sets)) == pytest.approx(trials * share, abs=5 * (trials * share * (1 - share)) ** 0.5)


class TestShallow:
    def test_errors_and_slowness_pass(self):
        failing = Failing(0, 1.0, None, NONE, NONE, NONE, None)
        faults = (
            replace(fault(0, FOR_EVER, 0, effect=Effect.ERRORS), failing=failing),
            replace(fault(0, FOR_EVER, 1, effect=Effect.SLOW), amount=100.0),
        )
        bench = Bench(check=check(), faults=faults)
        broken = bench.send(100, to=0)
        bench.run(2000)
        assert broken.flags == Flag.error
        assert bench.view.ill == []

    def test_a_full_queue_passes(self):
        bench = Bench(check=check())
        for _ in range(3):
            bench.send(0, 1000, to=0)
        bench.run(2000)
        assert bench.view.ill == []


class TestWorker:
    def test_a_check_waits_for_a_worker_as_a_request_does(self):
        """Busy from 1 to 1001 ms: with a timeout of 20 ms each check fails, with one of 2 s none."""
        for timeout_ms, out in ((20, [0]), (2000, [])):
            bench = Bench(check=check(uses_worker=True, timeout=timeout_ms))
            bench.send(0, 1000, to=0)
            bench.run(3000)
            assert [index for _, index in bench.view.ill] == [index for _, index in bench.view.well] == out
            assert bench.instances[0].station.queued == 0
        assert bench.instances[0].station.passed - 1 < bench.instances[1].station.passed  # as that one check took so long

    def test_it_takes_its_turn_and_none_of_the_workers_time(self):
        bench = Bench(check=check(uses_worker=True, timeout=500))
        first, second = bench.send(0, 100, to=0), bench.send(60, 100, to=0)
        bench.run(1000)
        assert (first.ended_ms, second.ended_ms) == (102, 202)
        assert bench.instances[0].station.busy_ns == 200 * MS

    def test_one_that_gives_up_has_left_the_queue(self):
        bench = Bench(check=check(uses_worker=True, interval=10, timeout=20))
        bench.send(0, 1000, to=0)
        queued = []
        for at_ms in range(100, 900, 7):
            bench.at(at_ms, lambda: queued.append(bench.instances[0].station.queued))
        bench.run(950)
        assert set(queued) == {0, 1}

    def test_who_is_gone_has_no_workers_to_wait_for(self):
        assert first_ill_ms(uses_worker=True) == first_ill_ms()
        bench = Bench(check=check(uses_worker=True, timeout=1000), faults=(fault(0, 500, 0, effect=Effect.UNREACHABLE),))
        bench.run(499)
        assert bench.instances[0].station.passed == 0 < bench.instances[1].station.passed

    def test_a_crash_answers_those_that_wait(self):
        bench = Bench(check=check(uses_worker=True, timeout=2000), faults=(fault(500, FOR_EVER, 0),))
        bench.send(0, 1000, to=0)
        bench.run(3000)
        assert bench.view.ill == [(501, 0)]

    def test_what_loses_its_way_while_it_waits_is_lost(self):
        bench = Bench(check=check(uses_worker=True, timeout=2000), faults=(fault(500, FOR_EVER, 0, effect=Effect.UNREACHABLE),))
        bench.send(0, 1000, to=0)
        bench.run(3000)
        assert bench.view.ill == [(pytest.approx(2001, abs=52), 0)]


def test_a_run_ends_while_checks_are_always_on_their_way():
    checks = {"interval": "1ms", "timeout": "5s", "healthy_threshold": 1, "unhealthy_threshold": 1}
    result = ms.load(
        {
            "name": "ending",
            "deployment": "mesh",
            "load": {
                "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"front": 1}}
            },
            "mesh": {"traffic": {"back": {"health_checks": checks, "timeout": "300ms", "connect_timeout": "100ms"}}},
            "services": {
                "front": {"workers": 100, "script": [{"call": "back"}]},
                "back": {"replicas": 3, "script": [{"compute": "10ms"}]},
            },
            "network": {"same_zone": "5ms"},
            "faults": [{"at": "500ms", "for": "1h", "service": "back", "replicas": 1, "unreachable": True}],
            "run": {"duration": "1s", "interval": "100ms"},
        }
    ).run()
    assert result.counters["time_ns"].max() <= 1.4e9
