"""When the filters of a sidecar hear what became of a request that they let pass: it stands beside the instance, 1 ms from the caller.

Source: Envoy, source/extensions/filters/http/adaptive_concurrency/adaptive_concurrency_filter.cc (encodeComplete: as the answer goes
by; onDestroy: as the stream ends).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from control_bench import MS, Bench, fault

from meshsim.engines.reference.layers.timeout import TimeoutLayer, timed_out
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listening:
    """The filters of a sidecar: one that listens, and perhaps one behind it that takes its time or answers itself."""

    is_plain = False

    def __init__(self, bench: Bench, takes_ms: float, answer: Any) -> None:
        self._bench, self._takes_ms, self._answer = bench, takes_ms, answer
        self.heard: list[tuple[float, int]] = []

    def screen(self, _call: Any, _side: int, passed: list[Any]) -> Iterator[Any]:
        passed.append("a filter that listens")
        if self._takes_ms:
            yield round(self._takes_ms * MS)
        return self._answer

    def tell(self, passed: list[Any], outcome: Any, _request: Request) -> None:
        assert passed
        self.heard.append((self._bench.now_ms, outcome.status))


def heard(timeout_ms: float = 1000, takes_ms: float = 0, answer: Any = None, crash_ms: float | None = None) -> tuple[Any, Any]:
    """When and what the filters hear of a request sent at 100 ms that takes 10 ms of work; and when and what the caller does."""
    bench = Bench(faults=() if crash_ms is None else (fault(crash_ms, 10_000, 0),))
    screen = Listening(bench, takes_ms, answer)
    bench.instances[0].guard = SimpleNamespace(takes_time=False, screen=screen)  # type: ignore[assignment]
    layer = TimeoutLayer(bench.hop, bench.clock, round(timeout_ms * MS), timed_out(0))
    ended: list[tuple[float, int]] = []

    def send() -> None:
        call = Call(Request(0, 0, -1, 1, 0, 0, bench.clock.now_ns), 1, 0, 0, 0)
        call.endpoint = bench.view.endpoints[0]
        bench.clock.start(layer.call(call), lambda outcome: ended.append((bench.now_ms, outcome.status)))

    bench.at(100, send)
    bench.run(200)
    return screen.heard, ended


def test_they_hear_of_an_answer_as_it_leaves_and_the_caller_one_latency_later() -> None:
    assert heard() == ([(111, 200)], [(112, 200)])


def test_also_of_an_answer_that_a_filter_behind_them_gives() -> None:
    answer = timed_out(0)._replace(status=429)

    assert heard(takes_ms=2, answer=answer) == ([(103, 429)], [(104, 429)])


def test_also_of_one_that_the_instance_owes_when_it_goes() -> None:
    assert heard(crash_ms=106) == ([(106, 503)], [(107, 503)])


def test_they_hear_that_the_caller_has_gone_when_its_message_comes() -> None:
    assert heard(timeout_ms=5) == ([(106, 0)], [(105, 504)])


def test_also_where_a_filter_behind_them_still_takes_its_time() -> None:
    assert heard(timeout_ms=5, takes_ms=50) == ([(106, 0)], [(105, 504)])


def test_of_an_answer_that_is_on_its_way_back_they_have_heard() -> None:
    assert heard(timeout_ms=11.5) == ([(111, 200)], [(111.5, 504)])


@pytest.mark.parametrize("timeout_ms", [0.5, 1.0])
def test_of_a_request_that_never_came_they_hear_nothing(timeout_ms: float) -> None:
    assert heard(timeout_ms=timeout_ms)[0] == []
