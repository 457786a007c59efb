"""Active health checks of hosts that come and go, and when each caller asks each of them."""

from __future__ import annotations

import pytest
from control_bench import MS, ROUND_MS, Bench, check, fault, lifecycle

from meshsim.distributions import Constant

FOR_EVER = 1e9


class TestMembers:
    def test_those_that_are_there_from_the_start_have_passed(self):
        bench = Bench(check=check())
        seen = []
        bench.at(0, lambda: seen.extend(bench.healthy()))
        bench.run(10)
        assert seen == [0, 1]

    @pytest.mark.parametrize("healthy_threshold", [1, 5])
    def test_one_that_joins_is_checked_at_once_and_one_success_is_enough(self, healthy_threshold):
        bench = Bench(life=lifecycle(1, scale=[(100, 2)]), check=check(healthy_threshold=healthy_threshold))
        seen = {}
        for at_ms in (99, 101, 103):
            bench.at(at_ms, lambda at_ms=at_ms: seen.update({at_ms: bench.healthy()}))
        bench.run(1000)
        assert bench.view.joined == [(100, 1)]
        assert bench.view.well == [(102, 1)]
        assert seen == {99: [0], 101: [0], 103: [0, 1]}

    def test_after_a_first_failure_it_takes_all_of_them(self):
        bench = Bench(
            life=lifecycle(1, scale=[(100, 2)]),
            check=check(healthy_threshold=3, unhealthy_threshold=9),
            faults=(fault(90, 130, 1),),
        )
        bench.run(1000)
        assert bench.view.well == [(102 + 3 * ROUND_MS, 1)]
        assert bench.view.ill == []  # it never was in

    def test_who_has_restarted_is_a_new_host(self):
        bench = Bench(life=lifecycle(2, restarts=[(100, 2)], startup=200), check=check(healthy_threshold=5))
        bench.run(1000)
        assert bench.view.well == [(302, 0), (302, 1)]
        assert bench.view.ill == []

    def test_who_has_gone_is_checked_no_more(self):
        bench = Bench(life=lifecycle(2, scale=[(500, 1)], pre_stop=5000), check=check(uses_worker=True))
        counts = {}
        for at_ms in (553, 3000):
            bench.at(at_ms, lambda at_ms=at_ms: counts.update({at_ms: [one.station.passed for one in bench.instances]}))
        bench.run(3000)
        assert 9 <= counts[553][1] == counts[3000][1] <= 11
        assert counts[3000][0] > 50

    def test_an_answer_from_before_it_left_says_nothing_of_who_came_back(self):
        """Checks of 40 ms: one leaves at 100, and would be back at 140; its host leaves at 110 and is there again from 115."""
        life = lifecycle(1, scale=[(100, 2), (110, 1), (115, 2)])
        bench = Bench(life=life, check=check(timeout=100), latency=Constant(value=20 * MS))
        bench.run(1000)
        assert bench.view.joined == [(100, 1), (115, 1)]
        assert bench.view.well == [(155, 1)]

    @pytest.mark.parametrize("last_ms", [100, 190])
    def test_coming_and_going_leaves_one_check_at_a_time(self, last_ms):
        scale = [(at_ms, 2 - at_ms // 5 % 2) for at_ms in range(100, last_ms + 1, 5)]
        bench = Bench(life=lifecycle(1, scale=scale), check=check(uses_worker=True))
        bench.at(300, lambda: setattr(bench.instances[1].station, "passed", 0))
        bench.run(300 + 20 * ROUND_MS)
        assert bench.view.well[-1] == (last_ms + 2, 1)
        assert bench.instances[1].station.passed in (20, 21)


class TestPhases:
    def test_callers_and_hosts_are_checked_at_different_times(self):
        """Phases of 400 are uniform over 50 ms; within 5 standard errors: a false alarm once in a million seeds."""
        bench = Bench(places=20, callers=20, check=check(), faults=(fault(0, FOR_EVER, *range(20)),))
        bench.run(100)
        phases = [at_ms - 2 for view in bench.views for at_ms, _ in view.ill]
        assert len(set(phases)) == len(phases) == 400
        assert 0 <= min(phases) < max(phases) <= 50
        assert sum(phases) / 400 == pytest.approx(25, abs=5 * 50 / (12 * 400) ** 0.5)
