"""The corners of the model that people get wrong, one small world each. Times are constants, so every figure is exact."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms

MS = 1_000_000


def world(**parts: Any) -> dict[str, Any]:
    """One request every 100 ms, ten of them, to a service of 10 ms behind a gateway that takes no time."""
    scenario: dict[str, Any] = {
        "name": "world",
        "deployment": "gateway",
        "load": {"clients": {"executor": "constant-arrival-rate", "rate": "10/s", "arrivals": "even", "requests": {"all": 1}}},
        "gateway": {"routes": {"all": {"path": "/", "to": "server"}}},
        "services": {"server": {"workers": 10, "script": [{"compute": "10ms"}]}},
        "run": {"duration": "1s"},
    }
    for key, value in parts.items():
        scenario[key] = {**scenario[key], **value} if isinstance(value, dict) and isinstance(scenario.get(key), dict) else value
    return scenario


def route(**settings: Any) -> dict[str, Any]:
    return {"routes": {"all": {"path": "/", "to": "server", **settings}}}


def server(**settings: Any) -> dict[str, Any]:
    return {"server": {"workers": 10, "script": [{"compute": "10ms"}], **settings}}


def run(**parts: Any) -> ms.Result:
    return ms.load(world(**parts)).run()


def test_latency_is_work_plus_every_way():
    """Client to gateway, gateway to instance, and both back: four ways of 1 ms, two of them to another zone at 3 ms."""
    result = run(
        network={"same_zone": "1ms", "cross_zone": "3ms"},
        load={
            "clients": {
                "executor": "constant-arrival-rate",
                "arrivals": "poisson",
                "rate": "10/s",
                "requests": {"all": 1},
                "zone": "far",
            }
        },
    )

    assert set(result.requests["ended_ns"] - result.requests["started_ns"]) == {(10 + 2 * 1 + 2 * 3) * MS}


def test_a_route_timeout_answers_504_with_ut_and_is_not_retried():
    retries = {"num_retries": 3, "retry_on": ["5xx"]}

    result = run(gateway=route(timeout="4ms", retries=retries))

    assert set(result.requests["status"]) == {504}
    assert set(result.requests["response_flags"]) == {"UT"}
    assert set(result.requests["attempts"]) == {1}
    assert set(result.requests["ended_ns"] - result.requests["started_ns"]) == {4 * MS}


def test_a_per_try_timeout_is_retried_under_5xx_and_ends_as_ut_and_urx():
    retries = {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "4ms", "retry_back_off": {"base_interval": "1ms"}}

    result = run(gateway=route(retries=retries))

    assert set(result.requests["attempts"]) == {3}
    assert set(result.requests["response_flags"]) == {"URX,UT"}
    assert set(result.requests["status"]) == {504}
    assert result.attempts["response_flags"].tolist() == ["UT", "UT", "URX,UT"] * 10


def test_a_per_try_timeout_is_not_retried_without_a_condition_that_matches():
    result = run(gateway=route(retries={"num_retries": 2, "retry_on": ["connect-failure"], "per_try_timeout": "4ms"}))

    assert set(result.requests["attempts"]) == {1}
    assert set(result.requests["response_flags"]) == {"UT"}


def test_a_route_timeout_covers_all_tries_and_back_offs():
    retries = {
        "num_retries": 9,
        "retry_on": ["5xx"],
        "per_try_timeout": "4ms",
        "retry_back_off": {"base_interval": "1ms", "max_interval": "1ms"},
    }

    result = run(gateway=route(timeout="15ms", retries=retries))

    assert set(result.requests["attempts"]) == {4}
    assert set(result.requests["ended_ns"] - result.requests["started_ns"]) == {15 * MS}
    assert set(result.requests["response_flags"]) == {"UT"}


@pytest.mark.parametrize(
    ("on_cancel", "worked_ms", "finished_ms"), [("continue", 10, 10), ("drop_queued", 10, 10), ("stop", 4, 4)]
)
def test_abandoned_work_goes_on_unless_the_service_stops(on_cancel, worked_ms, finished_ms):
    result = run(gateway=route(timeout="4ms"), services=server(on_cancel=on_cancel))

    attempts = result.attempts
    assert set(attempts["worked_ns"]) == {worked_ms * MS}
    assert set(attempts["wasted_ns"]) == {worked_ms * MS}
    assert set(attempts["finished_ns"] - attempts["started_ns"]) == {finished_ms * MS}
    assert set(attempts["ended_ns"] - attempts["sent_ns"]) == {4 * MS}


@pytest.mark.parametrize(("on_cancel", "worked"), [("continue", 4), ("drop_queued", 1), ("stop", 0)])
def test_abandoned_requests_that_still_wait_are_worked_on_unless_dropped(on_cancel, worked):
    """Four requests at once for one worker of 10 ms, all given up after 5 ms: one is being worked on, three wait."""
    load = {"clients": {"executor": "constant-vus", "vus": 4, "requests": {"all": 1}, "duration": "1ms"}}

    result = run(load=load, gateway=route(timeout="5ms"), services=server(workers=1, on_cancel=on_cancel))

    assert (result.attempts["worked_ns"] == 10 * MS).sum() == worked
    assert result.counters["finished"].sum() == 4


def test_the_message_that_the_caller_has_gone_takes_the_way_of_the_link():
    result = run(gateway=route(timeout="6ms"), services=server(on_cancel="stop"), network={"same_zone": "1ms"})

    assert set(result.attempts["worked_ns"]) == {
        6 * MS
    }  # cancelled 6 ms after sending; the way there and the message's way are equal


def test_a_worker_is_held_while_its_request_waits_for_a_call_unless_async():
    services = {
        "server": {"workers": 1, "script": [{"compute": "10ms"}, {"call": "slow"}]},
        "slow": {"workers": 10, "script": [{"compute": "200ms"}]},
    }
    load = {"clients": {"executor": "constant-vus", "vus": 2, "requests": {"all": 1}, "duration": "1ms"}}

    held = run(services=services, load=load).requests["ended_ns"].tolist()
    services["server"]["async"] = True
    free = run(services=services, load=load).requests["ended_ns"].tolist()

    assert held == [210 * MS, 420 * MS]
    assert free == [210 * MS, 220 * MS]


def test_a_failed_call_fails_the_caller_unless_it_is_optional():
    services = {
        "server": {"workers": 10, "script": [{"compute": "1ms"}, {"call": "broken"}]},
        "broken": {"workers": 10, "script": [{"compute": "1ms"}], "errors": "100%"},
    }

    needed = run(services=services).requests
    services["server"]["script"][1]["optional"] = True
    optional = run(services=services).requests

    assert set(needed["status"]) == {500}
    assert set(needed["response_flags"]) == {"dependency"}
    assert set(needed["origin"]) == {"broken"}
    assert set(needed["origin_flags"]) == {"error"}
    assert set(optional["status"]) == {200}


def test_parallel_calls_take_as_long_as_the_longest():
    services = {
        "server": {"workers": 10, "script": [{"compute": "1ms"}, [{"call": "short"}, {"call": "long"}]]},
        "short": {"workers": 10, "script": [{"compute": "5ms"}]},
        "long": {"workers": 10, "script": [{"compute": "20ms"}]},
    }

    result = run(services=services)

    assert set(result.requests["ended_ns"] - result.requests["started_ns"]) == {21 * MS}


def test_a_full_queue_refuses_at_once():
    load = {"clients": {"executor": "constant-vus", "vus": 4, "requests": {"all": 1}, "duration": "1ms"}}

    result = run(load=load, services=server(workers=1, queue={"limit": 2}))

    assert sorted(result.requests["response_flags"]) == ["-", "-", "-", "queue_full"]
    assert result.requests.query("response_flags == 'queue_full'")["status"].tolist() == [503]


def test_a_crash_breaks_requests_on_their_way_and_refuses_new_ones():
    """Requests at 0, 100, 200 ms ...; the instance is down from 205 to 405 ms, so the one of 200 ms is cut off."""
    result = run(faults=[{"at": "205ms", "for": "200ms", "service": "server", "crash": True}])

    assert result.requests["response_flags"].tolist() == ["-", "-", "UC", "UF", "UF", "-", "-", "-", "-", "-"]
    assert result.requests["status"].tolist()[2:5] == [503, 503, 503]
    assert result.requests["ended_ns"][2] == 205 * MS


def test_a_slow_instance_takes_longer_for_work_that_begins_in_the_time_of_the_fault():
    result = run(faults=[{"at": "150ms", "for": "100ms", "service": "server", "slow": 5}])

    assert (result.attempts["worked_ns"] // MS).tolist() == [10, 10, 50, 10, 10, 10, 10, 10, 10, 10]


def test_pool_overflow_is_never_retried():
    """503 UO of the proxy's own pool, although `5xx` would match any 503. Source: measured, reference over_cb_maxreq_retry."""
    load = {"clients": {"executor": "constant-vus", "vus": 3, "requests": {"all": 1}, "duration": "1ms"}}
    gateway = {
        **route(retries={"num_retries": 3, "retry_on": ["5xx"]}),
        "traffic": {"server": {"circuit_breakers": {"max_requests": 2}}},
    }

    result = run(load=load, gateway=gateway)

    assert sorted(result.requests["response_flags"]) == ["-", "-", "UO"]
    assert result.attempts["response_flags"].value_counts().to_dict() == {"-": 2, "UO": 1}
    assert result.requests.query("response_flags == 'UO'")["attempts"].tolist() == [0]


