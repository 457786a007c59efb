"""The points of a sweep."""

from __future__ import annotations

from typing import Any

import pytest

import meshsim as ms
from meshsim.errors import ScenarioError
from meshsim.scenario.matrix import parse_vary, points

SCENARIO = """\
name: shop
load: {shoppers: {executor: constant-arrival-rate, arrivals: poisson, rate: 10/s, requests: {cart: 1}}}
services: {cart: {script: [{compute: 1ms}]}}
variants: {fast: {services: {cart: {workers: 2}}}}
run: {duration: 5s}
matrix:
"""


def test_the_last_axis_runs_fastest() -> None:
    assert points({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_exclude_takes_out_every_combination_that_agrees_with_an_entry() -> None:
    assert points({"a": [1, 2], "b": [3, 4], "exclude": [{"a": 1}, {"a": 2, "b": 4}]}) == [{"a": 2, "b": 3}]


def test_include_does_what_the_example_of_github_s_documentation_says() -> None:
    """The example of "Expanding or adding matrix configurations" in the documentation of GitHub Actions."""
    matrix: dict[str, Any] = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }

    assert points(matrix) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("load.a.rate=100/s..300/s:100/s", ["100/s", "200/s", "300/s"]),
        ("load.a.rate=100..300/s:100/s", ["100/s", "200/s", "300/s"]),
        ("x=1..6:2", ["1", "3", "5"]),
        ("x=0.1..0.3:0.1", ["0.1", "0.2", "0.3"]),
        ("x=10%..50%:20%", ["10%", "30%", "50%"]),
        ("x=100ms..1s:300ms", ["100ms", "400ms", "700ms", "1s"]),
        ("x=1.5ms..2.5ms:0.5ms", ["1.5ms", "2ms", "2.5ms"]),
        ("x=a, b,{c: 1, d: 2}", ["a", "b", "{c: 1, d: 2}"]),
        ("x=5", ["5"]),
    ],
)
def test_an_axis_is_a_range_with_both_ends_or_a_list(argument: str, values: list[str]) -> None:
    assert parse_vary(argument) == (argument.partition("=")[0], values)


HINT = "path=from..to:step, such as load.shoppers.rate=100/s..800/s:100/s, or path=a,b,c"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("x", f"--vary x: write {HINT}"),
        ("x=", f"--vary x=: write {HINT}"),
        ("x=1..5", f"--vary x=1..5: x: '1..5' is no range; write {HINT}"),
        ("x=5..1:1", "--vary x=5..1:1: x: a range goes upwards: from the smaller to the larger value, by a step of more than 0"),
        ("x=1..5:0", "--vary x=1..5:0: x: a range goes upwards: from the smaller to the larger value, by a step of more than 0"),
        ("x=1..100000:1", "--vary x=1..100000:1: x: 100,000 values; a sweep has 10,000 points at most"),
        ("x=1/s..5ms:1ms", "--vary x=1/s..5ms:1ms: x: '1/s' is not a duration (write '250ms', '1m30s' or '2h')"),
        ("x=1,,2", f"--vary x=1,,2: x: an empty value, or one that is there twice; write {HINT}"),
        ("x=1,1", f"--vary x=1,1: x: an empty value, or one that is there twice; write {HINT}"),
    ],
)
def test_what_is_no_axis_is_told(argument: str, message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_vary(argument)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("  load.shoppers.rate: [10/s, 20]", "scenario:7:30: load.shoppers.rate: 20 has no unit; write '20/s'"),
        ("  services.cart.wrkers: [1]", "scenario:7:3: services.cart.wrkers: unknown key; did you mean 'workers'?"),
        (
            "  services.cart.workers: 3",
            'scenario:7:26: matrix."services.cart.workers": write a list of values, such as [1, 2, 4], not 3',
        ),
        ("  services.cart.workers: [3, 3]", 'scenario:7:30: matrix."services.cart.workers"[1]: 3 is here twice'),
        ("  variant: [fats]", "scenario:7:13: matrix.variant[0]: unknown variant 'fats'; did you mean 'fast'?"),
        (
            "  services.cart.workers: [3]\n  exclude: [{services.cart.worker: 3}]",
            "scenario:8:14: matrix.exclude[0].\"services.cart.worker\": no axis of the matrix; did you mean 'services.cart.workers'?",
        ),
        (
            "  services.cart.workers: [3]\n  exclude: [{services.cart.workers: 4}]",
            'scenario:8:37: matrix.exclude[0]."services.cart.workers": 4 is no value of that axis: nothing is taken out',
        ),
        ("  include: 4", "scenario:7:12: matrix.include: write a list of combinations, not 4"),
        ("  include: [4]", "scenario:7:13: matrix.include[0]: write values by path, such as {run.seed: 2}, not 4"),
        (
            "  services.: [4]",
            "scenario:7:3: matrix: 'services.' is no path; write one like mesh.traffic.payment.retries.num_retries",
        ),
    ],
)
def test_a_mistake_in_the_matrix_has_its_place(matrix: str, message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        ms.load(SCENARIO + matrix + "\n")

    assert str(error.value) == message
