"""Comparisons and sweeps: the same whoever does the work, paired, resumed, and honest about what they cannot tell."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

import meshsim as ms
from meshsim.errors import ResultError, ScenarioError, UsageError
from meshsim.experiments.open import open_results
from meshsim.report.write import write_report

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO: dict[str, Any] = {
    "name": "shop",
    "description": "Is a second worker worth it?",
    "load": {
        "shoppers": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "100/s", "requests": {"payment": 1}}
    },
    "services": {"payment": {"workers": 2, "script": [{"compute": {"exponential": {"mean": "10ms"}}}], "errors": "2%"}},
    "variants": {
        "as-is": {},
        "third": {"services": {"payment": {"workers": 3}}},
        "same": {"services": {"payment": {"workers": 2}}},
    },
    "run": {"duration": "6s", "warm_up": "1s", "seed": 7, "replications": 6},
    "thresholds": {"latency": ["p(99)<48ms"], "errors": ["rate<10%"]},
}


def digests(directory: Path) -> dict[str, str]:
    """SHA-256 of every file by its path."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> ms.Comparison:
    return ms.compare(SCENARIO, jobs=2, out=tmp_path_factory.mktemp("comparison") / "out")


def row(comparison: ms.Comparison, figure: str, variant: str) -> Any:
    table = comparison.table()
    return table[(table["figure"] == figure) & (table["variant"] == variant)].iloc[0]


def test_a_difference_that_is_there_is_told_and_one_that_is_not_is_zero(comparison: ms.Comparison) -> None:
    third, same = (row(comparison, "latency:p(99)", name) for name in ("third", "same"))

    assert third["difference"] < 0
    assert third["is_distinct"]
    assert third["difference_low"] < third["difference"] < third["difference_high"] < 0
    assert (same["difference"], same["difference_low"], same["difference_high"], same["is_distinct"]) == (0, 0, 0, False)


def test_the_errors_of_the_service_do_not_depend_on_the_variant(comparison: ms.Comparison) -> None:
    """Common random numbers: the same requests fail, whatever the number of workers."""
    assert row(comparison, "errors:rate", "as-is")["value"] == row(comparison, "errors:rate", "third")["value"]
    assert row(comparison, "errors:rate", "third")["difference"] == 0


def test_a_mean_is_that_of_the_replications_and_a_quantile_that_of_all_requests_together(comparison: ms.Comparison) -> None:
    kept = comparison.kept["as-is"]
    shares = [summary.total.error_share for summary in kept.summaries]
    latencies = comparison.latency
    mine = latencies[latencies["variant"] == "as-is"].groupby("latency_s")["requests"].sum()
    cumulated = mine.cumsum() / mine.sum()

    assert row(comparison, "errors:rate", "as-is")["value"] == pytest.approx(sum(shares) / len(shares))
    assert row(comparison, "latency:p(99)", "as-is")["value"] == pytest.approx(cumulated[cumulated >= 0.99].index[0], rel=0.004)


def test_thresholds_are_judged_over_all_replications(comparison: ms.Comparison) -> None:
    judged = comparison.thresholds().set_index(["variant", "metric"])

    assert comparison.holding == ("third",)
    assert not judged.loc[("as-is", "latency"), "passed"]
    assert judged.loc[("third", "latency"), "held"] >= 0.5
    assert comparison.verdict.startswith("third holds all 2 thresholds; as-is crosses 1; same crosses 1.")
    assert "Against as-is, third is better in latency:p(50) (2" in comparison.verdict
    assert comparison.verdict.endswith("same is the same as as-is.")


def test_one_process_and_two_leave_the_same_bytes(comparison: ms.Comparison, tmp_path: Path) -> None:
    alone = ms.compare(SCENARIO, jobs=1, out=tmp_path / "out")

    assert digests(alone.directory) == digests(comparison.directory)


