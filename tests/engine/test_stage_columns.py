"""The records tell where every nanosecond of a request went: what proxies, pools and back-offs took stands in a row."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from test_conservation import PROPERTY, scenarios

import meshsim as ms
from meshsim.engines import reference
from meshsim.metrics.stages.critical_path import NONE, OTHER, PROXY, QUEUE, SERVICE, Segment, by_parent, split, stages_of
from meshsim.metrics.stages.slow_sample import Records, SlowSample

MS = 1_000_000


def records_of(scenario: dict[str, Any], seed: int = 3) -> Records:
    """All rows of a run without a warm-up."""
    plan = ms.load(scenario).plan
    sample = SlowSample(plan)
    reference.run(plan, seed, 0, (sample,))
    return sample.records()


def segments_of(records: Records) -> dict[int, list[Segment]]:
    """Of every request, what its time went to."""
    requests = records.requests
    tries = records.tries_of(requests["request"])
    columns = (requests[name].tolist() for name in ("request", "started_ns", "ended_ns"))
    return {number: split(*times, tries[number]) for number, *times in zip(*columns, strict=True)}


ONE_AFTER_THE_OTHER = {"timeout", "retries", "retry_budget", "circuit_breakers"}
"""Settings of traffic under which a request waits for one thing at a time; under hedging, mirroring or waypoints it does not, or not here."""


def plain(scenario: dict[str, Any]) -> dict[str, Any]:
    """The same with sidecars, one try after the other, links that take no time, instances that stay, and no time in filters but the gateway's."""
    for place in ("gateway", "mesh", "direct"):
        traffic = scenario[place]["traffic"]
        scenario[place]["traffic"] = {
            name: {key: value for key, value in block.items() if key in ONE_AFTER_THE_OTHER} for name, block in traffic.items()
        }
        scenario[place].pop("discovery", None)
    for key in ("mode", "mtls", "node_proxy", "waypoints", "telemetry"):
        scenario["mesh"].pop(key, None)
    for inbound in scenario["mesh"]["inbound"].values():
        inbound["filters"] = [one for one in inbound["filters"] if "token_bucket" in one.get("rate_limit", ())]
    for load in scenario["load"].values():
        load.pop("bandwidth", None)
    for route in scenario["gateway"]["routes"].values():
        route.pop("aggregate", None)
    for service in scenario["services"].values():
        for key in ("scale", "autoscaling", "restarts", "readiness", "subsets", "priorities"):
            service.pop(key, None)
        service["deadline_propagation"] = False
        if service["async"] and service["script"][-1] == {
            "compute": "1ms"
        }:  # where a worker is given up for no time, no row tells
            del service["script"][-1]
        service.get("queue", {}).pop("shed", None)
    return scenario


@st.composite
def with_proxies_that_take_time(draw: st.DrawFn) -> dict[str, Any]:
    scenario = plain(draw(scenarios()))
    for proxy in ("gateway", "mesh"):
        time = draw(st.sampled_from(["0s", "700us", {"exponential": {"mean": "2ms"}}]))
        if draw(st.booleans()):
            one_connection = {"circuit_breakers": {"max_connections": 1}, "timeout": draw(st.sampled_from(["20ms", "80ms"]))}
            scenario[proxy]["traffic"] = {"*": one_connection}
        scenario[proxy] |= {"proxy_time": time, "workers": draw(st.sampled_from([1, 2]))}
    scenario["load"]["open"]["retries"] = {
        "num_retries": draw(st.integers(0, 2)),
        "retry_on": ["5xx", "retriable-status-codes"],
        "retriable_status_codes": [429],
        "per_try_timeout": draw(st.sampled_from(["12ms", "40ms"])),
    }
    return scenario


SOME = settings(parent=PROPERTY, max_examples=25)


@SOME
@given(with_proxies_that_take_time())
def test_every_nanosecond_of_every_request_has_one_stage(scenario):
    records = records_of(scenario)
    requests = records.requests

    for segments, started_ns, ended_ns in zip(
        segments_of(records).values(), requests["started_ns"].tolist(), requests["ended_ns"].tolist(), strict=True
    ):
        edges = [started_ns, *(segment.until_ns for segment in segments)]
        assert [segment.from_ns for segment in segments] == edges[:-1]
        assert edges[-1] == ended_ns
        assert all(segment.until_ns > segment.from_ns for segment in segments)


@SOME
@given(with_proxies_that_take_time())
def test_without_a_network_no_time_is_on_the_wire(scenario):
    """Whatever no row told of would be taken for the network between the client and the gateway."""
    scenario["network"] = {"same_zone": "0s"}

    for segments in segments_of(records_of(scenario)).values():
        assert "network" not in {segment.stage for segment in segments}


@SOME
@given(with_proxies_that_take_time())
def test_between_its_calls_an_instance_computes(scenario):
    """Service time is the time that workers computed, for every attempt; an asynchronous service waits for workers as well."""
    records = records_of(scenario)
    is_async = [scenario["services"][name]["async"] for name in records.services]
    for tries in records.tries_of(records.requests["request"]).values():
        below = by_parent(tries)
        for one in tries:
            if NONE in (one.id, one.started_ns):
                continue
            whole = one._replace(ended_ns=max(one.ended_ns, one.finished_ns))
            own = [segment for call, segment in stages_of(whole, whole.ended_ns, below) if call is None]
            assert sum(until - since for _, stage, since, until in own if stage == SERVICE) == one.worked_ns
            assert OTHER not in {segment.stage for segment in own}
            if not is_async[one.service]:
                assert QUEUE not in {segment.stage for segment in own if segment.from_ns >= one.started_ns}


@SOME
@given(with_proxies_that_take_time())
def test_other_is_only_what_an_asynchronous_service_was_at_when_its_caller_left(scenario):
    records = records_of(scenario)
    is_async = [scenario["services"][name]["async"] for name in records.services]

    for segments in segments_of(records).values():
        assert all(is_async[segment.service] for segment in segments if segment.stage == OTHER)


@SOME
@given(with_proxies_that_take_time())
def test_where_no_proxy_takes_time_nothing_is_in_a_proxy(scenario):
    for proxy in ("gateway", "mesh"):
        scenario[proxy]["proxy_time"] = "0s"

    for segments in segments_of(records_of(scenario)).values():
        assert PROXY not in {segment.stage for segment in segments}
