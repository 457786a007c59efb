"""What `check` says of the share that a rate limit refuses, against theory and against runs of the reported cases."""

from __future__ import annotations

import re
from typing import Any

import pytest

import meshsim as ms
from meshsim.arrivals import Profile, Segment
from meshsim.policies.admission import TokenBucket
from meshsim.policies.filters.rate_limit_rule import RateLimitRule
from meshsim.scenario.advice import remarks
from meshsim.scenario.advice.remark import Kind
from meshsim.scenario.flow.refused import Askers, Counters, When, refused_share
from meshsim.scenario.load import load

S = 10**9


def bucket(size: int, tokens: int = 100, interval: str = "1s") -> dict[str, Any]:
    return {"token_bucket": {"max_tokens": size, "tokens_per_fill": tokens, "fill_interval": interval}}


@pytest.mark.parametrize("seconds", [20, 2000])
@pytest.mark.parametrize(
    ("rate", "size", "lost"), [(80, 5, 0.03529039644), (100, 10, 0.05084745763), (150, 20, 0.3333333435), (80, 1, 0.8 / 1.8)]
)
def test_poisson_arrivals_at_a_bucket_are_lost_as_in_m_d_1_b(rate: int, size: int, lost: float, seconds: int) -> None:
    """Tijms, A First Course in Stochastic Models, 2003. Of 6,000 arrivals (3,000 where the run is longer) with runs of losses: the
    standard error is about 0.01, and four of them are allowed; the draws are fixed."""
    limit = TokenBucket(max_tokens=size, tokens_per_fill=100, fill_interval=S)
    arrivals = Profile((Segment(0, seconds * S, rate, rate),), is_poisson=True)

    share = refused_share(Counters(RateLimitRule(limit=limit), 1, 1), [Askers(arrivals, 1.0)], When(seconds * S))

    assert share == pytest.approx(lost, abs=0.04)


def at_a_limit(limit: dict[str, Any], client: dict[str, Any], duration: str, replicas: int = 1, **run: Any) -> dict[str, Any]:
    return {
        "name": "limit",
        "deployment": "gateway",
        "load": {"client": {"requests": {"all": 1}, "consumer": "partner", **client}},
        "gateway": {
            "replicas": replicas,
            "filters": [{"rate_limit": {"rules": [{"limit": limit, "key": "consumer"}]}}],
            "routes": {"all": {"path": "/", "to": "back"}},
        },
        "services": {"back": {"replicas": 1, "workers": 100, "script": [{"compute": "1ms"}]}},
        "run": {"duration": duration, "seed": 5, **run},
    }


def steady(rate: str, **more: Any) -> dict[str, Any]:
    return {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": rate, **more}


MINUTE = {"fixed_window": {"requests": 60, "window": "1m"}}
BURST = {
    "executor": "ramping-arrival-rate",
    "start_rate": "50/s",
    "stages": [{"target": "50/s", "duration": "4s"}, {"target": "1/s", "duration": "0s"}, {"target": "1/s", "duration": "50s"}],
    "arrivals": "even",
}
AT_ZERO = {"time_zero": "2023-10-31T12:00:00"}


@pytest.mark.parametrize(
    ("scenario", "lost", "within"),
    [
        # traefik/traefik#8330: six a minute are one each 10 s, so that every second one of those each 9.7 s is refused
        (at_a_limit(bucket(1, 6, "1m"), steady("6.1855/min", arrivals="even"), "5m"), 0.48, 0.02),
        # five at once, and a bucket of one
        (at_a_limit(bucket(1, 6, "1m"), {"executor": "constant-vus", "vus": 5, "think_time": "100s"}, "5m"), 0.8, 0.03),
        # 80/s against 100/s, of which none may come early: 0.8 / 1.8
        (at_a_limit(bucket(1, 5, "50ms"), steady("80/s"), "60s"), 0.444, 0.03),
        # Kong/kong#6724: 250 requests in a minute, of which 180 or 60 pass
        (at_a_limit(MINUTE, BURST, "55s", replicas=3, **AT_ZERO), 0.28, 0.04),
        (at_a_limit(MINUTE, BURST, "55s", replicas=1, **AT_ZERO), 0.76, 0.02),
        # at twice the rate a big bucket lasts for a part of the run only
        (at_a_limit(bucket(500), steady("200/s"), "10s"), 0.25, 0.04),
    ],
    ids=["each-9700-ms", "five-at-once", "hundred-a-second", "kong-3-nodes", "kong-1-node", "big-bucket"],
)
def test_the_share_that_is_said_is_the_share_of_the_run(scenario: dict[str, Any], lost: float, within: float) -> None:
    (remark,) = (one for one in remarks(load(scenario).scenario) if one.kind is Kind.RATE_LIMITED)
    said = re.search(r"about (\d+)% of its requests in the whole run get 429", remark.message)
    result = ms.load(scenario).run()

    assert said is not None
    assert int(said[1]) / 100 == pytest.approx(lost, abs=within)
    assert (result.requests["response_flags"] == "RL").mean() == pytest.approx(int(said[1]) / 100, abs=2 * within)


@pytest.mark.parametrize(
    "scenario",
    [
        at_a_limit(bucket(1, 6, "1m"), steady("5.9/min", arrivals="even"), "5m"),
        at_a_limit(bucket(20, 5, "50ms"), steady("80/s"), "60s"),
        at_a_limit({"fixed_window": {"requests": 100, "window": "1m"}}, BURST, "55s", replicas=3, **AT_ZERO),
        at_a_limit(bucket(1200), steady("200/s"), "10s"),
    ],
    ids=["each-10200-ms", "hundred-a-second", "kong-100-a-minute", "big-bucket"],
)
def test_where_nothing_is_said_next_to_nothing_is_refused(scenario: dict[str, Any]) -> None:
    assert [one for one in remarks(load(scenario).scenario) if one.kind is Kind.RATE_LIMITED] == []
    assert (ms.load(scenario).run().requests["response_flags"] == "RL").mean() < 0.015


def test_between_two_syncs_the_share_is_a_range() -> None:
    scenario = at_a_limit(MINUTE, BURST, "55s", replicas=3, **AT_ZERO)
    rule = scenario["gateway"]["filters"][0]["rate_limit"]["rules"][0]
    shared = {"service": "store", "timeout": "2s", "sync_interval": "10s", "rules": [rule]}
    scenario["gateway"]["filters"] = [{"global_rate_limit": shared}]
    scenario["services"]["store"] = {"replicas": 1, "workers": 100, "script": [{"compute": "200us"}]}
    (remark,) = (one for one in remarks(load(scenario).scenario) if one.kind is Kind.RATE_LIMITED)
    said = re.search(r"about (\d+)% to (\d+)% of its requests", remark.message)
    refused = (ms.load(scenario).run().requests["response_flags"] == "RL").mean()

    assert said is not None
    assert int(said[1]) / 100 - 0.02 <= refused <= int(said[2]) / 100 + 0.02
