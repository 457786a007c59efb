"""What must not matter does not: names, services that nobody calls, one load or two, and the unit of time.

Luck hangs on names and seeds, so the laws of names, of splitting and of time are of systems without chance: all times constant, requests evenly
spaced, one replica of everything. Queues, timeouts, retries, limits, pools and faults meet in them as in any other. (That the order of keys
does not matter is in `test_conservation`.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_conservation import scenarios

import meshsim as ms

if TYPE_CHECKING:
    from collections.abc import Callable

SOME = settings(max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
MANY = settings(parent=SOME, max_examples=100)
NAMES = {"a": "zulu", "b": "mike", "c": "alpha", "web": "browsers", "app": "apps", "held": "connections"}
"""New names, whose alphabetical order is another."""
TIMES = ("request", "started_ns", "ended_ns", "latency_s", "status", "response_flags", "attempts")

DURATIONS = st.sampled_from(["1ms", "3ms", "8ms", "20ms"])
RETRIES = st.fixed_dictionaries(
    {
        "num_retries": st.integers(1, 2),
        "retry_on": st.just(["5xx", "reset", "connect-failure"]),
        "back_off": st.sampled_from([{"constant": {"interval": "4ms"}}, {"constant": {"interval": "11ms"}}]),
    },
    optional={"per_try_timeout": st.sampled_from(["9ms", "30ms"])},
)
TRAFFIC = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from(["25ms", "70ms"]),
        "retries": RETRIES,
        "circuit_breakers": st.fixed_dictionaries({}, optional={"max_requests": st.integers(1, 4), "max_pending_requests": st.integers(1, 4)}),
    },
)  # fmt: skip
QUEUES = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(0, 6),
        "discipline": st.sampled_from(["fifo", "lifo", "earliest_deadline_first"]),
        "max_wait": st.sampled_from(["5ms", "30ms"]),
    },
)
EFFECTS = st.sampled_from([{"slow": 4}, {"crash": True}, {"unreachable": True}])


@st.composite
def service(draw: st.DrawFn, callees: str) -> dict[str, Any]:
    """Work, calls and sometimes a connection that is held over both."""
    script: list[Any] = [{"compute": draw(DURATIONS)}]
    for callee in callees:
        call = {"call": callee, "optional": draw(st.booleans())}
        script.append(draw(st.sampled_from([call, [call, call], {"loop": 2, "script": [call]}])))
    if draw(st.booleans()):
        script = [script[0], {"transaction": "held", "script": [*script[1:], {"compute": "2ms"}]}]
    return {
        "workers": draw(st.integers(1, 3)),
        "async": draw(st.booleans()),
        "on_cancel": draw(st.sampled_from(["continue", "drop_queued", "stop"])),
        "connection_pools": {"held": {"maximum_pool_size": draw(st.integers(1, 2)), "acquire_timeout": "15ms"}},
        "queue": draw(QUEUES),
        "script": script,
    }


@st.composite
def certain(draw: st.DrawFn) -> dict[str, Any]:
    """A system without chance."""
    faults = [
        {"at": "310ms", "for": "150ms", "service": draw(st.sampled_from("abc")), **effect}
        for effect in draw(st.lists(EFFECTS, max_size=2))
    ]
    return {
        "name": "certain",
        "defaults": "none",
        "deployment": draw(st.sampled_from(["none", "mesh"])),
        "load": {
            "web": {
                "executor": "constant-arrival-rate",
                "rate": draw(st.sampled_from(["40/s", "100/s", "250/s"])),
                "duration": "800ms",
                "timeout": draw(st.sampled_from(["none", "60ms"])),
                "requests": {"a": 1},
            },
            "app": {
                "executor": "per-vu-iterations",
                "vus": 2,
                "iterations": 20,
                "max_duration": "10s",
                "think_time": "7ms",
                "requests": {"b": 1},
            },
        },
        "mesh": {"proxy_time": "1ms", "workers": 2, "traffic": {"*": draw(TRAFFIC), "c": draw(TRAFFIC)}},
        "direct": {"traffic": {"*": draw(TRAFFIC)}},
        "services": {"a": draw(service("bc")), "b": draw(service("c")), "c": draw(service(""))},
        "network": {"same_zone": "500us"},
        "faults": faults,
        "run": {"duration": "1s", "interval": "100ms"},
    }


def of_both(one: dict[str, Any], other: dict[str, Any]) -> tuple[ms.Result, ms.Result]:
    return ms.load(one).run(seed=3), ms.load(other).run(seed=3)


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """The same with all texts changed, also those that are keys."""
    if isinstance(value, dict):
        return {change(key): changed(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [changed(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as texts, because their order is that of the names."""
    return frame.astype({name: str for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)})