def test_an_interrupted_comparison_goes_on_and_ends_in_the_same_bytes(comparison: ms.Comparison, tmp_path: Path) -> None:
    seen = []

    def interrupt(now: Any) -> None:
        seen.append(now.done)
        if now.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ms.compare(SCENARIO, jobs=1, out=tmp_path / "out", progress=interrupt)
    assert len(list((tmp_path / "out.partial").glob("*/replication-*"))) == 7
    _is_reported_as_far_as_it_came(tmp_path / "out")

    seen.clear()
    resumed = ms.compare(SCENARIO, jobs=1, out=tmp_path / "out", resume=True, progress=lambda now: seen.append(now.done))

    assert seen == list(range(7, 19))
    assert digests(resumed.directory) == digests(comparison.directory)


def _is_reported_as_far_as_it_came(directory: Path) -> None:
    partial = directory.with_name("out.partial")
    with pytest.raises(ResultError) as caught:
        open_results([directory])
    assert str(caught.value) == (
        f"{directory} is not finished: 7 replications are in {partial}. Go on with --resume, or report on {partial}"
    )
    part = open_results([partial])
    assert part.replications == 2
    assert len(part.table()) == 3 * len(part.figures)
    assert part.notes[0] == (
        "Interrupted: this is of the 2 replications that every variant has so far. --resume goes on from there."
    )
    assert b"Interrupted: this is of the 2 replications" in write_report(part, directory.with_name("part.md")).read_bytes()
    assert write_report(part, directory.with_name("part.html")).stat().st_size > 100_000


def test_a_comparison_that_was_interrupted_too_soon_is_told_and_no_traceback(tmp_path: Path) -> None:
    def interrupt(now: Any) -> None:
        if now.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ms.compare(SCENARIO, jobs=1, out=tmp_path / "out", progress=interrupt)
    with pytest.raises(
        ResultError, match="was interrupted before each of its 3 points had a replication: there is nothing to compare"
    ):
        open_results([tmp_path / "out.partial"])


def test_a_finished_comparison_can_be_made_more_precise(tmp_path: Path) -> None:
    ms.compare(SCENARIO, jobs=1, replications=2, out=tmp_path / "out")
    counts = []
    more = ms.compare(
        SCENARIO, jobs=1, replications=4, out=tmp_path / "out", resume=True, progress=lambda now: counts.append(now.done)
    )

    assert counts[0] == 6
    assert more.replications == 4
    assert digests(more.directory) == digests(ms.compare(SCENARIO, jobs=1, replications=4, out=tmp_path / "new").directory)


def test_replications_are_added_until_the_figure_is_precise(tmp_path: Path) -> None:
    until = {"metric": "latency:avg", "relative_error": "4%", "max_replications": 60}
    scenario = {**SCENARIO, "run": {**SCENARIO["run"], "replications": 3, "until": until}}
    comparison = ms.compare(scenario, variants=["as-is", "third"], jobs=2, out=tmp_path / "out", figures=["latency:avg"])

    assert 3 < comparison.replications < 60
    for name in comparison.variants:
        one = row(comparison, "latency:avg", name)
        assert (one["high"] - one["low"]) / 2 <= 0.04 * one["value"]
        assert one["replications"] == comparison.replications


def test_precision_that_is_out_of_reach_ends_at_the_limit_and_is_told(tmp_path: Path) -> None:
    until = {"metric": "p99", "relative_error": "0.1%", "max_replications": 5}
    scenario = {**SCENARIO, "run": {**SCENARIO["run"], "replications": 3, "until": until}}
    comparison = ms.compare(scenario, variants=["as-is", "third"], jobs=1, out=tmp_path / "out")

    assert comparison.replications == 5
    assert any("After 5 replications, the most that were allowed" in note for note in comparison.notes)


def test_a_gate_is_crossed_only_when_the_change_is_worse_beyond_chance() -> None:
    gates = ["p99<=+5%", "latency:avg<=+0.1ms", "goodput>=-1%", "errors<=+0.5pp"]
    comparison = ms.compare(SCENARIO, variants=["third", "as-is"], jobs=1, gates=gates)
    outcomes = {one.gate: one.outcome for one in comparison.gates}

    assert outcomes["p99<=+5%"] == "crossed"
    assert outcomes["latency:avg<=+0.1ms"] == "crossed"
    assert outcomes["goodput>=-1%"] == "holds"
    assert outcomes["errors<=+0.5pp"] == "holds"
    assert not comparison.passed


