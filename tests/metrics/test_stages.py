"""Where the time goes: requests whose every wait is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up import MS, SECOND, attempts, chunk, plan, requests

import meshsim as ms
from meshsim.engines import reference
from meshsim.metrics import frames
from meshsim.metrics.stages.stages import SlowSample, spans, stages

ONE_SHOT = {"executor": "constant-vus", "vus": 1, "requests": {"all": 1}, "duration": "1ms"}


def world(**parts: Any) -> dict[str, Any]:
    """One request to a service of 10 ms, behind whatever the test puts in front of it."""
    return {
        "name": "one",
        "deployment": "gateway",
        "load": {"clients": ONE_SHOT},
        "gateway": route(),
        "services": {"a": {"workers": 10, "script": [{"compute": "10ms"}]}},
        "network": {"same_zone": "0s"},
        "run": {"duration": "1s", "interval": "100ms"},
        **parts,
    }


def route(traffic: dict[str, Any] | None = None, settings: dict[str, Any] | None = None, **gateway: Any) -> dict[str, Any]:
    made = {"routes": {"all": {"path": "/", "to": "a", **(settings or {})}}, **gateway}
    return made | ({"traffic": {"a": traffic}} if traffic else {})


def users(count: int) -> dict[str, Any]:
    return {"clients": {**ONE_SHOT, "vus": count}}


def service(*script: Any, **settings: Any) -> dict[str, Any]:
    return {"workers": 10, "script": [{"compute": step} if isinstance(step, str) else step for step in script], **settings}


def sample_of(scenario: dict[str, Any], **settings: Any) -> SlowSample:
    made = ms.load(scenario).plan
    sample = SlowSample(made, **settings)
    reference.run(made, 1, 0, (sample,))
    return sample


def total_ms(scenario: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Milliseconds by service and stage, over all requests (ten at most)."""
    sample = sample_of(scenario)
    columns = stages(sample)
    count = len(sample.records().requests["request"])
    return {
        (name, stage): round(mean_s * count * 1e3, 6)
        for of, name, stage, mean_s in zip(*(columns[name] for name in ("route", "service", "stage", "mean_s")), strict=True)
        if of == "(all)"
    }


def test_a_gateway_and_sidecars_take_time_and_each_stands_where_it_is():
    services = {"a": service("10ms", {"call": "b"}, "1ms"), "b": service("5ms")}
    proxies = {"gateway": route(proxy_time="2ms"), "mesh": {"proxy_time": "700us"}}

    spent = total_ms(world(deployment="gateway+mesh", services=services, network={"same_zone": "300us"}, **proxies))

    assert spent == {
        ("(gateway)", "network"): 0.6,
        ("(gateway)", "proxy"): 2.0,
        ("a", "network"): 0.6,
        ("a", "proxy"): 1.4,
        ("a", "service"): 11.0,
        ("b", "network"): 0.6,
        ("b", "proxy"): 0.7,
        ("b", "service"): 5.0,
    }


def test_who_stands_in_front_of_one_worker_is_waited_for_in_the_queue():
    spent = total_ms(world(load=users(3), services={"a": service("10ms", workers=1)}))

    assert spent == {("a", "queue"): 0 + 10 + 20, ("a", "service"): 30.0}


def test_who_stands_in_front_of_a_proxys_one_worker_is_waited_for_in_the_proxy():
    spent = total_ms(world(load=users(3), gateway=route(workers=1, proxy_time="2ms")))

    assert spent == {("(gateway)", "proxy"): 2 + 4 + 6, ("a", "service"): 30.0}


def test_a_pool_of_one_connection_is_waited_for_by_the_name_of_its_service():
    spent = total_ms(world(load=users(3), gateway=route({"circuit_breakers": {"max_connections": 1}})))

    assert spent == {("a", "connection"): 0 + 10 + 20, ("a", "service"): 30.0}


def test_a_wait_for_a_connection_that_a_timeout_ends_is_a_wait_for_a_connection():
    """No attempt's row tells of it: it never got as far."""
    traffic = {"circuit_breakers": {"max_connections": 1}, "timeout": "16ms"}

    spent = total_ms(world(load=users(3), gateway=route(traffic)))

    assert spent == {("a", "connection"): 0 + 10 + 16, ("a", "service"): 10 + 6}


