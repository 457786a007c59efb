"""A run that would end in an abort, or never, is ended in time; what was simulated until then is kept."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import meshsim as ms
from meshsim.cli import app
from meshsim.engines.reference import Progress
from meshsim.errors import LimitError
from meshsim.experiments import watch
from meshsim.experiments.watch import Watch, available_bytes, used_bytes
from meshsim.planning import make_plan
from meshsim.scenario.sections.model import Scenario

if TYPE_CHECKING:
    from pathlib import Path

NS_PER_S = 1_000_000_000
OFF = "or write run.limits: false to go on regardless"
LOAD: dict[str, Any] = {"executor": "constant-arrival-rate", "rate": "10/s", "arrivals": "even", "requests": {"a": 1}}
PLAIN: dict[str, Any] = {"name": "plain", "load": {"l": LOAD}, "services": {"a": {"script": []}}, "run": {"duration": "10s"}}


def at(now_ns: int, events: int, live: int = 0, requests: int = 7) -> Progress:
    return Progress(now_ns, requests, events, is_over=False, planned_ns=10 * NS_PER_S, live=live)


@pytest.fixture
def guard() -> Watch:
    """Of a run of 10 s; it may have more memory than there is."""
    return Watch(make_plan(Scenario.model_validate(PLAIN)), math.inf)


def test_a_run_that_goes_on_is_let_go_on(guard: Watch) -> None:
    assert {guard.why_end(at(second * NS_PER_S, 900_000 * second)) for second in range(10)} == {""}


def test_events_without_time_are_counted(guard: Watch) -> None:
    assert guard.why_end(at(2 * NS_PER_S, 1000)) == ""
    assert guard.why_end(at(2 * NS_PER_S + 9_000, 1_001_000)) == ""
    assert guard.why_end(at(2 * NS_PER_S + 9_000, 1_001_001)) == (
        "1,000,001 events in 9,000 ns of simulated time: something goes on without end and without a wait (retries with a back-off of"
        f" 0s, intervals of nanoseconds); {OFF}"
    )


def test_users_may_all_begin_in_one_instant(guard: Watch) -> None:
    """Each request makes one call: 60 events are more than it takes."""
    at_once = 1_000_000 + 60 * 100_000

    assert guard.why_end(at(0, at_once, requests=100_000)) == ""
    assert guard.why_end(at(0, at_once + 1, requests=100_000)) != ""


def test_what_does_not_end_with_the_load_is_ended(guard: Watch) -> None:
    assert guard.why_end(at(10 * NS_PER_S, 1000)) == ""
    assert guard.why_end(at(20 * NS_PER_S, 2_000_000)) == ""
    assert guard.why_end(at(30 * NS_PER_S, 3_021_001, live=5)) == (
        "3,020,001 events since the load ended at 10 s, and still no end: 5 tasks are under way; look for work that takes for ever"
        f" (`compute`, `slow`), num_retries that multiply and waits without a timeout; {OFF}"
    )


def test_a_century_is_the_end(guard: Watch) -> None:
    assert guard.why_end(at(2**62 + 1, 1)) == (
        "4,611,686,018 s are simulated, more than a century: requests take for ever (`compute`, `slow`) or wait for those that do"
    )


def test_memory_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Watch(make_plan(Scenario.model_validate(PLAIN)), 4 * 2.0**30)
    monkeypatch.setattr(watch, "used_bytes", lambda: 3.3 * 2**30)
    assert [guard.why_end(at(NS_PER_S, 1)) for _ in range(8)] == [""] * 8

    monkeypatch.setattr(watch, "used_bytes", lambda: 3.5 * 2**30)

    assert [guard.why_end(at(NS_PER_S, 1, live=9)) for _ in range(8)][-1] == (
        "memory runs out: 3.5 of 4.0 GiB are used, and 1 s are simulated with 7 requests; 9 tasks are under way: ask for a lower rate or"
        f" fewer users, or bound what waits (queue.limit, max_pending_requests, timeouts); {OFF}"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="it is /proc that says it")
def test_an_address_space_that_is_limited_is_what_counts() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from meshsim.experiments.watch import available_bytes, used_bytes\n"
        "before = used_bytes(); kept = bytearray(1 << 29)\n"
        "print(available_bytes() <= 3 << 30, 1 << 29 <= used_bytes() - before < 1 << 30)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "True True\n"
    assert 0 < used_bytes() < available_bytes()


def without_end(**back_off: str) -> dict[str, Any]:
    """A request that is tried again for ever: its service fails at once, and nothing takes time, so that nothing else has its turn."""
    retries = {"num_retries": 2**32 - 1, "retry_on": ["5xx"], "retry_back_off": back_off}
    return {
        "name": "endless",
        "deployment": "gateway",
        "load": {"l": LOAD},
        "gateway": {
            "proxy_time": "0s",
            "routes": {"a": {"path": "/", "to": "a"}},
            "traffic": {"a": {"retries": retries, "circuit_breakers": {"max_retries": 2**32 - 1}}},
        },
        "services": {"a": {"errors": "100%", "script": []}},
        "run": {"duration": "1s"},
    }


@pytest.mark.parametrize("base_interval", ["0s", "1ns"])
def test_retries_without_end_and_without_a_wait_are_ended(base_interval: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALLED_EVENTS", 20_000)

    result = ms.load(without_end(base_interval=base_interval)).run(records=0)

    assert result.interrupted
    assert "something goes on without end and without a wait (retries with a back-off of 0s" in result.why_ended
    assert result.manifest["why_ended"] == result.why_ended


def test_the_command_line_says_why_and_keeps_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALLED_EVENTS", 20_000)
    file, out = tmp_path / "endless.json", tmp_path / "out"
    file.write_text(json.dumps(without_end(base_interval="0s")), encoding="utf-8")

    told = CliRunner().invoke(app, ["run", str(file), "--out", str(out), "--records", "none"])

    assert told.exit_code == 104
    last = told.stderr.splitlines()[-1]
    assert last.startswith("meshsim: ended: ")
    assert told.stderr.endswith(f"; what was simulated until then is kept in {out}-interrupted\n")
    assert ms.open_result(f"{out}-interrupted").why_ended in told.stderr


def test_a_comparison_says_which_replication_was_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALLED_EVENTS", 20_000)
    scenario = without_end(base_interval="0s") | {"variants": {"as-is": {}, "other": {"run": {"duration": "2s"}}}}

    with pytest.raises(LimitError, match=r"^replication 0 of as-is was ended: .* without a wait"):
        ms.compare(scenario, replications=2, jobs=1)


def test_a_run_that_is_over_was_not_ended() -> None:
    """Twenty times ten years are more than a century; but there is nothing left to end."""
    work = [{"compute": "87600h"}] * 20
    scenario = PLAIN | {
        "services": {"a": {"script": work}},
        "load": {"l": LOAD | {"rate": "1/s", "duration": "1s"}},
        "run": {"duration": "87600h", "interval": "87600h"},
    }
    result = ms.load(scenario).run()

    assert (result.interrupted, result.why_ended) == (False, "")
    assert result.attempts["worked_ns"].tolist() == [20 * 10 * 365 * 86_400 * NS_PER_S]


def test_work_is_never_longer_than_ten_years() -> None:
    """Ten years a million times slower would not fit into 64 bits of nanoseconds."""
    slow = {"at": "0s", "for": "1s", "service": "a", "slow": 1_000_000}
    scenario = PLAIN | {
        "services": {"a": {"script": [{"compute": "87600h"}]}},
        "load": {"l": LOAD | {"rate": "1/s", "duration": "1s"}},
        "faults": [slow],
        "run": {"duration": "87600h", "interval": "87600h"},
    }

    result = ms.load(scenario).run()

    assert result.attempts["worked_ns"].tolist() == [10 * 365 * 86_400 * NS_PER_S]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="limits of memory are those of Unix")
def test_a_run_under_a_small_limit_of_memory_ends_with_words_and_not_in_an_abort(tmp_path: Path) -> None:
    """Requests that come faster than they are served, with nothing that bounds their queue."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1400 << 20, 1400 << 20))\n"
        "import meshsim as ms; result = ms.load(sys.argv[1]).run(records=0); print(result.why_ended)"
    )
    scenario = PLAIN | {
        "load": {"l": LOAD | {"rate": "1M/s"}},
        "services": {"a": {"script": [{"compute": "1h"}], "workers": 1}},
        "run": {"duration": "60s", "interval": "1h"},
    }
    file = tmp_path / "flood.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    small = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}

    told = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False, env=small, timeout=300
    )

    assert told.stdout.startswith("memory runs out: "), told.stderr[-2000:]
