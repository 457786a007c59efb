"""How verdicts of filters are carried out: delays, work, questions, waits, copies, answers in place of others."""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_stage_columns import segments_of

import meshsim as ms
from meshsim.engines import reference
from meshsim.flags import Flag
from meshsim.metrics.stages.slow_sample import Records, SlowSample
from meshsim.plan import Ask
from meshsim.policies.filters import Cache, Decision, Filter, FilterState, Surroundings, Then, Verdict

MS = 1_000_000
SECOND = 1_000_000_000
PASS = Verdict()
NOT_NOW = Verdict(503, int(Flag.RL), decision=Decision.SHED)


class Scripted(FilterState):
    """A filter that does what the test says, and writes down what it is told."""

    draws = False
    name = ""

    def __init__(self, judge: Any = None, **how: Any) -> None:
        self.how = {"judge": judge, **how}
        self.observes = how.get("observes", False)
        self.delays = how.get("delays", True)
        self.works_on_answers = "answer_work_ns" in how
        self.replaces = "answer_instead" in how
        self.built: list[Scripted] = []
        """For each proxy and process one."""
        self.log: list[tuple[Any, ...]] = []
        """Instant (ms), what was called, the request's number, and what else it was told."""

    def build(self, *, around: Surroundings) -> Scripted:
        made = copy(self)
        made.set_up(around)
        return made

    def set_up(self, around: Surroundings) -> None:
        self.around = around
        self.asked: list[int] = []
        """Numbers of the requests that this one has judged."""
        self.built.append(self)

    def _say(self, name: str, otherwise: Any, now_ns: int, asked: Any, *told: Any) -> Any:
        self.log.append((now_ns / MS, name, asked.row_number, *told))
        say = self.how.get(name)
        return otherwise if say is None else say(self, now_ns, asked, *told) if callable(say) else say

    def judge(self, now_ns: int, asked: Any, draw: Any) -> Verdict:  # noqa: ARG002
        self.asked.append(asked.row_number)
        return self._say("judge", PASS, now_ns, asked)

    def answered(self, now_ns: int, asked: Any, status: int, draw: Any) -> Verdict:  # noqa: ARG002
        return self._say("answered", PASS, now_ns, asked, status)

    def give_up_waiting(self, now_ns: int, asked: Any, draw: Any) -> Verdict:  # noqa: ARG002
        return self._say("give_up_waiting", PASS, now_ns, asked)

    def answer_work_ns(self, asked: Any, status: int, kib: float) -> int:  # noqa: ARG002
        return self.how.get("answer_work_ns", 0)

    def answer_instead(self, now_ns: int, asked: Any, status: int, grpc_status: int) -> int:
        return self._say("answer_instead", 0, now_ns, asked, status, grpc_status)

    def done(self, now_ns: int, rtt_ns: int, asked: Any, status: int, grpc_status: int, flags: int) -> None:  # noqa: ARG002
        self._say("done", None, now_ns, asked, status, rtt_ns / MS)

    def told(self, name: str) -> list[tuple[Any, ...]]:
        return [(at_ms, *rest) for at_ms, what, *rest in self.log if what == name]


class Kept:
    """A sink that keeps all rows."""

    def __init__(self) -> None:
        self.chunks: dict[str, list[Any]] = defaultdict(list)

    def take(self, table: str, chunk: Any) -> None:
        self.chunks[table].append({name: column.copy() for name, column in chunk.items()})

    def __getattr__(self, table: str) -> Any:
        return (
            pd.concat([pd.DataFrame(chunk) for chunk in self.chunks[table]], ignore_index=True)
            if self.chunks[table]
            else pd.DataFrame()
        )


def scenario(**parts: Any) -> dict[str, Any]:
    """A request every 10 ms to a service of 5 ms, without a network; beside it a service `auth` of 3 ms, for those who ask."""
    clients = {"executor": "constant-arrival-rate", "rate": "100/s", "arrivals": "even", "requests": {"all": 1}}
    return {
        "name": "filters",
        "deployment": parts.pop("deployment", "gateway"),
        "load": parts.pop("loads", {"clients": {**clients, **parts.pop("load", {})}}),
        "gateway": {
            "workers": 1000,
            "routes": {"all": {"path": "/all", "to": "back", **parts.pop("route", {})}, "ask": {"path": "/ask", "to": "auth"}},
            **parts.pop("gateway", {}),
        },
        "services": {
            "back": {"workers": 1000, "script": [{"compute": "5ms"}], **parts.pop("back", {})},
            "auth": {"workers": 1000, "script": [{"compute": "3ms"}], **parts.pop("auth", {})},
        },
        "run": {"duration": "1s", "interval": "100ms"},
        **parts,
    }