def test_waiting_for_a_connection_is_not_part_of_the_try_but_of_the_route_timeout():
    """Two requests, one connection, 10 ms of work: the second waits 10 ms. A per-try timeout of 15 ms leaves both alone."""
    load = {"clients": {"executor": "constant-vus", "vus": 2, "requests": {"all": 1}, "duration": "1ms"}}
    limits = {"traffic": {"server": {"circuit_breakers": {"max_connections": 1}}}}

    tries = run(load=load, gateway={**route(retries={"num_retries": 0, "per_try_timeout": "15ms"}), **limits}).requests
    whole = run(load=load, gateway={**route(timeout="15ms"), **limits}).requests

    assert tries["response_flags"].tolist() == ["-", "-"]
    assert tries["ended_ns"].tolist() == [10 * MS, 20 * MS]
    assert whole["response_flags"].tolist() == ["-", "UT"]


def test_each_host_may_have_one_connection_whatever_the_limit():
    load = {"clients": {"executor": "constant-vus", "vus": 4, "requests": {"all": 1}, "duration": "1ms"}}
    gateway = {**route(), "traffic": {"server": {"load_balancer": "round_robin", "circuit_breakers": {"max_connections": 1}}}}

    result = run(load=load, gateway=gateway, services=server(replicas=4))

    assert set(result.requests["ended_ns"]) == {10 * MS}


