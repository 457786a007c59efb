"""Faults by chance: when they come, whom they strike, and what else happens to the same replica."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms
from meshsim.plan.fault_times import drawn

SECOND = 1_000_000_000
Section = dict[str, Any]


def scenario(*faults: Section, replicas: int = 3, **parts: Any) -> Section:
    """A hundred requests a second for 20 s to a few replicas without queues."""
    load = {"executor": "constant-arrival-rate", "rate": "100/s", "requests": {"back/get": 1}, "timeout": "1s"}
    back = {"replicas": replicas, "workers": 50, "operations": {"get": {"script": [{"compute": "5ms"}]}}}
    return {
        "name": "chance",
        "load": {"users": load},
        "services": {"back": {**back, **parts.pop("back", {})}, **parts.pop("services", {})},
        "faults": list(faults),
        "run": {"duration": "20s", "interval": "100ms", **parts.pop("run", {})},
        **parts,
    }


def often(**settings: Any) -> Section:
    """About four times in 20 s."""
    return {"service": "back", "crash": True, "mtbf": "4s", "mttr": "1s", **settings}


def times(made: Section, seed: int = 1, replication: int = 0) -> list[tuple[int, ...]]:
    """Service, replicas and span of each."""
    faults = drawn(ms.load(made).plan, seed, replication).faults
    return [(fault.service, fault.instances, fault.from_ns, fault.until_ns) for fault in faults]


class TestTimes:
    def test_they_are_the_same_for_a_seed_and_replication_and_others_for_others(self):
        assert times(scenario(often())) == times(scenario(often()))
        assert times(scenario(often())) != times(scenario(often()), seed=2)
        assert times(scenario(often())) != times(scenario(often()), replication=1)

    def test_each_replica_has_its_own_and_together_all_have_the_same(self):
        alone, together = times(scenario(often())), times(scenario(often(together=True)))

        assert {instances for _, instances, *_ in alone} == {(0,), (1,), (2,)}
        assert len({from_ns for *_, from_ns, _ in alone}) == len(alone) > 3
        assert {instances for _, instances, *_ in together} == {(0, 1, 2)}

    def test_another_replica_or_service_changes_nothing_for_those_that_are_there(self):
        more = scenario(often(), replicas=4, services={"other": {"operations": {"get": {"script": [{"compute": "1ms"}]}}}})

        assert [one for one in times(more) if one[1] != (3,)] == times(scenario(often()))

    def test_of_a_zone_each_service_has_its_own_and_together_they_fail_at_once(self):
        parts: Section = {
            "back": {"replicas": 1, "zone": "a"},
            "services": {"other": {"zone": "a", "operations": {"get": {"script": [{"compute": "1ms"}]}}}},
        }
        fault = {"zone": "a", "crash": True, "mtbf": "4s", "mttr": "1s"}
        alone, together = times(scenario(fault, **parts)), times(scenario({**fault, "together": True}, **parts))

        assert {one[2] for one in alone if one[0] == 0}.isdisjoint(one[2] for one in alone if one[0] == 1)
        assert [one[2:] for one in together if one[0] == 0] == [one[2:] for one in together if one[0] == 1]

    def test_they_begin_between_at_and_at_and_for_and_may_end_later(self):
        came = times(scenario(often(at="5s", **{"for": "5s"}, mtbf="1s", mttr={"constant": {"value": "3s"}})))

        assert all(5 * SECOND < from_ns < 10 * SECOND for *_, from_ns, _ in came)
        assert max(until_ns for *_, until_ns in came) > 10 * SECOND

    def test_of_given_times_there_is_nothing_by_chance(self):
        plan = ms.load(scenario(often(mtbf={"constant": {"value": "4s"}}, mttr={"constant": {"value": "1s"}}, replicas=1))).plan

        assert [(one.from_ns // SECOND, one.until_ns // SECOND) for one in drawn(plan, 1, 0).faults] == [
            (4, 5),
            (9, 10),
            (14, 15),
            (19, 20),
        ]

    def test_a_plan_without_any_stays_itself(self):
        plan = ms.load(scenario()).plan

        assert drawn(plan, 1, 0) is plan

    def test_variants_that_differ_in_a_policy_meet_the_same_failures(self):
        retrying = scenario(often(), direct={"traffic": {"back": {"retries": {"num_retries": 2, "retry_on": "connect-failure"}}}})

        assert times(retrying) == times(scenario(often()))


def test_it_is_down_from_the_drawn_beginning_to_the_drawn_end():
    made = scenario(often(replicas=1), replicas=1)
    counters = ms.load(made).run().counters
    came = times(made)

    def is_up(time_ns: int) -> bool:
        return not any(from_ns <= time_ns < until_ns for *_, from_ns, until_ns in came)

    assert [bool(up) for up in counters["is_up"]] == [is_up(time_ns) for time_ns in counters["time_ns"]]
    assert 0 < counters["is_up"].mean() < 1


def test_a_run_of_a_replication_has_the_faults_of_that_replication():
    made = scenario(often(replicas=1), replicas=1)
    result = ms.load(made).run(replication=3)
    failed = result.requests[result.requests["status"] != 200]
    came = times(made, replication=3)

    assert len(failed) > 20
    assert all(
        any(from_ns - 20_000_000 <= sent <= until_ns for *_, from_ns, until_ns in came) for sent in failed["started_ns"].tolist()
    )


def test_the_state_before_is_that_before_the_first_of_them():
    """Recovery is told after each, as after faults of a timetable."""
    result = ms.load(scenario(often(at="5s", **{"for": "10s"}, mtbf="2s", mttr="500ms", together=True))).run()
    told = [one for one in result.summary().recoveries if one.route is None]

    assert len(told) >= 2
    assert {one.share_before for one in told} == {1.0}
    assert told[-1].recovery_s == pytest.approx(0, abs=0.2)


def test_charts_shade_each_of_them_and_name_the_first_of_many():
    made = scenario(often(replicas=1, mtbf="2s", mttr="200ms"), replicas=1)
    result = ms.load(made).run()
    ax = result.plot.latency_over_time()
    shaded = [patch for patch in ax.patches if patch.get_zorder() == 0.4]
    names = [text.get_text() for text in ax.texts if "by chance" in text.get_text()]

    assert len(shaded) == len(times(made)) > 3
    assert names == ["1 of back down by chance"]


class TestPairs:
    def test_with_a_timetable_fault_of_the_same_replica_it_is_back_when_both_are_over(self):
        made = scenario(
            {"service": "back", "crash": True, "at": "6s", "for": "4s"},
            often(mtbf={"constant": {"value": "8s"}}, mttr={"constant": {"value": "5s"}}),
            replicas=1,
        )
        counters = ms.load(made).run().counters
        down = counters[counters["is_up"] == 0]["time_ns"] / SECOND

        assert (down.min(), down.max()) == (6.0, 12.9)

    def test_slow_downs_by_chance_and_by_timetable_multiply(self):
        slow = {"constant": {"value": "100s"}}
        made = scenario(
            {"service": "back", "slow": 2, "at": "0s", "for": "20s"},
            {"service": "back", "slow": 3, "mtbf": {"constant": {"value": "10s"}}, "mttr": slow},
        )
        attempts = ms.load(made).run().attempts.query("started_ns > 0")
        worked = {bool(late): set(rows["worked_ns"]) for late, rows in attempts.groupby(attempts["started_ns"] >= 10 * SECOND)}

        assert worked == {False: {10_000_000}, True: {30_000_000}}

    def test_a_crash_during_a_restart_keeps_it_down_until_both_are_over(self):
        made = scenario(
            often(mtbf={"constant": {"value": "6s"}}, mttr={"constant": {"value": "3s"}}, **{"for": "7s"}),
            replicas=1,
            back={"restarts": [{"at": "4950ms"}], "startup_time": "2s", "pre_stop": "0s"},
        )
        counters = ms.load(made).run().counters
        down = counters[counters["is_up"] == 0]["time_ns"] / SECOND

        assert (down.min(), down.max()) == (5.0, 8.9)

    def test_a_replica_that_an_autoscaler_adds_meanwhile_is_down_until_its_fault_is_over(self):
        """It is raised to three at the first look, within a second; both new ones would be there two seconds later."""
        cpu = [{"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}]
        made = scenario(
            often(mtbf={"constant": {"value": "1s"}}, mttr={"constant": {"value": "6s"}}, **{"for": "3s"}),
            replicas=1,
            back={"startup_time": "2s", "autoscaling": {"min_replicas": 3, "max_replicas": 3, "metrics": cpu}},
            autoscaler={"sync_period": "1s"},
        )
        counters = ms.load(made).run().counters
        is_up = counters["is_up"] == 1

        assert not is_up[counters["time_ns"].between(1.1 * SECOND, 6.9 * SECOND)].any()
        assert is_up[counters["time_ns"] >= 7.1 * SECOND].all()