AT_ONCE = {"loads": {"users": {"executor": "constant-vus", "vus": 10, "think_time": "10s", "requests": {"all": 1}}}}
"""Ten requests at one instant, and no more."""


def run(*filters: Filter, timeout_ms: float = 0, at: str = "gateway", seed: int = 1, **parts: Any) -> Kept:
    """Run with these filters at the gateway, or at the service, each of which asks `auth`."""
    plan = ms.load(scenario(**parts)).plan
    asks = tuple(Ask(number, plan.names.operations.index("auth"), round(timeout_ms * MS)) for number in range(len(filters)))
    if at == "gateway":
        plan = replace(plan, gateway=replace(plan.gateway, filters=filters, asks=asks))
    else:
        number = plan.names.services.index("back")
        services = list(plan.services)
        services[number] = replace(services[number], inbound=filters, asks=asks)
        plan = replace(plan, services=tuple(services))
    kept, sample = Kept(), SlowSample(plan)
    reference.run(plan, seed, 0, (kept, sample))
    kept.records = sample.records()
    kept.plan = plan
    return kept


def latencies_ms(kept: Kept) -> list[float]:
    return ((kept.requests["ended_ns"] - kept.requests["started_ns"]) / MS).tolist()


def sent(kept: Kept, service: str) -> Any:
    rows = kept.attempts
    return rows[rows["service"] == kept.plan.names.services.index(service)]


def decisions(kept: Kept) -> dict[str, int]:
    rows = kept.decisions
    return {Decision(number).name: int(count) for number, count in rows.groupby("decision")["requests"].sum().items()}


def filters_ms(records: Records) -> list[float]:
    """Of every request, how long it was in filters."""
    return [
        sum(segment.until_ns - segment.from_ns for segment in segments if segment.stage == "filters") / MS
        for segments in segments_of(records).values()
    ]


def is_complete(kept: Kept) -> bool:
    """Whether every nanosecond of every request has a stage: without a network nothing is left for the wire."""
    return not any(segment.stage == "network" for segments in segments_of(kept.records).values() for segment in segments)


class TestDelayAndWork:
    def test_a_delay_comes_on_top_and_holds_no_worker(self):
        kept = run(Scripted(Verdict(delay_ns=7 * MS, decision=Decision.DELAYED)), **AT_ONCE, gateway={"workers": 1})

        assert set(latencies_ms(kept)) == {12}
        assert set(kept.attempts["filter_ns"]) == set(kept.attempts["proxy_ns"]) == {7 * MS}
        assert filters_ms(kept.records) == [7] * 10
        assert kept.proxies["busy_ns"].sum() == 0
        assert decisions(kept) == {"DELAYED": 10}
        assert is_complete(kept)

    def test_work_holds_a_worker_and_others_wait_for_that(self):
        kept = run(Scripted(Verdict(work_ns=2 * MS)), **AT_ONCE, gateway={"workers": 1})

        assert sorted(latencies_ms(kept)) == [5 + 2 * number for number in range(1, 11)]
        assert kept.proxies["busy_ns"].sum() == 20 * MS
        assert sorted(filters_ms(kept.records)) == [2 * number for number in range(1, 11)]
        assert is_complete(kept)

    def test_the_work_comes_before_the_delay_and_before_an_answer(self):
        kept = run(Scripted(NOT_NOW._replace(work_ns=2 * MS, delay_ns=3 * MS)), **AT_ONCE, gateway={"workers": 1})

        assert sorted(latencies_ms(kept)) == [3 + 2 * number for number in range(1, 11)]
        assert kept.attempts.empty
        assert filters_ms(kept.records) == latencies_ms(kept)

    def test_filters_come_one_after_the_other_and_none_after_a_refusal(self):
        first, second, third = Scripted(Verdict(delay_ns=MS)), Scripted(NOT_NOW), Scripted()
        kept = run(first, second, third)

        assert [at_ms for at_ms, _ in second.told("judge")] == [at_ms + 1 for at_ms, _ in first.told("judge")]
        assert not third.log
        assert decisions(kept) == {"ADMITTED": 100, "SHED": 100}
        assert set(kept.requests["status"]) == {503}

    def test_those_who_let_it_pass_hear_of_a_later_refusal(self):
        first, second = Scripted(observes=True), Scripted(NOT_NOW, observes=True)
        run(first, second)
        assert [(status, rtt) for _, _, status, rtt in first.told("done")] == [(503, 0)] * 100
        assert not second.told("done")

    def test_done_tells_the_status_and_the_time_since_the_verdict(self):
        first = Scripted(Verdict(delay_ns=4 * MS), observes=True)
        run(first, Scripted(Verdict(delay_ns=2 * MS)), back={"errors": {"rate": "100%", "status": 500}})
        assert {(status, rtt) for _, _, status, rtt in first.told("done")} == {(500, 7)}

    def test_a_client_that_leaves_in_the_delay_is_told_and_counts_as_no_decision(self):
        """Both had let it pass: the one whose delay it was counts on its `done` too."""
        first, second, third = (
            Scripted(observes=True),
            Scripted(Verdict(delay_ns=50 * MS), observes=True),
            Scripted(observes=True),
        )
        kept = run(first, second, third, load={"timeout": "20ms"})

        assert [(status, rtt) for _, _, status, rtt in first.told("done")] == [(0, 20)] * 100
        assert [(status, rtt) for _, _, status, rtt in second.told("done")] == [(0, 0)] * 100
        assert not third.log
        assert decisions(kept) == {"ADMITTED": 100}
        assert filters_ms(kept.records) == [20] * 100
        assert is_complete(kept)

    def test_proxy_and_filter_time_are_told_apart(self):
        kept = run(Scripted(Verdict(delay_ns=7 * MS)), gateway={"proxy_time": "2ms"})
        assert set(kept.attempts["proxy_ns"]) == {9 * MS}
        assert set(kept.attempts["filter_ns"]) == {7 * MS}
        assert set(latencies_ms(kept)) == {14}

    @pytest.mark.parametrize("verdict", [PASS, Verdict(delay_ns=MS)])
    def test_filters_that_take_no_time_change_nothing(self, verdict):
        """Plain filters have a short cut; both ways must tell the same."""
        plain, other = (run(Scripted(delays=delays)) for delays in (False, True))
        for table in ("requests", "attempts", "decisions"):
            assert getattr(plain, table).equals(getattr(other, table))
        assert latencies_ms(run(Scripted(verdict)))[0] == 5 + verdict.delay_ns / MS