def test_so_is_that_of_a_sidecar_though_its_caller_goes_on():
    services = {"a": service("1ms", {"call": "b", "optional": True}, "2ms"), "b": service("10ms")}
    traffic = {"b": {"circuit_breakers": {"max_connections": 1}, "timeout": "16ms"}}

    spent = total_ms(world(deployment="gateway+mesh", load=users(3), services=services, mesh={"traffic": traffic}))

    assert spent == {("a", "service"): 3 * 3.0, ("b", "connection"): 0 + 10 + 16, ("b", "service"): 10 + 6}


def test_a_retry_waits_its_back_off_and_goes_through_the_whole_way_again():
    retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "4ms", "max_interval": "4ms"}}
    scenario = world(services={"a": service("10ms", errors="100%")}, gateway=route(settings={"retries": retries}))
    result = ms.load(scenario).run(seed=1)
    wait_ms = result.attempts["backoff_ns"].tolist()[1] / MS

    spent = total_ms(scenario)

    assert 0 < wait_ms <= 4
    assert spent == {("a", "back-off"): wait_ms, ("a", "service"): 20.0}


def test_the_back_off_of_a_client_is_the_clients():
    retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "4ms", "max_interval": "4ms"}}
    scenario = world(
        load={"clients": {**ONE_SHOT, "retries": retries}},
        services={"a": service("10ms", errors="100%")},
        gateway=route(proxy_time="1ms"),
        network={"same_zone": "500us"},
    )
    latency_ms = ms.load(scenario).run(seed=1).requests["latency_s"].iloc[0] * 1e3

    spent = total_ms(scenario)

    assert 0 < spent.pop(("(client)", "back-off")) == pytest.approx(latency_ms - 26)
    assert spent == {("(gateway)", "network"): 2.0, ("(gateway)", "proxy"): 2.0, ("a", "network"): 2.0, ("a", "service"): 20.0}


def test_a_try_that_its_timeout_ends_counts_for_what_it_was_at():
    """The first computes; its worker goes on after the timeout, so the second waits for it, and then computes until its own."""
    retries = {"num_retries": 1, "retry_on": ["5xx"], "per_try_timeout": "6ms", "retry_back_off": {"base_interval": "1ns"}}

    spent = total_ms(world(services={"a": service("10ms", workers=1)}, gateway=route(settings={"retries": retries})))

    assert spent == {("a", "queue"): 4.0, ("a", "service"): 6 + 2.0}


def test_of_calls_side_by_side_the_one_that_ended_last_is_waited_for():
    script = [{"call": "b"}, {"call": "c"}]
    services = {"a": service("1ms", script, "2ms"), "b": service("30ms"), "c": service("7ms", workers=1)}

    assert total_ms(world(services=services)) == {("a", "service"): 3.0, ("b", "service"): 30.0}
    services["b"] = service("5ms")
    assert total_ms(world(services=services)) == {("a", "service"): 3.0, ("c", "service"): 7.0}


def test_an_asynchronous_service_waits_for_its_worker_again():
    services = {"a": service("5ms", {"call": "b"}, "5ms", workers=1, **{"async": True}), "b": service("2ms")}

    spent = total_ms(world(load=users(2), services=services))

    # 0-5 first computes; 5-10 second; 7 first is back and waits until 10; 12 second is back and waits until 15
    assert spent == {("a", "queue"): 5 + 3 + 3, ("a", "service"): 20.0, ("b", "service"): 4.0}


def test_what_a_client_that_gave_up_was_waiting_for():
    scenario = world(
        load={"clients": {**ONE_SHOT, "timeout": "12ms"}},
        deployment="gateway",
        services={"a": service("3ms", {"call": "b"}), "b": service("100ms")},
        network={"same_zone": "1ms"},
    )

    spent = total_ms(scenario)

    assert spent == {
        ("(gateway)", "network"): 1.0,
        ("a", "network"): 1.0,
        ("a", "service"): 3.0,
        ("b", "network"): 1.0,
        ("b", "service"): 6.0,
    }


def test_a_link_between_zones_is_on_the_wire():
    services = {"a": service("10ms", zones={"east": 1}), "b": service("5ms", zones={"west": 1})}
    services["a"]["script"].append({"call": "b"})
    gateway = route(zones={"east": 1})
    scenario = world(services=services, gateway=gateway, network={"same_zone": "100us", "cross_zone": "3ms"})
    scenario["load"]["clients"]["zone"] = "east"

    spent = total_ms(scenario)

    assert spent["b", "network"] == 6.0
    assert spent["a", "network"] == 0.2


