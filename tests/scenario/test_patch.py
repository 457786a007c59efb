"""Variants and --set."""

from __future__ import annotations

from typing import Any

import pytest

from meshsim.errors import ScenarioError
from meshsim.scenario.load import load

TEXT = """\
name: checkout
load:
  users: {executor: constant-arrival-rate, arrivals: poisson, rate: 10/s, requests: {cart: 1}}
services:
  cart: {zones: {a: 2}, queue: {limit: 5}, script: [{compute: {lognormal: {p50: 3ms, p99: 9ms}}}, {call: a.b}]}
  a.b: {script: [{compute: 1ms}]}
mesh: {traffic: {a.b: {load_balancer: {least_request: {choice_count: 3}}, retries: {num_retries: 2}}}}
run: {duration: 60s}
"""


def variant(patch: str) -> Any:
    return load(f"{TEXT}variants: {{v: {patch}}}\n", variant="v").scenario


def changed(*changes: str) -> Any:
    return load(TEXT, set=changes).scenario


def mistakes(text: str, *changes: str, **options: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(text, set=changes, **options)
    return str(caught.value).splitlines()


def test_mappings_merge_and_scalars_replace() -> None:
    made = variant("{mesh: {traffic: {a.b: {retries: {per_try_timeout: 5ms}}}}, run: {duration: 5s}}")

    assert made.mesh.traffic["a.b"].retries.num_retries == 2
    assert made.mesh.traffic["a.b"].retries.per_try_timeout == 5_000_000
    assert made.run.duration == 5_000_000_000


def test_lists_replace() -> None:
    assert len(variant("{services: {cart: {script: [{compute: 1ms}]}}}").services["cart"].script) == 1


def test_null_takes_out() -> None:
    assert variant("{services: {cart: {queue: null}}}").services["cart"].queue is None
    assert changed("services.cart.queue=null").services["cart"].queue is None


def test_an_empty_variant_is_the_scenario_itself() -> None:
    assert variant("{}").model_copy(update={"variants": {}}) == changed()
    assert variant("").model_copy(update={"variants": {}}) == changed()


def test_another_policy_takes_the_place_of_the_one_chosen() -> None:
    made = variant("{mesh: {traffic: {a.b: {load_balancer: {random: {}}}}}}")

    assert made.mesh.traffic["a.b"].load_balancer.chosen.name == "random"
    assert changed('mesh.traffic."a.b".load_balancer.random={}').mesh.traffic["a.b"].load_balancer.chosen.name == "random"
    assert changed('mesh.traffic."a.b".load_balancer=round_robin').mesh.traffic["a.b"].load_balancer.chosen.name == "round_robin"


def test_the_same_policy_keeps_its_other_settings() -> None:
    assert (
        changed('mesh.traffic."a.b".load_balancer.least_request.choice_count=5')
        .mesh.traffic["a.b"]
        .load_balancer.chosen.choice_count
        == 5
    )


@pytest.mark.parametrize(
    "path", ["services.cart.script[0].compute", "services.cart.script.0.compute", 'services."cart".script[0].compute']
)
def test_set_reaches_into_lists(path: str) -> None:
    assert changed(f"{path}=7ms").services["cart"].script[0].compute.chosen.mean_ns == 7_000_000


def test_set_replaces_mappings() -> None:
    assert changed("services.cart.zones={b: 3}").services["cart"].zones == {"b": 3}


def test_set_makes_the_mappings_on_its_way() -> None:
    assert changed("network.same_zone=1ms").network.same_zone.chosen.mean_ns == 1_000_000


def test_set_comes_after_the_variant_and_one_after_the_other() -> None:
    loaded = load(TEXT + "variants: {v: {run: {seed: 5}}}\n", variant="v", set=["run.seed=6", "run.seed=7"])

    assert loaded.scenario.run.seed == 7
    assert loaded.changes == ("run.seed=6", "run.seed=7")


def test_a_mistake_in_a_variant_is_told_at_its_own_place_whichever_variant_is_run() -> None:
    text = TEXT + "variants:\n  good: {}\n  bad: {mesh: {traffic: {a.b: {retries: {num_retrys: 2, num_retries: x}}}}}\n"

    assert mistakes(text, variant="good") == [
        "scenario:11:42: variants.bad.mesh.traffic.\"a.b\".retries.num_retrys: unknown key; did you mean 'num_retries'?",
        "scenario:11:70: variants.bad.mesh.traffic.\"a.b\".retries.num_retries: expected a whole number, not 'x'",
    ]


def test_what_a_variant_breaks_elsewhere_is_told_with_its_name() -> None:
    assert mistakes(TEXT + "variants: {v: {services: {a.b: null}}}\n") == [
        "scenario:5:106: services.cart.script[1].call: unknown service 'a.b' (one of: cart) (in variant 'v')",
        "scenario:7:18: mesh.traffic.\"a.b\": unknown service 'a.b' (one of: cart) (in variant 'v')",
    ]


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("5", "scenario:9:15: variants.v: expected a mapping of changes, not 5"),
        ("{variants: {}}", "scenario:9:16: variants.v.variants: a variant has no variants"),
        ("{msh: null}", "scenario:9:16: variants.v.msh: there is nothing here to take out; did you mean 'mesh'?"),
    ],
)
def test_what_is_no_variant_is_told(patch: str, message: str) -> None:
    assert mistakes(f"{TEXT}variants: {{v: {patch}}}\n") == [message]