def ask(self: Scripted, now_ns: int, asked: Any) -> Verdict:  # noqa: ARG001
    return Verdict(then=Then.ASK, key=7)


class TestAsking:
    def test_the_request_waits_for_the_answer(self):
        one = Scripted(ask)
        kept = run(one)

        assert set(latencies_ms(kept)) == {8}
        assert {status for _, _, status in one.told("answered")} == {200}
        assert set(sent(kept, "back")["filter_ns"]) == {3 * MS}
        assert is_complete(kept)

    def test_the_gateway_calls_and_its_attempts_have_no_request(self):
        kept = run(Scripted(ask))
        asked = sent(kept, "auth")
        assert len(asked) == 100
        assert set(asked["request"]) == set(asked["parent"]) == {-1}
        assert set(asked["caller"]) == {-2}
        assert set(asked["proxy"]) == {0}
        assert set(asked["attempt"]) == {1}
        assert set(kept.requests["attempts"]) == {1}
        assert asked["id"].is_unique

    def test_the_answer_decides(self):
        kept = run(Scripted(ask, answered=Verdict(403, int(Flag.UAEX), decision=Decision.DENIED)))
        assert set(latencies_ms(kept)) == {3}
        assert set(kept.requests["status"]) == {403}
        assert sent(kept, "back").empty
        assert decisions(kept) == {"DENIED": 100}

    @pytest.mark.parametrize(
        ("auth", "status"),
        [
            ({"errors": {"rate": "100%", "status": 500}}, 500),
            ({"errors": {"rate": "100%", "status": 429}}, 429),
            ({"protocol": "grpc", "errors": {"rate": "100%", "grpc_status": "unavailable"}}, 503),
            ({"protocol": "grpc"}, 200),
        ],
    )
    def test_its_status_is_told(self, auth, status):
        one = Scripted(ask)
        run(one, auth=auth)
        assert {told for _, _, told in one.told("answered")} == {status}

    def test_a_service_that_is_down_is_a_503(self):
        one = Scripted(ask)
        run(one, faults=[{"at": "0s", "for": "10s", "service": "auth", "crash": True}])
        assert {told for _, _, told in one.told("answered")} == {503}

    def test_a_timeout_ends_the_wait(self):
        one = Scripted(ask)
        kept = run(one, timeout_ms=2)
        assert set(latencies_ms(kept)) == {7}
        assert {told for _, _, told in one.told("answered")} <= {0, 504}
        assert set(sent(kept, "auth")["ended_ns"] - sent(kept, "auth")["sent_ns"]) == {2 * MS}

    def test_nobody_asks_twice_whatever_the_traffic_says(self):
        """Envoy's ext_authz and ratelimit filters have a retry policy of their own, none where it is not written."""
        retries = {"traffic": {"*": {"retries": {"num_retries": 3, "retry_on": ["5xx"]}, "timeout": "1ms"}}}
        kept = run(Scripted(ask), gateway=retries, auth={"errors": "100%"})
        assert len(sent(kept, "auth")) == 100

    def test_limits_of_the_asked_service_hold(self):
        limits = {"traffic": {"auth": {"circuit_breakers": {"max_requests": 1}}}}
        one = Scripted(ask)
        run(one, gateway=limits, **AT_ONCE)
        assert sorted(told for _, _, told in one.told("answered")) == [200] + [503] * 9

    def test_whose_client_leaves_has_no_answer(self):
        one = Scripted(ask)
        kept = run(one, load={"timeout": "1ms"}, auth={"on_cancel": "stop"})
        assert {(at_ms % 10, told) for at_ms, _, told in one.told("answered")} == {(1, 0)}
        assert set(sent(kept, "auth")["ended_ns"] - sent(kept, "auth")["sent_ns"]) == {MS}
        assert is_complete(kept)

    def test_it_may_ask_again_and_then_take_its_time(self):
        def once_more(self: Scripted, now_ns: int, asked: Any, status: int) -> Verdict:  # noqa: ARG001
            is_second = len([1 for _, number, _ in self.told("answered") if number == asked.row_number]) == 2
            return Verdict(delay_ns=2 * MS, work_ns=MS) if is_second else Verdict(then=Then.ASK)

        kept = run(Scripted(ask, answered=once_more))
        assert set(latencies_ms(kept)) == {3 + 3 + 1 + 2 + 5}
        assert is_complete(kept)

    def test_a_sidecar_asks_too(self):
        one = Scripted(ask)
        kept = run(one, at="back", deployment="gateway+mesh", mesh={})
        asked = sent(kept, "auth")
        assert set(latencies_ms(kept)) == {8}
        assert set(asked["request"]) == {-1}
        assert set(asked["caller"]) == {kept.plan.names.services.index("back")}
        assert set(sent(kept, "back")["inbound_ns"]) == {3 * MS}

    def test_a_waypoint_asks_too(self):
        one = Scripted(ask)
        mesh = {"mode": "ambient", "waypoints": {"services": {"back": {}}}}
        kept = run(one, at="back", deployment="gateway+mesh", mesh=mesh, route={"to": "front"}, services=BEHIND)
        assert len(one.told("answered")) == len(sent(kept, "auth")) == 100


