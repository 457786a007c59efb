"""A scenario that `meshsim check` has nothing to say of, and what it says of the same scenario with a change."""

from __future__ import annotations

import copy
from typing import Any

from meshsim.scenario.advice import advice
from meshsim.scenario.load import read

HEALTHY: dict[str, Any] = {
    "name": "checkout",
    "deployment": "gateway+mesh",
    "load": {
        "shoppers": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "100/s",
            "requests": {"browse": 9, "checkout": 1},
            "timeout": "5s",
        }
    },
    "gateway": {
        "replicas": 2,
        "routes": {
            "browse": {"path": "/browse", "to": "frontend", "timeout": "2s"},
            "checkout": {"path": "/checkout", "to": "checkout", "timeout": "2s"},
        },
    },
    "mesh": {"traffic": {"payment": {"timeout": "1s", "retries": {"num_retries": 2, "per_try_timeout": "300ms"}}}},
    "services": {
        "frontend": {"replicas": 2, "workers": 8, "script": [{"compute": "5ms"}]},
        "checkout": {"replicas": 2, "workers": 8, "script": [{"compute": "10ms"}, {"call": "payment"}]},
        "payment": {"replicas": 2, "workers": 4, "script": [{"compute": "24ms"}]},
    },
    "run": {"duration": "8m", "warm_up": "60s", "seed": 1},
}


def patched(into: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    for key, value in patch.items():
        is_merged = isinstance(value, dict) and key != "requests"
        into[key] = patched(into.get(key) or {}, value) if is_merged else value
    return {key: value for key, value in into.items() if value is not None}


def warnings_of(patch: dict[str, Any]) -> list[str]:
    """Warnings of the healthy scenario with a patch, as text; None takes a key out."""
    made = patched(copy.deepcopy(HEALTHY), patch)
    scenario, places = read({key: value for key, value in made.items() if value is not None})
    return [f"{mistake.path}: {mistake.message}" for mistake in advice(scenario, places)]


def traffic_of_payment(**settings: Any) -> dict[str, Any]:
    """A patch of what the mesh does for the calls to payment."""
    return {"mesh": {"traffic": {"payment": settings}}}
