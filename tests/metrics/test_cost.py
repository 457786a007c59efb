"""What a run costs: each price times what was used of it in the measured window."""

from __future__ import annotations

from functools import lru_cache
from json import dumps, loads
from typing import Any

import pytest

import meshsim as ms
from meshsim.errors import UsageError
from meshsim.experiments.default_figures import default_figures
from meshsim.metrics.figures import NoFigure, observe
from meshsim.metrics.summary import Summary
from meshsim.metrics.thresholds import judge

KIB = 1024
WINDOW_H = 4 / 3600
PRICES = {
    "replica_hour": 0.5,
    "services": {"back": 2.0},
    "gateway_replica_hour": 3.0,
    "proxy_hour": 0.25,
    "proxy_core_hour": 7.0,
    "cross_zone_gib": 11.0,
    "million_requests": 13.0,
}
SCENARIO: dict[str, Any] = {
    "name": "costly",
    "deployment": "gateway+mesh",
    "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "200/s", "requests": {"all": 1}}},
    "gateway": {"replicas": 2, "zone": "a", "routes": {"all": {"path": "/", "to": "front"}}},
    "mesh": {"proxy_time": "1ms"},
    "services": {
        "front": {"zones": {"a": 2, "b": 1}, "workers": 50, "async": True, "request_size": "2KiB", "script": [{"call": "back"}]},
        "back": {
            "zones": {"a": 1, "b": 1},
            "workers": 50,
            "request_size": "1KiB",
            "response_size": "8KiB",
            "errors": "10%",
            "script": [{"compute": "1ms"}],
        },
    },
    "cost": PRICES,
    "run": {"duration": "5s", "warm_up": "1s", "interval": "500ms"},
}


@lru_cache
def result_of(changes: str = "{}") -> Any:
    return ms.load({**SCENARIO, "variants": {"changed": loads(changes)}}, variant="changed").run()


def summary_of(**changes: Any) -> Summary:
    return result_of(dumps(changes)).summary()


def used(summary: Summary) -> dict[str, float]:
    """What was used in the window, by what it is of."""
    assert summary.cost is not None
    return {one.service or one.item: one.quantity for one in summary.cost.items}


def test_replicas_and_proxies_count_while_they_are_there_and_requests_and_cores_as_they_are_used() -> None:
    summary = summary_of()
    quantities = used(summary)
    sidecars = sum(one.cpu_cores or 0.0 for one in summary.proxies if one.name != "gateway")

    assert quantities["front"] == pytest.approx(3 * WINDOW_H)
    assert quantities["back"] == pytest.approx(2 * WINDOW_H)
    assert quantities["gateway"] == pytest.approx(2 * WINDOW_H)
    assert quantities["proxies"] == pytest.approx(5 * WINDOW_H)
    assert sidecars > 0.5
    assert quantities["proxy_cpu"] == pytest.approx(sidecars * WINDOW_H)
    assert quantities["requests"] == summary.total.requests / 1e6


def test_the_sum_is_each_price_times_its_quantity() -> None:
    summary = summary_of()
    assert summary.cost is not None
    quantities = used(summary)
    prices = {"front": 0.5, "back": 2.0, "gateway": 3.0, "proxies": 0.25, "proxy_cpu": 7.0, "cross_zone": 11.0, "requests": 13.0}
    total = sum(quantities[name] * price for name, price in prices.items())
    good = summary.total.requests - summary.total.failures

    assert summary.cost.per_hour() == pytest.approx(total / WINDOW_H)
    assert summary.cost.per_million() == pytest.approx(total / good * 1e6)
    assert summary.cost.per_hour("replicas") == pytest.approx(3 * 0.5 + 2 * 2.0)
    assert summary.cost.currency == "USD"