BEHIND = {
    "front": {"workers": 1000, "script": [{"call": "back"}]},
    "back": {"workers": 1000, "script": [{"compute": "5ms"}]},
    "auth": {"workers": 1000, "script": [{"compute": "3ms"}]},
}


def through(service: str) -> dict[str, Any]:
    return {"clients": {"executor": "constant-arrival-rate", "rate": "100/s", "arrivals": "even", "requests": {service: 1}}}


class Fetching(Scripted):
    """The first asks, and whoever comes meanwhile waits for the answer; who has it, passes for ever."""

    def __init__(self, *, ask: Verdict | None = None, wait_ms: float = 0, **how: Any) -> None:
        super().__init__(**how)
        self.ask_verdict = ask or Verdict(then=Then.ASK, key=7)
        self.wait = Verdict(then=Then.WAIT, key=7, delay_ns=round(wait_ms * MS))

    def set_up(self, around: Surroundings) -> None:
        super().set_up(around)
        self.is_fetching = self.is_there = False

    def judge(self, now_ns: int, asked: Any, draw: Any) -> Verdict:
        super().judge(now_ns, asked, draw)
        if self.is_there:
            return Verdict(decision=Decision.HIT)
        if self.is_fetching:
            return self.wait
        self.is_fetching = True
        return self.ask_verdict

    def answered(self, now_ns: int, asked: Any, status: int, draw: Any) -> Verdict:
        super().answered(now_ns, asked, status, draw)
        self.is_fetching, self.is_there = False, status == 200
        return Verdict(decision=Decision.MISS)

    def done(self, now_ns: int, rtt_ns: int, asked: Any, status: int, grpc_status: int, flags: int) -> None:
        super().done(now_ns, rtt_ns, asked, status, grpc_status, flags)
        self.is_fetching, self.is_there = False, status == 200


