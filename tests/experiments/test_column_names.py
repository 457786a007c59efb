"""No column and no index of a table that users get is hidden by an attribute of pandas: `frame.filter` would be a method, without an error."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import meshsim as ms
from meshsim.metrics import frames
from meshsim.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENARIO: dict[str, Any] = {
    "name": "columns",
    "deployment": "gateway+mesh",
    "load": {
        "web": {
            "executor": "constant-arrival-rate",
            "arrivals": "poisson",
            "rate": "50/s",
            "requests": {"all": 1},
            "consumer": "web",
        }
    },
    "gateway": {
        "filters": [{"rate_limit": {"token_bucket": {"max_tokens": 20, "tokens_per_fill": 20, "fill_interval": "1s"}}}],
        "routes": {"all": {"path": "/", "to": "front"}},
    },
    "mesh": {"proxy_time": "1ms"},
    "queues": {"orders": {}},
    "services": {
        "front": {
            "workers": 8,
            "connection_pools": {"db": {}},
            "caches": {"values": {"keys": {"count": 9}, "ttl": "1s"}},
            "script": [
                {"transaction": "db", "script": [{"cached": "values", "script": [{"call": "back"}]}]},
                {"publish": "orders"},
            ],
        },
        "back": {
            "replicas": 2,
            "workers": 4,
            "script": [{"compute": "5ms"}],
            "errors": "10%",
            "autoscaling": {"max_replicas": 4},
            "rollouts": [{"at": "1s"}],
            "cpu": {"limits": 4},
        },
    },
    "faults": [{"at": "1s", "for": "1s", "service": "back", "errors": "100%"}],
    "variants": {"as-is": {}, "slow": {"mesh": {"proxy_time": "2ms"}}},
    "thresholds": {"latency": ["p(99)<1s"]},
    "run": {"duration": "4s", "seed": 3},
}
TABLES_OF_A_RUN = {
    *TABLES,
    "summary().routes_frame()",
    "summary().filters_frame()",
    "summary().autoscaling_frame()",
    "summary().connection_pools_frame()",
    "summary().caches_frame()",
    "summary().cpu_frame()",
    "summary().message_queues_frame()",
    "summary().faults_frame()",
    "summary().rollouts_frame()",
}
TABLES_OF_A_COMPARISON = {
    "table()",
    "thresholds()",
    "routes()",
    "filters()",
    "failures()",
    "latency",
    "timeline",
    "spans",
    "faults",
}


def hidden(frame: pd.DataFrame | pd.Series) -> list[str]:
    """Names of the columns, of the index' levels and of the series that pandas has an attribute for."""
    names = [*frame.index.names, *([frame.name] if isinstance(frame, pd.Series) else [*frame.columns, *frame.columns.names])]
    return [name for name in names if isinstance(name, str) and hasattr(pd.DataFrame, name)]


def tables_of(what: object, before: str = "") -> Iterator[tuple[str, pd.DataFrame | pd.Series]]:
    """All that it gives without being told anything."""
    for name in dir(type(what)):
        if name.startswith("_"):
            continue
        value, called = getattr(what, name), before + name
        if inspect.ismethod(value) and not any(
            one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
            for one in inspect.signature(value).parameters.values()
        ):
            value, called = value(), f"{called}()"
        if isinstance(value, pd.DataFrame | pd.Series):
            yield called, value
        elif called == "summary()":
            yield from tables_of(value, "summary().")


@cache
def compared() -> ms.Comparison:
    return ms.compare(SCENARIO, replications=2, jobs=1)


@cache
def run() -> ms.Result:
    return ms.load(SCENARIO, variant="as-is").run()


def test_none_of_a_run_is() -> None:
    found = dict(tables_of(run()))

    assert found.keys() >= TABLES_OF_A_RUN
    assert {name: names for name, table in found.items() if (names := hidden(table))} == {}


def test_none_of_a_comparison_is() -> None:
    found = dict(tables_of(compared()))

    assert found.keys() >= TABLES_OF_A_COMPARISON
    assert {name: names for name, table in found.items() if (names := hidden(table))} == {}


def test_none_of_a_sweep_is() -> None:
    swept = ms.sweep({**SCENARIO, "variants": {}, "matrix": {"run.duration": ["2s", "3s"]}}, replications=2, jobs=1)

    assert hidden(swept.to_frame()) == []
    assert hidden(swept.curve("errors:rate")) == []


def test_none_of_a_file_is(tmp_path: Path) -> None:
    ms.load(SCENARIO, variant="as-is").run(out=tmp_path / "run")
    files = sorted((tmp_path / "run").rglob("*.parquet"))

    assert {file.stem for file in files} > set(TABLES)
    assert {file.stem: names for file in files if (names := hidden(pd.read_parquet(file)))} == {}


WINDOW = {"warm_up_s": 0.0, "duration_s": 4.0}
MADE_OF = {
    "requests": ("latency_quantiles", "throughput", "errors_by_flag", "timeline", "errors"),
    "attempts": ("retry_amplification", "wasted_work", "edges", "balance"),
    "destinations": ("policies",),
    "counters": ("utilisation", "queue_length", "replica_hours"),
}


@pytest.mark.parametrize(("table", "name"), [(table, name) for table, names in MADE_OF.items() for name in names])
def test_none_that_a_function_makes_is(table: str, name: str) -> None:
    function = getattr(frames, name)
    known = {**WINDOW, "simulated_s": 4.0, "workers": {"front": 8, "back": 4}, "zones": {"front": [""], "back": ["", ""]}}
    given = {
        key: known[key]
        for key, one in inspect.signature(function).parameters.items()
        if one.default is one.empty and key in known
    }

    assert hidden(function(getattr(run(), table), **given)) == []


def test_a_name_of_pandas_would_be_found() -> None:
    assert hidden(pd.DataFrame({"flags": [1], "status": [200]})) == ["flags"]
    assert hidden(pd.DataFrame({"status": [200]}, index=pd.Index([1], name="filter"))) == ["filter"]
    assert hidden(pd.Series([1], name="count")) == ["count"]
