"""Computations that share the CPU of an instance, and stand still when its quota is used up."""

from __future__ import annotations

import pytest
from at_instants import at_instants

import meshsim as ms
from meshsim.engines.reference.model import Model
from meshsim.planning import make_plan
from meshsim.planning.cpu import plan_cpu
from meshsim.recorder import Recorder
from meshsim.scenario.sections.cpu import CpuSection
from meshsim.scenario.sections.model import Scenario

MS = 1_000_000
S = 1_000_000_000


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms) at one instance; the periods of its quota begin at 0."""

    def run_it(
        times,
        cpu,
        compute="100ms",
        *,
        others=None,
        faults=(),
        load=None,
        direct=None,
        cold_start=True,
        seed=1,
        duration="2s",
        **service,
    ):
        scenario = {
            "name": "cpu",
            "load": {"all": at_instants(tmp_path, times, "server", **(load or {}))},
            "services": {"server": {"cpu": cpu, "script": [{"compute": compute}], **service}, **(others or {})},
            "faults": list(faults),
            "direct": direct or {},
            "run": {"duration": duration, "interval": "1s", "cold_start": cold_start},
        }
        return ms.load(scenario).run(seed=seed)

    return run_it


def ended_ms(result):
    """By arrival: when each request ended."""
    return [ended / MS for ended in result.requests.sort_values("request")["ended_ns"]]


class TestSharing:
    def test_two_computations_on_one_core_take_twice_as_long_while_both_are_there(self, run):
        """The second comes at 20 of 100: each gets half of the core until the first is done at 180, and the second is done at 200."""
        assert ended_ms(run([0, 20], {"node_cores": 1})) == [180, 200]

    def test_each_gets_one_core_at_most(self, run):
        assert ended_ms(run([0], {"node_cores": 8})) == [100]
        assert ended_ms(run([0, 0, 0], {"node_cores": 2})) == [150, 150, 150]

    def test_a_part_of_a_core_may_be_all_that_others_leave(self, run):
        assert ended_ms(run([0], {"node_cores": "250m"})) == [400]

    def test_shares_change_whenever_somebody_comes_or_goes(self, run):
        """Alone to 30, two to 60, three to 210 (work left 55, 85, 100: 50 each), and so on: by hand."""
        assert ended_ms(run([0, 30, 60], {"node_cores": 1})) == [225, 285, 300]

    def test_a_computation_that_is_given_up_leaves_its_share_to_the_others(self, run):
        """Its caller gives up at 50: 25 of its work are done by then, and the other's."""
        result = run([0, 0], {"node_cores": 1}, load={"timeout": "50ms"}, on_cancel="stop")
        assert result.summary().cpu[0].used_cores == pytest.approx(0.05 / 2)

    def test_work_is_what_counts_and_not_how_long_it_took(self, run):
        (one,) = run([0, 10, 20, 30], {"node_cores": 1}).summary().cpu
        assert one.used_cores == 4 * 0.1 / 2
        assert (one.limits, one.throttled_share, one.throttled_s, one.periods) == (None, None, 0, 0)

    def test_a_wait_for_a_call_uses_nothing_and_hinders_nobody(self, run):
        """The second computes while the first waits."""
        script = [{"compute": "10ms"}, {"call": "slow"}, {"compute": "10ms"}]
        slow = {"slow": {"workers": 9, "script": [{"compute": "50ms"}]}}
        result = run([0, 20], {"node_cores": 1}, script=script, others=slow)
        assert ended_ms(result) == [70, 90]
        assert result.summary().cpu[0].used_cores == 0.04 / 2