class TestWaiting:
    def test_all_go_on_in_the_instant_of_the_answer(self):
        kept = run(Fetching(), **AT_ONCE)
        assert set(latencies_ms(kept)) == {8}
        assert len(sent(kept, "auth")) == 1
        assert decisions(kept) == {"MISS": 1, "COALESCED": 9}
        assert is_complete(kept)

    def test_who_comes_later_has_not_waited(self):
        assert decisions(run(Fetching())) == {"MISS": 1, "HIT": 99}

    def test_after_a_failure_the_next_one_goes(self):
        """One after the other, each with 3 ms more behind it."""
        kept = run(Fetching(), auth={"errors": "100%"}, **AT_ONCE)
        assert sorted(latencies_ms(kept)) == [5 + 3 * number for number in range(1, 11)]
        assert len(sent(kept, "auth")) == 10

    def test_who_has_waited_long_enough_is_asked_what_then(self):
        one = Fetching(wait_ms=2, give_up_waiting=NOT_NOW)
        kept = run(one, **AT_ONCE)
        assert [at_ms for at_ms, _ in one.told("give_up_waiting")] == [2] * 9
        assert sorted(latencies_ms(kept)) == [2] * 9 + [8]
        assert decisions(kept) == {"MISS": 1, "SHED": 9}

    def test_the_limit_at_the_instant_of_the_answer_comes_first(self):
        """As all timers do."""
        one = Fetching(wait_ms=3, give_up_waiting=NOT_NOW)
        run(one, **AT_ONCE)
        assert len(one.told("give_up_waiting")) == 9

    def test_nobody_waits_for_one_whose_client_has_left(self):
        """Ten clients: the first leaves after 1 ms, when the others have waited that long for it; then the second asks."""
        users = {"executor": "constant-vus", "think_time": "10s", "requests": {"all": 1}}
        loads = {"a": {**users, "vus": 1, "timeout": "1ms"}, "b": {**users, "vus": 9}}
        kept = run(Fetching(), loads=loads)
        assert sorted(latencies_ms(kept)) == [1] + [9] * 9
        assert len(sent(kept, "auth")) == 2

    def test_who_waits_and_leaves_takes_nobody_along(self):
        users = {"executor": "constant-vus", "think_time": "10s", "requests": {"all": 1}}
        loads = {"a": {**users, "vus": 5}, "b": {**users, "vus": 5, "timeout": "1ms"}}
        kept = run(Fetching(), loads=loads)
        assert sorted(latencies_ms(kept)) == [1] * 5 + [8] * 5

    def test_others_may_wait_for_the_end_of_a_request_that_passed(self):
        """As a cache: the first fetches, the others get what it brings."""
        one = Fetching(ask=Verdict(decision=Decision.MISS, key=7), observes=True)
        kept = run(one, **AT_ONCE)
        assert sorted(latencies_ms(kept)) == [5] + [10] * 9
        assert one.told("done")[0][0] == 5

    @pytest.mark.parametrize(
        "first",
        [
            Verdict(then=Then.ASK, key=7, work_ns=30 * MS),
            Verdict(then=Then.ASK, key=7, delay_ns=30 * MS),
            Verdict(decision=Decision.MISS, key=7, work_ns=30 * MS),
            Verdict(decision=Decision.MISS, key=7, delay_ns=30 * MS),
        ],
    )
    def test_nobody_waits_for_one_whose_client_left_before_it_went(self, first):
        """It was to go, and others wait for that, and its client leaves while it is still at work for the verdict."""
        users = {"executor": "constant-vus", "think_time": "10s", "requests": {"all": 1}}
        loads = {"a": {**users, "vus": 1, "timeout": "20ms"}, "b": {**users, "vus": 3}}
        one = Fetching(ask=first, observes=first.then is not Then.ASK)
        kept = run(one, loads=loads)
        assert len(kept.requests) == 4
        assert sorted(kept.requests["status"]) == [0, 200, 200, 200]

    def test_each_key_has_its_own_waiters(self):
        def judge(self: Scripted, now_ns: int, asked: Any) -> Verdict:
            key = asked.row_number % 2
            if now_ns == 0 and asked.row_number < 2:
                return Verdict(then=Then.ASK, key=key, delay_ns=key * 4 * MS)
            return Verdict(then=Then.WAIT, key=key) if self.asked.count(asked.row_number) == 1 else PASS

        kept = run(Scripted(judge), **AT_ONCE)
        by_number = dict(zip(kept.requests["request"], latencies_ms(kept), strict=True))
        assert [by_number[number] for number in range(10)] == [8, 12] * 5


