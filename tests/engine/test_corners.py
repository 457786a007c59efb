"""Corners that break simulators: two things at one instant, giving up in the middle, and what is held at that moment."""

from __future__ import annotations

import re
from typing import Any

import pytest

import meshsim as ms

MS = 1_000_000
ONE_SHOT = {"executor": "constant-vus", "vus": 1, "requests": {"all": 1}, "duration": "1ms"}


def world(**parts: Any) -> dict[str, Any]:
    """One request to a service of 10 ms behind a gateway that takes no time."""
    return {
        "name": "corner",
        "deployment": "gateway",
        "load": {"clients": ONE_SHOT},
        "gateway": {"routes": {"all": {"path": "/", "to": "server"}}},
        "services": {"server": {"workers": 10, "script": [{"compute": "10ms"}]}},
        "run": {"duration": "1s", "interval": "100ms"},
        **parts,
    }


def run(**parts: Any) -> ms.Result:
    return ms.load(world(**parts)).run()


def users(count: int, **settings: Any) -> dict[str, Any]:
    return {"clients": {**ONE_SHOT, "vus": count, **settings}}


def route(traffic: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"routes": {"all": {"path": "/", "to": "server", **settings}}}
    return made | ({"traffic": {"server": traffic}} if traffic else {})


def server(*script: Any, **settings: Any) -> dict[str, Any]:
    return {"workers": 10, "script": list(script) or [{"compute": "10ms"}], **settings}


def assert_nothing_is_left(result: ms.Result) -> None:
    last = result.counters.groupby(["service", "instance"], observed=True).last()
    assert (last["busy"] == 0).all()
    assert (last["queued"] == 0).all()
    assert result.counters["arrived"].sum() == result.counters["finished"].sum()
    proxies = result.proxies
    if len(proxies):
        latest = proxies[proxies["time_ns"] == proxies["time_ns"].max()]
        assert (latest[["queued", "busy", "active_retries"]] == 0).all(axis=None)


def test_a_route_timeout_as_long_as_the_per_try_timeout_ends_the_call_at_that_instant():
    """Both timers run out in one event; the outer one must not get lost, or the call would be tried again after its end."""
    retries = {"num_retries": 3, "retry_on": ["5xx"], "per_try_timeout": "4ms"}

    result = run(gateway=route(timeout="4ms", retries=retries))

    assert result.requests["ended_ns"].tolist() == [4 * MS]
    assert result.requests["status"].tolist() == [504]
    assert result.requests["attempts"].tolist() == [1]


def test_a_client_timeout_as_long_as_the_route_timeout_is_the_clients():
    """Two timers of one length set at one instant: the outer one's owner has gone, whatever the inner one would answer."""
    result = run(load=users(1, timeout="4ms"), gateway=route(timeout="4ms"))

    assert result.requests[["status", "response_flags", "ended_ns"]].to_numpy().tolist() == [[0, "DC", 4 * MS]]


def test_a_calls_timeout_as_long_as_the_sidecars_per_try_timeout_is_not_outlived_by_retries():
    services = {"server": server({"call": "slow", "timeout": "20ms"}), "slow": server({"compute": "100ms"})}
    traffic = {"slow": {"retries": {"num_retries": 5, "retry_on": ["5xx"], "per_try_timeout": "20ms"}}}

    result = run(deployment="gateway+mesh", services=services, mesh={"traffic": traffic})

    assert result.requests["ended_ns"].tolist() == [20 * MS]
    assert (result.attempts["service"] == "slow").sum() == 1


def test_a_worker_handed_over_in_the_instant_of_a_timeout_is_not_lost():
    """One worker, four requests of 10 ms, route timeout 10 ms: the worker is free at the very instant in which all give up."""
    for on_cancel in ("continue", "drop_queued", "stop"):
        result = run(load=users(4), gateway=route(timeout="10ms"), services={"server": server(workers=1, on_cancel=on_cancel)})

        assert result.requests["response_flags"].tolist() == ["UT"] * 4
        assert_nothing_is_left(result)


