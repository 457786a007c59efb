"""What happens at one instant: no task of the model's own, and no event, may decide who is first.

Times are constants and whole milliseconds, so that many things fall on one instant.
"""

from __future__ import annotations

from typing import Any

import pytest
from connection_bench import HTTP1, MS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

import meshsim as ms
from meshsim.distributions import Constant
from meshsim.engines.reference.destinations.pool import PoolLayer
from meshsim.engines.reference.time.at_once import begin, begin_aside, end
from meshsim.engines.reference.time.clock import PARK, Cancelled, Clock, Interrupted
from meshsim.engines.reference.time.outcome import CALLER_GONE


class PlainBench(Bench):
    """The same, with the pool that does not tell connections apart."""

    def layer(self, view: Any, per_try_ms: float) -> Any:
        inner = super().layer(view, per_try_ms)._inner  # noqa: SLF001 — what the other pool stands around
        return PoolLayer(inner, view, 0, self.refusals)

    def run(self) -> None:
        self.clock.run_all(lambda: None)
        view = self.view
        assert (self.clock.live, view.requests.in_use, view.pending.in_use) == (0, 0, 0)
        assert sum(endpoint.open for endpoint in view.endpoints) == view.connections.in_use


def what_became_of(kind: type[Bench], requests: list[tuple[Any, ...]], limits: dict[str, int], hosts: int, **changes: Any) -> Any:
    bench = kind(HTTP1, instances=hosts, limits=limits, latency=Constant(value=0), **changes)
    made = [bench.send(at, length, to=to % hosts, cut_ms=cut, per_try_ms=per_try) for at, length, to, cut, per_try in requests]
    bench.run()
    outcomes = [(one.outcome.status, one.flags, one.sent_ms, one.ended_ms, one.instance) for one in made]
    return outcomes, bench.refused(), (bench.activity.pool_waits, bench.activity.connection_overflows)


FEW = st.integers(1, 3)


@settings(max_examples=300, deadline=None)
@given(
    requests=st.lists(
        st.tuples(
            st.integers(0, 6), st.integers(1, 4), st.integers(0, 2), st.sampled_from([0, 0, 1, 3]), st.sampled_from([0, 0, 2])
        ),
        max_size=14,
    ),
    limits=st.fixed_dictionaries(
        {}, optional={"max_connections": FEW, "max_pending_requests": st.integers(0, 3), "max_requests": FEW}
    ),
    hosts=FEW,
    connect_timeout_ms=st.sampled_from([0, 1]),
)
def test_the_two_pools_do_the_same_where_connections_take_no_time(requests, limits, hosts, connect_timeout_ms):
    plain = what_became_of(PlainBench, requests, limits, hosts)
    assert what_became_of(Bench, requests, limits, hosts, connect_timeout_ns=connect_timeout_ms * MS) == plain


def circuit_breaking_task(users: int, **connections: Any) -> list[str]:
    """Users without think time, one connection and one place to wait: flags of their requests, by number."""
    settings = {"circuit_breakers": {"max_connections": 1, "max_pending_requests": 1}, **connections}
    made = ms.load(
        {
            "name": "circuit-breaking",
            "deployment": "gateway",
            "load": {"fortio": {"executor": "constant-vus", "vus": users, "requests": {"all": 1}, "duration": "99ms"}},
            "gateway": {"routes": {"all": {"path": "/", "to": "httpbin"}}, "proxy_time": "0s", "traffic": {"httpbin": settings}},
            "services": {"httpbin": {"workers": 10, "script": [{"compute": "10ms"}]}},
            "run": {"duration": "1s"},
        }
    )
    return made.run().requests["response_flags"].tolist()


@pytest.mark.parametrize(("users", "answered", "refused"), [(1, 10, 0), (2, 11, 0), (3, 11, 99)])
@pytest.mark.parametrize("connections", [{}, {"connections": {"protocol": "http1"}}, {"connect_timeout": "1s"}])
def test_who_asks_again_in_the_instant_of_an_answer_finds_the_place_that_it_has_freed(users, answered, refused, connections):
    """Istio's task "Circuit breaking" without a network: of two users none is refused, of three one in each 10 ms asks in vain.

    The third asks again each millisecond, as one whose answer took no time does.
    """
    flags = circuit_breaking_task(users, **connections)
    assert (flags.count("-"), flags.count("UO")) == (answered, refused)


def flags_of(**parts: Any) -> list[str]:
    """What became of the requests of one user without think time, in 20 ms, behind a gateway that takes no time."""
    scenario = {
        "name": "one-instant",
        "deployment": "gateway",
        "load": {"user": {"executor": "constant-vus", "vus": 1, "requests": {"all": 1}, "duration": "20ms", "timeout": "5ms"}},
        "gateway": {"routes": {"all": {"path": "/", "to": "back"}}, "proxy_time": "0s"},
        "services": {"back": {"workers": 10, "script": [{"compute": "10ms"}]}},
        "run": {"duration": "1s"},
    }
    return ms.load({**scenario, **parts}).run().requests["response_flags"].tolist()