def test_a_gate_whose_interval_lies_on_both_sides_is_undecided() -> None:
    comparison = ms.compare(SCENARIO, variants=["third", "as-is"], jobs=1, replications=2, gates=["p99<=+40%"])

    assert [one.outcome for one in comparison.gates] == ["undecided"]


def test_one_replication_has_no_interval_and_says_so() -> None:
    comparison = ms.compare(SCENARIO, jobs=1, replications=1)

    assert comparison.table()["low"].isna().all()
    assert comparison.verdict == "third holds all 2 thresholds; as-is crosses 1; same crosses 1."
    assert "One replication has no interval: nothing here can be told from chance. Ask for ten or more." in comparison.notes


def test_several_scenarios_are_compared_as_they_stand_under_one_seed() -> None:
    other = {**SCENARIO, "name": "bazaar", "run": {**SCENARIO["run"], "seed": 99}}
    comparison = ms.compare(SCENARIO, other, jobs=1, replications=2)

    assert comparison.variants == ("shop", "bazaar")
    assert comparison.manifest["seed"] == 7
    assert (comparison.table()["difference"].dropna() == 0).all()


def test_with_one_variant_the_scenario_as_it_stands_is_the_baseline() -> None:
    one = {**SCENARIO, "variants": {"third": SCENARIO["variants"]["third"]}}

    assert ms.compare(one, jobs=1, replications=2).variants == ("base", "third")


def test_the_pieces_of_a_comparison_are_frames_by_variant(comparison: ms.Comparison) -> None:
    names = ("timeline", "errors", "services_over_time", "edges", "nodes", "stages", "spans", "latency")
    for frame in (getattr(comparison, name) for name in names):
        assert list(frame.columns[:2]) == ["variant", "replication"]
        assert list(frame["variant"].unique()) == ["as-is", "third", "same"]
    stages = comparison.stages
    slow = stages[(stages["route"] == "(all)") & (stages["variant"] == "as-is")].groupby("replication")["mean_s"].sum()
    assert len(slow) == 6
    assert (slow > 0.04).all()


def test_a_comparison_is_read_back_as_it_was(comparison: ms.Comparison) -> None:
    again = ms.open_comparison(comparison.directory)

    assert again.table().equals(comparison.table())
    assert again.verdict == comparison.verdict
    assert again.changes()["third"][0].path == "services.payment.workers"
    assert repr(again) == "<Comparison of shop: 3 variants, 6 replications each>"