def test_the_slowest_hundredth_of_each_route_and_ten_at_least():
    sample = SlowSample(plan(routes=("big", "small"), services=("a",)))
    big, small = np.arange(2000), np.arange(2000, 2012)
    latency_ns = np.concatenate([(big + 1) * MS, (small - 1999) * SECOND])
    number = np.concatenate([big, small])
    rows = {"request": number, "route": (number >= 2000).astype(int), "started_ns": 3 * SECOND}
    sample.take("requests", requests(**rows, ended_ns=3 * SECOND + latency_ns))

    made = pd.DataFrame(stages(sample)).set_index("route")

    assert made.loc["big", "mean_s"] == pytest.approx(np.arange(1981, 2001).mean() / 1e3)
    assert made.loc["small", "mean_s"] == pytest.approx(np.arange(3, 13).mean())
    assert made.loc["(all)", "mean_s"] == pytest.approx(np.sort(latency_ns)[-21:].mean() / 1e9)
    assert made["share"].tolist() == [1.0, 1.0, 1.0]


def test_only_requests_that_start_in_the_measured_window_count():
    sample = SlowSample(plan())
    started_ns = np.array([0, 2 * SECOND - 1, 2 * SECOND, 10 * SECOND - 1, 10 * SECOND])
    sample.take("requests", requests(request=np.arange(5), started_ns=started_ns, ended_ns=started_ns + MS))
    sample.take("attempts", attempts(request=np.arange(5), request_started_ns=started_ns))

    assert sample.records().requests["request"].tolist() == [2, 3]
    assert sample.records().tries["request"].tolist() == [2, 3]


@pytest.mark.parametrize("piece", [97, 1000, 5000])
def test_a_sample_is_bounded_and_the_same_however_it_came_in(piece):
    number = np.arange(5000)
    sample = SlowSample(plan(), limit=400)
    for since in range(0, 5000, piece):
        part = number[since : since + piece]
        sample.take("attempts", attempts(request=part, request_started_ns=np.full(len(part), 3 * SECOND)))
        sample.take("requests", requests(request=part, started_ns=3 * SECOND, ended_ns=3 * SECOND + MS))
    whole = SlowSample(plan())
    whole.take("requests", requests(request=number, started_ns=3 * SECOND, ended_ns=3 * SECOND + MS))

    held = sample.records()

    assert sample.share == 1 / 16
    assert 200 < len(held.requests["request"]) <= 400
    assert np.array_equal(held.tries["request"], held.requests["request"])
    drawn = whole.records().requests["drawn"]
    assert held.requests["request"].tolist() == number[drawn < 1 / 16].tolist()


def test_what_belongs_to_no_request_takes_no_place_in_the_sample():
    """Copies and detached calls have the number -1; thousands of them are no reason to look at fewer requests."""
    sample = SlowSample(plan(), limit=10)
    sample.take("attempts", attempts(request=np.full(5000, -1), request_started_ns=np.full(5000, 3 * SECOND)))
    sample.take("attempts", attempts(request=np.arange(5), request_started_ns=np.full(5, 3 * SECOND)))

    assert sample.share == 1
    assert sample.records().tries["request"].tolist() == [0, 1, 2, 3, 4]


RICH = {
    "name": "rich",
    "deployment": "gateway+mesh",
    "load": {
        "clients": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "200/s",
            "requests": {"buy": 3, "look": 1, "/nowhere": 1},
            "timeout": "150ms",
        }
    },
    "gateway": {
        "proxy_time": "300us",
        "routes": {"buy": {"path": "/buy", "to": "a"}, "look": {"path": "/look", "to": "b"}},
        "traffic": {"*": {"timeout": "100ms", "circuit_breakers": {"max_connections": 4}}},
    },
    "mesh": {
        "proxy_time": {"exponential": {"mean": "200us"}},
        "traffic": {"b": {"retries": {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "20ms"}}},
    },
    "services": {
        "a": service("3ms", [{"call": "b"}, {"call": "c", "timeout": "15ms", "optional": True}], "1ms", workers=6),
        "b": service({"compute": {"exponential": {"mean": "6ms"}}}, workers=2, errors="10%"),
        "c": service({"compute": {"exponential": {"mean": "8ms"}}}, workers=2, **{"async": True}),
    },
    "network": {"same_zone": "200us"},
    "run": {"duration": "12s", "warm_up": "2s", "interval": "1s"},
}


