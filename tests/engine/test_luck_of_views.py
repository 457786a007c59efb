"""Whose luck is whose: views of one proxy begin independently of each other, and what a scenario has besides changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
import pytest
from control_bench import Bench
from test_rule_clusters import shop

from meshsim import load
from meshsim.engines.reference.destinations.place import Place
from meshsim.engines.reference.destinations.view import View
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.request import Request
from meshsim.plan import Cluster
from meshsim.policies.load_balancing import RoundRobin
from meshsim.policies.outlier_detection import OutlierDetection

PROXIES = 200
OF_FIVE = pytest.approx(PROXIES / 5, abs=4 * (PROXIES * 0.2 * 0.8) ** 0.5)
"""How many of 200 pairs begin at the same one of five instances, within 4 standard deviations (1 in 16,000)."""


def first_picks(bench: Bench, **cluster: Any) -> list[int]:
    """Where each of 200 proxies begins its turns."""
    made = Cluster(service=0, balancer=RoundRobin(), **cluster)
    call = Call(Request(0, 0, -1, 1, 0, 0, 0), 1, 0, 0, 0)
    picks = []
    for key in range(PROXIES):
        view = View(bench.clock, made, bench.plan.services[0], bench.instances, Place(key, 0), bench.links.constant_ns)
        endpoint = view.pick(call)
        assert endpoint is not None
        picks.append(endpoint.index)
    return picks


def test_clusters_of_two_routes_begin_independently() -> None:
    bench = Bench(places=5)
    shared, one, other = first_picks(bench), first_picks(bench, owner=1 << 40), first_picks(bench, owner=3 << 50)

    for first, second in ((shared, one), (shared, other), (one, other)):
        assert sum(a == b for a, b in zip(first, second, strict=True)) == OF_FIVE


def test_two_rules_of_one_proxy_begin_independently() -> None:
    """200 replicas of a gateway, each with a cluster for each of two rules: where the first request of each goes."""
    made = shop(
        {
            "services": {"blue": {"replicas": 5}},
            "gateway": {"replicas": PROXIES, "traffic": {"*": {"load_balancer": "round_robin"}}},
        }
    )
    made["gateway"]["routes"] = {"all": {"path": "/", "to": "blue"}, "other": {"path": "/other", "to": "blue"}}
    made["load"]["steady"] |= {"requests": {"all": 1, "other": 1}, "rate": "1000/s"}
    result = load(made).run()
    attempts = result.attempts.merge(result.requests[["request", "route"]], on="request").sort_values("sent_ns", kind="stable")
    first = (
        attempts.drop_duplicates(["route", "proxy"])
        .pivot_table(values="instance", index="proxy", columns="route", observed=True)
        .dropna()
    )

    assert len(first) >= PROXIES - 5
    assert (first["all"] == first["other"]).sum() == OF_FIVE


def test_sweeps_of_two_clusters_of_one_proxy_come_at_phases_of_their_own() -> None:
    """A host of each that may come back at the first sweep does so at different times."""
    bench = Bench()
    views = []
    for owner in (0, 1 << 40):
        detection = OutlierDetection(
            interval="1s", base_ejection_time="1ms", enforcing_success_rate=0.0, max_ejection_percent=1.0
        )
        cluster = Cluster(service=0, balancer=RoundRobin(), outliers=detection, owner=owner)
        views.append(View(bench.clock, cluster, bench.plan.services[0], bench.instances, Place(7, 0), bench.links.constant_ns))
    for view in views:
        bench.at(0, lambda view=view: [view.notice(view.endpoints[0], 503, -1, 0, 0) for _ in range(5)])  # type: ignore[misc]
    out = []
    for at_ms in range(1, 1000, 10):
        bench.at(at_ms, lambda: out.append([view.endpoints[0].is_ejected for view in views]))
    bench.run(1000)

    assert out[0] == [True, True]
    assert [True, False] in out or [False, True] in out


def test_a_further_service_changes_nothing_else() -> None:
    """Its name comes first in the alphabet, so that all others have other numbers."""
    made: dict[str, Any] = {
        "name": "luck",
        "defaults": "envoy-1.40",
        "deployment": "mesh",
        "load": {
            "users": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "200/s", "requests": {"front": 1}}
        },
        "mesh": {
            "proxy_time": "200us",
            "traffic": {"back": {"load_balancer": "round_robin", "outlier_detection": {"interval": "1s"}}},
        },
        "services": {
            "front": {"replicas": 3, "script": [{"call": "back"}]},
            "back": {"replicas": 4, "script": [{"compute": {"exponential": {"mean": "10ms"}}}], "errors": "10%"},
        },
        "run": {"duration": "4s", "seed": 5},
    }
    more = copy.deepcopy(made)
    more["services"]["aardvark"] = {"replicas": 2, "script": [{"compute": "1ms"}]}
    columns = ["request", "service", "instance", "sent_ns", "ended_ns", "status"]
    without, with_it = (load(one).run().attempts[columns].astype({"service": str}) for one in (made, more))

    pd.testing.assert_frame_equal(without, with_it)