def test_a_retry_holds_its_slot_through_the_back_off():
    """Two requests fail at once with max_retries 1: while the first waits in its back-off, the second finds no slot."""
    load = {"clients": {"executor": "constant-vus", "vus": 2, "requests": {"all": 1}, "duration": "1ms"}}
    gateway = {
        **route(retries={"num_retries": 1, "retry_on": ["5xx"]}),
        "traffic": {"server": {"circuit_breakers": {"max_retries": 1}}},
    }

    result = run(load=load, gateway=gateway, services=server(errors="100%"))

    assert sorted(result.requests["response_flags"]) == ["UO,error", "URX,error"]


def test_previous_hosts_are_avoided_by_picking_again():
    """Of two hosts one has crashed; round robin alone would take turns, and so does a retry, so use random: 5 picks miss in 1 of 32."""
    gateway = {**route(retries={"num_retries": 1, "retry_on": ["connect-failure"], "retry_host_predicate": "previous_hosts",
                                "host_selection_retry_max_attempts": 5}), "traffic": {"server": {"load_balancer": "random"}}}  # fmt: skip
    load = {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "500/s", "requests": {"all": 1}}}
    faults = [{"at": "0s", "for": "2s", "service": "server", "crash": True, "replicas": 1}]

    with_predicate = run(gateway=gateway, load=load, faults=faults, services=server(replicas=2)).requests
    gateway["routes"]["all"]["retries"].pop("retry_host_predicate")
    without = run(gateway=gateway, load=load, faults=faults, services=server(replicas=2)).requests

    assert (with_predicate["status"] != 200).mean() < 0.03
    assert 0.2 < (without["status"] != 200).mean() < 0.3


def test_5xx_does_not_match_a_failed_grpc_call_but_unavailable_does():
    services = {"server": {"protocol": "grpc", "workers": 10, "script": [{"compute": "1ms"}], "errors": "100%"}}

    by_status = run(services=services, gateway=route(retries={"num_retries": 2, "retry_on": ["5xx"]})).requests
    by_grpc = run(services=services, gateway=route(retries={"num_retries": 2, "retry_on": ["unavailable"]})).requests

    assert set(by_status["attempts"]) == {1}
    assert set(by_status["status"]) == {200}
    assert set(by_status["grpc_status"]) == {14}
    assert set(by_grpc["attempts"]) == {3}


def test_a_rate_limited_answer_of_a_sidecar_is_not_retried_by_status():
    bucket = {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "10s"}
    retries = {"num_retries": 2, "retry_on": ["retriable-status-codes"], "retriable_status_codes": [429]}
    parts = {
        "deployment": "gateway+mesh",
        "mesh": {"inbound": {"server": {"filters": [{"rate_limit": {"token_bucket": bucket}}]}}},
    }

    plain = run(**parts, gateway=route(retries=retries)).requests
    asked = run(**parts, gateway=route(retries={**retries, "retry_on": ["envoy-ratelimited"]})).requests

    assert plain["response_flags"].value_counts().to_dict() == {"RL": 9, "-": 1}
    assert set(plain["attempts"]) == {1}
    assert asked["attempts"].max() == 3