def test_runs_side_by_side_are_a_comparison_without_intervals(tmp_path: Path) -> None:
    for name in ("as-is", "third"):
        ms.load(SCENARIO, variant=name).run(out=tmp_path / name)
    from meshsim.experiments.open import open_results  # noqa: PLC0415

    runs = open_results([tmp_path / "as-is", tmp_path / "third"])

    assert runs.kind == "run"
    assert runs.variants == ("as-is", "third")
    assert row(runs, "latency:p(99)", "third")["difference"] < 0
    ms.load(SCENARIO, variant="third").run(out=tmp_path / "other", replication=3)
    with pytest.raises(ResultError, match=r"^the runs do not pair: each scenario needs the same seeds and replications$"):
        open_results([tmp_path / "as-is", tmp_path / "other"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"figures": ["p98.x"]}, "unknown metric 'p98.x'"),
        ({"figures": ["latency{route:pament}:p99"]}, "as-is has no route 'pament'; did you mean 'payment'?"),
        ({"gates": ["p99<=5%"]}, "a gate limits the change, which has a sign"),
        ({"gates": ["p99<=+5%"], "replications": 1}, "a gate needs an interval, and one replication has none"),
        ({"variants": ["as-is", "as-is"]}, "nothing to compare: name different variants"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_runs(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        ms.compare(SCENARIO, **arguments)

    assert message in str(error.value)


def test_there_must_be_something_to_compare() -> None:
    alone = {key: value for key, value in SCENARIO.items() if key != "variants"}
    with pytest.raises(UsageError, match=r"^nothing to compare: scenario has no `variants:`; write some, or name a second file$"):
        ms.compare(alone)
    with pytest.raises(ScenarioError, match="unknown variant 'thrid'; did you mean 'third'"):
        ms.compare(SCENARIO, variants=["as-is", "thrid"])


def test_a_sweep_has_a_row_for_each_point_and_a_curve() -> None:
    sweep = ms.sweep(
        SCENARIO, ["load.shoppers.rate=40/s..120/s:40/s", "services.payment.workers=2,3"], jobs=2, replications=3,
        figures=["latency:avg", "goodput"],
    )  # fmt: skip
    frame = sweep.to_frame()
    curve = sweep.curve("latency:avg")

    assert sweep.axes == ("load.shoppers.rate", "services.payment.workers")
    assert list(frame["load.shoppers.rate"]) == ["40/s", "40/s", "80/s", "80/s", "120/s", "120/s"]
    assert list(curve["x"]) == [40, 40, 80, 80, 120, 120]
    assert list(curve["y"]) == [2, 3, 2, 3, 2, 3]
    assert curve[curve["y"] == 2]["value"].is_monotonic_increasing
    assert (frame["goodput:rate low"] <= frame["goodput:rate"]).all()
    assert repr(sweep) == "<Sweep of shop: 6 points, 3 replications each>"


def test_a_matrix_can_run_over_variants() -> None:
    scenario = {**SCENARIO, "matrix": {"variant": ["as-is", "third"], "load.shoppers.rate": ["50/s", "100/s"]}}
    curve = ms.sweep(scenario, jobs=1, replications=2, figures=["latency:avg"]).curve("latency:avg")

    assert list(curve["line"]) == ["as-is", "as-is", "third", "third"]


def test_a_figure_of_requests_that_never_came_is_nothing_to_measure() -> None:
    figure = "latency{source:nobody,route:payment}:p99"
    idle = {"executor": "constant-arrival-rate", "rate": "1/h", "requests": {"payment": 1}, "arrivals": "even"}
    scenario = {**SCENARIO, "load": {**SCENARIO["load"], "nobody": idle}}
    comparison = ms.compare(scenario, jobs=1, replications=2, figures=[figure])

    assert comparison.table()["replications"].tolist() == [0, 0, 0]
    assert not any("lie beyond" in note for note in comparison.notes)


def test_a_value_of_an_axis_is_data_and_no_text() -> None:
    """`null` takes the setting out, as in a patch."""
    frame = ms.sweep(SCENARIO, {"services.payment.errors": [None, "5%"]}, jobs=1, replications=2, figures=["errors"]).to_frame()

    assert list(frame["services.payment.errors"]) == ["null", "5%"]
    assert frame["errors:rate"].iloc[0] == 0
    assert frame["errors:rate"].iloc[1] == pytest.approx(0.05, abs=0.02)


def test_every_mistake_of_every_point_is_told() -> None:
    with pytest.raises(ScenarioError) as error:
        ms.sweep(SCENARIO, ["services.payment.workers=1,two", "load.shopers.rate=1/s,2/s"])

    assert "expected a whole number, not 'two'" in str(error.value)
    assert "load.shopers" in str(error.value)


def test_nothing_to_sweep_is_told() -> None:
    with pytest.raises(UsageError, match=r"^nothing to sweep: write a `matrix:`, or give --vary path=from..to:step$"):
        ms.sweep(SCENARIO)


def test_the_manifest_is_enough_to_repeat_it(comparison: ms.Comparison) -> None:
    manifest = json.loads((comparison.directory / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["seed"] == 7
    assert manifest["replications"] == 6
    assert [one["digest"] for one in manifest["points"]] == [
        ms.load(SCENARIO, variant=name).loaded.digest for name in ("as-is", "third", "same")
    ]
