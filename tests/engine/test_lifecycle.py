"""Instances that come, go, restart and crash: when the registry has them, when they answer, and what is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from control_bench import MS, Bench, fault, lifecycle

import meshsim as ms
from meshsim.distributions import Constant
from meshsim.flags import Flag
from meshsim.plan import Discovery, Effect

OK = Flag(0)
LATE = Discovery(debounce_ns=100 * MS, debounce_max_ns=1000 * MS, propagation=Constant(value=50 * MS), dns_refresh_ns=0)
ROLLING = {"pre_stop": 10, "startup": 40}


def came_and_went(bench):
    """What the registry did: `(ms, index)` of those that came, and of those that left."""
    return bench.gateway.joined, bench.gateway.left


class TestScaling:
    def test_up_there_are_more_when_they_have_started_and_not_before(self):
        bench = Bench(places=3, life=lifecycle(1, scale=[(100, 3)], startup=40))
        early, late = bench.send(130, to=2), bench.send(140, to=2)
        bench.run()
        assert came_and_went(bench) == ([(140, 1), (140, 2)], [])
        assert (early.flags, early.ended_ms) == (Flag.UF, 132)
        assert (late.flags, late.ended_ms) == (OK, 152)

    def test_down_the_latest_ones_go(self):
        bench = Bench(places=3, life=lifecycle(3, scale=[(100, 1)]))
        gone, stays = bench.send(101, to=1), bench.send(101, to=0)
        bench.run()
        assert came_and_went(bench) == ([], [(100, 1), (100, 2)])
        assert (gone.flags, stays.flags) == (Flag.UF, OK)

    def test_who_comes_and_goes_is_whom_the_order_has_there(self):
        """Two in zone a, then two in zone b, of which two at a time are taken from both."""
        bench = Bench(places=5, life=lifecycle(4, order=(0, 2, 1, 3, 4), scale=[(100, 2), (200, 5)]))
        bench.run()
        assert came_and_went(bench) == ([(200, 1), (200, 3), (200, 4)], [(100, 1), (100, 3)])

    def test_who_is_scaled_away_before_being_ready_never_was_there(self):
        bench = Bench(life=lifecycle(1, scale=[(100, 2), (130, 1)], startup=40))
        refused = bench.send(150, to=1)
        bench.run()
        assert came_and_went(bench) == ([], [])
        assert refused.flags == Flag.UF

    def test_who_is_wanted_again_while_starting_starts_anew(self):
        bench = Bench(life=lifecycle(1, scale=[(100, 2), (120, 1), (130, 2), (300, 1)], startup=40))
        refused, served, gone = (bench.send(at_ms, to=1) for at_ms in (150, 170, 301))
        bench.run()
        assert came_and_went(bench) == ([(170, 1)], [(300, 1)])
        assert [one.flags for one in (refused, served, gone)] == [Flag.UF, OK, Flag.UF]

    def test_a_place_is_taken_again_when_what_stood_there_has_ended(self):
        bench = Bench(life=lifecycle(2, scale=[(100, 1), (110, 2)], pre_stop=30, grace=1000, startup=5))
        lasts = bench.send(100, 100, to=1)
        served, refused, back = (bench.send(at_ms, to=1) for at_ms in (120, 150, 216))
        bench.run()
        assert came_and_went(bench) == ([(216, 1)], [(100, 1)])
        assert (lasts.flags, lasts.ended_ms) == (OK, 202)
        assert (served.flags, served.ended_ms) == (OK, 212)  # behind the other one: in the grace period
        assert [one.flags for one in (refused, back)] == [Flag.UF, OK]

    def test_of_several_wishes_during_an_end_the_last_one_counts(self):
        bench = Bench(life=lifecycle(2, scale=[(100, 1), (110, 2), (120, 1), (130, 2), (140, 1)], pre_stop=60, startup=5))
        bench.run()
        assert came_and_went(bench) == ([], [(100, 1)])
        assert bench.instances[1].is_down

    def test_wishes_need_not_be_far_apart(self):
        bench = Bench(places=3, life=lifecycle(1, scale=[(0, 2), (100, 3), (100, 1), (100, 2)], startup=10))
        bench.run()
        assert came_and_went(bench) == ([(10, 1), (110, 1)], [(100, 1)])


class TestEnding:
    def test_a_sleep_before_the_stop_hides_how_late_callers_learn(self):
        """They learn 150 ms after the change; what they send until then arrives 1 ms later."""
        refused = {}
        for pre_stop_ms in (0, 100, 150, 152):
            bench = Bench(life=lifecycle(2, scale=[(95, 1)], pre_stop=pre_stop_ms), discovery=LATE, workers=100)
            requests = [bench.send(at_ms) for at_ms in range(0, 400, 2)]
            bench.run()
            assert bench.view.left == [(245, 1)]
            assert came_and_went(bench) == ([], [(95, 1)])
            assert {one.flags for one in requests} <= {OK, Flag.UF, Flag.UC}
            refused[pre_stop_ms] = sum(one.flags == Flag.UF for one in requests)
        assert refused[0] > 30
        assert refused[100] == pytest.approx(refused[0] / 3, abs=1)
        assert refused[150] <= 1
        assert refused[152] == 0

    @pytest.mark.parametrize(("grace_ms", "ended"), [(0, (110, Flag.UC)), (60, (170, Flag.UC)), (200, (202, OK))])
    def test_what_is_left_after_the_grace_period_is_lost(self, grace_ms, ended):
        bench = Bench(life=lifecycle(2, scale=[(100, 1)], pre_stop=9, grace=grace_ms))
        request = bench.send(100, 100, to=1)
        bench.run()
        assert (request.ended_ms, request.flags) == ended

    def test_what_waits_in_its_queue_is_served_or_lost_too(self):
        bench = Bench(life=lifecycle(2, scale=[(100, 1)], grace=50))
        served, queued, lost = (bench.send(90, work_ms, to=1) for work_ms in (30, 10, 30))
        elsewhere = bench.send(90, 100, to=0)
        bench.run()
        assert [(one.ended_ms, one.flags) for one in (served, queued, lost)] == [(122, OK), (132, OK), (151, Flag.UC)]
        assert elsewhere.flags == OK

    def test_it_has_ended_when_it_is_empty(self):
        bench = Bench(life=lifecycle(1, restarts=[(100, 1)], pre_stop=20, grace=5000, startup=40), places=1)
        bench.send(110, 30, to=0)
        bench.run()
        assert came_and_went(bench) == ([(181, 0)], [(100, 0)])  # its answer left at 141

    def test_a_crash_ends_it_early(self):
        bench = Bench(life=lifecycle(1, restarts=[(100, 1)], grace=5000, startup=40), places=1, faults=(fault(150, 160, 0),))
        request = bench.send(90, 1000, to=0)
        bench.run()
        assert (request.ended_ms, request.flags) == (151, Flag.UC)
        assert came_and_went(bench) == ([(190, 0)], [(100, 0)])


class TestRestarts:
    @pytest.mark.parametrize(
        ("batch", "left"),
        [
            (1, [(100, 0), (150, 1), (200, 2), (250, 3)]),
            (3, [(100, 0), (100, 1), (100, 2), (150, 3)]),
            (9, [(100, 0), (100, 1), (100, 2), (100, 3)]),
        ],
    )
    def test_the_next_ones_go_when_those_before_are_ready(self, batch, left):
        bench = Bench(places=4, life=lifecycle(4, restarts=[(100, batch)], **ROLLING))
        bench.run()
        assert came_and_went(bench) == ([(at_ms + 50, index) for at_ms, index in left], left)

    def test_batches_go_through_the_order(self):
        bench = Bench(places=4, life=lifecycle(4, order=(0, 2, 1, 3), restarts=[(100, 2)], **ROLLING))
        bench.run()
        assert came_and_went(bench)[1] == [(100, 0), (100, 2), (150, 1), (150, 3)]

    def test_instances_restart_as_often_as_they_are_told(self):
        bench = Bench(life=lifecycle(2, restarts=[(100, 1), (400, 2), (700, 1)], **ROLLING))
        requests = [bench.send(at_ms, to=0) for at_ms in (130, 230, 430, 530, 730, 830)]
        bench.run()
        assert came_and_went(bench)[1] == [(100, 0), (150, 1), (400, 0), (400, 1), (700, 0), (750, 1)]
        assert came_and_went(bench)[0] == [(150, 0), (200, 1), (450, 0), (450, 1), (750, 0), (800, 1)]
        assert [one.flags for one in requests] == [Flag.UF, OK] * 3
        assert [instance.incarnation for instance in bench.instances] == [3, 3]

    def test_a_second_restart_leaves_out_who_is_not_up(self):
        bench = Bench(life=lifecycle(2, restarts=[(100, 1), (120, 1)], **ROLLING))
        bench.run()
        assert came_and_went(bench) == ([(150, 0), (170, 1)], [(100, 0), (120, 1)])
        assert not any(instance.is_down for instance in bench.instances)

    def test_who_is_scaled_away_during_a_restart_stays_away(self):
        bench = Bench(places=3, life=lifecycle(3, restarts=[(100, 2)], scale=[(130, 1)], **ROLLING))
        bench.run()
        assert came_and_went(bench) == ([(150, 0)], [(100, 0), (100, 1), (130, 2)])

    def test_who_is_scaled_away_and_back_during_a_restart_comes_once(self):
        bench = Bench(life=lifecycle(2, restarts=[(100, 2)], scale=[(120, 1), (130, 2)], **ROLLING))
        bench.run()
        assert came_and_went(bench) == ([(150, 0), (170, 1)], [(100, 0), (100, 1)])
        assert not bench.instances[1].is_down

    def test_who_has_come_since_needs_no_restart(self):
        bench = Bench(places=3, life=lifecycle(2, restarts=[(100, 1)], scale=[(120, 3)], **ROLLING))
        bench.run()
        assert came_and_went(bench)[1] == [(100, 0), (150, 1)]


@pytest.mark.parametrize("effect", [Effect.CRASH, Effect.UNREACHABLE])
class TestReadiness:
    def test_a_probe_notices_after_its_time_and_after_it_again(self, effect):
        bench = Bench(life=lifecycle(2, readiness=150), faults=(fault(100, 500, 1, effect=effect),))
        bench.run()
        assert came_and_went(bench) == ([(650, 1)], [(250, 1)])

    def test_without_a_probe_nobody_notices(self, effect):
        bench = Bench(life=lifecycle(2, scale=[(900, 1)]), faults=(fault(100, 500, 1, effect=effect),))
        bench.run()
        assert came_and_went(bench) == ([], [(900, 1)])

    def test_what_is_over_before_is_not_noticed_however_often(self, effect):
        faults = tuple(fault(at_ms, at_ms + 100, 1, effect=effect) for at_ms in range(100, 1000, 120))
        bench = Bench(life=lifecycle(2, readiness=150), faults=faults)
        bench.run()
        assert came_and_went(bench) == ([], [])

    def test_a_recovery_that_does_not_last_is_none(self, effect):
        bench = Bench(
            life=lifecycle(2, readiness=150), faults=tuple(fault(*when, 1, effect=effect) for when in ((100, 300), (350, 400)))
        )
        bench.run()
        assert came_and_went(bench) == ([(550, 1)], [(250, 1)])

    @pytest.mark.parametrize("scaled_ms", [200, 310])
    def test_who_was_scaled_away_is_not_brought_back(self, effect, scaled_ms):
        life = lifecycle(2, readiness=50, scale=[(scaled_ms, 1)], pre_stop=100)
        bench = Bench(life=life, faults=(fault(100, 300, 1, effect=effect),))
        bench.run()
        assert came_and_went(bench) == ([], [(150, 1)])
        assert bench.instances[1].is_down

    def test_faults_that_overlap_are_one_failure(self, effect):
        faults = tuple(fault(*when, 1, effect=effect) for when in ((100, 400), (200, 300), (350, 500)))
        bench = Bench(life=lifecycle(2, readiness=150), faults=faults)
        bench.run()
        assert came_and_went(bench) == ([(650, 1)], [(250, 1)])

    def test_who_starts_in_a_fault_is_ready_when_it_is_over(self, effect):
        bench = Bench(life=lifecycle(1, readiness=50, scale=[(100, 2)], startup=20), faults=(fault(90, 300, 1, effect=effect),))
        bench.run()
        assert came_and_went(bench) == ([(350, 1)], [])

    def test_who_starts_in_a_fault_is_listed_where_nobody_looks(self, effect):
        bench = Bench(life=lifecycle(1, scale=[(100, 2)], startup=20), faults=(fault(90, 300, 1, effect=effect),))
        bench.run()
        assert came_and_went(bench) == ([(120, 1)], [])

    def test_an_old_failure_does_not_count_against_a_new_start(self, effect):
        life = lifecycle(1, readiness=150, restarts=[(120, 1)], startup=20)
        bench = Bench(places=1, life=life, faults=(fault(100, 130, 0, effect=effect),))
        bench.run()
        assert came_and_went(bench) == ([(140, 0)], [(120, 0)])


class TestProbesOfPods:
    """Three failures at intervals of 100 ms, and one success."""

    @staticmethod
    def noticed(number: int, successes: int = 1) -> tuple[float, float]:
        """How long after a crash of 500 ms, and after its end, the registry has changed."""
        life = replace(lifecycle(2, readiness=300), readiness_period_ns=100 * MS, readiness_successes=successes)
        bench = Bench(life=life, faults=(fault(100, 600, 1),), key=number)
        bench.run()
        ((back_ms, _),), ((gone_ms, _),) = came_and_went(bench)
        return gone_ms - 100, back_ms - 600

    def test_each_pod_is_probed_at_a_phase_of_its_own(self):
        """The phase is uniform over 100 ms: of 40 pods none within the outer 30 ms at either end is 1 in a million."""
        found = [self.noticed(number) for number in range(40)]

        assert all(200 < gone <= 300 and 0 < back <= 100 for gone, back in found)
        assert min(gone for gone, _ in found) < 230
        assert max(gone for gone, _ in found) > 270
        assert all(gone - 200 == pytest.approx(back) for gone, back in found)

    def test_two_successes_take_a_period_more(self):
        assert self.noticed(3, successes=2)[1] == pytest.approx(self.noticed(3)[1] + 100)


def test_a_run_does_not_wait_for_what_is_still_planned():
    result = ms.load(
        {
            "name": "ending",
            "deployment": "mesh",
            "load": {
                "clients": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "50/s", "requests": {"front": 1}}
            },
            "mesh": {"traffic": {"back": {}}, "discovery": {"propagation": "20s"}},
            "services": {
                "front": {"workers": 100, "script": [{"call": "back"}]},
                "back": {
                    "replicas": 2,
                    "script": [{"compute": "10ms"}],
                    "scale": [{"at": "500ms", "replicas": 1}],
                    "restarts": [{"at": "800ms"}],
                    "startup_time": "60s",
                    "pre_stop": "60s",
                },
            },
            "run": {"duration": "1s", "interval": "100ms"},
        }
    ).run()
    assert result.counters["time_ns"].max() < 1.2e9
    assert (result.requests["status"] == 200).all()