def test_a_connection_handed_over_in_the_instant_of_a_timeout_is_not_lost():
    """One connection: the first request's answer frees it at 10 ms, in which instant the second gives up; a third can still go."""
    load = {"first": {**ONE_SHOT, "vus": 2}, "later": {**ONE_SHOT, "start": "20ms"}}
    gateway = route(traffic={"circuit_breakers": {"max_connections": 1, "max_requests": 1}}, timeout="10ms1ns")

    result = run(load=load, gateway=gateway)

    assert result.requests["response_flags"].tolist() == ["-", "UT", "-"]
    assert_nothing_is_left(result)


def test_who_gives_up_while_waiting_for_a_connection_frees_its_place_among_the_pending():
    load = {"first": {**ONE_SHOT, "vus": 2, "timeout": "5ms"}, "later": {**ONE_SHOT, "vus": 3, "start": "6ms", "timeout": "30ms"}}
    gateway = route(traffic={"circuit_breakers": {"max_connections": 1, "max_pending_requests": 1}})

    result = run(load=load, gateway=gateway)

    assert result.requests.query("source == 'first'")["response_flags"].tolist() == ["DC", "DC"]
    assert result.requests.query("source == 'later'")["response_flags"].tolist() == ["-", "-", "UO"]
    assert_nothing_is_left(result)


def test_all_queued_requests_are_lost_in_a_crash_and_their_callers_told_at_once():
    fault = {"at": "5ms", "for": "100ms", "service": "server", "crash": True}

    result = run(load=users(6), services={"server": server(workers=2)}, faults=[fault])

    assert result.requests["ended_ns"].tolist() == [5 * MS] * 6
    assert result.requests["response_flags"].tolist() == ["UC"] * 6
    assert sorted(result.attempts["worked_ns"]) == [0, 0, 0, 0, 5 * MS, 5 * MS]
    assert_nothing_is_left(result)


def test_a_crash_in_the_instant_in_which_a_worker_is_handed_over_leaves_no_worker_held():
    """The first of two requests is done at 10 ms, in the instant of the crash; after it the instance works as before."""
    fault = {"at": "10ms", "for": "10ms", "service": "server", "crash": True}
    load = {"first": {**ONE_SHOT, "vus": 2}, "later": {**ONE_SHOT, "vus": 1, "start": "30ms"}}

    result = run(load=load, services={"server": server(workers=1)}, faults=[fault])

    assert result.requests.query("source == 'later'")["ended_ns"].tolist() == [40 * MS]
    assert_nothing_is_left(result)


def test_overlapping_crashes_last_until_the_later_end():
    faults = [
        {"at": "0s", "for": "200ms", "service": "server", "crash": True},
        {"at": "100ms", "for": "200ms", "service": "server", "crash": True},
    ]
    load = {"clients": {"executor": "constant-arrival-rate", "rate": "20/s", "arrivals": "even", "requests": {"all": 1}}}

    result = run(load=load, faults=faults)

    is_up = result.requests.set_index("started_ns")["response_flags"] == "-"
    assert not is_up[is_up.index < 300 * MS].any()
    assert is_up[is_up.index >= 300 * MS].all()
    assert result.counters.query("time_ns < 300_000_000")["is_up"].tolist() == [0, 0]