def test_the_sums_are_the_mean_latency_of_the_slowest():
    result = ms.load(RICH).run(seed=1)
    measured = result.requests[result.requests["started_ns"] >= 2e9]

    made = pd.DataFrame(stages(sample_of(RICH)))

    for of, rows in made.groupby("route"):
        mine = (
            measured if of == "(all)" else measured[measured["route"].isna() if of == "(no route)" else measured["route"] == of]
        )
        slow = mine["latency_s"].nlargest(max(10, int(np.ceil(len(mine) / 100))))
        assert rows["mean_s"].sum() == pytest.approx(slow.mean(), rel=1e-12)
        assert rows["share"].sum() == pytest.approx(1, rel=1e-12)


def test_the_frames_of_a_run_directory_tell_the_same():
    result = ms.load(RICH).run(seed=1)
    waits = pd.read_parquet(result.directory / "waits.parquet")
    sample = sample_of(RICH)

    pd.testing.assert_frame_equal(
        frames.stages(result.requests, result.attempts, 2, 12, waits=waits), pd.DataFrame(stages(sample))
    )
    shown = pd.DataFrame(spans(sample))
    number = int(shown["request"].iloc[0])
    pd.testing.assert_frame_equal(frames.spans(result.requests, result.attempts, number, waits=waits), shown)


def test_without_the_waits_the_sums_still_are_the_latency():
    result = ms.load(RICH).run(seed=1)

    made = frames.stages(result.requests, result.attempts, 2, 12)
    exact = pd.DataFrame(stages(sample_of(RICH)))

    assert made.groupby("route")["mean_s"].sum().to_dict() == pytest.approx(exact.groupby("route")["mean_s"].sum().to_dict())


def test_a_request_is_shown_with_all_that_happened_until_its_end():
    result = ms.load(RICH).run(seed=1)
    sample = sample_of(RICH)
    latency_ns = np.sort(result.requests.query("started_ns >= 2e9").eval("ended_ns - started_ns"))

    shown = pd.DataFrame(spans(sample))
    number = int(shown["request"].iloc[0])
    tries = result.attempts[result.attempts["request"] == number]
    each = shown.groupby("span")

    assert shown["request"].tolist() == [number] * len(shown)
    assert round(shown["until_s"].max() * 1e9) == latency_ns[int(np.ceil(0.99 * len(latency_ns))) - 1]
    assert each.first()["service"].tolist()[:2] == ["(client)", "(gateway)"]
    assert len(each) == 2 + len(tries)
    assert (each["from_s"].min().diff().iloc[1:] >= 0).all()
    parents = each.first()["parent"]
    assert (parents.iloc[1:] < parents.index[1:]).all()
    depth = each.first()["depth"]
    assert (depth.iloc[1:].to_numpy() == depth.loc[parents.iloc[1:]].to_numpy() + 1).all()
    for (span, attempt), row in zip(each, [None, None, *tries.sort_values(["sent_ns", "id"]).itertuples()], strict=True):
        if row is not None:
            assert attempt["service"].iloc[0] == row.service, span
            assert attempt["from_s"].min() == pytest.approx((row.sent_ns - row.request_started_ns) / 1e9)
            assert attempt["until_s"].max() == pytest.approx((row.ended_ns - row.request_started_ns) / 1e9)


def test_a_sample_that_was_halved_before_the_first_wait_takes_it():
    sample = sample_of(RICH, limit=300)

    records = sample.records()

    assert sample.share < 1
    assert len(records.requests["request"]) <= 300
    whole = sample_of(RICH).records()
    chosen = np.isin(whole.tries["request"], records.requests["request"])
    assert np.array_equal(np.sort(records.tries["ended_ns"]), np.sort(whole.tries["ended_ns"][chosen]))
    first = SlowSample(plan(), limit=10)
    first.take("requests", requests(request=np.arange(40), started_ns=3 * SECOND, ended_ns=4 * SECOND))
    first.take("waits", chunk("waits", request=np.arange(40), request_started_ns=3 * SECOND, ended_ns=4 * SECOND, proxy_ns=MS))
    assert first.records().tries["request"].tolist() == first.records().requests["request"].tolist()


def test_a_run_without_requests_has_no_rows():
    sample = SlowSample(plan())

    assert all(column == [] for column in stages(sample).values())
    assert all(column == [] for column in spans(sample).values())


def test_a_request_that_is_not_held_is_refused():
    with pytest.raises(ValueError, match="request 7 is not among those that were kept"):
        spans(SlowSample(plan()), 7)