GIVEN_UP = ["DC"] * 4
"""At 5, 10, 15 and 20 ms, each time with the next request in the same instant."""


def test_who_gives_up_and_asks_again_finds_the_worker_that_it_has_left():
    back = {"workers": 1, "queue": {"limit": 0}, "on_cancel": "stop", "script": [{"compute": "10ms"}]}

    assert flags_of(services={"back": back}) == GIVEN_UP


def test_who_gives_up_tries_beside_each_other_leaves_all_their_places():
    traffic = {"back": {"hedge_policy": {"delay": "2ms"}, "circuit_breakers": {"max_requests": 2}}}
    gateway = {"routes": {"all": {"path": "/", "to": "back"}}, "proxy_time": "0s", "traffic": traffic}

    assert flags_of(gateway=gateway) == GIVEN_UP


def test_who_gives_up_parallel_calls_leaves_the_places_of_all_of_them():
    front = {"workers": 10, "on_cancel": "stop", "script": [[{"call": "back"}, {"call": "back"}]]}
    services = {"front": front, "back": {"workers": 10, "script": [{"compute": "10ms"}]}}
    mesh = {"proxy_time": "0s", "traffic": {"back": {"circuit_breakers": {"max_requests": 2}}}}
    gateway = {"routes": {"all": {"path": "/", "to": "front"}}, "proxy_time": "0s"}

    assert flags_of(deployment="gateway+mesh", gateway=gateway, mesh=mesh, services=services) == GIVEN_UP


def test_who_gives_up_the_parts_of_an_answer_leaves_the_places_of_all_of_them():
    traffic = {"*": {"circuit_breakers": {"max_requests": 1}}}
    route = {"path": "/", "to": "back", "aggregate": [{"call": "side"}]}
    services = {name: {"workers": 10, "script": [{"compute": "10ms"}]} for name in ("back", "side")}

    assert flags_of(gateway={"routes": {"all": route}, "proxy_time": "0s", "traffic": traffic}, services=services) == GIVEN_UP


def test_work_that_takes_no_time_holds_no_worker_that_somebody_else_wants_at_the_instant():
    back = {"workers": 1, "queue": {"limit": 0}, "script": [{"compute": "0s"}]}
    load = {
        name: {"executor": "constant-arrival-rate", "rate": "100/s", "arrivals": "even", "requests": {"all": 1}}
        for name in ("one", "other")
    }

    assert set(flags_of(load=load, services={"back": back}, run={"duration": "1s"})) == {"-"}


class TestSteps:
    """Of tasks that begin and end within a step of another."""

    @staticmethod
    def run(*steps: Any) -> Clock:
        clock = Clock()
        clock.call_at(0, lambda: [clock.start(one(clock)) for one in steps])  # type: ignore[arg-type,return-value]
        clock.run_all(lambda: None)
        return clock

    def test_what_a_task_does_before_it_waits_is_done_before_anything_else(self):
        seen = []

        def inner():
            seen.append("begun")
            yield 5
            seen.append("over")

        def outer(clock):
            outside = clock.active
            begin(clock, inner(), lambda _: seen.append(clock.now_ns))
            assert clock.active is outside
            seen.append("goes on")
            yield 1
            seen.append("woken")

        clock = self.run(outer, lambda _: iter_of(seen, "another"))
        assert seen == ["begun", "goes on", "another", "woken", "over", 5]
        assert clock.live == 0

    def test_a_task_that_never_waits_is_over_when_it_has_begun(self):
        ended = []

        def inner():
            return 7
            yield

        def outer(clock):
            assert begin(clock, inner(), ended.append).is_over
            begin_aside(clock, inner())
            assert ended == [7]
            return
            yield

        assert self.run(outer).live == 0

    def test_who_is_ended_gives_back_at_once_and_is_not_woken_again(self):
        seen = []

        def inner(wait):
            try:
                yield wait
            except Interrupted:
                seen.append("given back")

        def outer(clock):
            for wait in (PARK, 3):
                task = begin(clock, inner(wait))
                if wait is PARK:
                    task.wake()  # its wait is over, and its next step stands in the queue
                end(task, Cancelled(CALLER_GONE))
                seen.append(task.is_over)
                end(task, Cancelled(CALLER_GONE))
            yield 10

        assert self.run(outer).live == 0
        assert seen == ["given back", True, "given back", True]


def iter_of(seen: list[Any], what: str) -> Any:
    seen.append(what)
    return
    yield
