"""Whatever stands in a file: it loads, or every mistake is told with its place. Never anything else."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshsim.errors import ScenarioError
from meshsim.scenario.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from meshsim.errors import Mistake

TEXT = """\
name: checkout
deployment: gateway+mesh
load:
  users: {executor: ramping-arrival-rate, arrivals: poisson, stages: [{target: 8/s, duration: 2m}], requests: {all: 9, /x: 1}, timeout: 5s}
  few: {executor: constant-vus, vus: 2, think_time: {exponential: {mean: 1s}}, requests: {all: 1}, zone: a}
gateway:
  filters: [{rate_limit: {token_bucket: {max_tokens: 3, fill_interval: 1s}, key: consumer}}]
  routes: {all: {path: /, to: {a: 90, b: 10}, timeout: none, retries: {num_retries: 1}}}
mesh:
  proxy_time: {lognormal: {p50: 0.3ms, p99: 1.5ms}}
  traffic: {b: {load_balancer: {least_request: {choice_count: 2}}, retries: {retry_on: [5xx]}, circuit_breakers: {max_retries: 3}}}
services:
  a: &a {zones: {a: 2, b: 1}, script: [{compute: 3ms}, [{call: b}, {call: c/get, probability: 60%, repeat: 2}]], errors: 0.2%}
  b: {script: [{compute: {mixture: {of: [{weight: 1, time: 3ms}]}}}], queue: {limit: 5}, load_balancing_weights: [1]}
  c: {operations: {get: {script: [{compute: {empirical: {quantiles: {p0: 1ms, p100: 3ms}}}}]}}}
faults: [{at: 3m, for: 60s, service: b, slow: 5}]
variants: {none: {mesh: {traffic: {b: {retries: {num_retries: 0}}}}}}
run: {duration: 8m, warm_up: 60s, seed: 42, records: {sampled: 10%}}
thresholds: {"latency{route:all}": ["p(99)<800ms"]}
"""
TREE: dict[str, Any] = {
    "name": "checkout",
    "deployment": "gateway+mesh",
    "load": {
        "users": {
            "executor": "ramping-arrival-rate",
            "arrivals": "poisson",
            "stages": [{"target": "8/s", "duration": "2m"}],
            "requests": {"all": 9, "/x": 1},
        },
        "few": {
            "executor": "constant-vus",
            "vus": 2,
            "think_time": {"exponential": {"mean": "1s"}},
            "requests": {"all": 1},
        },
    },
    "gateway": {
        "filters": [{"rate_limit": {"token_bucket": {"max_tokens": 3, "fill_interval": "1s"}, "key": "consumer"}}],
        "routes": {"all": {"path": {"exact": "/"}, "to": {"a": 90, "b": 10}, "retries": {"num_retries": 1}}},
    },
    "mesh": {
        "proxy_time": {"lognormal": {"p50": "0.3ms", "p99": "1.5ms"}},
        "traffic": {"b": {"load_balancer": {"least_request": {"choice_count": 2}}, "retries": {"retry_on": ["5xx"]}}},
    },
    "services": {
        "a": {
            "zones": {"a": 2},
            "script": [{"compute": "3ms"}, [{"call": "b"}, {"call": "c/get", "repeat": 2}]],
            "errors": "1%",
        },
        "b": {
            "script": [{"compute": {"mixture": {"of": [{"weight": 1, "time": "3ms"}]}}}],
            "load_balancing_weights": [1],
        },
        "c": {"operations": {"get": {"script": [{"compute": {"empirical": {"quantiles": {"p0": "1ms", "p100": "3ms"}}}}]}}},
    },
    "faults": [{"at": "3m", "for": "60s", "service": "b", "slow": 5}],
    "variants": {"none": {"mesh": {"traffic": {"b": {"retries": {"num_retries": 0}}}}}},
    "run": {"duration": "8m", "warm_up": "60s", "records": {"sampled": "10%"}},
    "thresholds": {"latency{route:all}": ["p(99)<800ms"]},
}
WRONG = [
    None, True, False, 0, -1, 1, 3.5, -0.0, 1e308, 10**40, -(10**30), "", " ", "x", "none", "0", "5", "5 ms", "-5ms",
    "5ms", "20%", "400/s", "1e3", "9" * 50 + "s", "999999999999h", "\u2028", "\ufeff", "é" * 100, "a/b", "/", "{}", "*", "<call>", "[key]",
    [], [[]], [None], [{}], {}, {"": None}, {"x": {}}, {"replay": {"file": "nope.csv"}}, {"replay": {"file": "\0"}}, {"file": "/"},
    {"empirical": {"file": "..", "unit": "s"}}, {"constant": {"value": None}}, {"call": "a"}, {"compute": {"call": 3}}, {"<call>": 1},
    {"random": {}, "round_robin": {}}, {"exact": 5}, {"sampled": "200%"}, [{"call": "a"}, [{"call": "b"}]], {"a": {"script": [{"call": "a"}]}},
]  # fmt: skip
SIGNS = [b"", b":", b"- ", b"{", b"}", b"[", b"]", b"'", b'"', b"&a ", b"*a", b"!!", b"\t", b"\n", b"#", b"|", b"? ", b"%"]


def fuzz(examples: int) -> settings:
    """The same examples on every machine."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "scenario.yaml"


def mistakes_in(source: Any, *changes: str) -> tuple[Mistake, ...]:
    """What is wrong; nothing where it loads."""
    try:
        load(source, set=changes)
    except ScenarioError as error:
        assert error.mistakes
        return error.mistakes
    return ()


