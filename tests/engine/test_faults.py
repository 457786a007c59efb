"""Faults: what each does to a service, an instance, a zone, the gateway's replicas, and to what watches them."""

from __future__ import annotations

from functools import cache
from json import dumps, loads
from typing import Any

import numpy as np
import pytest

import meshsim as ms
from meshsim.metrics.frames.stages import stages

MS = 1_000_000
SECOND = 1_000_000_000
Section = dict[str, Any]


def users(count: int) -> Section:
    """Virtual users that ask one request after the other."""
    return {"executor": "constant-vus", "vus": count, "requests": {"all": 1}, "timeout": "300ms"}


def scenario(faults: list[Section], back: Section | None = None, **parts: Any) -> Section:
    """200 requests a second for 3 s to a gateway of 2 replicas and a service of 4, 1 ms of network a way, 10 ms of work."""
    gateway = {
        "replicas": 2,
        "workers": 2,
        "proxy_time": "1ms",
        "routes": {"all": {"path": "/", "to": "back", **parts.pop("route", {})}},
        "traffic": {"back": {"load_balancer": "round_robin", **parts.pop("traffic", {})}},
    }
    load = {
        "executor": "constant-arrival-rate",
        "arrivals": "poisson",
        "rate": "200/s",
        "requests": {"all": 1},
        "timeout": "300ms",
    }
    return {
        "name": "faults",
        "deployment": "gateway",
        "load": {"users": parts.pop("load", load)},
        "gateway": {**gateway, **parts.pop("gateway", {})},
        "services": {"back": {"replicas": 4, "workers": 8, "script": [{"compute": "10ms"}], **(back or {})}},
        "network": {"same_zone": "1ms"},
        "faults": faults,
        "run": {"duration": "3s", **parts.pop("run", {})},
        **parts,
    }


@cache
def _run(text: str) -> ms.Result:
    return ms.load(loads(text)).run()


def run(*args: Any, **parts: Any) -> ms.Result:
    return _run(dumps(scenario(*args, **parts)))


def fault(**settings: Any) -> Section:
    """From 1 s to 2 s."""
    return {"at": "1s", "for": "1s", **settings}


def during(rows: Any, column: str = "started_ns") -> Any:
    return rows[(rows[column] >= SECOND) & (rows[column] < 2 * SECOND)]


def outside(rows: Any, column: str = "started_ns") -> Any:
    return rows[(rows[column] < SECOND - 50 * MS) | (rows[column] >= 2 * SECOND + 50 * MS)]


def latency_ms(requests: Any) -> Any:
    return (requests["ended_ns"] - requests["started_ns"]) / MS


def failed(requests: Any) -> Any:
    return requests[requests["status"] != 200]


AT_ONCE = {"rate": "100%", "latency": "2ms", "status": 500}
WHOLE = 1 + 1 + 1 + 10 + 1 + 1
"""ms of a request: client to gateway, there, on to the service, its work, and back."""


