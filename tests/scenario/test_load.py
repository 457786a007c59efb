"""From a file to a scenario: what loads, and as what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meshsim.errors import ScenarioError
from meshsim.policies.load_balancing import LeastRequest
from meshsim.scenario.load import load, load_all, read
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.script import CallStep, ComputeStep

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIOS = sorted([*REPOSITORY.glob("scenarios/*.yaml"), *REPOSITORY.glob("benchmarks/*.yaml")])
TEXT = """\
name: checkout
load:
  users: {executor: constant-arrival-rate, arrivals: poisson, rate: 10/s, requests: {cart: 1}}
services:
  cart:
    zones: {a: 2, b: 1}
    script:
      - compute: 5ms
      - [{call: stock}, {call: ads, probability: 60%, optional: true, timeout: none}]
    errors: 0.2%
  stock: {script: [{compute: {lognormal: {p50: 3ms, p99: 20ms}}}]}
  ads: {script: [{compute: exponential}]}
mesh:
  traffic:
    stock: {load_balancer: {least_request: {choice_count: 3}}, timeout: 1m30s, retries: {retry_on: 5xx}}
run: {duration: 60s, records: {sampled: 10%}}
""".replace("exponential}", "{exponential: {mean: 1ms}}}")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_every_scenario_of_the_repository_loads_with_all_its_variants(path: Path) -> None:
    loaded = load(path)

    for variant in loaded.names:
        assert load(path, variant=variant).scenario.name == loaded.scenario.name


def test_all_versions_of_one_reading_are_those_of_a_reading_each() -> None:
    text = TEXT + "variants: {v: {run: {seed: 2}}, w: {run: {duration: 30s}}}\n"
    found = list(load_all(text, set=["run.warm_up=1s"]))

    assert [one.variant for one in found] == [None, "v", "w"]
    for one in found:
        alone = load(text, variant=one.variant, set=["run.warm_up=1s"])
        assert (one.scenario, one.digest, one.text, one.changes) == (alone.scenario, alone.digest, alone.text, alone.changes)


def test_a_change_that_fits_no_variant_is_found_in_that_variants_turn() -> None:
    versions = load_all(TEXT + "variants: {short: {run: {duration: 1s}}}\n", set=["run.warm_up=2s"])

    assert next(versions).scenario.run.warm_up == 2_000_000_000
    with pytest.raises(ScenarioError, match="must be shorter than the run's duration"):
        next(versions)


def test_quantities_are_numbers_and_choices_are_policies() -> None:
    scenario = load(TEXT).scenario
    traffic = scenario.mesh.traffic["stock"]

    assert scenario.run.duration == 60_000_000_000
    assert scenario.run.kept_share == 0.1
    assert scenario.load["users"].rate == 10.0
    assert traffic.timeout == 90_000_000_000
    assert traffic.retries.retry_on == ["5xx"]
    assert isinstance(traffic.load_balancer.chosen, LeastRequest)
    assert traffic.load_balancer.chosen.choice_count == 3
    assert scenario.services["cart"].errors.rate == 0.002


def test_a_script_is_steps_in_sequence_and_a_list_in_it_is_calls_at_once() -> None:
    compute, (stock, ads) = load(TEXT).scenario.services["cart"].script

    assert isinstance(compute, ComputeStep)
    assert compute.compute.chosen.mean_ns == 5_000_000
    assert isinstance(stock, CallStep)
    assert (ads.call, ads.probability, ads.optional, ads.timeout) == ("ads", 0.6, True, "none")


def test_replicas_are_the_sum_of_the_zones() -> None:
    services = load(TEXT).scenario.services

    assert services["cart"].replicas == 3
    assert services["stock"].replicas == 1


def test_what_depends_on_the_product_is_none_where_it_is_absent() -> None:
    traffic = load(TEXT).scenario.mesh.traffic["stock"]

    assert traffic.circuit_breakers is None
    assert traffic.retries.num_retries is None


def test_a_path_a_text_and_a_mapping_are_the_same_scenario(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT)
    as_mapping: dict[str, Any] = json.loads(json.dumps(_plain(TEXT)))

    one, two, three = load(file), load(TEXT), load(as_mapping)

    assert one.scenario == two.scenario == three.scenario
    assert one.digest == two.digest == three.digest
    assert (one.file, two.file) == (str(file), "scenario")


def _plain(text: str) -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 — an independent reader, only here

    return YAML(typ="safe").load(text)


def test_the_order_of_keys_changes_nothing() -> None:
    def turned(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: turned(tree[key]) for key in reversed(tree)}
        return [turned(one) for one in tree] if isinstance(tree, list) else tree

    tree = _plain(TEXT)

    assert load(turned(tree)).digest == load(tree).digest
    assert load(turned(tree)).scenario == load(tree).scenario


def test_every_setting_counts_in_the_digest_but_other_variants_do_not() -> None:
    assert load(TEXT, set=["run.seed=2"]).digest != load(TEXT).digest
    assert load(TEXT + "variants: {v: {run: {seed: 2}}}\n").digest == load(TEXT).digest
    assert load(TEXT + "variants: {v: {run: {seed: 2}}}\n", variant="v").digest == load(TEXT, set=["run.seed=2"]).digest


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_the_text_of_a_loaded_scenario_loads_as_the_same(path: Path) -> None:
    loaded = load(path)
    again = load(loaded.text)

    assert again.digest == loaded.digest
    assert again.scenario == loaded.scenario.model_copy(update={"variants": {}})


def test_files_are_looked_for_beside_the_scenario_and_count_in_the_digest(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        TEXT + "variants: {replayed: {services: {stock: {script: [{compute: {replay: {file: t.npy, unit: ms}}}]}}}}\n"
    )
    np.save(tmp_path / "t.npy", np.ones((1, 10)))
    before = load(file, variant="replayed")
    (step,) = before.scenario.services["stock"].script
    np.save(tmp_path / "t.npy", np.zeros((1, 10)))
    after = load(file, variant="replayed")

    assert isinstance(step.compute, ReplayedTime)
    assert step.compute.replay.file == tmp_path / "t.npy"
    assert list(before.data_files) == ["t.npy"]
    assert before.digest != after.digest
    assert load(file).data_files == {}
    assert load(after.text).digest == after.digest


def test_the_place_of_a_data_file_does_not_count(tmp_path: Path) -> None:
    digests = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / f"{folder}.npy", np.ones(10))
        file = tmp_path / folder / "scenario.yaml"
        replay = f"{{executor: replay, file: {folder}.npy, unit: s, requests: {{cart: 1}}}}"
        file.write_text(
            TEXT.replace("{executor: constant-arrival-rate, arrivals: poisson, rate: 10/s, requests: {cart: 1}}", replay)
        )
        digests.add(load(file).digest)

    assert len(digests) == 1


def test_anchors_and_merge_keys_are_read_as_yaml_says() -> None:
    text = TEXT.replace("stock: {script:", "stock: &s {workers: 4, script:").replace(
        "ads: {script:", "ads: {<<: *s, replicas: 2, script:"
    )
    services = load(text).scenario.services

    assert services["ads"].workers == 4
    assert services["ads"].replicas == 2


def test_yes_and_dates_are_text_as_yaml_1_2_says() -> None:
    assert load(TEXT.replace("name: checkout", "name: 2024-01-01\ndescription: yes")).scenario.description == "yes"


def test_a_number_as_a_key_is_a_name() -> None:
    assert load(TEXT.replace("{a: 2, b: 1}", "{1: 2, 2: 1}")).scenario.services["cart"].zones == {"1": 2, "2": 1}


def test_numpy_numbers_in_a_mapping_are_numbers() -> None:
    tree = _plain(TEXT)
    tree["run"]["seed"] = np.int64(7)

    assert load(tree).scenario.run.seed == 7


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "scenario: run.seed: no number that can be counted with"),
        (10**5000, "scenario: run.seed: no number that can be counted with"),
        (object, "scenario: run.seed: a type cannot be part of a scenario"),
    ],
    ids=["nan", "huge", "object"],
)
def test_what_no_file_could_hold_is_a_mistake_in_a_mapping(value: Any, message: str) -> None:
    tree = _plain(TEXT)
    tree["run"]["seed"] = value

    with pytest.raises(ScenarioError) as caught:
        load(tree)
    assert message in str(caught.value).splitlines()


def test_a_mapping_that_holds_itself_is_a_mistake() -> None:
    tree = _plain(TEXT)
    tree["run"] = tree

    with pytest.raises(ScenarioError, match="nested too deep"):
        load(tree)


def test_places_tell_where_a_setting_stands(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT)
    _, places = read(file)

    assert str(places.mistake(("services", "cart", "zones"), "x")) == f"{file}:6:5: services.cart.zones: x"
    assert str(places.mistake(("run", "duration"), "x")) == f"{file}:16:17: run.duration: x"
    assert str(places.mistake(("run", "warm_up"), "x")) == f"{file}:16:1: run.warm_up: x"
