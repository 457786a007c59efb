"""Small scenarios in which a warning comes true, and others beside them in which there is none and nothing happens.

One row for each warning at least: what is run, what its run shows, and the same of a neighbour that `check` says nothing of.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import meshsim as ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.experiments.result import Result
    from meshsim.scenario.advice.remark import Kind

    Shows = Callable[[Result], bool]

OPEN = {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"all": 1}}
GATEWAY: dict[str, Any] = {
    "name": "small",
    "deployment": "gateway",
    "load": {"clients": OPEN},
    "gateway": {"routes": {"all": {"path": "/", "to": "back"}}},
    "services": {"back": {"replicas": 2, "workers": 8, "script": [{"compute": "5ms"}]}},
    "run": {"duration": "4s", "seed": 3},
}
"""50/s through a gateway to two instances that can do 3,200."""
MESH: dict[str, Any] = {
    "name": "small",
    "deployment": "mesh",
    "load": {"clients": {**OPEN, "requests": {"front": 1}}},
    "mesh": {},
    "services": {
        "front": {"replicas": 1, "workers": 64, "script": [{"call": "back"}]},
        "back": {"replicas": 2, "workers": 8, "script": [{"compute": "5ms"}]},
    },
    "run": {"duration": "4s", "seed": 3},
}
"""50/s to a service that calls another one through its sidecar."""

WHOLE = {"requests", "to"}
"""What a change says anew and does not add to."""


class Row(NamedTuple):
    """A warning, where it is earned and where it is not."""

    kind: Kind
    earns: dict[str, Any]
    shows: Shows
    beside: dict[str, Any]
    shows_beside: Shows
    is_same: bool = False
    """Whether both runs show the same, and what differs is only whether anything needs to be said of it."""


def gateway(**patch: Any) -> dict[str, Any]:
    """A change of the scenario with a gateway."""
    return _without_nothing(both(GATEWAY, patch))


def mesh(**patch: Any) -> dict[str, Any]:
    """A change of the scenario with a mesh."""
    return _without_nothing(both(MESH, patch))


def to_back(**settings: Any) -> dict[str, Any]:
    """What the gateway does for its calls to back."""
    return {"gateway": {"traffic": {"back": settings}}}


def calls_to_back(**settings: Any) -> dict[str, Any]:
    """What sidecars do for calls to back."""
    return {"mesh": {"traffic": {"back": settings}}}


def back(**settings: Any) -> dict[str, Any]:
    """A change of the service at the end."""
    return {"services": {"back": settings}}


def clients(**settings: Any) -> dict[str, Any]:
    """A change of the load."""
    return {"load": {"clients": settings}}


def both(*patches: dict[str, Any]) -> dict[str, Any]:
    """Several changes as one."""
    made: dict[str, Any] = {}
    for patch in copy.deepcopy(patches):
        for key, value in patch.items():
            is_merged = isinstance(value, dict) and isinstance(made.get(key), dict) and key not in WHOLE
            made[key] = both(made[key], value) if is_merged else value
    return made


def _without_nothing(one: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that a change takes out: those with None."""
    return {key: _without_nothing(value) if isinstance(value, dict) else value for key, value in one.items() if value is not None}


def users(count: int, **settings: Any) -> dict[str, Any]:
    """Users in place of the open load."""
    closed = {"executor": "constant-vus", "vus": count, "rate": None, "arrivals": None, **settings}
    return clients(**closed)


def fault(**what: Any) -> dict[str, Any]:
    """A fault of back from 1 s on."""
    return {"faults": [{"at": "1s", "for": "2s", "service": "back", **what}]}


def flagged(flag: str, least: float, most: float = 1.0) -> Shows:
    """So many of the requests end with a flag."""
    return lambda result: least <= result.requests["response_flags"].astype(str).str.contains(rf"\b{flag}\b").mean() <= most


def failed(least: float, most: float = 1.0) -> Shows:
    """So many of the requests fail."""
    return lambda result: (
        least <= float(((result.requests["status"] != 200) | (result.requests["grpc_status"] > 0)).mean()) <= most
    )


def last_take(least_s: float, most_s: float = 1e9) -> Shows:
    """So long take the last ten requests that came."""
    return lambda result: least_s <= result.requests.sort_values("started_ns")["latency_s"].tail(10).mean() <= most_s


def longest(least_s: float, most_s: float = 1e9) -> Shows:
    """So long takes the longest request."""
    return lambda result: least_s <= result.requests["latency_s"].max() <= most_s


def attempts(least: float, most: float = 1e9, service: str = "back") -> Shows:
    """So many attempts at a service there are for each request."""
    return lambda result: least <= (result.attempts["service"] == service).sum() / len(result.requests) <= most


def limited_tries(least: float, most: float = 1e9) -> Shows:
    """So many tries a rate limit refuses for each request that ends refused."""

    def is_so(result: Result) -> bool:
        ended = result.requests["response_flags"].astype(str).str.contains("RL").sum()
        return least <= result.filters["acted"].sum() / ended <= most

    return is_so


def counted(column: str, least: float, most: float = 1e9) -> Shows:
    """So much stands in a column of the destinations."""
    return lambda result: least <= result.destinations[column].sum() <= most


def instances(count: int, service: str = "back") -> Shows:
    """So many instances of a service get requests."""
    return lambda result: result.attempts.loc[result.attempts["service"] == service, "instance"].nunique() == count


def costs(least: float) -> Shows:
    """At least so much an hour, and more than nothing where that is not 0."""
    return lambda result: (per_hour := result.summary().cost.per_hour()) >= least and (per_hour > 0) == (least > 0)


def services(count: int) -> Shows:
    """So many services get requests."""
    return lambda result: result.attempts["service"].astype(str).nunique() == count


def began(least_s: float, most_s: float) -> Shows:
    """All requests begin within this time, and the last ones near its end."""
    return lambda result: least_s <= result.requests["started_ns"].max() / 1e9 <= most_s


def alike(other: dict[str, Any]) -> Shows:
    """Nothing differs from the run of another scenario."""

    def are_alike(result: Result) -> bool:
        others = ms.load(other).run()
        return others.requests.equals(result.requests) and others.attempts.equals(result.attempts)

    return are_alike


def unlike(other: dict[str, Any]) -> Shows:
    """Something differs."""
    return lambda result: not alike(other)(result)


def every(*all_of_it: Shows) -> Shows:
    """All of it."""
    return lambda result: all(one(result) for one in all_of_it)