class TestErrorsAtOnce:
    def test_such_an_error_takes_its_latency_and_no_work_and_no_worker(self):
        result = run([fault(service="back", errors=AT_ONCE)], load=users(1))
        struck = during(result.attempts, "arrived_ns")

        assert set(struck["status"]) == {500}
        assert set(struck["response_flags"]) == {"error"}
        assert set(struck["finished_ns"] - struck["arrived_ns"]) == {2 * MS}
        assert set(struck["worked_ns"]) == {0}
        assert set(latency_ms(failed(result.requests))) == {WHOLE - 10 + 2}

    def test_it_does_not_wait_for_a_worker(self):
        """One worker that is always busy with ten users: half of their requests fail at once, and none of those later than 2 ms."""
        back = {"replicas": 1, "workers": 1, "errors": {"rate": "50%", "latency": "2ms"}}
        attempts = run([], back, load=users(10)).attempts
        at_once = attempts[attempts["status"] == 503]

        assert len(at_once) > 20
        assert set(at_once["finished_ns"] - at_once["arrived_ns"]) == {2 * MS}
        worked = attempts[attempts["status"] == 200]
        assert (worked["started_ns"] - worked["arrived_ns"]).max() > 20 * MS

    def test_its_time_is_time_in_the_service_not_in_a_queue(self):
        result = run([], {"errors": {"rate": "100%", "latency": "20ms"}}, load=users(1))
        divided = stages(result.requests, result.attempts, 0, 3, waits=result.waits)
        of_back = divided[(divided["service"] == "back") & (divided["route"] == "(all)")].set_index("stage")["mean_s"]

        assert of_back["service"] == pytest.approx(0.020)
        assert "queue" not in of_back

    def test_the_same_requests_fail_as_with_an_error_after_the_work(self):
        """Common random numbers: when an error comes is no reason for another luck."""
        later, at_once = (run([fault(service="back", errors={"rate": "30%", **more})]) for more in ({}, {"latency": "1ms"}))
        assert set(failed(later.requests)["number"]) & set(failed(at_once.requests)["number"])
        assert len(failed(at_once.requests)) == pytest.approx(60, abs=25)  # 3.9 standard deviations: one false alarm in 10,000

    def test_a_time_may_be_drawn(self):
        errors = {"rate": "100%", "latency": {"exponential": {"mean": "5ms"}}}
        attempts = run([], {"errors": errors}).attempts
        took_ms = (attempts["finished_ns"] - attempts["arrived_ns"]) / MS
        assert took_ms.nunique() > 400
        assert took_ms.mean() == pytest.approx(5, rel=0.2)  # standard error 4 %: five of them

    def test_it_is_a_share_of_requests_of_the_struck_instances(self):
        attempts = run([fault(service="back", instances=[1, 3], errors={"rate": "100%", "latency": "0s"})]).attempts
        assert set(attempts[attempts["status"] == 503]["instance"]) == {1, 3}
        assert set(during(attempts, "arrived_ns").query("instance == 1")["status"]) == {503}

    def test_a_crash_while_it_answers_is_a_crash(self):
        errors = {"rate": "100%", "latency": "200ms"}
        result = run([fault(service="back", crash=True)], {"errors": errors})
        assert "UC" in set(result.attempts["response_flags"])

    def test_a_caller_that_cancels_stops_it(self):
        back = {"errors": {"rate": "100%", "latency": "10s"}, "on_cancel": "stop"}
        attempts = run([], back).attempts
        assert (attempts["finished_ns"] - attempts["arrived_ns"]).max() <= 300 * MS

    def test_grpc_has_its_own_status(self):
        back = {"protocol": "grpc"}
        errors = {"rate": "100%", "latency": "1ms", "grpc_status": "internal"}
        attempts = during(run([fault(service="back", errors=errors)], back).attempts, "arrived_ns")
        assert set(zip(attempts["status"], attempts["grpc_status"], strict=True)) == {(200, 13)}

    def test_a_fault_that_says_no_status_has_the_services_own(self):
        result = run([fault(service="back", errors="100%")], {"errors": {"rate": "0%", "status": 502}})
        assert set(failed(result.requests)["status"]) == {502}

    def test_two_faults_at_once_are_independent(self):
        """Half of half is left: 50 of 200, with a standard deviation of 6."""
        one = {"rate": "50%", "latency": "1ms", "status": 500}
        both = run([fault(service="back", errors=one), fault(service="back", errors={**one, "status": 502})])
        counts = during(both.requests)["status"].value_counts()
        assert counts[500] == pytest.approx(100, abs=29)
        assert counts[502] == pytest.approx(50, abs=25)
        assert counts[200] == pytest.approx(50, abs=25)

    def test_an_operation_has_its_own(self):
        back = {"operations": {"write": {"script": [{"compute": "10ms"}], "errors": {"rate": "100%", "latency": "3ms"}}}}
        attempts = run([], back, route={"to": "back/write"}).attempts
        assert set(attempts["finished_ns"] - attempts["arrived_ns"]) == {3 * MS}


class TestTablesByRequest:
    def table(self, folder: Any, rows: list[list[float]]) -> str:
        path = folder / "fails.npy"
        np.save(path, np.array(rows))
        return str(path)

    def test_a_table_says_which_requests_a_fault_fails(self, tmp_path):
        every_third = [float(number % 3 == 0) for number in range(700)]
        errors = {"replay": {"file": self.table(tmp_path, [every_third])}, "latency": "1ms", "status": 500}
        requests = run([fault(service="back", errors=errors)]).requests
        in_time = requests[(requests["started_ns"] >= SECOND) & (requests["started_ns"] < 2 * SECOND - 5 * MS)]

        assert (in_time["status"] == 500).tolist() == (in_time["number"] % 3 == 0).tolist()
        assert set(outside(requests)["status"]) == {200}

    def test_it_says_at_which_attempt(self, tmp_path):
        """The first try fails always, the second never."""
        errors = {"replay": {"file": self.table(tmp_path, [[1.0] * 700, [0.0] * 700])}}
        result = run([], {"errors": errors}, route={"retries": {"num_retries": 1, "retry_on": ["5xx"]}})
        assert set(result.requests["status"]) == {200}
        assert set(result.requests["attempts"]) == {2}