class TestRefreshing:
    STALE = Verdict(200, decision=Decision.STALE, then=Then.REFRESH, key=7)

    def test_the_client_has_its_answer_at_once_and_a_copy_goes_on(self):
        one = Scripted(self.STALE)
        kept = run(one)
        assert set(latencies_ms(kept)) == {0}
        copies = sent(kept, "back")
        assert set(copies["request"]) == set(copies["parent"]) == {-1}
        assert len(copies) == len(one.told("done")) == 100
        assert {(number, status, rtt) for _, number, status, rtt in one.told("done")} == {(-1, 200, 5)}
        assert set(kept.requests["attempts"]) == {0}

    def test_the_copy_has_the_routes_timeout_and_retries(self):
        one = Scripted(self.STALE)
        kept = run(one, route={"timeout": "2ms"})
        assert {status for *_, status, _ in one.told("done")} == {504}
        assert set(sent(kept, "back")["ended_ns"] - sent(kept, "back")["sent_ns"]) == {2 * MS}

    def test_it_goes_on_when_the_client_leaves_during_the_work(self):
        one = Scripted(self.STALE._replace(work_ns=30 * MS))
        kept = run(one, load={"timeout": "2ms"})
        assert set(kept.requests["status"]) == {0}
        assert {(status, rtt) for *_, status, rtt in one.told("done")} == {(200, 5)}

    def test_where_no_route_is_nothing_is_sent(self):
        one = Scripted(self.STALE)
        kept = run(one, load={"requests": {"/nowhere": 1}})
        assert kept.attempts.empty
        assert {status for *_, status, _ in one.told("done")} == {404}

    def test_a_sidecar_sends_no_copies_and_says_so(self):
        one = Scripted(self.STALE)
        kept = run(one, at="back", deployment="gateway+mesh", mesh={})
        assert set(sent(kept, "back")["started_ns"]) == {-1}
        assert {status for *_, status, _ in one.told("done")} == {0}

    def test_others_may_wait_for_the_copy(self):
        def judge(self: Scripted, now_ns: int, asked: Any) -> Verdict:  # noqa: ARG001
            if asked.row_number == 0:
                return TestRefreshing.STALE
            return (
                Verdict(then=Then.WAIT, key=7) if self.asked.count(asked.row_number) == 1 else Verdict(200, decision=Decision.HIT)
            )

        kept = run(Scripted(judge), **AT_ONCE)
        assert sorted(latencies_ms(kept)) == [0] + [5] * 9
        assert decisions(kept) == {"STALE": 1, "COALESCED": 9}


class TestAnswers:
    def test_a_failure_may_be_replaced(self):
        one = Scripted(observes=True, answer_instead=lambda *told: 200 if told[3] >= 500 else 0)
        kept = run(one, back={"errors": {"rate": "50%", "status": 502}})

        assert set(kept.requests["status"]) == {200}
        assert set(kept.requests["response_flags"]) == {0}
        failed = int((kept.attempts["status"] == 502).sum())
        assert 20 < failed < 80
        assert decisions(kept) == {"ADMITTED": 100, "STALE": failed}
        assert sum(status == 502 for *_, status, _ in one.told("done")) == failed

    def test_the_first_filter_that_has_something_gives_it(self):
        first, second = (Scripted(answer_instead=status) for status in (0, 203))
        third = Scripted(answer_instead=204)
        kept = run(first, second, third, back={"errors": "100%"})
        assert set(kept.requests["status"]) == {203}

    def test_a_filter_that_the_request_has_not_reached_replaces_nothing(self):
        keeps = Scripted(answer_instead=200)
        kept = run(Scripted(NOT_NOW), keeps)
        assert set(kept.requests["status"]) == {503}
        assert keeps.told("answer_instead") == []

        kept = run(keeps, Scripted(NOT_NOW))
        assert set(kept.requests["status"]) == {200}

    def test_answers_take_work_of_all_filters_together(self):
        kept = run(Scripted(answer_work_ns=2 * MS), Scripted(answer_work_ns=MS), **AT_ONCE, gateway={"workers": 1})
        assert sorted(latencies_ms(kept)) == [5 + 3 * number for number in range(1, 11)]
        assert kept.proxies["busy_ns"].sum() == 30 * MS
        assert sorted(filters_ms(kept.records)) == [3 * number for number in range(1, 11)]
        assert is_complete(kept)

    def test_before_and_after_add_up(self):
        kept = run(Scripted(Verdict(delay_ns=2 * MS), answer_work_ns=MS), gateway={"proxy_time": "1ms"})
        assert set(latencies_ms(kept)) == {9}
        assert set(filters_ms(kept.records)) == {3}
        assert is_complete(kept)

    def test_a_client_may_leave_during_it(self):
        one = Scripted(observes=True, answer_work_ns=50 * MS)
        kept = run(one, load={"timeout": "20ms"})
        assert set(latencies_ms(kept)) == {20}
        assert {status for *_, status, _ in one.told("done")} == {0}
        assert is_complete(kept)


class Shrinking(Scripted):
    """Compresses answers above 10 KiB to a fifth."""

    def answer_kib(self, kib: float) -> float:
        return kib / 5 if kib > 10 else kib


class Growing(Scripted):
    """Makes of each answer three times as much."""

    def answer_kib(self, kib: float) -> float:
        return kib * 3


@pytest.mark.parametrize(("kinds", "download_ms"), [((Shrinking, Growing), 30), ((Growing, Shrinking), 150)])
def test_answers_pass_the_last_filter_first(kinds, download_ms):
    """Of 5 KiB on a link of 100 KiB/s: what is grown before it comes to the compressor is compressed."""
    kept = run(*(kind() for kind in kinds), load={"bandwidth": "100KiB"}, back={"response_size": "5KiB"})
    assert set(latencies_ms(kept)) == {5 + download_ms}