def test_bytes_between_zones_are_those_of_the_attempts_that_crossed() -> None:
    """From the records: a sidecar is in the zone of its instance, the gateway in a; an answer that is a failure has no body."""
    result = result_of()
    zones = {"front": ["a", "a", "b"], "back": ["a", "b"]}
    sizes = {"front": (2 * KIB, 0), "back": (1 * KIB, 8 * KIB)}
    crossed, sent = 0, 0
    for one in result.attempts.itertuples():
        here = "a" if one.caller == "(gateway)" else zones[one.caller][one.proxy]
        if here != zones[one.service][one.instance]:
            sent += 1
            crossed += sizes[one.service][0] + (sizes[one.service][1] if one.status == 200 else 0)
    rows = result.destinations
    summary = result.summary()
    in_window = rows[(rows["time_ns"] > 1_000_000_000) & (rows["time_ns"] <= 5_000_000_000)]

    assert sent > 500
    assert rows["cross_zone"].sum() == sent
    assert rows["cross_zone_bytes"].sum() == crossed
    assert summary.cross_zone_gib == in_window["cross_zone_bytes"].sum() / KIB**3
    assert used(summary)["cross_zone"] == summary.cross_zone_gib
    assert observe("cross_zone", {}, "per_hour", None, summary) == pytest.approx(summary.cross_zone_gib / WINDOW_H)


def test_in_one_zone_nothing_crosses() -> None:
    one_zone = {"zones": None, "replicas": 2}
    summary = summary_of(gateway={"zone": None}, services={"front": one_zone, "back": one_zone})

    assert summary.cross_zone_gib == 0
    assert used(summary)["cross_zone"] == 0


def test_a_replica_that_is_gone_costs_nothing_nor_does_its_sidecar() -> None:
    summary = summary_of(services={"back": {"zones": None, "replicas": 2, "zone": "b", "scale": [{"at": "3s", "replicas": 1}]}})
    quantities = used(summary)

    assert quantities["back"] == pytest.approx((2 * 2 + 1 * 2) / 3600)
    assert quantities["proxies"] == pytest.approx(quantities["front"] + quantities["back"])


def test_in_ambient_mode_the_proxies_are_those_of_the_nodes_and_the_waypoints() -> None:
    summary = summary_of(mesh={"mode": "ambient", "waypoints": {"services": {"back": {"replicas": 3}}}, "proxy_time": None})
    proxies = {one.name: one.replicas for one in summary.proxies}

    assert proxies["waypoint of back"] == 3
    assert used(summary)["proxies"] == pytest.approx((proxies["node proxies"] + 3) * WINDOW_H)


def test_without_proxies_there_are_none_to_pay() -> None:
    summary = summary_of(deployment="gateway", mesh=None)

    assert used(summary)["proxies"] == 0


def test_what_has_no_price_is_not_told() -> None:
    summary = summary_of(cost={name: None for name in PRICES if name != "million_requests"} | {"currency": "EUR"})
    assert summary.cost is not None

    assert list(used(summary)) == ["requests"]
    assert summary.cost.currency == "EUR"


def test_thresholds_are_on_the_sum_or_on_one_item() -> None:
    summary = summary_of()
    verdicts = judge({"cost": ["per_hour<1"], "cost{item:gateway}": ["per_hour<=6", "per_million<999999"]}, summary)

    assert [one.passed for one in verdicts] == [False, True, True]
    assert verdicts[1].observed == pytest.approx(6.0)


def test_without_prices_there_is_no_cost() -> None:
    summary = summary_of(cost=None)

    assert summary.cost is None
    with pytest.raises(NoFigure, match=r"^no prices$"):
        observe("cost", {}, "per_hour", None, summary)


def test_where_nothing_is_answered_well_nothing_is_told_by_the_million() -> None:
    summary = summary_of(services={"back": {"errors": "100%"}})

    with pytest.raises(NoFigure, match=r"^no requests answered well$"):
        observe("cost", {}, "per_million", None, summary)


def test_it_comes_back_from_its_json() -> None:
    summary = summary_of()

    assert Summary.from_dict(loads(dumps(summary.to_dict()))) == summary


def test_costs_in_two_currencies_are_not_compared() -> None:
    other = {**SCENARIO, "cost": {**PRICES, "currency": "EUR"}}

    with pytest.raises(UsageError, match=r"^costs in EUR and USD cannot be compared; write all prices in one currency"):
        ms.compare(SCENARIO, {**other, "name": "other"})


def test_a_comparison_shows_costs_where_any_variant_has_prices() -> None:
    without = {name: value for name, value in SCENARIO.items() if name != "cost"}
    figures = default_figures([ms.load(without), ms.load(SCENARIO)])

    assert {"cost:per_hour", "cost:per_million"} <= {str(figure) for figure in figures}