class TestWhatWatches:
    """What looks at the instances, and an instance that fails at once."""

    ONE = fault(service="back", instances=[0], errors={"rate": "100%", "latency": "0s"})

    def test_shallow_checks_pass(self):
        checks = {"health_checks": {"interval": "50ms", "timeout": "50ms", "unhealthy_threshold": 1, "healthy_threshold": 1}}
        assert run([self.ONE], traffic=checks).destinations["healthy"].min() == 8  # in two views of four

    def test_outlier_detection_ejects_it(self):
        outliers = {"outlier_detection": {"consecutive_5xx": 3, "base_ejection_time": "30s", "max_ejection_percent": "50%"}}
        result = run([self.ONE], traffic=outliers)
        assert 3 * 2 <= len(failed(result.requests)) <= 5 * 2  # three answers in each view, and what was on its way
        assert result.destinations["ejections"].sum() == 2

    def test_readiness_does_not_see_it(self):
        result = run([self.ONE], {"readiness": {"period": "50ms", "failure_threshold": 1}})
        assert result.destinations["members"].min() == 8

    def test_retries_find_another_instance(self):
        retries = {"num_retries": 1, "retry_on": ["5xx"], "retry_host_predicate": "previous_hosts"}
        assert not len(failed(run([self.ONE], route={"retries": retries}).requests))

    def test_a_balancer_that_looks_at_requests_in_flight_sends_more_there(self):
        """The black hole: who fails at once is always idle."""
        busy = {"load": users(40), "gateway": {"replicas": 1, "workers": 100, "proxy_time": "0s"}}
        back = {"replicas": 4, "workers": 8, "script": [{"compute": "14ms"}]}
        attempts = {
            name: during(
                run([self.ONE], back, traffic={"load_balancer": name}, run={"duration": "2s"}, **busy).attempts, "sent_ns"
            )
            for name in ("round_robin", "least_request")
        }
        share = {name: (rows["instance"] == 0).mean() for name, rows in attempts.items()}
        assert share["round_robin"] == pytest.approx(0.25, abs=0.01)
        assert share["least_request"] > 0.4

    def test_the_recovery_is_told_from_the_end_of_the_fault(self):
        (recovery,) = [
            one for one in run([self.ONE], run={"duration": "4s", "interval": "100ms"}).summary().recoveries if one.route is None
        ]
        assert (recovery.from_s, recovery.until_s) == (1.0, 2.0)
        assert recovery.recovery_s == pytest.approx(0.0, abs=0.1)


class TestInstancesThatDiscoveryCallsIll:
    def shares(self, status: Section, replicas: int = 5, **traffic: Any) -> list[float]:
        attempts = run([], {"replicas": replicas, "health_status": status}, traffic=traffic, gateway={"replicas": 1}).attempts
        counts = np.bincount(attempts["instance"][attempts["instance"] >= 0], minlength=replicas)
        return [round(float(share), 2) for share in counts / len(attempts)]

    def test_unhealthy_ones_get_nothing(self):
        assert self.shares({"unhealthy": [0]}, 5) == [0, 0.25, 0.25, 0.25, 0.25]

    def test_in_panic_all_are_used(self):
        """As measured on Envoy 1.40: with two of five healthy, each gets 0.20."""
        assert self.shares({"unhealthy": [2, 3, 4]}, healthy_panic_threshold="50%") == [0.2] * 5

    def test_without_panic_the_healthy_ones_get_everything(self):
        assert self.shares({"unhealthy": [2, 3, 4]}, healthy_panic_threshold="0%") == [0.5, 0.5, 0, 0, 0]

    def test_where_none_is_healthy_there_is_no_host(self):
        back = {"health_status": {"unhealthy": [0, 1, 2, 3]}}
        assert set(run([], back, traffic={"healthy_panic_threshold": "0%"}).requests["response_flags"]) == {"UH"}

    def test_priorities_take_over_beyond_the_overprovisioning_factor(self):
        """As measured on Envoy 1.40 (three of four healthy: all of them in the first level), and 70 % where two of four are."""

        def first_level(ill: list[int]) -> float:
            back = {"replicas": 8, "priorities": [0] * 4 + [1] * 4, "health_status": {"unhealthy": ill}}
            attempts = run([], back, traffic={"healthy_panic_threshold": "50%"}).attempts
            assert not attempts["instance"].isin(ill).any()
            return float((attempts["instance"] < 4).mean())

        assert first_level([3]) == 1.0
        assert first_level([2, 3]) == pytest.approx(0.70, abs=0.075)  # standard deviation 1.9 %

    def test_degraded_ones_get_what_the_others_cannot_take(self):
        """A quarter healthy, the rest degraded: 35 % and 65 % in Envoy's documentation."""
        attempts = run([], {"replicas": 4, "health_status": {"degraded": [1, 2, 3]}}).attempts
        assert (attempts["instance"] == 0).mean() == pytest.approx(0.35, abs=0.08)

    def test_enough_healthy_ones_leave_the_degraded_without_requests(self):
        assert self.shares({"degraded": [4]}, 5) == [0.25, 0.25, 0.25, 0.25, 0]

    def test_a_passed_check_does_not_make_them_well(self):
        checks = {"interval": "100ms", "timeout": "50ms", "unhealthy_threshold": 1, "healthy_threshold": 1}
        assert self.shares({"unhealthy": [0]}, 5, health_checks=checks)[0] == 0

    def test_an_ejected_degraded_one_is_ill(self):
        """One of two degraded hosts fails: its share goes to the other."""
        back = {"replicas": 4, "health_status": {"degraded": [1, 2, 3]}}
        traffic = {"outlier_detection": {"consecutive_5xx": 1, "base_ejection_time": "30s", "max_ejection_percent": "100%"}}
        result = run([fault(service="back", instances=[1], errors="100%")], back, traffic=traffic)
        late = result.attempts[result.attempts["sent_ns"] > 2.2 * SECOND]
        assert not (late["instance"] == 1).any()
        assert (late["instance"] == 2).any()
