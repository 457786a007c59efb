"""Nothing is lost and nothing comes from nowhere, whatever the scenario."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import meshsim as ms

TIMES = st.sampled_from(
    [
        "0s",
        "1ms",
        "8ms",
        {"exponential": {"mean": "6ms"}},
        {"lognormal": {"p50": "4ms", "p99": "40ms"}},
        {"gamma": {"mean": "5ms", "cv": 0.7}},
    ]
)
RETRIES = st.fixed_dictionaries(
    {
        "num_retries": st.integers(0, 3),
        "retry_on": st.sampled_from([["5xx"], ["gateway-error", "reset"], ["unavailable", "connect-failure"]]),
    },
    optional={"per_try_timeout": st.sampled_from(["10ms", "20ms", "30ms"]), "retry_host_predicate": st.just("previous_hosts")},
)
TRAFFIC = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from(["none", "20ms", "80ms"]),
        "load_balancer": st.sampled_from(["round_robin", "random", "least_request"]),
        "retries": RETRIES,
        "retry_budget": st.just({"budget_percent": "25%"}),
        "circuit_breakers": st.fixed_dictionaries(
            {},
            optional={
                "max_connections": st.integers(1, 6),
                "max_pending_requests": st.integers(1, 6),
                "max_requests": st.integers(1, 6),
                "max_retries": st.integers(1, 3),
            },
        ),
    },
)
FILTERS = st.lists(
    st.builds(
        lambda tokens: {"rate_limit": {"token_bucket": {"max_tokens": tokens, "tokens_per_fill": 60, "fill_interval": "1s"}}},
        st.integers(1, 20),
    ),
    max_size=1,
)


@st.composite
def steps(draw: st.DrawFn, callees: tuple[str, ...]) -> list[Any]:
    script: list[Any] = [{"compute": draw(TIMES)}]
    for callee in callees:
        call = {"call": callee, "probability": draw(st.sampled_from(["50%", "100%"])), "optional": draw(st.booleans())}
        if draw(st.booleans()):
            call["timeout"] = draw(st.sampled_from(["15ms", "60ms"]))
        script.append([call, dict(call)] if draw(st.booleans()) else call)
    return script


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    made = {}
    for name, callees in (("a", ("b", "c")), ("b", ("c",)), ("c", ())):
        made[name] = {
            "replicas": draw(st.integers(1, 3)),
            "workers": draw(st.integers(1, 4)),
            "async": draw(st.booleans()),
            "on_cancel": draw(st.sampled_from(["continue", "drop_queued", "stop"])),
            "protocol": draw(st.sampled_from(["http", "grpc"])),
            "script": draw(steps(callees)),
            "errors": draw(st.sampled_from(["0%", "10%", "60%"])),
        }
        if draw(st.booleans()):
            made[name]["queue"] = {"limit": draw(st.integers(0, 10))}
    return made


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Small systems with everything that this version can do, over a few hundred requests."""
    faults = [{"at": "300ms", "for": "400ms", "service": draw(st.sampled_from("abc")), **effect} for effect in draw(
        st.lists(st.sampled_from([{"slow": 4}, {"crash": True}, {"crash": True, "replicas": 1}]), max_size=2)
    )]  # fmt: skip
    return {
        "name": "generated",
        "defaults": draw(st.sampled_from(["none", "envoy", "istio"])),
        "deployment": draw(st.sampled_from(["none", "gateway", "mesh", "gateway+mesh"])),
        "load": {
            "open": {
                "executor": "constant-arrival-rate",
                "rate": draw(st.sampled_from(["60/s", "250/s"])),
                "requests": {"main": 3, "/other/1": 1, "/nowhere": 1},
                "timeout": draw(st.sampled_from(["none", "50ms"])),
            },
            "closed": {
                "executor": "constant-vus",
                "vus": 3,
                "think_time": "20ms",
                "requests": {"main": 1},
                "retries": draw(RETRIES),
            },
        },
        "gateway": {
            "replicas": draw(st.integers(1, 2)),
            "filters": draw(FILTERS),
            "routes": {
                "main": {"path": "/main", "to": {"a": 3, "b": 1}, "retries": draw(RETRIES)},
                "other": {"path": "/other", "to": "b", "timeout": "70ms"},
            },
            "traffic": {"*": draw(TRAFFIC)},
        },
        "mesh": {"traffic": {"*": draw(TRAFFIC), "c": draw(TRAFFIC)}, "inbound": {"c": {"filters": draw(FILTERS)}}},
        "services": draw(services()),
        "network": {"same_zone": draw(st.sampled_from(["0s", "300us", {"exponential": {"mean": "1ms"}}]))},
        "faults": faults,
        "run": {"duration": "1s", "interval": "100ms"},
    }


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same with the keys of all mappings in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