class TestQuota:
    @pytest.mark.parametrize(
        ("times", "cpu", "compute", "ends"),
        [
            ([0], {"limits": "500m"}, "100ms", [150]),
            ([0], {"limits": 0.25}, "100ms", [325]),
            ([0], {"limits": 1}, "1s", [1000]),
            ([0], {"limits": "2"}, "250ms", [250]),
            ([70], {"limits": "500m"}, "40ms", [110]),
            ([70], {"limits": "500m"}, "90ms", [210]),
            ([0] * 4, {"limits": 1}, "100ms", [325] * 4),
            ([0] * 2, {"limits": 1}, "80ms", [130] * 2),
            ([0] * 4, {"limits": 1, "node_cores": 2}, "100ms", [350] * 4),
            ([0] * 4, {"limits": 1, "node_cores": 1}, "100ms", [400] * 4),
            ([0, 90], {"limits": "500m"}, "50ms", [50, 150]),
            ([0], {"limits": "500m", "cfs_quota_period": "10ms"}, "100ms", [195]),
            ([0] * 4, {"limits": 1, "cfs_quota_period": "20ms"}, "100ms", [385] * 4),
            ([0], {"limits": "1m"}, "3ms", [201]),
        ],
    )  # fmt: skip
    def test_work_is_done_when_the_arithmetic_says(self, run, times, cpu, compute, ends):
        """Quota is limit times period. A thread of 100 ms with half a core runs 50 ms, stands still for 50, and runs 50 more; four of
        them with one core run for 25 ms of each 100 ms."""
        assert ended_ms(run(times, cpu, compute)) == ends

    def test_a_burst_of_cheap_requests_stands_still_in_a_container_that_is_nearly_idle(self, run):
        """Eight of 20 ms need 160 ms of 100: the last 60 wait for the next period, at a utilisation of 8 %."""
        result = run([0] * 8, {"limits": 1}, "20ms")
        (one,) = result.summary().cpu
        assert ended_ms(result) == [107.5] * 8
        assert one.used_share == pytest.approx(0.08)
        assert one.throttled_s == pytest.approx(8 * 0.0875)

    def test_what_is_kept_for_a_burst_is_used_on_top(self, run):
        """Two periods without work keep 60 ms of theirs, and the eight need no other quota than that and the period's own."""
        assert ended_ms(run([210] * 8, {"limits": 1}, "20ms")) == [307.5] * 8
        assert ended_ms(run([210] * 8, {"limits": 1, "cfs_burst": "60ms"}, "20ms")) == [230] * 8

    def test_periods_are_counted_as_cadvisor_does(self, run):
        """Four threads for 325 ms: three periods throttled, with four processors for 75 ms each; the fourth ends well, and one more is
        counted before the kernel's timer stops."""
        rows = run([0] * 4, {"limits": 1}).cpu
        assert rows["used_ns"].sum() == 400 * MS
        assert rows["throttled_ns"].sum() == 3 * 4 * 75 * MS
        assert rows[["periods", "throttled_periods"]].sum().tolist() == [5, 3]

    def test_periods_begin_at_an_instant_of_each_replicas_own(self, run):
        ends = {tuple(ended_ms(run([0], {"limits": "500m"}, cold_start=False, seed=seed))) for seed in range(4)}
        assert len(ends) > 2
        assert all(100 <= end <= 150 for (end,) in ends)


class TestThreads:
    def test_threads_are_how_many_compute_at_once_and_the_others_queue(self, run):
        result = run([0, 0, 0], {"node_cores": 1}, workers=2)
        assert ended_ms(result) == [200, 200, 300]
        assert result.attempts["started_ns"].tolist() == [0, 0, 200 * MS]

    def test_without_threads_nobody_queues(self, run):
        assert set(run([0] * 50, {"node_cores": 1}, "1ms").attempts["started_ns"]) == {0}

    def test_a_thread_is_held_through_a_call_and_an_event_loop_is_not(self, run):
        script = [{"compute": "10ms"}, {"call": "slow"}, {"compute": "10ms"}]
        slow = {"slow": {"workers": 9, "script": [{"compute": "50ms"}]}}
        threads = run([0, 0], {"limits": 1}, script=script, others=slow, workers=1)
        loop = run([0, 0], {"limits": 1}, script=script, others=slow, workers=1, **{"async": True})
        assert ended_ms(threads) == [70, 140]
        assert ended_ms(loop) == [70, 80]

    def test_an_event_loop_that_is_throttled_holds_up_everybody(self, run):
        """50 ms of quota: the first of two computations of 60 ms stands still from 50 to 100, and the other behind it."""
        assert ended_ms(run([0, 0], {"limits": "500m"}, "60ms", workers=1, **{"async": True})) == [110, 220]

    @pytest.mark.parametrize(
        ("queue", "flags"),
        [
            ({"limit": 1}, ["-", "-", "queue_full"]),
            ({"max_wait": "30ms"}, ["-", "queue_timeout", "queue_timeout"]),
            ({"discipline": "lifo"}, ["-", "-", "-"]),
        ],
    )
    def test_the_queue_before_threads_is_as_without_cpu(self, run, queue, flags):
        result = run([0, 1, 2], {"node_cores": 1}, workers=1, queue=queue)
        assert result.requests.sort_values("request")["response_flags"].tolist() == flags