def test_overlapping_slow_downs_multiply_and_leave_nothing_behind():
    """1.1 x 1.3 / 1.1 / 1.3 is not 1 in binary; an hour of work would still be seconds of nanoseconds too long."""
    faults = [
        {"at": "0s", "for": "300ms", "service": "server", "slow": 1.1},
        {"at": "100ms", "for": "400ms", "service": "server", "slow": 1.3},
        {"at": "140ms", "for": "120ms", "service": "server", "slow": 1.7},
    ]
    rate = {"executor": "constant-arrival-rate", "rate": "10/s", "arrivals": "even"}
    load = {"clients": {**rate, "start": "50ms", "requests": {"all": 1}}}
    work = {"server": server({"compute": "50ms"})}

    result = run(load=load, faults=faults, services=work, run={"duration": "2s"})

    worked = (result.attempts["worked_ns"] / (50 * MS)).tolist()
    assert worked[:3] == pytest.approx([1.1, 1.1 * 1.3 * 1.7, 1.1 * 1.3 * 1.7])
    assert worked[3:5] == pytest.approx([1.3, 1.3])
    assert worked[5:] == [1.0] * 15


def test_cancelling_a_request_whose_calls_run_in_parallel_cancels_all_of_them():
    services = {
        "server": server([{"call": "left"}, {"call": "right"}], on_cancel="stop"),
        "left": server({"compute": "100ms"}, on_cancel="stop"),
        "right": server({"compute": "200ms"}, on_cancel="stop"),
    }

    result = run(gateway=route(timeout="30ms"), services=services)

    assert result.requests["response_flags"].tolist() == ["UT"]
    assert result.attempts.set_index("service")["worked_ns"].to_dict() == {"server": 0, "left": 30 * MS, "right": 30 * MS}
    assert set(result.attempts["finished_ns"]) == {30 * MS}
    assert_nothing_is_left(result)


def test_cancelling_when_one_of_the_parallel_calls_has_ended_cancels_the_other():
    services = {
        "server": server([{"call": "left"}, {"call": "right"}], on_cancel="stop"),
        "left": server({"compute": "10ms"}, on_cancel="stop"),
        "right": server({"compute": "200ms"}, on_cancel="stop"),
    }

    result = run(gateway=route(timeout="30ms"), services=services)

    assert result.attempts.set_index("service")["worked_ns"].to_dict() == {"server": 0, "left": 10 * MS, "right": 30 * MS}
    assert_nothing_is_left(result)


def test_a_parallel_call_that_ends_in_the_instant_of_the_cancellation_harms_nothing():
    services = {
        "server": server([{"call": "left"}, {"call": "right"}], {"compute": "5ms"}, on_cancel="stop"),
        "left": server({"compute": "30ms"}, on_cancel="stop"),
        "right": server({"compute": "30ms"}, on_cancel="stop"),
    }

    result = run(gateway=route(timeout="30ms"), services=services)

    assert result.requests["response_flags"].tolist() == ["UT"]
    assert_nothing_is_left(result)


def test_a_crash_of_the_caller_during_parallel_calls_with_retries_frees_their_retry_slots():
    retries = {"num_retries": 5, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "900ms", "max_interval": "900ms"}}
    services = {
        "server": server([{"call": "left"}, {"call": "left"}]),
        "left": server({"compute": "1ms"}, errors="100%"),
    }
    traffic = {"left": {"retries": retries, "circuit_breakers": {"max_retries": 4}}}
    fault = {"at": "100ms", "for": "10ms", "service": "server", "crash": True}

    result = run(
        deployment="gateway+mesh",
        services=services,
        mesh={"traffic": traffic},
        faults=[fault],
        load=users(2),
        run={"duration": "1s", "interval": "10ms"},
    )

    assert result.requests["response_flags"].tolist() == ["UC", "UC"]
    assert result.proxies["active_retries"].max() == 4
    assert_nothing_is_left(result)


def test_a_per_try_timeout_while_the_request_is_on_the_link_means_it_never_arrived():
    retries = {"num_retries": 1, "retry_on": ["reset"], "per_try_timeout": "4ms", "retry_back_off": {"base_interval": "1ms"}}

    result = run(gateway=route(retries=retries), network={"same_zone": "6ms"})

    assert result.attempts["response_flags"].tolist() == ["UT", "URX,UT"]
    assert result.attempts["arrived_ns"].tolist() == [-1, -1]
    assert (result.attempts["ended_ns"] - result.attempts["sent_ns"]).tolist() == [4 * MS, 4 * MS]
    assert result.counters["arrived"].sum() == 0


