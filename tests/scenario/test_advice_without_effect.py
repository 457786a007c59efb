"""What `meshsim check` says of the gateway's settings that change nothing for want of another one."""

from __future__ import annotations

from typing import Any

import pytest
from advised import warnings_of

GCRA = {"gcra": {"max_burst": 100, "count": 500, "period": "1s"}}
KEYS = {"load": {"shoppers": {"keys": {"count": 1000}}}}


def of_gateway(**settings: Any) -> list[str]:
    return warnings_of({"gateway": settings})


@pytest.mark.parametrize("name", ["drain_time", "startup_time"])
def test_what_belongs_to_restarts_that_never_come_is_told(name: str) -> None:
    assert of_gateway(**{name: "5s"}) == [
        f"gateway.{name}: nothing restarts the gateway, so that this does nothing; write restarts: [{{at: 1m}}]"
    ]
    assert of_gateway(**{name: "5s"}, restarts=[{"at": "1m"}]) == []


def test_a_restart_after_the_run_is_told() -> None:
    assert of_gateway(restarts=[{"at": "1m"}, {"at": "8m"}]) == [
        "gateway.restarts[1].at: this restart begins at 8m, and the run ends at 8m; begin earlier"
    ]


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"cache": {"ttl": "1s"}}, "nothing is stored and every request goes on"),
        ({"rate_limit": {"rules": [{"limit": GCRA, "key": "content"}]}}, "the limit by content counts nobody"),
        ({"rate_limit": {"rules": [{"limit": GCRA, "key": ["consumer", "content"]}]}}, "the limit by content counts nobody"),
    ],
)
def test_content_without_keys_is_told(one: dict[str, Any], told: str) -> None:
    (name,) = one

    assert of_gateway(filters=[one]) == [
        f"gateway.filters[0].{name}: no load says what its requests ask for, so that {told}; give a load keys, such as keys: {{count: 1000}}"
    ]
    assert warnings_of({**KEYS, "gateway": {"filters": [one]}}) == []


def test_a_limit_or_a_cache_by_something_else_needs_no_keys() -> None:
    assert of_gateway(filters=[{"cache": {"ttl": "1s", "key": "route"}}]) == []
    assert of_gateway(filters=[{"rate_limit": {"rules": [{"limit": GCRA, "key": "route"}]}}]) == []


def split(**route: Any) -> dict[str, Any]:
    return {"gateway": {"routes": {"browse": route}}}


def test_a_sticky_route_to_one_destination_is_told() -> None:
    (warning,) = warnings_of(split(sticky="user"))

    assert warning.startswith("gateway.routes.browse.sticky: the route has one destination")


def test_a_split_by_consumers_needs_some() -> None:
    def of_both(sticky: str, **load: Any) -> list[str]:
        both = {"path": "/both", "to": {"frontend": 1, "checkout": 1}, "sticky": sticky}
        texts = warnings_of({"load": {"shoppers": load}, "gateway": {"routes": {"both": both}}})
        return [text for text in texts if "sticky" in text]

    (warning,) = of_both("consumer")
    assert "no load names a consumer" in warning
    assert of_both("consumer", consumer="web") == of_both("address") == []


USERS = {"executor": "constant-vus", "vus": 10, "think_time": "1s", "rate": None, "arrivals": None}


def test_a_split_by_users_needs_some() -> None:
    both = {"path": "/both", "to": {"frontend": 1, "checkout": 1}, "sticky": "user"}
    (warning,) = warnings_of({"gateway": {"routes": {"both": both}}})

    assert warning.startswith("gateway.routes.both.sticky: no load has virtual users, so that each request is a new user's")
    assert warnings_of({"load": {"shoppers": USERS}, "gateway": {"routes": {"both": both}}}) == []


@pytest.mark.parametrize(
    ("of", "load", "message"),
    [
        ("user", {}, "no load has virtual users, so that nobody comes back"),
        ("user", USERS, None),
        ("consumer", {}, ".of: no load names a consumer"),
        ("consumer", {"consumer": "web"}, None),
        ("address", {}, ".of: every load has one address, so that one instance gets all of it"),
        ("address", {"addresses": 2}, None),
    ],
)
def test_sessions_need_somebody_who_comes_back(of: str, load: dict[str, Any], message: str | None) -> None:
    texts = warnings_of({"load": {"shoppers": load}, **split(session_persistence={"of": of})})

    assert len(texts) == (message is not None)
    assert (
        message is None
        or f"gateway.routes.browse.session_persistence{message if message[0] == '.' else f': {message}'}" in texts[0]
    )


def test_sessions_do_nothing_on_connections_with_an_instance_of_their_own() -> None:
    def of(**connections: str) -> list[str]:
        gateway = {
            **split(session_persistence={"of": "address"})["gateway"],
            "traffic": {"frontend": {"connections": connections}},
        }
        return warnings_of({"load": {"shoppers": {"addresses": 9}}, "gateway": gateway})

    (warning,) = of(balance="connections")
    assert "the gateway's connections to frontend have their instances already" in warning
    assert of() == []


def test_without_a_gateway_nothing_is_said_of_its_parts() -> None:
    texts = warnings_of({"deployment": "mesh", "gateway": {"drain_time": "5s", "filters": [{"cache": {"ttl": "1s"}}]}})

    assert not any("drain_time" in text or "cache" in text for text in texts)


def test_an_autoscaler_of_nobody_is_told() -> None:
    (warning,) = warnings_of({"autoscaler": {"tolerance": "5%"}})

    assert warning == (
        "autoscaler: no service has `autoscaling`, so that this does nothing; give one to a service, such as autoscaling:"
        " {max_replicas: 10}"
    )
    scaled = {"payment": {"autoscaling": {"min_replicas": 2, "max_replicas": 10}}}
    assert warnings_of({"autoscaler": {"tolerance": "5%"}, "services": scaled}) == []
