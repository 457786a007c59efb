"""What `check` says of prices that nothing is multiplied with; where it says so the run bills nothing."""

from __future__ import annotations

from typing import Any

import pytest
from advised import warnings_of

import meshsim as ms
from meshsim.scenario.advice import advice
from meshsim.scenario.load import read

PRICES = {"gateway_replica_hour": 1, "proxy_hour": 1, "proxy_core_hour": 1, "cross_zone_gib": 1}
ITEMS = {
    "gateway_replica_hour": "gateway",
    "proxy_hour": "proxies",
    "proxy_core_hour": "proxy_cpu",
    "cross_zone_gib": "cross_zone",
}


def world(**changes: Any) -> dict[str, Any]:
    load = {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"front": 1}}
    services = {
        "front": {"workers": 10, "script": [{"compute": "1ms"}, {"call": "back"}]},
        "back": {"workers": 10, "response_size": "9KiB"},
    }
    return {"name": "w", "load": {"all": load}, "services": services, "cost": PRICES, "run": {"duration": "1s"}, **changes}


def zoned(front: str, back: str, load: str | None = None) -> dict[str, Any]:
    made = world()
    made["services"]["front"] |= {"zone": front, "response_size": "9KiB"}
    made["services"]["back"]["zone"] = back
    if load is not None:
        made["load"]["all"]["zone"] = load
    return made


WORLDS = {
    "nothing": world(),
    "a mesh without a section": world(deployment="mesh", defaults="istio-1.29"),
    "two zones": zoned("a", "b"),
    "a client elsewhere": zoned("a", "a", "b"),
    "a waypoint elsewhere": {
        **zoned("a", "a"),
        "deployment": "mesh",
        "mesh": {"mode": "ambient", "waypoints": {"services": {"back": {"zone": "b"}}}},
    },
    "a gateway elsewhere": {
        **zoned("a", "a"),
        "deployment": "gateway",
        "gateway": {"zone": "b", "routes": {"front": {"path": "/", "to": "front"}}},
    },
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_price_is_called_useless_only_where_the_bill_has_nothing_of_it(name: str) -> None:
    made = WORLDS[name]
    said = {one for one in PRICES if any(f"cost.{one}:" in warning and "adds nothing" in warning for warning in warned(made))}
    cost = ms.load(made).run().summary().cost
    assert cost is not None
    free = {one for one, item in ITEMS.items() if not cost.per_hour(item)}

    assert said <= free
    assert free - said <= {"proxy_core_hour"}  # proxies whose work takes no time


def warned(made: dict[str, Any]) -> list[str]:
    return [str(one) for one in advice(*read(made))]


def test_what_is_said_names_the_reason() -> None:
    found = warnings_of({"deployment": "gateway", "mesh": None, "cost": {"proxy_hour": 1}})

    assert found == ["cost.proxy_hour: the deployment has no mesh, so that this adds nothing; leave it out"]