def test_a_per_try_timeout_while_the_answer_is_on_the_link_wastes_the_work():
    retries = {"num_retries": 0, "per_try_timeout": "17ms"}

    result = run(gateway=route(retries=retries), network={"same_zone": "6ms"})

    assert result.attempts[["finished_ns", "ended_ns", "worked_ns", "wasted_ns"]].to_numpy().tolist() == [
        [22 * MS, 23 * MS, 10 * MS, 10 * MS]
    ]


def test_the_try_that_failed_still_counts_among_the_active_when_the_budget_is_computed():
    """One request and a budget of all that is in flight: one retry at a time. Source: measured, reference semantics."""
    gateway = route(
        traffic={"retry_budget": {"budget_percent": "100%", "min_retry_concurrency": 0}},
        retries={"num_retries": 2, "retry_on": ["5xx"]},
    )

    result = run(gateway=gateway, services={"server": server(errors="100%")})

    assert result.requests["attempts"].tolist() == [3]
    assert result.requests["response_flags"].tolist() == ["URX,error"]


def test_the_minimum_of_the_budget_holds_however_few_requests_there_are():
    gateway = route(
        traffic={"retry_budget": {"budget_percent": "0%", "min_retry_concurrency": 2}},
        retries={"num_retries": 1, "retry_on": ["5xx"]},
    )

    result = run(load=users(5), gateway=gateway, services={"server": server(errors="100%")})

    assert sorted(result.requests["response_flags"]) == ["UO,error"] * 3 + ["URX,error"] * 2


def test_an_asynchronous_service_stopped_while_it_waits_for_its_worker_again_holds_none():
    """One worker. A: 1 ms, call of 10 ms, then its worker again, which B keeps until 101 ms; A is given up at 50 ms."""
    services = {
        "server": server({"call": "left"}, {"compute": "1ms"}, workers=1, on_cancel="stop", **{"async": True}),
        "left": server({"compute": "10ms"}),
    }
    services["server"]["operations"] = {"long": {"script": [{"compute": "100ms"}]}}
    gateway = {
        "routes": {
            "all": {"path": "/", "to": "server", "timeout": "50ms"},
            "long": {"path": "/long", "to": "server/long"},
        }
    }
    load = {
        "a": ONE_SHOT,
        "b": {**ONE_SHOT, "requests": {"long": 1}, "start": "1ms"},
        "c": {**ONE_SHOT, "requests": {"long": 1}, "start": "200ms"},
    }

    result = run(services=services, gateway=gateway, load=load)

    ends = result.requests.set_index("source")["ended_ns"].to_dict()
    assert ends == {"a": 50 * MS, "b": 101 * MS, "c": 300 * MS}
    assert_nothing_is_left(result)


def test_users_who_ramp_down_and_up_again_ask_with_new_luck_and_never_twice_at_once():
    stages = [
        {"target": 4, "duration": "100ms"},
        {"target": 0, "duration": "100ms"},
        {"target": 4, "duration": "100ms"},
        {"target": 0, "duration": "0s"},
    ]
    load = {"clients": {"executor": "ramping-vus", "stages": stages, "requests": {"all": 1}, "think_time": "1ms"}}

    requests = run(load=load, services={"server": server({"compute": {"exponential": {"mean": "10ms"}}})}).requests

    for _, own in requests.groupby("user"):
        assert (own["started_ns"].to_numpy()[1:] >= own["ended_ns"].to_numpy()[:-1]).all()
        assert own["number"].tolist() == list(range(len(own)))
    assert requests["started_ns"].max() < 300 * MS
    assert requests.query("started_ns > 200_000_000")["user"].nunique() >= 3
    assert requests["latency_s"].nunique() == len(requests)


