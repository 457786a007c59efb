"""Where an autoscaler meets other settings. Kubernetes' quarter of a minute is a second here, so that a test is short."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import meshsim as ms
from meshsim.engines.reference.model import Model
from meshsim.engines.reference.travel.row import SERVICE, WORKED
from meshsim.errors import ScenarioError
from meshsim.planning import make_plan
from meshsim.recorder import Recorder
from meshsim.scenario.sections.model import Scenario

S = 1_000_000_000
QUICK = {
    "sync_period": "1s", "metric_resolution": "1s", "scrape_interval": "1s", "rate_window": "4s", "downscale_stabilization": "60s",
    "cpu_initialization_period": "20s", "initial_readiness_delay": "2s",
}  # fmt: skip


def cpu(share: str) -> list[dict[str, Any]]:
    return [{"resource": {"name": "cpu", "target": {"average_utilization": share}}}]


def world(back: dict[str, Any], *, rate: str = "20/s", seconds: int = 20, traffic: Any = None, **rest: Any) -> dict[str, Any]:
    """Evenly spaced requests through a gateway for 100 ms of work each: two cores at 20/s."""
    return {
        "name": "pairs",
        "deployment": "gateway",
        "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "even", "rate": rate, "requests": {"all": 1}}},
        "gateway": {
            "routes": {"all": {"path": "/", "to": "back"}},
            "traffic": {"back": {"load_balancer": "round_robin", **(traffic or {})}},
            **rest.pop("gateway", {}),
        },
        "services": {"back": {"script": [{"compute": "100ms"}], **back}},
        "autoscaler": QUICK,
        "run": {"duration": f"{seconds}s", "interval": "1s"},
        **rest,
    }


def raised(replicas: int = 2, most: int = 6, **back: Any) -> dict[str, Any]:
    """A service that is raised at the first look."""
    return {"replicas": replicas, "autoscaling": {"min_replicas": most, "max_replicas": most, "metrics": cpu("60%")}, **back}


def first_use(result: ms.Result, instance: int) -> float:
    """When the first attempt came to an instance, in s."""
    rows = result.attempts
    return float(rows.loc[rows["instance"] == instance, "sent_ns"].min()) / S


def test_callers_use_new_pods_when_they_have_heard_of_them():
    at_once = ms.load(world(raised(startup_time="2s"))).run(seed=1)
    late = ms.load(world(raised(startup_time="2s"), gateway={"discovery": {"debounce_after": "0s", "propagation": "5s"}})).run(
        seed=1
    )

    look_s = at_once.autoscaling["time_ns"].iloc[0] / S
    assert look_s + 2 <= first_use(at_once, 5) < look_s + 2.5
    assert look_s + 7 <= first_use(late, 5) < look_s + 7.5


def test_new_pods_start_slowly_where_the_balancer_says_so():
    def share_of_new(traffic: Any) -> float:
        result = ms.load(world(raised(), traffic=traffic, rate="50/s")).run(seed=1)
        rows = result.attempts[(result.attempts["sent_ns"] > 1 * S) & (result.attempts["sent_ns"] < 6 * S)]
        return float((rows["instance"] >= 2).mean())

    slowly = share_of_new({"load_balancer": {"round_robin": {"slow_start": {"slow_start_window": "20s"}}}})
    assert slowly < 0.6 * share_of_new({})


def test_new_pods_are_spread_over_the_zones():
    """2/2/2 to 9 is 3/3/3; the first who go are those that came last."""
    zones = {"x": 2, "y": 2, "z": 2}
    back = {"zones": zones, "autoscaling": {"min_replicas": 9, "max_replicas": 9}}
    scenario = world(back)
    result = ms.load(scenario).run(seed=1)
    plan = make_plan(Scenario.model_validate(scenario))

    up = result.counters[(result.counters["time_ns"] == 10 * S) & (result.counters["is_up"] == 1)]
    assert sorted(Counter(plan.services[0].zones[place] for place in up["instance"]).values()) == [3, 3, 3]


def test_weights_and_priorities_go_round_and_addresses_are_drawn_for_those_that_come():
    back = raised(2, 4, load_balancing_weights=[1, 3], priorities=[0, 1], addresses=["10.0.0.1:80", "10.0.0.2:80"])
    service = make_plan(Scenario.model_validate(world(back))).services[0]

    assert (service.weights, service.priorities, service.addresses) == (
        (1.0, 3.0, 1.0, 3.0), (0, 1, 0, 1), ("10.0.0.1:80", "10.0.0.2:80"),
    )  # fmt: skip


def test_subsets_grow_in_turn():
    service = make_plan(Scenario.model_validate(world(raised(3, 6, subsets={"v1": 1, "v2": 2})))).services[0]

    assert Counter(service.subsets) == {0: 2, 1: 4}


def test_a_rolling_restart_makes_nothing_come():
    """The others are at their limit meanwhile, and those that restart count as idle: together it is what it was before."""
    back = {
        "replicas": 4, "startup_time": "6s", "restarts": [{"at": "8s", "batch": 2}],
        "autoscaling": {"max_replicas": 12, "metrics": cpu("60%")},
    }  # fmt: skip
    found = ms.load(world(back, seconds=30)).run(seed=1).autoscaling

    during = found[(found["time_ns"] > 10 * S) & (found["time_ns"] < 14 * S)]
    assert (during["ready"] == 2).all()
    assert (during["usage"] >= 95).all()
    assert set(found["desired"]) == {4}


def test_who_has_crashed_has_no_figures_and_is_not_replaced():
    """A third more on each of the others is within the tolerance once the missing one counts as idle."""
    back = {
        "replicas": 4,
        "autoscaling": {"max_replicas": 12, "metrics": cpu("50%")},
        "readiness": {"period": "500ms", "failure_threshold": 1},
    }
    crash = [{"at": "6s", "for": "8s", "service": "back", "instances": [3], "crash": True}]
    found = ms.load(world(back, faults=crash)).run(seed=1).autoscaling

    during = found[(found["time_ns"] > 9 * S) & (found["time_ns"] < 13 * S)]
    assert (during["usage"] > 55).all()  # of three: by itself 66 % of a target of 50 % would ask for four
    assert set(found["desired"]) == {4}


def test_a_slow_down_looks_like_load():
    """Work that takes twice as long keeps twice as many cores busy."""
    back = {"replicas": 4, "autoscaling": {"max_replicas": 12, "metrics": cpu("50%")}}
    slow = [{"at": "6s", "for": "1h", "service": "back", "slow": 2}]
    found = ms.load(world(back, faults=slow)).run(seed=1).autoscaling

    assert found["desired"].iloc[-2] >= 8


def test_who_is_scaled_down_ends_as_in_any_scale_down():
    """Its requests end in the grace period; without one they are lost."""
    back = {"replicas": 6, "workers": 4, "script": [{"compute": "3s"}], "autoscaling": {"max_replicas": 2}}
    kept, lost = (
        ms.load(world({**back, "termination_grace_period": grace}, rate="5/s")).run(seed=1).summary().total.failures
        for grace in ("30s", "0s")
    )

    assert kept == 0 < lost


def test_faults_may_strike_whom_it_ever_has_and_nobody_else():
    def of(instance: int) -> dict[str, Any]:
        return world(raised(2, 6), faults=[{"at": "1s", "for": "1s", "service": "back", "instances": [instance], "crash": True}])

    ms.load(of(5))
    with pytest.raises(ScenarioError, match=r"back has no replica 6; they are numbered from 0 to 5"):
        ms.load(of(6))


def test_processor_time_is_what_requests_were_worked_on_whatever_happens_to_them():
    """Timeouts that stop work, crashes, calls in parallel, and retries: the meter and the rows of the attempts agree to the nanosecond."""
    scenario = world(
        {
            "replicas": 3, "workers": 2, "on_cancel": "stop", "queue": {"limit": 5}, "termination_grace_period": "50ms",
            "script": [{"compute": {"exponential": {"mean": "40ms"}}}, {"call": "far"}, [{"call": "far"}, {"call": "far"}], {"compute": "5ms"}],
            "autoscaling": {"max_replicas": 5, "metrics": cpu("30%")},
        },
        rate="60/s", traffic={"timeout": "150ms", "retries": {"num_retries": 1, "retry_on": ["5xx"], "per_try_timeout": "90ms"}},
        faults=[{"at": "4s", "for": "3s", "service": "back", "replicas": 1, "crash": True}],
    )  # fmt: skip
    scenario["services"]["far"] = {"workers": 50, "script": [{"compute": {"exponential": {"mean": "20ms"}}}]}
    recorder = Recorder(())
    model = Model(make_plan(Scenario.model_validate(scenario)), 1, 0, recorder)
    model.clock.run_all(lambda: None)

    cpu_of_back = model._control._scalers[0]._cpu  # noqa: SLF001 — no figure of a run says it so exactly
    used_ns = [processor.used_ns for processor in cpu_of_back._processors]  # noqa: SLF001 — the same
    back = model.plan.names.services.index("back")
    assert sum(used_ns) == sum(row[WORKED] for row in recorder.attempts if row[SERVICE] == back) > 0


def test_without_an_autoscaler_nothing_looks_and_nothing_is_written():
    plain = ms.load(world({"replicas": 2}, seconds=5)).run(seed=1)

    assert plain.autoscaling.empty
    assert list(plain.autoscaling.columns)[:3] == ["time_ns", "service", "replicas"]