PROPERTY = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@PROPERTY
@given(scenarios())
def test_every_request_ends_once_with_one_cause(scenario):
    result = ms.load(scenario).run(seed=3)
    requests = result.requests

    assert requests["request"].tolist() == list(range(result.manifest["requests"]))
    assert (requests["ended_ns"] >= requests["started_ns"]).all()
    failed = (requests["status"] == 0) | (requests["status"] >= 400) | (requests["grpc_status"] > 0)
    assert (requests.loc[failed, "flags"] != "-").all()
    assert (requests.loc[~failed, "flags"] == "-").all()


@PROPERTY
@given(scenarios())
def test_attempts_are_one_more_than_retries(scenario):
    """Tries of a call are numbered 1, 2, 3 ... without a gap; the request counts those at its entry."""
    result = ms.load(scenario).run(seed=3)
    attempts, requests = result.attempts, result.requests.set_index("request")

    entry = attempts[attempts["parent"] < 0]
    sent = entry[entry["sent_ns"] >= 0].groupby("request").size().reindex(requests.index, fill_value=0)
    assert (sent == requests["attempts"]).all()
    assert (
        entry.groupby("request")["attempt"].apply(sorted) == entry.groupby("request").size().apply(lambda n: [*range(1, n + 1)])
    ).all()
    assert set(attempts["parent"]) - {-1} <= set(attempts["id"])
    assert attempts["id"].is_unique


@PROPERTY
@given(scenarios())
def test_nothing_is_in_flight_at_the_end_and_busy_time_is_time_held(scenario):
    result = ms.load(scenario).run(seed=3)
    counters, attempts = result.counters, result.attempts

    last = counters.groupby(["service", "instance"], observed=True).last()
    assert (last["busy"] == 0).all()
    assert (last["queued"] == 0).all()
    assert counters["arrived"].sum() == counters["finished"].sum() == (attempts["arrived_ns"] >= 0).sum()
    for name, service in scenario["services"].items():
        rows, visits = counters[counters["service"] == name], attempts[(attempts["service"] == name)]
        held = visits[visits["started_ns"] >= 0]
        time_held = held["worked_ns"] if service["async"] else held["finished_ns"] - held["started_ns"]
        assert rows["busy_ns"].sum() == time_held.sum()
    if not result.proxies.empty:
        assert (
            result.proxies.groupby(["kind", "service", "instance"], observed=True, dropna=False).last()["active_retries"] == 0
        ).all()


@PROPERTY
@given(scenarios())
def test_no_time_and_no_count_is_negative_and_stages_follow_each_other(scenario):
    attempts = ms.load(scenario).run(seed=3).attempts

    stages = attempts[["request_started_ns", "sent_ns", "arrived_ns", "started_ns", "finished_ns"]].to_numpy()
    latest = np.maximum.accumulate(stages, axis=1)
    assert ((stages == latest) | (stages < 0)).all()
    assert (attempts["ended_ns"] >= attempts["request_started_ns"]).all()
    for column in ("worked_ns", "wasted_ns", "backoff_ns", "proxy_ns", "connection_ns", "inbound_ns"):
        assert (attempts[column] >= 0).all()
    assert ((attempts["wasted_ns"] == 0) | (attempts["wasted_ns"] == attempts["worked_ns"])).all()


@settings(parent=PROPERTY, max_examples=25)
@given(scenarios(), st.integers(0, 1000))
def test_no_order_of_keys_changes_a_byte(scenario, seed):
    other = shuffled(scenario, random.Random(seed))

    first, second = ms.load(scenario).run(seed=3), ms.load(other).run(seed=3)

    for table in ("requests", "attempts", "waits", "counters", "proxies"):
        one, two = (result.directory / f"{table}.parquet" for result in (first, second))
        assert one.read_bytes() == two.read_bytes()
    assert first.manifest["digest"] == second.manifest["digest"]
