"""The JSON Schema that an editor completes and checks by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from meshsim.scenario.documentation.schema import json_schema

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIOS = sorted([*REPOSITORY.glob("scenarios/*.yaml"), *REPOSITORY.glob("benchmarks/*.yaml")])
TEXT = """\
name: checkout
load: {users: {executor: constant-arrival-rate, arrivals: poisson, rate: 10/s, requests: {cart: 1}}}
services: {cart: {script: [{compute: 5ms}]}}
run: {duration: 60s}
"""


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json_schema())


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_it_accepts_every_scenario_of_the_repository(validator: Draft202012Validator, path: Path) -> None:
    assert [error.message for error in validator.iter_errors(parsed(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize(
    "more",
    [
        "",
        "mesh: {traffic: {'*': {load_balancer: round_robin, timeout: none, retries: {retry_on: 5xx}}}}",
        "mesh: {traffic: {cart: {load_balancer: {least_request: {choice_count: 3}}, timeout: 1m30s, retries: {retry_on: [5xx]}}}}",
        "mesh: {proxy_time: 0, inbound: {cart: {filters: []}}}",
        "network: {same_zone: {mixture: {of: [{weight: 95, time: 3ms}, {weight: 5, time: {exponential: {mean: 80ms}}}]}}}",
        "faults: [{at: 0, for: 1m, service: cart, slow: 5}]",
        "thresholds: {'latency{route:cart}': ['p(99)<800ms'], utilisation: [value<80%]}",
        "defaults: istio",
        "variants: {as-is: {}, other: , gone: {services: {cart: {script: null, queue: {limit: 5}}}}}",
        "variants: {faster: {load: {users: {rate: 20/s}}}}",
        "variants: {mesh: {deployment: mesh, mesh: {traffic: {cart: {load_balancer: {random: {}}}}}}}",
    ],
)
def test_it_accepts_what_the_loader_accepts(validator: Draft202012Validator, more: str) -> None:
    assert [error.message for error in validator.iter_errors(parsed(TEXT + more))] == []


@pytest.mark.parametrize(
    "more",
    [
        "rn: {}",
        "defaults: isto",
        "deployment: gatway",
        "mesh: {traffic: {cart: {load_balancer: leastrequest}}}",
        "mesh: {traffic: {cart: {load_balancer: {least_request: {}, random: {}}}}}",
        "mesh: {traffic: {cart: {load_balancer: {}}}}",
        "mesh: {traffic: {cart: {timeout: 600}}}",
        "mesh: {traffic: {cart: {timeout: 600 ms}}}",
        "mesh: {traffic: {cart: {retries: {retry_on: [5x]}}}}",
        "mesh: {traffic: {cart: {retries: {num_retrys: 3}}}}",
        "network: {same_zone: {exponential: {}}}",
        "network: {same_zone: lognorml}",
        "faults: [{at: 1s, for: 1m, servce: cart, slow: 5}]",
        "thresholds: {latncy: []}",
        "variants: {other: {services: {cart: {wrokers: 5}}}}",
        "variants: {other: {rn: {}}}",
        "variants: {other: {load: {users: {rte: 20/s}}}}",
        "variants: {'a b': {}}",
        "variants: {other: {variants: {}}}",
    ],
)
def test_it_rejects_typos(validator: Draft202012Validator, more: str) -> None:
    assert not validator.is_valid(parsed(TEXT + more))


def test_every_field_has_its_documentation() -> None:
    schema = json_schema()
    sections = {"Scenario": schema, **schema["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, field in section.get("properties", {}).items()
        if not field.get("description") and "$ref" not in field
    ]

    assert silent == []


def test_a_duration_is_described_with_its_unit() -> None:
    schema = json_schema()

    assert schema["$defs"]["RunSection"]["properties"]["duration"]["examples"] == ["250ms"]