def test_a_user_who_is_to_leave_finishes_the_request_that_it_waits_for():
    stages = [{"target": 1, "duration": "0s"}, {"target": 1, "duration": "5ms"}, {"target": 0, "duration": "0s"}]
    load = {"clients": {"executor": "ramping-vus", "stages": stages, "requests": {"all": 1}}}

    result = run(load=load)

    assert result.requests["ended_ns"].tolist() == [10 * MS]


@pytest.mark.parametrize("think_time", [None, "0s", {"constant": {"value": "0s"}}])
def test_answers_in_no_time_do_not_stop_the_clock(think_time):
    """Without any pause no time would ever pass; the next request comes a millisecond later."""
    settings = {"duration": "20ms", **({"think_time": think_time} if think_time else {})}

    result = run(load=users(1, **settings), services={"server": server({"compute": "0s"})})

    assert len(result.requests) == 20
    assert result.requests["started_ns"].tolist() == [number * MS for number in range(20)]


def test_a_run_cut_short_does_not_wait_for_users_who_would_come_later():
    stages = [{"target": 10, "duration": "1h"}]
    load = {
        "clients": {"executor": "ramping-vus", "start_vus": 1, "stages": stages, "requests": {"all": 1}, "think_time": "50ms"}
    }

    result = run(load=load, run={"duration": "1s"})

    assert result.manifest["simulated_s"] < 2


def test_a_run_does_not_wait_for_users_who_only_think():
    result = run(load=users(2, think_time="1h", duration="1s"))

    assert len(result.requests) == 2
    assert result.manifest["simulated_s"] == 1


def test_a_crash_of_an_instance_while_its_sidecar_works_on_a_request_breaks_the_connection():
    fault = {"at": "5ms", "for": "100ms", "service": "server", "crash": True}

    result = run(deployment="mesh", gateway=route(), mesh={"proxy_time": "8ms"}, faults=[fault],
                 services={"server": server({"call": "left"}), "left": server()})  # fmt: skip

    assert result.requests["response_flags"].tolist() == ["UC"]
    assert_nothing_is_left(result)


def test_without_a_retry_of_its_own_a_sidecar_does_not_avoid_hosts_that_the_applications_retries_tried():
    """`previous_hosts` belongs to the sidecar's retries, of which there are none; the application's take turns."""
    call = {"call": "left", "retries": {"num_retries": 1, "retry_on": ["5xx"]}}
    traffic = {
        "left": {
            "load_balancer": "random",
            "retries": {
                "num_retries": 0,
                "per_try_timeout": "1s",
                "retry_host_predicate": "previous_hosts",
                "host_selection_retry_max_attempts": 20,
            },
        }
    }
    services = {"server": server(call), "left": server(replicas=2, errors="100%")}

    attempts = run(deployment="gateway+mesh", services=services, mesh={"traffic": traffic}, load=users(40)).attempts

    tries = attempts[attempts["service"] == "left"].groupby("parent")["instance"].nunique()
    assert 5 < (tries == 1).sum() < 35


def test_a_bug_that_parks_a_request_for_ever_is_an_error_and_no_endless_run(monkeypatch):
    monkeypatch.setattr("meshsim.engines.reference.services.instance.Instance._finish", lambda *_: None)
    scenario = {
        "name": "stuck",
        "load": {
            "clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"server": 1}}
        },
        "services": {"server": {"script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
    }

    with pytest.raises(RuntimeError) as error:
        ms.load(scenario).run()
    assert re.fullmatch(
        r"[0-9]+ requests wait for what never comes\. Requests that hold workers or connections of a pool while they wait for more of the"
        r" same wait for each other for ever: write a `timeout` or `acquire_timeout`\. If the scenario has no such circle, it is a bug of the"
        r" engine or of a policy",
        str(error.value),
    )