class TestState:
    def test_each_replica_has_its_own(self):
        one = Scripted()
        run(one, gateway={"replicas": 3}, **AT_ONCE)
        assert [(built.around.replica, built.around.replicas) for built in one.built] == [(0, 3), (1, 3), (2, 3)]
        assert sorted(number for built in one.built for number in built.asked) == list(range(10))
        assert len({id(built.asked) for built in one.built}) == 3

    def test_what_is_shared_is_one_thing_for_all_and_for_no_other_filter(self):
        one, other = Scripted(), Scripted()
        run(one, other, gateway={"replicas": 3})
        assert len({id(built.around.shared) for built in one.built}) == 1
        assert one.built[0].around.shared is not other.built[0].around.shared

    def test_a_second_run_shares_nothing_with_the_first(self):
        one = Scripted()
        run(one)
        run(one)
        assert one.built[0].around.shared is not one.built[1].around.shared

    def test_a_restart_loses_it_but_not_what_is_shared(self):
        one = Scripted()
        run(one, gateway={"replicas": 2, "restarts": [{"at": "300ms"}]}, load={"requests_per_connection": 1})
        assert [built.around.replica for built in one.built] == [0, 1, 0, 1]
        assert len({id(built.around.shared) for built in one.built}) == 1
        assert all(built.asked for built in one.built)

    def test_who_was_in_the_old_process_is_told_there(self):
        """A request that is cut at 303 ms is no business of the new process's counters."""
        one = Scripted(observes=True)
        kept = run(one, gateway={"restarts": [{"at": "303ms"}]})
        told = [number for _, number, status, _ in one.told("done") if status == 0]
        cut = kept.requests[(kept.requests["response_flags"] & int(Flag.UC)) > 0]
        assert told == cut["request"].tolist() == [30]

    def test_names_and_sizes_of_the_loads(self):
        loads = through("all") | {
            "more": {**through("all")["clients"], "consumer": "gold", "addresses": 5, "credentials": {"count": 3}}
        }
        one = Scripted()
        run(one, loads=loads)
        around = one.built[0].around
        assert around.consumers == ("", "gold")
        assert around.routes == ("all", "ask")
        assert (around.addresses, around.credentials) == (6, 8)


class TestWhatRequestsShow:
    """Credentials, addresses and sizes that filters look at."""

    def seen(self, what: str, load: dict[str, Any], **parts: Any) -> list[Any]:
        found: list[Any] = []

        def judge(self: Scripted, now_ns: int, asked: Any) -> Verdict:  # noqa: ARG001
            found.append((asked.user, getattr(asked, what)))
            return PASS

        clients = {"executor": "constant-vus", "vus": 20, "think_time": "5ms", "requests": {"all": 1}}
        run(Scripted(judge), loads={"users": {**clients, **load}}, **parts)
        return found

    def test_credentials_are_good_bad_or_missing_in_their_shares(self):
        """2,000 requests: each share within 4 standard deviations, odds 1 in 16,000 each. Fixed seed."""
        credentials = {"credentials": {"valid": "70%", "missing": "20%", "count": 5}}
        numbers, good = (self.seen(what, credentials) for what in ("credential", "is_valid"))
        count = len(numbers)

        missing = np.mean([number == -1 for _, number in numbers])
        assert missing == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / count))
        assert np.mean([one for _, one in good]) == pytest.approx(0.7, abs=4 * np.sqrt(0.7 * 0.3 / count))
        assert {number for _, number in numbers} == set(range(-1, 10))
        assert all((0 <= number < 5) == is_good for (_, number), (_, is_good) in zip(numbers, good, strict=True))

    def test_a_user_keeps_its_credential_and_its_address(self):
        load = {"credentials": {"count": 7}, "addresses": 6}
        assert all(number == user % 7 for user, number in self.seen("credential", load))
        assert all(number == user % 6 for user, number in self.seen("address", load))

    def test_nobody_who_is_good_is_bad_at_the_next_try(self):
        """A client's retry brings the same key."""
        seen: dict[int, set[Any]] = defaultdict(set)

        def judge(self: Scripted, now_ns: int, asked: Any) -> Verdict:  # noqa: ARG001
            seen[asked.row_number].add((asked.credential, asked.is_valid, asked.address, asked.kib))
            return NOT_NOW

        load = {
            "retries": {"num_retries": 3, "retry_on": ["5xx"]}, "credentials": {"valid": "50%", "count": 9}, "addresses": 9,
            "body": {"p50": "4KiB", "p99": "40KiB"},
        }  # fmt: skip
        one = Scripted(judge)
        run(one, load=load)
        assert len(one.log) == 4 * len(seen)
        assert {len(what) for what in seen.values()} == {1}

    def test_sizes_have_the_quantiles_that_are_written(self):
        """2,000 bodies: the median within 4 standard errors."""
        sizes = np.sort([kib for _, kib in self.seen("kib", {"body": {"p50": "4KiB", "p99": "40KiB"}})])
        rank = 4 * np.sqrt(len(sizes)) / 2
        low, high = (sizes[int(len(sizes) / 2 + side * rank)] for side in (-1, 1))
        assert low < 4 < high
        assert 0.002 < np.mean(sizes > 40) < 0.02

    def test_criticality(self):
        assert {number for _, number in self.seen("criticality", {"criticality": "sheddable"})} == {3}
        assert {number for _, number in self.seen("criticality", {})} == {1}


