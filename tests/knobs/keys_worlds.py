"""Small scenarios in which a key of the language is turned: ten milliseconds of work behind whatever the key is about."""

from __future__ import annotations

from typing import Any

Section = dict[str, Any]


def requests(rate: str = "100/s", to: str = "front", **more: Any) -> Section:
    """A load of evenly spaced requests."""
    return {"executor": "constant-arrival-rate", "arrivals": "even", "rate": rate, "requests": {to: 1}, **more}


def mesh_world(
    traffic: Section | None = None,
    back: Section | None = None,
    mesh: Section | None = None,
    load: Section | None = None,
    front: Section | None = None,
    **rest: Any,
) -> Section:
    """A client, a front and a back in a mesh whose proxies take no time: 1 ms each way, 10 ms of work, a hundred requests a second."""
    return {
        "name": "mesh",
        "deployment": "mesh",
        "load": {"clients": {**requests(), **(load or {})}},
        "mesh": {"traffic": {"back": traffic or {}}, **(mesh or {})},
        "services": {
            "front": {"workers": 1000, "script": [{"call": "back"}], **(front or {})},
            "back": {"workers": 100, "script": [{"compute": "10ms"}], **(back or {})},
        },
        "network": {"same_zone": "1ms"},
        "run": {"duration": "1s", "interval": "100ms"},
        **rest,
    }


def gateway_world(
    traffic: Section | None = None,
    back: Section | None = None,
    gateway: Section | None = None,
    route: Section | None = None,
    load: Section | None = None,
    **rest: Any,
) -> Section:
    """A client, a gateway that takes no time, and a back."""
    return {
        "name": "gateway",
        "deployment": "gateway",
        "load": {"clients": {**requests(to="main"), **(load or {})}},
        "gateway": {
            "routes": {"main": {"path": "/main", "to": "back", **(route or {})}},
            "traffic": {"back": traffic or {}},
            **(gateway or {}),
        },
        "services": {"back": {"workers": 100, "script": [{"compute": "10ms"}], **(back or {})}},
        "network": {"same_zone": "1ms"},
        "run": {"duration": "1s", "interval": "100ms"},
        **rest,
    }


def bare_world(
    traffic: Section | None = None,
    back: Section | None = None,
    load: Section | None = None,
    direct: Section | None = None,
    **rest: Any,
) -> Section:
    """A client and a back, without any proxy."""
    return {
        "name": "bare",
        "load": {"clients": {**requests(to="back"), **(load or {})}},
        "direct": {"traffic": {"back": traffic or {}}, **(direct or {})},
        "services": {"back": {"workers": 100, "script": [{"compute": "10ms"}], **(back or {})}},
        "network": {"same_zone": "1ms"},
        "run": {"duration": "1s", "interval": "100ms"},
        **rest,
    }


def traffic_to_back(**settings: Any) -> Section:
    """A change of what the sidecars of the mesh do for the calls to the back."""
    return {"mesh": {"traffic": {"back": settings}}}


def back_is(**settings: Any) -> Section:
    """A change of the back."""
    return {"services": {"back": settings}}


def front_is(**settings: Any) -> Section:
    """A change of the front."""
    return {"services": {"front": settings}}


def clients_are(**settings: Any) -> Section:
    """A change of the load."""
    return {"load": {"clients": settings}}


RANDOM_WORK = [{"compute": {"exponential": {"mean": "10ms"}}}]
RETRIES = {"num_retries": 2, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "2ms"}}
ONE_SLOW = [{"at": "0s", "for": "1h", "service": "back", "replicas": 1, "slow": 10}]
ONE_FAILS = [{"at": "0s", "for": "1h", "service": "back", "replicas": 1, "errors": "100%"}]
ONE_CRASHES = [{"at": "300ms", "for": "400ms", "service": "back", "replicas": 1, "crash": True}]
ALL_LOST = [{"at": "0s", "for": "1h", "service": "back", "unreachable": True}]