def looks_the_same_under_other_names(scenario: dict[str, Any]) -> None:
    first, second = of_both(scenario, changed(scenario, lambda text: NAMES.get(text, text)))

    for table in ("requests", "attempts"):
        expected = texts(getattr(first, table)).map(lambda one: NAMES.get(one, one) if isinstance(one, str) else one)
        pd.testing.assert_frame_equal(expected, texts(getattr(second, table)), check_dtype=False)


def takes_twice_as_long_in_twice_the_time(scenario: dict[str, Any]) -> None:
    """But where messages are lost: how long Linux sends them again (924.6 s) is nobody's setting."""
    assume(not any("unreachable" in fault for fault in scenario["faults"]))
    first, second = of_both(scenario, changed(scenario, doubled))

    for table in ("requests", "attempts"):
        one, other = getattr(first, table), getattr(second, table)
        assert len(one) == len(other)
        for name in one:
            if name.endswith(("_ns", "_s")):
                past = np.asarray(one[name] >= 0)  # -1 is what never happened
                np.testing.assert_array_equal(np.where(past, one[name] * 2, one[name]), other[name], err_msg=name)
            else:
                assert one[name].tolist() == other[name].tolist(), name


def doubled(text: str) -> str:
    """A time twice as long, a rate half as high."""
    if found := re.fullmatch(r"(\d+)(us|ms|s)", text):
        return f"{2 * int(found[1])}{found[2]}"
    return f"{int(found[1]) / 2}/s" if (found := re.fullmatch(r"(\d+)/s", text)) else text


def is_the_same_as_two_loads(scenario: dict[str, Any]) -> None:
    """The second load begins where the first one ends. But where clients have limits or wait for connections: each load has its own."""
    assume("circuit_breakers" not in scenario["direct"]["traffic"]["*"])
    assume(not any("unreachable" in fault for fault in scenario["faults"]))
    whole = scenario["load"]["web"]
    half = {**whole, "duration": "400ms"}
    loads = {"app": scenario["load"]["app"], "early": half, "late": {**half, "start": "400ms"}}
    first, second = of_both(scenario, {**scenario, "load": loads})

    one, other = first.requests, second.requests
    for name in TIMES:
        assert one[name].tolist() == other[name].tolist(), name
    sources = other["source"].astype(str)
    assert (sources[one["source"] == "web"] == np.where(one["started_ns"] < 400e6, "early", "late")[one["source"] == "web"]).all()


def does_not_notice_who_is_not_called(scenario: dict[str, Any]) -> None:
    """But in ambient mode, where an instance takes a place on a node, and those of other services move on to the next."""
    assume(scenario["mesh"].get("mode") != "ambient")
    idle = {"replicas": 3, "workers": 2, "script": [{"compute": {"exponential": {"mean": "5ms"}}}]}
    first, second = of_both(scenario, {**scenario, "services": {"aaa": idle, **scenario["services"], "zzz": idle}})

    for table in ("requests", "attempts"):
        pd.testing.assert_frame_equal(texts(getattr(first, table)), texts(getattr(second, table)))


LAWS = [looks_the_same_under_other_names, takes_twice_as_long_in_twice_the_time, is_the_same_as_two_loads]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_system_without_chance(law):
    SOME(given(certain())(law))()


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_many_systems_without_chance(law):
    MANY(given(certain())(law))()


@SOME
@given(scenarios())
def test_a_system_with_everything_does_not_notice_who_is_not_called(scenario):
    does_not_notice_who_is_not_called(scenario)


@pytest.mark.slow
@MANY
@given(scenarios())
def test_many_systems_with_everything_do_not_notice_who_is_not_called(scenario):
    does_not_notice_who_is_not_called(scenario)
