"""What goes on beside a request is still its client's: a call that nobody waits for, a mirrored copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import meshsim as ms
from meshsim.engines.reference.travel.request import Request
from meshsim.plan import NONE, Asker

if TYPE_CHECKING:
    import pandas as pd

NEEDS_A_KEY: dict[str, Any] = {"filters": [{"api_key": {}}]}


def attempts(script: Any, **traffic: Any) -> pd.DataFrame:
    """100 requests a second, a third of them without a key and a third with a bad one; the gateway and both services ask for one."""
    return (
        ms.load(
            {
                "name": "copies",
                "defaults": "istio-1.29",
                "deployment": "gateway+mesh",
                "load": {
                    "all": {
                        "executor": "constant-arrival-rate",
                        "rate": "100/s",
                        "requests": {"shop": 1},
                        "credentials": {"valid": "40%", "missing": "30%"},
                    }
                },
                "gateway": {"routes": {"shop": {"path": "/", "to": "front"}}, **NEEDS_A_KEY},
                "mesh": {"inbound": {"back": NEEDS_A_KEY, "shadow": NEEDS_A_KEY}, "traffic": traffic},
                "services": {
                    "front": {"workers": 100, "script": script},
                    "back": {"workers": 100, "script": [{"compute": "5ms"}]},
                    "shadow": {"workers": 100, "script": [{"compute": "5ms"}]},
                },
                "run": {"duration": "2s"},
            }
        )
        .run()
        .attempts
    )


@pytest.mark.parametrize(
    ("script", "traffic"),
    [
        ([{"call": "shadow", "wait": False}, {"call": "back"}], {}),
        ([{"call": "back"}], {"back": {"mirror": {"to": "shadow"}}}),
    ],
)
def test_whom_the_gateway_let_pass_the_sidecar_lets_pass_too(script: Any, traffic: dict[str, Any]) -> None:
    """Of 200 requests 40 % bring a good key: within 4 standard deviations (odds 1 in 16,000)."""
    made = attempts(script, **traffic)
    asked = made[made["service"].isin(["back", "shadow"])]

    assert set(asked["status"]) == {200}
    assert (asked["service"] == "shadow").sum() == (asked["service"] == "back").sum() == pytest.approx(80, abs=28)
    assert set(asked.loc[asked["service"] == "shadow", "request"]) == {-1}


def test_a_copy_has_the_address_the_credential_and_the_body_of_the_original() -> None:
    asker = Asker(credentials=1000, addresses=1000, bad_share=0.5)
    original = Request(0, 7, NONE, 123_456_789, 0, 0, 0, asker)
    original.content_key, original.is_write = 5, True
    copy = original.aside(99)

    for what in ("address", "credential", "is_valid", "kib", "content_key", "is_write", "number"):
        assert getattr(copy, what) == getattr(original, what), what
    assert (copy.row_number, copy.started_ns) == (NONE, 99)


def test_copies_are_spread_although_their_originals_are_hashed() -> None:
    """One address: all originals go to one host of a ring, and the copies to any of theirs."""
    result = ms.load(
        {
            "name": "hashed",
            "deployment": "gateway",
            "load": {
                "all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "100/s", "requests": {"shop": 1}},
            },
            "gateway": {
                "routes": {"shop": {"path": "/", "to": "back"}},
                "traffic": {
                    "back": {"load_balancer": "ring_hash", "hash_on": "address", "mirror": {"to": "shadow"}},
                    "shadow": {"load_balancer": "ring_hash", "hash_on": "address"},
                },
            },
            "services": {name: {"replicas": 4, "workers": 100, "script": [{"compute": "1ms"}]} for name in ("back", "shadow")},
            "run": {"duration": "2s"},
        }
    ).run()
    used = result.attempts.groupby("service", observed=True)["instance"].nunique()

    assert used.to_dict() == {"back": 1, "shadow": 4}


def test_the_gateways_traffic_settings_of_who_gets_copies_count_although_no_route_leads_there() -> None:
    """All copies fail, and the breaker that is written for them opens."""
    result = ms.load(
        {
            "name": "settings",
            "deployment": "gateway",
            "load": {
                "all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "100/s", "requests": {"shop": 1}},
            },
            "gateway": {
                "routes": {"shop": {"path": "/", "to": "back"}},
                "traffic": {"back": {"mirror": {"to": "shadow"}}, "shadow": {"circuit_breaker": {"minimum_number_of_calls": 10}}},
            },
            "services": {
                "back": {"workers": 100, "script": [{"compute": "1ms"}]},
                "shadow": {"workers": 100, "errors": "100%", "script": [{"compute": "1ms"}]},
            },
            "run": {"duration": "2s"},
        }
    ).run()
    rows = result.destinations

    assert rows.loc[rows["service"] == "shadow", "breaker_rejected"].sum() > 100