class TestResults:
    def test_utilisation_is_of_the_cpu_where_there_are_no_workers_and_else_of_these(self, run):
        shared, threads = (run([0] * 4, {"limits": 1}, workers=workers).summary().services[0] for workers in (None, 4))
        assert (shared.workers, shared.utilisation, shared.servers) == (1.0, 0.4 / 2, "1 CPU")
        assert (threads.workers, threads.utilisation, threads.servers) == (4, 0.325 / 2, "4")

    def test_limits_above_the_nodes_cores_are_worth_no_more_than_these(self, run):
        assert run([0], {"limits": 4, "node_cores": 2}).summary().services[0].workers == 2.0

    def test_looking_at_it_changes_nothing(self):
        """Counters are read every interval, and no request may notice."""
        scenario = {
            "name": "looked-at",
            "load": {
                "all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "30/s", "requests": {"server": 1}}
            },
            "services": {
                "server": {"cpu": {"limits": "700m", "node_cores": 3}, "script": [{"compute": {"exponential": {"mean": "20ms"}}}]}
            },
        }
        seldom, often = (
            ms.load({**scenario, "run": {"duration": "5s", "interval": interval}}).run(seed=1) for interval in ("5s", "7ms")
        )
        assert seldom.requests.equals(often.requests)
        assert (
            seldom.cpu[["used_ns", "throttled_ns", "periods", "throttled_periods"]]
            .sum()
            .equals(often.cpu[["used_ns", "throttled_ns", "periods", "throttled_periods"]].sum())
        )

    def test_the_mean_over_time_adds_up(self, run):
        result = run([0] * 4 + [1500], {"limits": 1}, duration="3s")
        rows = result.cpu
        assert rows["used_ns"].tolist() == [400 * MS, 100 * MS, 0]
        assert rows["computing"].tolist() == [0, 0, 0]


class TestPairs:
    def test_a_slow_down_is_more_work_of_what_begins_meanwhile(self, run):
        slow = {"at": "10ms", "for": "1s", "service": "server", "slow": 2}
        result = run([0, 20], {"node_cores": 2}, faults=[slow])
        assert ended_ms(result) == [100, 220]
        assert result.cpu["used_ns"].sum() == 300 * MS

    def test_a_crash_ends_all_computations_and_leaves_the_cores_to_those_that_come(self, run):
        crash = {"at": "50ms", "for": "50ms", "service": "server", "crash": True}
        result = run([0, 0, 120], {"node_cores": 1}, faults=[crash])
        assert ended_ms(result) == [50, 50, 220]
        assert result.cpu["used_ns"].sum() == 150 * MS

    def test_a_crash_while_it_stands_still(self, run):
        """Back after 10 ms, it has the periods of before: the next request waits for 200, and runs for 25 ms of each of four."""
        crash = {"at": "150ms", "for": "10ms", "service": "server", "crash": True}
        assert ended_ms(run([0, 170], {"limits": "250m"}, faults=[crash])) == [150, 525]

    def test_an_outage_is_felt_by_callers_and_not_by_the_cores(self, run):
        outage = {"at": "50ms", "for": "1s", "service": "server", "unreachable": True}
        result = run([0], {"node_cores": 1}, faults=[outage], load={"timeout": "500ms"})
        assert ended_ms(result) == [500]
        assert result.cpu["used_ns"].sum() == 100 * MS

    def test_errors_at_once_use_no_cpu(self, run):
        failing = {"at": "0s", "for": "1s", "service": "server", "errors": {"rate": "100%", "latency": "5ms"}}
        result = run([10, 20], {"limits": 1}, faults=[failing])
        assert ended_ms(result) == [15, 25]
        assert result.cpu["used_ns"].sum() == 0

    def test_work_that_nobody_waits_for_takes_its_share_from_the_others(self, run):
        """The first gives up at 60 and its work goes on: the second, at 60, has half of the core until that is done."""
        result = run([0, 60], {"node_cores": 1}, load={"timeout": "60ms"})
        assert result.cpu["used_ns"].sum() == 200 * MS

    @pytest.mark.parametrize(("uses_worker", "notices"), [(True, True), (False, False)])
    def test_a_health_check_that_uses_a_worker_waits_while_the_container_stands_still(self, run, uses_worker, notices):
        checks = {
            "interval": "20ms",
            "timeout": "30ms",
            "unhealthy_threshold": 1,
            "healthy_threshold": 1,
            "uses_worker": uses_worker,
        }
        result = run([0] * 4, {"limits": 1}, direct={"traffic": {"server": {"health_checks": checks}}})
        assert (result.destinations["health_changes"].sum() > 0) == notices

    def test_reports_of_load_tell_the_use_of_the_cpu(self):
        """Two requests that use a tenth of a core each, and wait for a second: of two cores that is a tenth."""
        scenario = Scenario.model_validate(
            {
                "name": "reports",
                "load": {"users": {"executor": "constant-vus", "vus": 2, "requests": {"server": 1}}},
                "services": {
                    "server": {"cpu": {"node_cores": 2}, "script": [{"compute": "100ms"}, {"call": "slow"}]},
                    "slow": {"workers": 9, "script": [{"compute": "10s"}]},
                },
                "run": {"duration": "1s"},
            }
        )
        model = Model(make_plan(scenario), 1, 0, Recorder(()))
        model.clock.run_all(lambda: setattr(model.clock, "is_stopped", model.clock.now_ns >= S))
        station = model._instances[0][0].station  # noqa: SLF001 — nobody else tells
        assert station.busy_ns / (S * station.workers) == pytest.approx(0.1)

    def test_a_deadline_that_has_passed_stops_work_between_computations_only(self, run):
        script = [{"compute": "40ms"}, {"compute": "40ms"}]
        result = run([0, 0], {"node_cores": 1}, script=script, load={"timeout": "70ms"}, deadline_propagation=True)
        assert result.cpu["used_ns"].sum() == 80 * MS


