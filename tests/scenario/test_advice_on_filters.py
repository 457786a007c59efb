"""What `meshsim check` says of the gateway's filters: what they let through, and what the services behind them are offered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from advised import warnings_of

BUSY = {"load": {"shoppers": {"rate": "4120/s"}}, "services": {"frontend": {"replicas": 20}}}
"""More than payment can do."""
GCRA = {"gcra": {"max_burst": 1, "count": 50, "period": "1s"}}


def behind(*filters: Any, **load: Any) -> list[str]:
    return warnings_of(
        {
            "load": {"shoppers": {"rate": "4120/s", **load}},
            "services": {"frontend": {"replicas": 20}},
            "gateway": {"filters": filters},
        }
    )


def limited(limit: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"rate_limit": {"rules": [{"limit": limit, **settings}]}}


def is_overloaded(texts: list[str]) -> bool:
    return any("it cannot keep up" in text for text in texts)


def test_the_load_is_too_much_without_filters() -> None:
    assert is_overloaded(behind())


@pytest.mark.parametrize(
    "limit",
    [
        GCRA,
        {"leaky_bucket": {"rate": "50/s", "burst": 5}},
        {"fixed_window": {"requests": 50, "window": "1s"}},
        {"sliding_window_log": {"requests": 50, "window": "1s"}},
        {"sliding_window_counter": {"requests": 50, "window": "1s"}},
        {"stepped_token_bucket": {"max_tokens": 50, "tokens_per_fill": 50, "fill_interval": "1s"}},
    ],
    ids=lambda limit: next(iter(limit)),
)
def test_rules_of_any_kind_hold_the_load_back(limit: dict[str, Any]) -> None:
    (warning,) = behind(limited(limit))

    remedy = "tokens_per_fill" if "stepped_token_bucket" in limit else "the limit"
    assert warning == (
        "gateway.filters[0].rate_limit: the load is 4,120/s at its peak, and all replicas together let 100/s pass: about 98%"
        f" of its requests in the whole run get 429; raise {remedy}, unless that is what you want to see"
    )


def test_a_global_limit_is_not_multiplied_by_the_replicas() -> None:
    service = {"limits": {"replicas": 4, "workers": 64, "script": [{"compute": "100us"}]}}
    made = {"service": "limits", "rules": [{"limit": {"fixed_window": {"requests": 50, "window": "1s"}}}]}
    (warning,) = warnings_of(
        {
            **BUSY,
            "services": {**service, "frontend": {"replicas": 20}},
            "gateway": {"filters": [{"global_rate_limit": made}]},
        }
    )

    assert warning.startswith(
        "gateway.filters[0].global_rate_limit: the load is 4,120/s at its peak, and all replicas together let 50/s"
    )


def test_each_address_has_a_limit_of_its_own() -> None:
    assert not is_overloaded(behind(limited(GCRA, key="address"), addresses=2))
    assert is_overloaded(behind(limited(GCRA, key="address"), addresses=1000))
    assert "the load from the addresses of shoppers is 4,120/s" in behind(limited(GCRA, key="address"), addresses=2)[0]


def test_rules_of_some_routes_or_consumers_hold_back_those_alone() -> None:
    (checkout,) = (text for text in behind(limited(GCRA, routes=["checkout"])) if "429" in text)

    assert "the load is 412/s at its peak" in checkout
    assert not is_overloaded(behind(limited(GCRA, consumers=["web"]), consumer="web"))


def test_a_rule_that_only_looks_on_holds_nothing_back() -> None:
    texts = behind(limited(GCRA, shadow=True))

    assert is_overloaded(texts)
    assert not any("429" in text for text in texts)


@pytest.mark.parametrize(
    ("key", "words"), [("credential", "credential"), ("content", "content"), (["consumer", "credential"], "credential")]
)
def test_where_nobody_knows_how_many_counters_there_are_that_is_said(key: Any, words: str) -> None:
    assert behind(limited(GCRA, key=key), keys={"count": 10}, credentials={"count": 10}) == [
        (
            "gateway.filters[0].rate_limit: capacity of payment not checked, because nobody knows before the run how many requests its"
            f" limit by {words} refuses: if none, payment is offered 412/s x 24ms = 9.89 busy workers, and has 8 (2 replicas x 4"
            " workers)"
        ),
        (
            "gateway.filters[0].rate_limit: this limit was not checked, because nobody knows before the run how the requests spread over"
            " its counters; look for 429 (RL) in the run"
        ),
    ]


def test_a_limit_that_one_counter_for_all_would_not_reach_has_nothing_to_tell() -> None:
    generous = {"gcra": {"max_burst": 500, "count": 5000, "period": "1s"}}
    texts = behind(limited(generous, key="credential"), credentials={"count": 10})

    assert is_overloaded(texts)
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("one", "does"),
    [
        ({"cache": {"ttl": "1s", "key": "route"}}, "answers"),
        ({"adaptive_concurrency": {}}, "refuses"),
        ({"fault": {"abort": {"http_status": 503, "percentage": "95%"}}}, "refuses"),
    ],
)
def test_behind_what_lets_an_unknown_share_pass_capacity_is_not_checked(one: dict[str, Any], does: str) -> None:
    (name,) = one
    (warning,) = behind(one)

    assert warning.startswith(
        f"gateway.filters[0].{name}: capacity of payment not checked, because nobody knows before the run how many requests its {name}"
        f" {does}: if none, payment is offered 412/s x 24ms"
    )


def test_a_delay_hides_nothing() -> None:
    assert is_overloaded(behind({"fault": {"delay": {"fixed_delay": "10ms", "percentage": "5%"}}}))


@pytest.mark.parametrize("missing", ["0%", "90%", "98%"])
@pytest.mark.parametrize("name", ["api_key", "basic_auth", "jwt_auth"])
def test_who_is_turned_away_is_no_load_for_the_services(name: str, missing: str) -> None:
    """Whether their credentials are bad ones or none."""
    flood = {"valid": "2%", "missing": missing}

    assert not is_overloaded(behind({name: {}}, credentials=flood))
    assert is_overloaded(behind({name: {}}))
    assert is_overloaded(behind({name: {"routes": ["browse"]}}, credentials=flood))


def test_what_a_request_costs_is_taken_from_the_limit() -> None:
    (warning,) = behind(limited({"fixed_window": {"requests": 50, "window": "1s"}}, cost=5))

    assert "all replicas together let 20/s pass" in warning


def test_the_order_of_filters_counts() -> None:
    flood = {"valid": "2%", "missing": "98%"}
    first, last = (
        behind({"api_key": {}}, limited(GCRA), credentials=flood),
        behind(limited(GCRA), {"api_key": {}}, credentials=flood),
    )

    assert first[0].startswith(
        "gateway.filters[1].rate_limit: the load is 82.4/s at its peak, and all replicas together let 100/s pass, but not bursts of"
        " more than 2: about 2"
    )
    assert first[0].endswith("% of its requests in the whole run get 429; raise max_burst, unless that is what you want to see")
    assert "about 98% of its requests" in last[0]


def test_jwt_auth_may_let_those_pass_who_bring_no_token() -> None:
    assert is_overloaded(behind({"jwt_auth": {"allow_missing": True}}, credentials={"valid": 0, "missing": "100%"}))


def test_a_load_that_is_over_within_the_burst_is_not_held_back() -> None:
    bucket = {"token_bucket": {"max_tokens": 200, "tokens_per_fill": 1, "fill_interval": "1m"}}

    assert not any("429" in text for text in behind(limited(bucket), rate="100/s", duration="2s"))
    assert any("429" in text for text in behind(limited(bucket), rate="100/s", duration="9s"))


def test_a_window_is_used_up_once_by_a_load_within_it() -> None:
    """400 requests in two seconds, of which two replicas let 200 pass: only in one run of thirty does a window end among them."""
    window = {"fixed_window": {"requests": 100, "window": "1m"}}

    assert not any("429" in text for text in behind(limited(window), rate="80/s", duration="2s"))
    (told,) = (text for text in behind(limited(window), rate="200/s", duration="2s") if "429" in text)
    assert re.search(r"about 4[789]% of its requests in the whole run get 429", told)


AUTH = {"replicas": 1, "workers": 1, "script": [{"compute": "20ms"}]}


def besides(**gateway: Any) -> list[str]:
    """Of 100/s, with a service that can do 50/s."""
    return warnings_of({"services": {"auth": AUTH}, "gateway": gateway})


@pytest.mark.parametrize(
    ("gateway", "rate"),
    [
        ({"filters": [{"ext_authz": {"service": "auth"}}]}, "100"),
        ({"filters": [{"ext_authz": {"service": "auth", "filter_enabled": "60%"}}]}, "60"),
        ({"filters": [{"ext_authz": {"service": "auth", "routes": ["browse"]}}]}, "90"),
        ({"filters": [{"global_rate_limit": {"service": "auth", "rules": [{"limit": {"fixed_window": {"requests": 500, "window": "1s"}}}]}}]}, "100"),
        ({"routes": {"browse": {"mirror": {"to": "auth"}}}}, "90"),
        ({"routes": {"browse": {"mirror": {"to": "auth", "share": "70%"}}}}, "63"),
        ({"routes": {"browse": {"aggregate": [{"call": "auth"}]}}}, "90"),
    ],
)  # fmt: skip
def test_what_the_gateway_sends_besides_is_load_too(gateway: dict[str, Any], rate: str) -> None:
    (warning,) = besides(**gateway)

    assert warning.startswith(f"services.auth.workers: auth is offered {rate}/s x 20ms")


@pytest.mark.parametrize(
    "gateway",
    [
        {"filters": [{"ext_authz": {"service": "auth", "filter_enabled": "40%"}}]},
        {"filters": [{"oauth2_introspection": {"service": "auth"}}]},
        {"routes": {"browse": {"mirror": {"to": "auth", "share": "50%"}}}},
    ],
)
def test_what_it_can_do_or_is_remembered_is_not_told(gateway: dict[str, Any]) -> None:
    assert besides(**gateway) == []