class TestStages:
    """Whatever happens at the gateway, a request's stages add up to its latency."""

    @pytest.mark.parametrize(
        "parts",
        [
            {},
            {"load": {"timeout": "9ms"}},
            {"load": {"retries": {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "6ms"}}},
            {"load": {"retries": {"num_retries": 2, "retry_on": ["5xx"]}}, "back": {"errors": "60%"}},
            {"route": {"retries": {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "3ms"}}},
            {"route": {"max_body": "1KiB"}, "load": {"body": "2KiB"}},
            {"route": {"fallback": "auth"}, "back": {"errors": "60%"}},
            {"route": {"fallback": "auth", "timeout": "2ms"}},
            {"route": {"aggregate": [{"call": "auth"}]}},
            {"route": {"aggregate": [{"call": "auth", "optional": True, "timeout": "1ms"}], "timeout": "4ms"}},
            {"load": {"requests": {"/nowhere": 1}}},
            {
                "gateway": {
                    "workers": 1,
                    "proxy_time": "2ms",
                    "balancer": "take_turns",
                    "replicas": 2,
                    "tls": {"handshake_time": "1ms"},
                }
            },
            {
                "gateway": {"balancer": "take_turns", "restarts": [{"at": "303ms"}], "drain_time": "50ms"},
                "load": {"retries": {"num_retries": 3, "retry_on": ["5xx"]}},
            },
            {"gateway": {"max_connections": 1, "tls": {}}, "load": {"retries": {"num_retries": 2, "retry_on": ["5xx"]}}},
        ],
    )
    @pytest.mark.parametrize("proxy_time", ["0s", "1ms"])
    @pytest.mark.parametrize("delays", [True, False])
    def test_they_add_up(self, parts, proxy_time, delays):
        parts = {**parts, "gateway": {"workers": 1000, "proxy_time": proxy_time, **parts.get("gateway", {})}}
        filters = [Scripted(Verdict(work_ns=MS, delay_ns=MS), answer_work_ns=MS), Scripted(ask)] if delays else []
        kept = run(*filters, **parts)

        assert is_complete(kept)
        waits = kept.waits
        if not waits.empty:
            assert (waits["filter_ns"] <= waits["proxy_ns"]).all()
            began = waits["ended_ns"] - waits["connection_ns"] - waits["proxy_ns"] - waits["backoff_ns"]
            assert (began >= waits["request_started_ns"]).all()
        attempts = kept.attempts
        if not attempts.empty:
            assert (attempts["filter_ns"] <= attempts["proxy_ns"]).all()
        if "aggregate" not in parts.get("route", {}):  # one thing after the other: each nanosecond stands in one row
            told_ns: dict[int, int] = defaultdict(int)
            for rows, sent_ns in ((waits, None), (attempts, "sent_ns")):
                for row in rows.to_dict("records"):
                    told_ns[row["request"]] += row["connection_ns"] + row["proxy_ns"] + row["backoff_ns"]
                    told_ns[row["request"]] += 0 if sent_ns is None or row[sent_ns] < 0 else row["ended_ns"] - row[sent_ns]
            requests = kept.requests
            latencies = dict(zip(requests["request"], requests["ended_ns"] - requests["started_ns"], strict=True))
            assert {number: told_ns[number] for number in latencies} == latencies


class TestWrites:
    """Requests by other methods than GET and HEAD: a cache passes them by."""

    def hits(self, requests: dict[str, float], **parts: Any) -> dict[str, int]:
        cache = Cache(ttl="10s", key="route")
        return decisions(run(cache, load={"requests": requests}, **parts))

    def test_only_reads_are_answered_from_the_cache(self):
        found = self.hits({"/all": 1, "POST /all": 1})

        assert found["MISS"] == 1
        assert found["HIT"] > 10
        assert found["ADMITTED"] > 10

    def test_a_copy_of_a_write_is_one(self):
        """Mirrored requests come to the sidecar of another service with the method of the original."""
        parts = {"deployment": "gateway+mesh", "at": "back", "route": {"to": "auth", "mirror": {"to": "back"}}}

        assert self.hits({"/all": 1}, **parts).keys() == {"MISS", "HIT"}
        assert self.hits({"POST /all": 1}, **parts).keys() == {"ADMITTED"}