QUICK = {"sync_period": "1s", "metric_resolution": "1s", "cpu_initialization_period": "0s", "initial_readiness_delay": "0s"}


class TestAutoscaling:
    @staticmethod
    def looks(cpu, *, max_replicas=1, **service):
        """Ten requests a second of 100 ms: one core."""
        scenario = {
            "name": "scaled",
            "load": {"all": {"executor": "constant-arrival-rate", "rate": "10/s", "requests": {"server": 1}}},
            "services": {
                "server": {"cpu": cpu, "script": [{"compute": "100ms"}], "autoscaling": {"max_replicas": max_replicas}, **service}
            },
            "autoscaler": QUICK,
            "run": {"duration": "8s", "interval": "1s", "cold_start": True},
        }
        looks = ms.load(scenario).run(seed=1).autoscaling
        return looks[(looks["usage"] >= 0) & (looks["time_ns"] <= 8 * S)]

    @pytest.mark.parametrize(
        ("cpu", "percent"),
        [({"requests": "500m", "limits": 2}, 200), ({"limits": 2}, 50), ({"requests": 2, "node_cores": 4}, 50)],
    )
    def test_utilization_is_of_the_requests_and_may_be_more_than_all_of_them(self, cpu, percent):
        assert self.looks(cpu)["usage"].tail(3).between(percent - 1, percent + 1).all()

    def test_a_container_at_its_limit_uses_its_limit_whatever_waits(self):
        assert self.looks({"limits": "500m"})["usage"].tail(3).between(99, 101).all()

    def test_who_uses_four_times_the_target_gets_three_more(self):
        """320 % of a target of 80 % is four replicas."""
        assert self.looks({"requests": "312m", "limits": 2}, max_replicas=9)["desired"].iloc[0] == 4

    def test_a_call_is_no_cpu_though_the_request_is_there(self):
        scaling = {"max_replicas": 9, "metrics": [{"resource": {"name": "cpu", "target": {"average_value": 0.1}}}]}
        looks = self.looks({"node_cores": 4}, script=[{"compute": "0s"}], autoscaling=scaling)
        assert (looks["usage"] == 0).all()


def test_a_filter_that_sheds_by_load_sees_computations_and_not_requests_that_wait_for_a_call():
    """Ten requests at once wait for a slow call; the CPU is idle, so that nobody is turned away."""
    scenario = {
        "name": "shedding",
        "deployment": "mesh",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": "20/s", "requests": {"front": 1}}},
        "mesh": {"inbound": {"front": {"filters": [{"shed_by_criticality": {}}]}}},
        "services": {
            "front": {"cpu": {"limits": "500m"}, "script": [{"compute": "1ms"}, {"call": "back"}]},
            "back": {"workers": 1000, "script": [{"compute": "500ms"}]},
        },
        "run": {"duration": "3s"},
    }
    assert (ms.load(scenario).run().requests["status"] == 200).all()
    scenario["services"]["front"]["script"][0]["compute"] = "60ms"
    assert (ms.load(scenario).run().requests["status"] == 503).any()


def test_a_check_and_a_run_agree_on_what_a_small_limit_allows():
    """kubelet's smallest quota is 1 ms of each 100: a limit of 5m is 10m."""
    section = CpuSection(limits="5m")

    assert section.capacity == plan_cpu(section).capacity == 0.01
