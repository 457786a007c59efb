"""One cluster for a rule whose backends are its localities, as Envoy Gateway has it: what is shared, and what keeps its name."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from meshsim import load
from meshsim.errors import ScenarioError
from meshsim.planning import make_plan
from meshsim.scenario.load import read

SHOP: dict[str, Any] = {
    "name": "shop",
    "defaults": "envoy-gateway-1.7",
    "deployment": "gateway",
    "load": {"steady": {"executor": "constant-arrival-rate", "rate": "200/s", "arrivals": "even", "requests": {"all": 1}}},
    "gateway": {
        "proxy_time": "0s",
        "routes": {"all": {"path": "/", "to": {"blue": 1, "green": 1}}},
        "traffic": {
            "*": {
                "update_merge_window": "0s",
                "outlier_detection": {
                    "consecutive_5xx": 5, "base_ejection_time": "60s", "max_ejection_percent": "100%", "enforcing_success_rate": "0%",
                },
            }
        },
    },
    "services": {
        "blue": {"replicas": 3, "workers": 50, "script": [{"compute": "5ms"}]},
        "green": {"replicas": 3, "workers": 50, "script": [{"compute": "5ms"}]},
    },
    "run": {"duration": "4s", "seed": 5},
}  # fmt: skip
GREEN_FAILS = {"at": "1s", "for": "3s", "service": "green", "errors": "100%"}


def patched(into: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    for key, value in patch.items():
        into[key] = patched(into.get(key) or {}, value) if isinstance(value, dict) and key != "to" else value
    return into


def shop(patch: dict[str, Any] | None = None, route: dict[str, Any] | None = None) -> dict[str, Any]:
    made = patched(copy.deepcopy(SHOP), patch or {})
    patched(made["gateway"]["routes"]["all"], route or {})
    return made


def result_of(patch: dict[str, Any] | None = None, route: dict[str, Any] | None = None) -> Any:
    return load(shop(patch, route)).run()


def failures(result: Any, after_s: float = 0.0) -> int:
    requests = result.requests
    return int(((requests["status"] >= 500) & (requests["started_ns"] >= after_s * 1e9)).sum())


def attempts_by_service(result: Any, after_s: float = 0.0) -> dict[str, int]:
    attempts = result.attempts
    return dict(attempts[attempts["sent_ns"] >= after_s * 1e9].groupby("service", observed=True).size())


def test_where_all_hosts_of_one_backend_are_ejected_the_other_gets_everything() -> None:
    """Source: envoyproxy/gateway, internal/xds/translator/cluster.go; its issue 2187.

    Each of the three hosts of green fails five times; after that nobody is sent there.
    """
    result = result_of({"faults": [GREEN_FAILS]})

    assert failures(result) == 15
    assert attempts_by_service(result, 1.5) == {"blue": pytest.approx(500, abs=1)}


def test_weighted_clusters_go_on_losing_their_share() -> None:
    """In the cluster of green all hosts are out, and its panic threshold of 50 % sends to them all the same."""
    result = result_of({"faults": [GREEN_FAILS]}, {"cluster_per": "service"})

    assert failures(result) == pytest.approx(300, abs=60)


def test_panic_is_over_both_backends_and_forgets_the_weights() -> None:
    """Weights 9 and 1, three hosts each; five of six are out, below half: all six are used alike, whatever the weights."""
    faults = [GREEN_FAILS, {"at": "1s", "for": "3s", "service": "blue", "instances": [0, 1], "errors": "100%"}]
    result = result_of({"faults": faults}, {"to": {"blue": 9, "green": 1}})

    shares = attempts_by_service(result, 2.5)
    assert shares["green"] / sum(shares.values()) == pytest.approx(0.5, abs=0.1)


def test_the_percentage_of_ejections_is_of_all_hosts_together() -> None:
    """20 % of six hosts is one; of three it would be none."""
    detection = {"outlier_detection": {"max_ejection_percent": "20%"}}
    faults = [{"at": "1s", "for": "3s", "service": "green", "instances": [0], "errors": "100%"}]
    patch = {"faults": faults, "gateway": {"traffic": {"*": detection}}}

    assert failures(result_of(patch), 2.0) == 0
    assert failures(result_of(patch, {"cluster_per": "backend"}), 2.0) > 50


def test_a_backend_that_loses_some_hosts_loses_its_share_beyond_the_overprovisioning() -> None:
    """Two of three hosts of green are out: its weight counts 1.4 / 3 of what it did, so that it gets 0.467 / 1.467 of the requests."""
    faults = [{"at": "1s", "for": "3s", "service": "green", "instances": [0, 1], "errors": "100%"}]
    shares = attempts_by_service(result_of({"faults": faults}), 2.0)

    assert shares["green"] / sum(shares.values()) == pytest.approx(1.4 / 3 / (1 + 1.4 / 3), abs=0.005)


def test_a_retry_may_go_to_the_other_backend_and_asks_it_for_its_own_operation() -> None:
    """All of green's answers fail; the retry avoids hosts, and what blue answers is its own operation's."""
    green = {"services": {"green": {"errors": {"rate": "100%", "status": 503}}}}
    quiet = {"gateway": {"traffic": {"*": {"outlier_detection": None}}}}
    result = result_of(patched(green, quiet), {"retries": {"num_retries": 4}})
    attempts = result.attempts

    assert failures(result) < 0.1 * len(result.requests)
    assert set(attempts[attempts["service"] == "blue"]["operation"]) == {"blue"}
    assert set(attempts[attempts["service"] == "green"]["operation"]) == {"green"}
    assert set(attempts[(attempts["status"] >= 500)]["service"]) == {"green"}


def test_a_backend_without_any_endpoint_keeps_its_share_and_answers_503() -> None:
    """Source: envoyproxy/gateway, internal/ir/xds.go (ToBackendWeights); Gateway API, HTTPRouteRule.backendRefs."""
    gone = {"readiness": {"period": "100ms", "failure_threshold": 1}}
    crash = {"at": "1s", "for": "3s", "service": "green", "crash": True}
    result = result_of({"services": {"green": gone}, "faults": [crash]})
    requests = result.requests
    late = requests[requests["started_ns"] >= 2e9]

    assert (late["status"] == 503).mean() == pytest.approx(0.5, abs=0.01)
    assert attempts_by_service(result, 2.0).keys() == {"blue"}


def test_a_timeout_over_all_tries_is_the_one_of_the_backend_that_was_tried() -> None:
    slow = {"at": "1s", "for": "3s", "service": "green", "slow": 100}
    quiet = {"gateway": {"traffic": {"*": {"outlier_detection": None}}}}
    requests = result_of({"faults": [slow], **quiet}, {"timeout": "50ms"}).requests

    assert set(requests[requests["status"] == 504]["origin"]) == {"green"}


def test_a_canary_changes_the_weights_of_the_localities() -> None:
    canary = {"to": "green", "steps": [{"weight": "20%", "pause": "2s"}, {"weight": "50%", "pause": "1s"}]}
    result = result_of(route={"to": {"blue": 1, "green": 0}, "canary": canary})
    attempts = result.attempts
    attempts["second"] = attempts["sent_ns"] // 10**9
    shares = attempts.groupby("second")["service"].agg(lambda services: (services == "green").mean())

    assert list(shares) == pytest.approx([0.2, 0.2, 0.5, 1.0], abs=0.01)


def test_a_canary_that_is_taken_back_is_no_part_of_the_cluster_any_more() -> None:
    analysis = {"interval": "500ms", "min_success_rate": "95%", "threshold": 1}
    canary = {"to": "green", "steps": [{"weight": "50%", "pause": "10s"}], "analysis": analysis}
    broken = {"services": {"green": {"errors": "100%"}}, "gateway": {"traffic": {"*": {"outlier_detection": None}}}}
    result = result_of(broken, {"to": {"blue": 1, "green": 0}, "canary": canary})

    assert failures(result, 0.1) > 30
    assert failures(result, 0.6) == 0


def test_who_has_a_session_stays_with_its_backend_past_the_weights() -> None:
    users = {"steady": {"executor": "constant-vus", "vus": 6, "think_time": "20ms", "requests": {"all": 1}}}
    made = shop(route={"session_persistence": {}, "to": {"blue": 1, "green": 1}})
    made["load"] = users
    result = load(made).run()
    by_user = result.attempts.merge(result.requests[["request", "user"]], on="request").groupby("user")

    assert (by_user["service"].nunique() == 1).all()
    assert (by_user["instance"].nunique() == 1).all()
    assert result.attempts["service"].nunique() == 2


def test_a_fallback_that_is_one_of_the_backends_is_asked_itself() -> None:
    """Green fails without being ejected; its requests go once more, to blue and to nobody else."""
    broken = {"services": {"green": {"errors": "100%"}}, "gateway": {"traffic": {"*": {"outlier_detection": None}}}}
    result = result_of(broken, {"fallback": "blue"})
    counts = attempts_by_service(result)

    assert failures(result) == 0
    assert counts["blue"] == len(result.requests)


def test_copies_and_parts_are_no_part_of_the_cluster() -> None:
    more = {"services": {"audit": {"workers": 50, "script": [{"compute": "1ms"}]}}}
    counts = attempts_by_service(result_of(more, {"mirror": {"to": "audit"}}))
    assert counts["audit"] == counts["blue"] + counts["green"]

    counts = attempts_by_service(result_of(more, {"aggregate": [{"call": "audit"}]}))
    assert counts["audit"] == counts["blue"] + counts["green"]


def test_hedges_know_which_backend_they_went_to() -> None:
    slow = {"at": "0s", "for": "4s", "service": "green", "slow": 100}
    quiet = {"gateway": {"traffic": {"*": {"outlier_detection": None}}}}
    result = result_of({"faults": [slow], **quiet}, {"hedge_policy": {"delay": "20ms"}, "timeout": "1s"})
    attempts = result.attempts

    assert {tuple(pair) for pair in attempts[["service", "operation"]].drop_duplicates().to_numpy()} == {
        ("blue", "blue"),
        ("green", "green"),
    }


def test_two_routes_to_one_service_have_clusters_of_their_own() -> None:
    """One connection for each route, though the limit is of one destination: source as above, one cluster for each rule."""
    routes = {"all": {"path": "/", "to": "blue"}, "other": {"path": "/other", "to": "blue"}}
    breakers = {"*": {"circuit_breakers": {"max_requests": 1}, "outlier_detection": None}}
    made = shop({"gateway": {"traffic": breakers}})
    made["gateway"]["routes"] = routes
    made["load"]["steady"]["requests"] = {"all": 1, "other": 1}
    own = load(made).run().requests
    for route in routes.values():
        route["cluster_per"] = "service"
    shared = load(made).run().requests

    assert (own["status"] == 503).mean() < 0.75 * (shared["status"] == 503).mean()


def test_a_hash_gives_all_hosts_the_same_whatever_the_weights() -> None:
    """Envoy Gateway from 1.5 on makes no locality-weighted table (its issue 9775): of three and one hosts three quarters, not 10 %."""
    hashed = {"load_balancer": "maglev", "hash_on": "key", "outlier_detection": None}
    patch = {
        "gateway": {"traffic": {"*": hashed}},
        "services": {"green": {"replicas": 1}},
        "load": {"steady": {"keys": {"count": 5000}}},
    }
    counts = attempts_by_service(result_of(patch, {"to": {"blue": 1, "green": 9}}))

    assert counts["blue"] / sum(counts.values()) == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize("product", ["envoy-1.40", "istio-1.29", "linkerd-2.19", "none"])
def test_other_products_draw_each_request_among_clusters(product: str) -> None:
    plan = make_plan(read(shop({"defaults": product}))[0])

    assert plan.routes[0].cluster is None
    assert not plan.routes[0].has_own_clusters


@pytest.mark.parametrize(
    "change",
    [{"sticky": "user"}, {"cluster_per": "backend"}, {"to": {"blue": 1, "blue/view": 1}}],
    ids=["sticky", "backend", "one service twice"],
)
def test_destinations_that_cannot_share_a_cluster_are_clusters_of_the_route(change: dict[str, Any]) -> None:
    blue = {"services": {"blue": {"operations": {"view": {"script": [{"compute": "1ms"}]}}}}}
    plan = make_plan(read(shop(blue, change))[0])

    assert plan.routes[0].cluster is None
    assert plan.routes[0].has_own_clusters


def test_zones_as_localities_make_each_backend_a_cluster() -> None:
    """Source: envoyproxy/gateway, internal/ir/xds.go (NeedsClusterPerSetting)."""
    plan = make_plan(read(shop({"gateway": {"traffic": {"*": {"locality": "zone_aware"}}}}))[0])

    assert plan.routes[0].cluster is None
    assert plan.routes[0].has_own_clusters


def test_the_counters_name_the_backend_that_an_ejection_befell() -> None:
    result = result_of({"faults": [GREEN_FAILS]})
    table = result.destinations

    assert table.groupby("service", observed=True)["ejections"].sum().to_dict() == {"blue": 0, "green": 3}
    assert table.groupby("service", observed=True)["members"].max().to_dict() == {"blue": 3, "green": 3}


def test_retries_of_a_hash_stay_at_the_failing_host_in_istio() -> None:
    """One of five pods fails: a fifth of the keys fails after all four tries, unless `previous_hosts` is written.

    5,000 keys drawn evenly over a ring of 1,024 places: the share of one of five hosts is 0.2 with a standard deviation of about 0.02.
    Source: istio/istio, its issue 50756.
    """
    made: dict[str, Any] = {
        "name": "hash",
        "defaults": "istio-1.29",
        "deployment": "mesh",
        "load": {
            "clients": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": "200/s",
                "requests": {"front": 1},
                "keys": {"count": 5000},
            }
        },
        "mesh": {
            "proxy_time": "0s",
            "traffic": {
                "back": {"load_balancer": "ring_hash", "hash_on": "key", "retries": {"num_retries": 3, "retry_on": ["5xx"]}}
            },
        },
        "services": {
            "front": {"workers": 200, "async": True, "script": [{"call": "back"}]},
            "back": {"replicas": 5, "workers": 50, "script": [{"compute": "5ms"}]},
        },
        "faults": [{"at": "0s", "for": "10s", "service": "back", "instances": [0], "errors": "100%"}],
        "run": {"duration": "5s", "seed": 5},
    }
    result = load(made).run()
    failed = result.requests["status"] >= 500
    assert failed.mean() == pytest.approx(0.2, abs=0.08)
    at_back = result.attempts[result.attempts["service"] == "back"]
    assert (at_back["status"] >= 500).sum() == 4 * failed.sum()

    made["mesh"]["traffic"]["back"]["retries"]["retry_host_predicate"] = "previous_hosts"
    assert (load(made).run().requests["status"] >= 500).mean() < 0.01


@pytest.mark.parametrize(
    ("patch", "route", "message"),
    [
        (
            {"gateway": {"traffic": {"*": {"locality": "zone_aware"}}}},
            {},
            "the destinations are the localities, and gateway.traffic.*.locality has zones; write `cluster_per: backend`",
        ),
        ({}, {"sticky": "user"}, "`sticky` needs destinations that are clusters; write `cluster_per: backend`"),
    ],
)
def test_one_cluster_cannot_have_other_localities(patch: dict[str, Any], route: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(shop(patch, {"cluster_per": "rule", **route}))

    assert str(caught.value) == f"scenario: gateway.routes.all.cluster_per: {message}"