def loads_or_tells(file: Path, content: bytes) -> bool:
    """Whether the content loads; fails where it neither loads nor is told, with its place, what is wrong."""
    file.write_bytes(content)
    lines = sum(map(content.count, (b"\n", b"\r", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85"))) + 2
    mistakes = mistakes_in(file)
    for mistake in mistakes:
        assert mistake.file == str(file)
        assert 1 <= mistake.line <= lines
        assert mistake.column >= 1
        assert mistake.message
        assert "\n" not in str(mistake)
        assert len(str(mistake)) < 2000
        assert not any(word in mistake.message for word in ("Input should", "pydantic", "Traceback", "Field required"))
    return not mistakes


def test_the_base_of_the_fuzz_is_right(file: Path) -> None:
    assert loads_or_tells(file, TEXT.encode())
    assert loads_or_tells(file, json.dumps(TREE).encode())


@fuzz(800)
@given(data=st.data())
def test_files_with_mutated_bytes(file: Path, data: st.DataObject) -> None:
    content = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 12))
        rubbish = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(SIGNS),
                st.just(bytes(content[at : at + 40])),
            )
        )
        content[at : at + length] = rubbish
    loads_or_tells(file, bytes(content))


@fuzz(300)
@given(content=st.binary(max_size=200))
def test_files_of_rubbish(file: Path, content: bytes) -> None:
    assert not loads_or_tells(file, content)


@fuzz(300)
@given(content=st.text(alphabet="a1:-?{}[],&*!|>'\"%@` \n\t#<.~=\u2028", max_size=60))
def test_files_of_the_signs_of_yaml(file: Path, content: str) -> None:
    assert not loads_or_tells(file, content.encode())


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All paths in a tree but its top."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [here for key, one in inner for here in ((*path, key), *places(one, (*path, key)))]


def mutated(data: st.DataObject, tree: Any) -> None:
    """Replace, delete, rename, double or move one node of a tree."""
    *way, last = data.draw(st.sampled_from(places(tree)))
    parent = tree
    for key in way:
        parent = parent[key]
    action = data.draw(st.sampled_from(["replace", "replace", "replace", "delete", "rename", "wrap", "move"]))
    if action == "replace":
        parent[last] = deepcopy(data.draw(st.sampled_from(WRONG)))
    elif action == "delete":
        del parent[last]
    elif action == "rename" and isinstance(last, str):
        cut = data.draw(st.integers(0, len(last)))
        parent[last[:cut] + data.draw(st.sampled_from(["", "_", "x", "é", "."])) + last[cut + 1 :]] = parent.pop(last)
    elif action == "wrap":
        parent[last] = data.draw(st.sampled_from([[parent[last]], {"x": parent[last]}, {str(last): parent[last]}]))
    elif action == "move":
        *_, name = data.draw(st.sampled_from(places(TREE)))
        if isinstance(parent, dict):
            parent[str(name)] = deepcopy(parent[last])


@fuzz(400)
@given(data=st.data())
def test_files_with_wrong_types_missing_keys_and_typos(file: Path, data: st.DataObject) -> None:
    loads_or_tells(file, a_wrong_file(data))


@pytest.mark.slow
@fuzz(3000)
@given(data=st.data())
def test_many_files_with_wrong_types_missing_keys_and_typos(file: Path, data: st.DataObject) -> None:
    loads_or_tells(file, a_wrong_file(data))


def a_wrong_file(data: st.DataObject) -> bytes:
    tree = deepcopy(TREE)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated(data, tree)
        if not places(tree):
            break
    return json.dumps(tree, indent=data.draw(st.sampled_from([None, 1]))).encode()


@fuzz(200)
@given(calls=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_a_circle_of_calls_is_told_and_nothing_else_is(file: Path, calls: list[tuple[int, int]]) -> None:
    scripts: dict[str, list[Any]] = {f"s{number}": [{"compute": "1ms"}] for number in range(6)}
    for caller, callee in calls:
        scripts[f"s{caller}"].append({"call": f"s{callee}"})
    reached = set(calls)
    for via in range(6):
        for one in range(6):
            for other in range(6):
                if (one, via) in reached and (via, other) in reached:
                    reached.add((one, other))
    tree = {
        "name": "graph",
        "load": {"users": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1/s", "requests": {"s0": 1}}},
        "services": {name: {"script": script} for name, script in scripts.items()},
        "run": {"duration": "1s"},
    }

    assert loads_or_tells(file, json.dumps(tree).encode()) == (not any((one, one) in reached for one in range(6)))


def test_a_chain_of_ten_thousand_calls_is_no_circle() -> None:
    services: dict[str, Any] = {f"s{number}": {"script": [{"call": f"s{number + 1}"}]} for number in range(9_999)}
    tree = {
        "name": "chain",
        "load": {"users": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "1/s", "requests": {"s0": 1}}},
        "services": {**services, "s9999": {}},
        "run": {"duration": "1s"},
    }

    assert len(load(tree).scenario.services) == 10_000


@fuzz(100)
@given(data=st.data())
def test_shuffled_keys_are_the_same_scenario(file: Path, data: st.DataObject) -> None:
    def shuffled(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: shuffled(tree[key]) for key in data.draw(st.permutations(list(tree)))}
        return [shuffled(one) for one in tree] if isinstance(tree, list) else tree

    file.write_text(json.dumps(shuffled(TREE)))
    one, other = load(file), load(TREE)

    assert one.scenario == other.scenario
    assert one.digest == other.digest


@fuzz(400)
@given(
    path=st.text(alphabet='abrun.[]"=0 seed\\', max_size=20),
    value=st.text(alphabet="a1:-{}[],&*!'\" \n\t%", max_size=10),
)
def test_changes_on_the_command_line(path: str, value: str) -> None:
    for mistake in mistakes_in(TREE, f"{path}={value}"):
        assert mistake.file.startswith("--set ") or mistake.file == "scenario"