def test_the_longest_path_wins_and_an_exact_one_before_it():
    routes = {
        "all": {"path": "/", "to": "server"},
        "cart": {"path": "/cart", "to": "server"},
        "item": {"path": {"exact": "/cart/7"}, "to": "server"},
    }
    load = {
        "clients": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "100/s",
            "requests": {"/cart/7": 1, "/cart/8": 1, "/carts": 1},
        }
    }

    result = run(gateway={"routes": routes}, load=load)

    assert set(result.requests["route"]) == {"item", "cart", "all"}


def test_a_path_without_a_route_is_404_nr():
    gateway = {"routes": {"all": {"path": "/here", "to": "server"}}}
    load = {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"/there": 1}}}

    result = run(gateway=gateway, load=load)

    assert set(result.requests["status"]) == {404}
    assert set(result.requests["response_flags"]) == {"NR"}


def test_a_client_that_gives_up_is_status_0_with_dc():
    load = {
        "clients": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "10/s",
            "requests": {"all": 1},
            "timeout": "3ms",
        }
    }

    result = run(load=load)

    assert set(result.requests["status"]) == {0}
    assert set(result.requests["response_flags"]) == {"DC"}
    assert set(result.attempts["response_flags"]) == {"DC"}


def test_weights_split_in_proportion_by_the_requests_own_luck():
    services = {**server(), "other": {"workers": 10, "script": [{"compute": "10ms"}]}}
    load = {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "2000/s", "requests": {"all": 1}}}
    gateway = {"routes": {"all": {"path": "/", "to": {"server": 90, "other": 10}}}}

    result = run(services=services, load=load, gateway=gateway)

    share = (result.attempts["service"] == "other").mean()
    assert share == pytest.approx(0.1, abs=4 * (0.1 * 0.9 / 2000) ** 0.5)  # four standard deviations: one in 16,000


@pytest.mark.parametrize("deployment", ["none", "gateway", "mesh", "gateway+mesh"])
def test_a_request_needs_the_same_work_whichever_proxies_exist(deployment):
    """Common random numbers: arrivals and work belong to the request."""
    parts = {
        "services": server(script=[{"compute": {"exponential": {"mean": "10ms"}}}]),
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "200/s", "requests": {"all": 1}}
        },
    }

    base, other = run(**parts), run(**parts, deployment=deployment)

    assert base.requests["started_ns"].tolist() == other.requests["started_ns"].tolist()
    assert base.attempts["worked_ns"].tolist() == other.attempts["worked_ns"].tolist()


def test_each_proxy_has_its_own_view():
    """Two gateway replicas with a limit of one request each let two through at once, where one replica lets one."""
    load = {"clients": {"executor": "constant-vus", "vus": 20, "requests": {"all": 1}, "duration": "1ms"}}
    traffic = {"traffic": {"server": {"circuit_breakers": {"max_requests": 1}}}}

    one = run(load=load, gateway={**route(), **traffic}, services=server(workers=50)).requests
    two = run(load=load, gateway={**route(), **traffic, "replicas": 2}, services=server(workers=50)).requests

    assert (one["status"] == 200).sum() == 1
    assert (two["status"] == 200).sum() == 2


def test_a_request_that_gives_up_waiting_for_a_connection_makes_room_for_the_next():
    """One connection, held 150 ms of every 250, and one place to wait: the hasty give up waiting after 60 ms, and never find it taken."""
    load = {
        "patient": {"executor": "constant-arrival-rate", "rate": "4/s", "arrivals": "even", "requests": {"patient": 1}},
        "hasty": {
            "executor": "constant-arrival-rate",
            "rate": "10/s",
            "arrivals": "even",
            "requests": {"hasty": 1},
            "start": "1ms",
        },
    }
    gateway = {
        "routes": {"patient": {"path": "/p", "to": "server"}, "hasty": {"path": "/h", "to": "server", "timeout": "60ms"}},
        "traffic": {"server": {"circuit_breakers": {"max_connections": 1, "max_pending_requests": 1}}},
    }
    scenario = world(services=server(script=[{"compute": "150ms"}]))

    flags = ms.load({**scenario, "load": load, "gateway": gateway}).run().requests["response_flags"]

    assert flags.value_counts().to_dict() == {"UT": 10, "-": 4}