def test_an_unknown_variant_is_told_with_the_nearest() -> None:
    assert mistakes(TEXT + "variants: {no-retries: {}}\n", variant="no-retrys") == [
        "scenario:9:1: variants: unknown variant 'no-retrys'; did you mean 'no-retries'?"
    ]
    assert mistakes(TEXT, variant="v") == ["scenario:1:1: variants: there are no variants, so no 'v'"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("run.duration=60", "--set run.duration=60: run.duration: 60 has no unit; write '60ms' or '60s'"),
        ("run.sed=1", "--set run.sed=1: run.sed: unknown key; did you mean 'seed'?"),
        ("mesh.traffic.cart.retries.num_retries=x", (
            "--set mesh.traffic.cart.retries.num_retries=x: mesh.traffic.cart.retries.num_retries: expected a whole number, not 'x'"
        )),
        ("services.cart.script[9].compute=1ms", (
            "--set services.cart.script[9].compute=1ms: services.cart.script[9].compute:"
            " 'services.cart.script' is a list of 2: write a position from 0 to 1"
        )),
        ("run[0]=1", "--set run[0]=1: run[0]: there is no list at 'run'"),
        ("run.duraton=null", "--set run.duraton=null: run.duraton: there is nothing here to take out; did you mean 'duration'?"),
        ("run.seed='1", "--set run.seed='1: the quote that begins here is never closed"),
        ("run.seed", "--set run.seed: write path=value, such as run.duration=2m or services.cart.script[0].compute=5ms"),
        ("=1", "--set =1: write path=value, such as run.duration=2m or services.cart.script[0].compute=5ms"),
        ('run."se=1', '--set run."se=1: write path=value, such as run.duration=2m or services.cart.script[0].compute=5ms'),
    ],
)  # fmt: skip
def test_a_mistake_in_set_names_the_argument(change: str, message: str) -> None:
    assert mistakes(TEXT, change) == [message]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"locality": {"locality_weighted": {"weights": {"x": 1}}}}, {"locality": {"zone_aware": {}}}),
        ({"failure_accrual": {"consecutive": {"max_failures": 3}}}, {"failure_accrual": {"success_rate": {}}}),
        ({"concurrency_limit": {"fixed": {"limit": 3}}}, {"concurrency_limit": {"vegas": {}}}),
        ({"retry_token_budget": {"retry_quota": {"capacity": 9}}}, {"retry_token_budget": {"leaky_budget": {}}}),
    ],
)
def test_a_variant_replaces_a_choice_as_a_whole(before, after):
    scenario = {
        "name": "choices",
        "load": {"u": {"executor": "constant-vus", "vus": 1, "requests": {"a": 1}, "zone": "x"}},
        "direct": {"traffic": {"a": before}},
        "services": {"a": {"zone": "x", "script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
        "variants": {"other": {"direct": {"traffic": {"a": after}}}},
    }

    assert load(scenario, variant="other").scenario.direct is not None
