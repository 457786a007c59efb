"""Every message ends exactly once, whatever happens to its consumers: consumed, given up, lost, or still there at the end."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import meshsim as ms

QUEUES = st.fixed_dictionaries(
    {},
    optional={
        "partitions": st.integers(1, 5),
        "publish_time": st.sampled_from(["1ms", {"exponential": {"mean": "3ms"}}]),
        "delivery_time": st.just("2ms"),
        "visibility_timeout": st.sampled_from(["5ms", "20ms", "200ms"]),
        "retry_delay": st.sampled_from(["0s", "15ms"]),
        "max_deliveries": st.integers(1, 4),
        "message_ttl": st.sampled_from(["10ms", "60ms"]),
        "max_length": st.integers(1, 8),
    },
)
WORKERS = st.fixed_dictionaries(
    {
        "replicas": st.integers(1, 3),
        "workers": st.integers(1, 3),
        "script": st.sampled_from([[{"compute": {"exponential": {"mean": "8ms"}}}], [{"call": "back"}], []]),
    },
    optional={
        "errors": st.sampled_from(["30%", "100%"]),
        "async": st.booleans(),
        "scale": st.sampled_from(
            [[{"at": "200ms", "replicas": 1}], [{"at": "150ms", "replicas": 0}, {"at": "300ms", "replicas": 4}]]
        ),
        "restarts": st.just([{"at": "250ms"}]),
        "startup_time": st.just("30ms"),
        "termination_grace_period": st.sampled_from(["0s", "10ms", "30s"]),
        "queue": st.sampled_from([{"limit": 0}, {"discipline": "lifo", "limit": 2}, {"max_wait": "5ms"}]),
    },
)
FAULTS = st.lists(
    st.sampled_from(
        [
            {"at": "100ms", "for": "80ms", "service": "worker", "crash": True},
            {"at": "120ms", "for": "200ms", "service": "worker", "instances": [0], "crash": True},
            {"at": "50ms", "for": "300ms", "service": "worker", "slow": 5},
            {"at": "300ms", "for": "50ms", "service": "back", "crash": True},
        ]
    ),
    max_size=2,
    unique_by=str,
)


@st.composite
def scenarios(draw):
    queue = draw(QUEUES)
    if "max_length" in queue:
        queue["on_full"] = draw(st.sampled_from(["reject", "drop_oldest", "drop_new"]))
    if draw(st.booleans()) and queue.keys() & {"max_deliveries", "message_ttl"}:
        queue["dead_letter"] = "dead"
    if "partitions" in queue and draw(st.booleans()):
        queue["rebalance_time"] = "20ms"
    load = {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "300/s", "requests": {"shop": 1}}
    step = {"publish": "orders", **draw(st.sampled_from([{}, {"wait": False}, {"optional": True}, {"probability": "70%"}]))}
    mourner = {"consumes": {"dead": {}}, "script": [{"compute": "1ms"}], "errors": "20%"}
    return {
        "name": "conserved",
        "load": {"all": {**load, **({"keys": {"count": 3}} if draw(st.booleans()) else {})}},
        "queues": {"orders": queue, "dead": {"max_deliveries": 2}},
        "services": {
            "shop": {"workers": 5, "script": [{"compute": "1ms"}, step]},
            "worker": {**draw(WORKERS), "consumes": {"orders": {"prefetch": draw(st.integers(1, 4))}}},
            "back": {"workers": 3, "script": [{"compute": "5ms"}]},
            "mourner": mourner,
        },
        "faults": draw(FAULTS),
        "run": {"duration": "500ms", "interval": "100ms", "seed": draw(st.integers(0, 1000))},
    }


def check(scenario):
    result = ms.load(scenario).run()
    messages, rows = result.messages, result.message_queues
    for queue in ("orders", "dead"):
        mine, counts = messages[messages["queue"] == queue], rows[rows["queue"] == queue].drop(columns="queue").sum()
        ends = mine["became"].value_counts()
        assert counts["published"] == len(mine)
        for end in ("consumed", "dead_lettered", "discarded", "expired", "dropped", "rejected"):
            assert counts[end] == ends[end]
        last = rows[rows["queue"] == queue].iloc[-1]
        assert last["waiting"] + last["delayed"] + last["unacknowledged"] == ends["left"]
        assert counts["delivered"] == mine["deliveries"].sum()
        assert counts["redelivered"] == (mine["deliveries"] - 1).clip(lower=0).sum()
        assert (mine["ended_ns"] >= mine["published_ns"]).eq(mine["became"] != "left").all()
    assert (messages["queue"] == "dead").sum() == (
        (messages["queue"] == "orders") & (messages["became"] == "dead_lettered")
    ).sum()
    deliveries = result.attempts[result.attempts["service"].isin(["worker", "mourner"])]
    assert len(deliveries) == messages["deliveries"].sum()
    stations = result.counters.groupby(["service", "instance"], observed=True).last()
    assert (stations[["queued", "busy"]] == 0).all(axis=None)
    if "partitions" in scenario["queues"]["orders"] and "visibility_timeout" not in scenario["queues"]["orders"]:
        done = messages[(messages["queue"] == "orders") & (messages["became"] == "consumed")].sort_values(
            "delivered_ns", kind="stable"
        )
        for _, mine in done.groupby("partition"):
            assert mine["ended_ns"].is_monotonic_increasing


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(scenarios())
def test_every_message_ends_exactly_once(scenario):
    check(scenario)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(scenarios())
def test_every_message_ends_exactly_once_in_many_worlds(scenario):
    check(scenario)
