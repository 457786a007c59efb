"""Autoscaling in a run: what the figures are of, when they come, what becomes of the decisions, and whom they meet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import meshsim as ms
from meshsim.engines.reference.control.pod_metrics import MetricsServer, Prometheus
from meshsim.policies.autoscaling import Reading

S = 1_000_000_000
CPU_60 = [{"resource": {"name": "cpu", "target": {"average_utilization": "60%"}}}]


def world(
    autoscaling: dict[str, Any] | None = None, *, rate: str = "6/s", minutes: int = 5, back: Any = None, **rest: Any
) -> Any:
    """Evenly spaced requests for 200 ms of work: at 6/s they keep 1.2 cores busy."""
    service = {"replicas": 2, "script": [{"compute": "200ms"}], "startup_time": "5s", **(back or {})}
    if autoscaling is not None:
        service["autoscaling"] = {"max_replicas": 10, **autoscaling}
    return {
        "name": "autoscaling",
        "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": rate, "requests": {"back": 1}}},
        "direct": {"traffic": {"*": {"load_balancer": "round_robin"}}},
        "services": {"back": service},
        "run": {"duration": f"{minutes}m", "interval": "10s"},
        **rest,
    }


def looks(scenario: dict[str, Any], *changes: str) -> Any:
    """The looks of the autoscaler but the last, which may come after the load; with `s` for when they were."""
    frame = ms.load(scenario, set=list(changes)).run(seed=1).autoscaling
    return frame.assign(s=frame["time_ns"] / S)[frame["time_ns"] < frame["time_ns"].max()]


class TestSteadyLoad:
    """1.2 cores of work at a target of 60 % for each of one worker ask for two replicas, and so on."""

    @pytest.mark.parametrize(("target", "replicas", "usage"), [("60%", 2, 60), ("50%", 3, 40), ("30%", 4, 30), ("20%", 6, 20)])
    def test_there_are_as_many_as_the_work_asks_for(self, target, replicas, usage):
        found = looks(world({"metrics": [{"resource": {"name": "cpu", "target": {"average_utilization": target}}}]}))

        last = found.iloc[-1]
        assert (last["desired"], last["ready"]) == (replicas, replicas)
        assert abs(last["usage"] - usage) <= 1  # cut to whole percent, and samples do not begin with a request

    def test_within_the_tolerance_nothing_changes(self):
        at_55 = [{"resource": {"name": "cpu", "target": {"average_utilization": "55%"}}}]
        assert set(looks(world({"metrics": at_55}))["desired"]) == {2}
        assert looks(world({"metrics": at_55}), "autoscaler.tolerance=5%")["desired"].iloc[-1] == 3

    def test_cores_may_be_asked_for_instead(self):
        found = looks(world({"metrics": [{"resource": {"name": "cpu", "target": {"average_value": 0.3}}}]}))

        assert found["desired"].iloc[-1] == 4
        assert abs(found["usage"].iloc[-1] - 300) <= 10

    def test_without_metrics_it_is_cpu_at_80_percent(self):
        found = looks(world({}, rate="9/s"))

        assert found["desired"].iloc[-1] == 3  # 90 % of two is 60 % of three

    def test_more_workers_ask_for_more_cores(self):
        found = looks(world({"metrics": CPU_60}, back={"workers": 2}))

        assert abs(found["usage"].iloc[1:8].mean() - 30) <= 1

    def test_requests_per_second_are_those_of_each_pod(self):
        found = looks(
            world({"metrics": [{"pods": {"metric": "requests_per_second", "target": {"average_value": 1.2}}}]}, minutes=12)
        )

        assert found["desired"].iloc[-1] == 5
        assert abs(found["usage"].iloc[-1] - 1200) <= 50

    def test_those_in_flight_are_what_a_sample_finds(self):
        """A second of work at 6/s is 6 in flight (Little). Until all old samples are gone they ask for more."""
        slow = {"workers": 100, "script": [{"compute": "1s"}]}
        found = looks(
            world({"metrics": [{"pods": {"metric": "in_flight", "target": {"average_value": 1.5}}}]}, back=slow, minutes=8)
        )

        assert found["proposed"].iloc[-1] == 4

    @pytest.mark.parametrize(("target", "replicas"), [({"average_value": 1.2}, 5), ({"value": 4}, 10)])
    def test_a_metric_of_the_service_is_the_sum_over_its_pods(self, target, replicas):
        """By `average_value` 6/s over 1.2/s are five; a `value` of 4/s cannot be met by more pods, and asks for more at each look."""
        found = looks(world({"metrics": [{"object": {"metric": "requests_per_second", "target": target}}]}, minutes=12))

        assert found["desired"].iloc[-1] == replicas


class TestBeginnings:
    def test_nothing_is_decided_before_there_are_two_samples(self):
        found = looks(world({"metrics": CPU_60}), "run.cold_start=true")

        assert found["s"].tolist()[:4] == [15, 30, 45, 60]
        assert found["scaling_reason"].tolist()[:3] == ["no_metrics", "no_change", "no_change"]

    def test_fewer_than_the_least_are_not_looked_at_but_raised(self):
        found = looks(world({"metrics": CPU_60, "min_replicas": 4}), "run.cold_start=true")

        assert found[["replicas", "desired", "scaling_reason", "proposed"]].iloc[0].tolist() == [2, 4, "below_min", -1]

    def test_more_than_the_most_go_at_the_first_look(self):
        found = looks(world({"metrics": CPU_60, "max_replicas": 3}, back={"replicas": 5}))

        assert found[["replicas", "desired", "scaling_reason"]].iloc[0].tolist() == [5, 3, "above_max"]

    def test_the_phases_are_drawn_for_each_replication(self):
        experiment = ms.load(world({"metrics": CPU_60}, minutes=1))
        first = {experiment.run(seed=seed).autoscaling["time_ns"].iloc[0] for seed in range(4)}

        assert len(first) == 4
        assert all(0 < at_ns <= 15 * S for at_ns in first)


class TestComingAndGoing:
    def test_new_pods_are_idle_in_the_reckoning_until_their_cpu_counts(self):
        """Else the same load would be answered twice: at the next look it still is on the old pods."""
        found = looks(world({"metrics": CPU_60}, rate="20/s", back={"startup_time": "40s"}))

        ups = found[found["desired"] > found["replicas"]]
        after = found[found.index.isin(ups.index + 1)]
        assert (after["ready"] < after["replicas"]).all()
        assert (after["desired"] == after["replicas"]).all()

    def test_a_rule_lets_only_so_many_come_in_a_period(self):
        slow = {"scale_up": {"policies": [{"type": "Pods", "value": 1, "period": "60s"}]}}
        found = looks(world({"metrics": CPU_60, "behavior": slow}, rate="20/s"))

        ups = found[found["desired"] > found["replicas"]]
        assert (ups["desired"] - ups["replicas"] == 1).all()
        assert (ups["s"].diff().dropna() > 59.9).all()
        assert (ups["limited_by"] == "scale_up_limit").all()

    def test_disabled_lets_none_go(self):
        never = {"scale_down": {"select_policy": "Disabled", "stabilization_window": "0s"}}
        found = looks(world({"metrics": CPU_60, "behavior": never}, back={"replicas": 6}))

        assert set(found["desired"]) == {6}
        assert set(found["proposed"]) == {-1, 2}

    @pytest.mark.parametrize(("window", "first"), [("0s", 15), ("60s", 60), ("120s", 120)])
    def test_down_it_goes_when_the_window_is_over(self, window, first):
        """The number at the first look is a recommendation too, so that the window begins there."""
        found = looks(
            world({"metrics": CPU_60, "behavior": {"scale_down": {"stabilization_window": window}}}, back={"replicas": 6})
        )

        downs = found[found["desired"] < found["replicas"]]
        assert downs["desired"].iloc[0] == 2
        assert first <= downs["s"].iloc[0] <= first + 30

    def test_the_controllers_own_window_holds_where_no_behavior_says_otherwise(self):
        scenario = world({"metrics": CPU_60}, back={"replicas": 6})

        assert set(looks(scenario, "run.duration=4m")["desired"]) == {6}
        assert looks(scenario, "autoscaler.downscale_stabilization=1m")["desired"].iloc[-1] == 2

    def test_what_is_wanted_and_what_is_there_are_told_apart(self):
        result = ms.load(world({"metrics": CPU_60}, rate="20/s", back={"startup_time": "40s"})).run(seed=1)

        up = result.counters.groupby("time_ns")["is_up"].sum()
        assert up.iloc[0] == 2
        assert up.iloc[-1] == result.autoscaling["desired"].iloc[-1] >= 7
        assert (result.autoscaling["ready"] <= result.autoscaling["replicas"]).all()


CALLS = {"front": {"replicas": 2, "workers": 4, "script": [{"compute": "20ms"}, {"call": "slow"}],
                   "autoscaling": {"max_replicas": 10, "metrics": CPU_60}},
         "slow": {"workers": 1000, "script": [{"compute": "2s"}]}}  # fmt: skip


class TestWhatCountsAsCpu:
    @pytest.mark.parametrize("step", [{"call": "slow"}, [{"call": "slow"}, {"call": "slow"}]], ids=["one call", "two at once"])
    def test_a_worker_that_waits_for_a_call_is_held_and_uses_nothing(self, step):
        """So an autoscaler by CPU leaves a service alone whose threads are all held by a slow dependency."""
        scenario = world(rate="3.8/s", minutes=3)
        scenario["services"] = {**CALLS, "front": {**CALLS["front"], "script": [{"compute": "20ms"}, step]}}
        scenario["load"]["clients"]["requests"] = {"front": 1}
        result = ms.load(scenario).run(seed=1)

        front = next(one for one in result.summary().services if one.name == "front")
        assert front.utilisation > 0.9
        assert set(result.autoscaling["desired"]) == {2}
        assert result.autoscaling["usage"].iloc[2:].max() <= 1  # 3.8/s for 20 ms on eight cores

    def test_an_async_service_frees_its_worker_and_uses_the_same(self):
        scenario = world(rate="3.8/s", minutes=3)
        scenario["services"] = {**CALLS, "front": {**CALLS["front"], "workers": 1, "async": True}}
        scenario["load"]["clients"]["requests"] = {"front": 1}

        assert abs(looks(scenario)["usage"].iloc[-1] - 3.8) <= 1


class Meter(SimpleNamespace):
    """Processor time that is set by hand."""


class TestMetricsServer:
    def test_a_figure_is_the_mean_between_the_last_two_samples(self):
        processor = Meter(used_ns=0)
        server = MetricsServer((processor,), 15 * S)
        for at, used in ((100, 7), (115, 10), (130, 22)):
            processor.used_ns = used * S
            server.sample(at * S, [(0, 0)])

        assert server.readings() == {0: Reading(800, 130 * S, 15 * S)}

    def test_thousandths_are_rounded_up(self):
        processor = Meter(used_ns=0)
        server = MetricsServer((processor,), 15 * S)
        server.sample(100 * S, [(0, 0)])
        processor.used_ns = 1_000
        server.sample(115 * S, [(0, 0)])

        assert server.readings()[0].value == 1

    @pytest.mark.parametrize(("age", "counts"), [(9, False), (10, True), (14, True), (15, False)])
    def test_the_first_sample_counts_from_the_start_of_a_container_that_is_10_s_old(self, age, counts):
        processor = Meter(used_ns=50 * S)
        server = MetricsServer((processor,), 15 * S)
        server.begin(0)
        processor.used_ns += 3 * S
        server.sample(200 * S, [(0, (200 - age) * S)])

        assert server.readings() == ({0: Reading(-(-3000 // age), 200 * S, age * S)} if counts else {})

    def test_another_pod_at_the_same_place_begins_anew(self):
        server = MetricsServer((Meter(used_ns=0),), 15 * S)
        server.sample(100 * S, [(0, 0)])
        server.sample(115 * S, [(0, 112 * S)])

        assert server.readings() == {}


def scraped(*samples: tuple[int, int], began: bool = False) -> Prometheus:
    """Seconds and requests so far."""
    instance = SimpleNamespace(is_gone=False, arrived=samples[0][1], in_it=0, station=SimpleNamespace(queued=0))
    found = Prometheus((instance,), 120 * S)
    if began:
        found.begin(0)
    for at, arrived in samples:
        instance.arrived = arrived
        found.sample(at * S, 0)
    return found


class TestPrometheus:
    """What `rate(requests_total[2m])` gives."""

    def test_samples_over_the_whole_window_are_extrapolated_to_its_ends(self):
        assert scraped((1000, 0), (1060, 600)).rates(1100 * S, [0]) == {0: 600 * (60 + 20 + 40) / 60 / 120}

    def test_a_series_that_begins_in_the_window_is_extrapolated_by_half_an_interval(self):
        found = scraped((1000, 50), (1030, 350), (1060, 650))

        assert found.rates(1065 * S, [0]) == {0: 600 * (60 + 15 + 5) / 60 / 120}

    def test_no_counter_is_extrapolated_below_0(self):
        """50 requests came before the first sample at 10/s: 5 s, and no half interval."""
        found = scraped((1000, 0), (1000, 50), (1030, 350), (1060, 650), began=True)
        found._samples[0].popleft()  # noqa: SLF001 — the one by which the pod's beginning is told

        assert found.rates(1065 * S, [0])[0] == pytest.approx(600 * (60 + 5 + 5) / 60 / 120)

    def test_one_sample_is_no_rate(self):
        assert scraped((1000, 5)).rates(1060 * S, [0]) == {}

    def test_what_is_stale_is_not_there(self):
        found = scraped((1000, 5))

        assert (set(found.latest(1299 * S, [0])), set(found.latest(1301 * S, [0]))) == ({0}, set())
