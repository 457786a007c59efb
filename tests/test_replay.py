"""Measured worlds from files: what is read, what is refused, and what a run makes of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import meshsim as ms
from meshsim.errors import ReplayError
from meshsim.replay import Table, look_up, read_arrivals, read_column, read_table

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000
SECOND = 1_000_000_000


def written(folder: Path, ending: str, **columns: list[Any]) -> Path:
    """A file with these columns."""
    path = folder / f"measured.{ending}"
    match ending:
        case "csv":
            pd.DataFrame(columns).to_csv(path, index=False)
        case "parquet":
            pd.DataFrame(columns).to_parquet(path)
        case "npz":
            np.savez(path, **{name: np.asarray(column) for name, column in columns.items()})
        case "npy":
            np.save(path, np.asarray(next(iter(columns.values()))))
    return path


def refusal(read: Any, path: Path, column: str | None = None, unit: str = "s") -> str:
    """The message, without the path that it begins with."""
    with pytest.raises(ReplayError) as refused:
        read(path, column, unit)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


# Columns.


@pytest.mark.parametrize("ending", ["csv", "parquet", "npy", "npz"])
def test_the_only_column_needs_no_name(tmp_path, ending):
    path = written(tmp_path, ending, took=[3.5, 1.25])

    assert read_column(path, None, "ms").tolist() == [3_500_000.0, 1_250_000.0]


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
def test_of_several_columns_the_one_that_is_named_is_read(tmp_path, ending):
    path = written(tmp_path, ending, took=[1.0, 2.0], other=[7.0, 8.0])

    assert read_column(path, "other", "ns").tolist() == [7.0, 8.0]


@pytest.mark.parametrize(("unit", "factor"), [("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)])
def test_the_unit_says_how_many_nanoseconds_a_number_is(tmp_path, unit, factor):
    path = written(tmp_path, "csv", took=[2.0, 0.5])

    assert read_column(path, "took", unit).tolist() == [2 * factor, 0.5 * factor]
    assert read_table(written(tmp_path, "npy", took=[2.0]), None, unit).tolist() == [[2 * factor]]


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path, ending):
    path = written(tmp_path, ending, took=[1.0], other=[7.0])

    assert refusal(read_column, path, "tok") == "has no column 'tok' (it has took, other)"
    assert refusal(read_column, path) == "say which `column:` (it has took, other)"


def test_a_column_of_words_is_no_column_of_numbers(tmp_path):
    assert refusal(read_column, written(tmp_path, "csv", took=["fast", "slow"])) == "holds something that is no number"
    assert refusal(read_column, written(tmp_path, "npy", took=["fast"])) == "holds something that is no number"


def test_a_column_is_one_row_of_numbers(tmp_path):
    assert (
        refusal(read_column, written(tmp_path, "npy", took=[[1.0], [2.0]])) == "expected one row of numbers, found 2 dimensions"
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("m.csv", "csv"), ("m.parquet", "parquet"), ("m.npy", "a NumPy file"), ("m.npz", "a NumPy file")]
)
def test_rubbish_is_one_message_that_says_what_was_expected(tmp_path, name, kind):
    path = tmp_path / name
    path.write_bytes(b"\x00\xff\x80 rubbish\n\x93\xfe,\x00")

    assert refusal(read_column, path).startswith(f"cannot be read as {kind} (")


@pytest.mark.parametrize("name", ["m.csv", "m.parquet", "m.npy", "m.npz"])
def test_an_empty_file_and_one_that_is_not_there_cannot_be_read(tmp_path, name):
    (tmp_path / name).write_bytes(b"")

    assert refusal(read_column, tmp_path / name).startswith("cannot be read as ")
    assert refusal(read_column, tmp_path / f"no-{name}").startswith("cannot be read as ")


@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.parquet"])
def test_a_file_that_was_cut_off_cannot_be_read(tmp_path, name):
    whole = written(tmp_path, name.removeprefix("m."), took=list(range(500)))
    path = tmp_path / name
    path.write_bytes(whole.read_bytes()[:300])

    assert refusal(read_column, path).startswith("cannot be read as ")


def test_a_damaged_array_inside_an_npz_cannot_be_read(tmp_path):
    whole = written(tmp_path, "npz", took=list(range(500)))
    content = bytearray(whole.read_bytes())
    content[200:210] = b"0123456789"
    whole.write_bytes(content)

    assert refusal(read_column, whole).startswith("cannot be read as a NumPy file (")


def test_an_array_of_python_objects_is_never_loaded(tmp_path):
    """Loading one could run any code."""
    np.save(tmp_path / "m.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "m.npz", took=np.array([{"a": 1}], dtype=object))

    assert refusal(read_column, tmp_path / "m.npy").startswith("cannot be read as a NumPy file (")
    assert refusal(read_column, tmp_path / "m.npz", "took").startswith("cannot be read as a NumPy file (")


# Arrivals.


@pytest.mark.parametrize("ending", ["csv", "parquet", "npy", "npz"])
def test_arrivals_are_whole_nanoseconds_in_order(tmp_path, ending):
    path = written(tmp_path, ending, arrival=[0.003, 0.0, 0.0015000004])

    times = read_arrivals(path, None, "s")

    assert times.dtype == np.int64
    assert times.tolist() == [0, 1_500_000, 3_000_000]


@pytest.mark.parametrize("wrong", [-0.001, math.nan, math.inf, -math.inf])
def test_a_time_of_arrival_is_a_number_from_zero_on(tmp_path, wrong):
    path = written(tmp_path, "parquet", arrival=[0.0, wrong])

    assert refusal(read_arrivals, path) == "a time of arrival is negative or missing; times count from the start of the run"


@pytest.mark.parametrize("ending", ["csv", "npy"])
def test_a_file_without_a_row_has_no_arrival(tmp_path, ending):
    assert refusal(read_arrivals, written(tmp_path, ending, arrival=np.zeros(0))) == "has no time of arrival"


def test_a_time_beyond_what_the_clock_can_count_is_refused(tmp_path):
    """The largest whole number of 64 bits is 292 years; a larger one would become a negative time."""
    path = written(tmp_path, "csv", arrival=[0.0, 1e18])

    assert refusal(read_arrivals, path) == "holds a time of more than ten years; is the unit right?"


@pytest.mark.parametrize("wrong", [1e10, math.inf])
def test_a_time_in_a_table_is_finite_and_no_longer_than_a_setting_may_be(tmp_path, wrong):
    array = written(tmp_path, "npy", took=[[1.0, wrong]])
    rows = written(tmp_path, "parquet", request=[0, 1], attempt=[1, 1], took=[1.0, wrong])

    assert refusal(read_table, array) == "holds a time of more than ten years; is the unit right?"
    assert refusal(read_table, rows) == "holds a time of more than ten years; is the unit right?"


# Tables by request and attempt.


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_has_a_row_for_each_request_and_attempt_in_any_order(tmp_path, ending):
    path = written(tmp_path, ending, request=[1, 0, 0, 2], attempt=[1, 2, 1, 1], took=[10.0, 2.0, 1.0, 20.0])

    table = read_table(path, "took", "ms")

    assert table.shape == (2, 3)
    assert table[0].tolist() == [1e6, 10e6, 20e6]
    assert table[1, 0] == 2e6
    assert np.isnan(table[1, 1:]).all()


def test_the_only_other_column_of_a_table_needs_no_name(tmp_path):
    path = written(tmp_path, "csv", request=[0], attempt=[1], took=[4.0])

    assert read_table(path, None, "ns").tolist() == [[4.0]]


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_an_array_is_attempts_by_requests(tmp_path, ending):
    path = written(tmp_path, ending, took=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

    table = Table(read_table(path, None, "ns"), str(path))

    assert look_up(table, request=2, attempt=1) == 3.0
    assert look_up(table, request=0, attempt=2) == 4.0


def test_an_array_of_one_dimension_is_one_attempt_of_each_request(tmp_path):
    assert read_table(written(tmp_path, "npy", took=[1.0, 2.0]), None, "ns").tolist() == [[1.0, 2.0]]


def test_an_array_of_three_dimensions_is_refused(tmp_path):
    path = written(tmp_path, "npy", took=np.zeros((2, 2, 2)).tolist())

    assert refusal(read_table, path) == "expected numbers by attempt and request, found 3 dimensions"


@pytest.mark.parametrize("missing", ["request", "attempt"])
def test_a_table_needs_request_and_attempt(tmp_path, missing):
    columns = {"request": [0], "attempt": [1], "took": [1.0]}
    del columns[missing]

    assert refusal(read_table, written(tmp_path, "csv", **columns), "took") == (
        f"has no column '{missing}'; a table by request and attempt needs request, attempt and 'took'"
    )


@pytest.mark.parametrize(("request_", "attempt"), [([-1], [1]), ([0], [0]), ([], [])])
def test_requests_count_from_0_and_attempts_from_1(tmp_path, request_, attempt):
    path = written(tmp_path, "csv", request=request_, attempt=attempt, took=[1.0] * len(attempt))

    assert refusal(read_table, path, "took") == "requests count from 0, attempts from 1, and there must be one at least"


@pytest.mark.parametrize(("request_", "attempt"), [(math.nan, 1), (0, math.inf), (0.5, 1), (0, 1.5)])
def test_the_number_of_a_request_or_attempt_is_whole(tmp_path, request_, attempt):
    path = written(tmp_path, "parquet", request=[0, request_], attempt=[1, attempt], took=[1.0, 2.0])

    wrong = "request" if request_ != 0 else "attempt"
    assert refusal(read_table, path, "took") == f"every '{wrong}' must be a whole number"


def test_a_table_too_large_for_memory_is_refused_before_it_is_made(tmp_path):
    path = written(tmp_path, "csv", request=[0, 99_999_999], attempt=[1, 3], took=[1.0, 2.0])

    assert refusal(read_table, path, "took") == "100000000 requests x 3 attempts are too many to hold in memory"


def test_words_in_a_table_are_no_numbers(tmp_path):
    path = written(tmp_path, "csv", request=[0, 1], attempt=[1, 1], took=["1.0", "quick"])

    assert refusal(read_table, path, "took") == "holds something that is no number"


@pytest.mark.parametrize(("request_", "attempt"), [(3, 1), (0, 3), (1, 2), (2, 1)])
def test_a_number_that_is_not_there_is_an_error_that_says_what_there_is(request_, attempt):
    """Beyond the requests, beyond the attempts, a row that is missing, and a time that is negative."""
    table = Table(np.array([[1.0, 2.0, -1.0], [4.0, math.nan, 6.0]]), "world.csv")

    with pytest.raises(ReplayError) as refused:
        look_up(table, request_, attempt)

    assert str(refused.value) == (
        f"world.csv: has no number for request {request_}, attempt {attempt} (it has 3 requests and 2 attempts)"
    )


# A run on a measured world.


@pytest.fixture
def measured(tmp_path: Path) -> dict[str, Any]:
    """Three requests 20 ms apart; the second fails at its first attempt and takes 7 ms at its second."""
    (tmp_path / "arrivals.csv").write_text("arrival,who\n0.000,a\n0.020,b\n0.040,c\n")
    world = {"request": [0, 1, 1, 2], "attempt": [1, 1, 2, 1], "service_s": [0.002, 0.003, 0.007, 0.005], "fails": [0, 1, 0, 0]}
    pd.DataFrame(world).to_parquet(tmp_path / "world.parquet")
    table = str(tmp_path / "world.parquet")
    return {
        "name": "measured",
        "deployment": "gateway",
        "load": {
            "recorded": {
                "executor": "replay",
                "file": str(tmp_path / "arrivals.csv"),
                "column": "arrival",
                "unit": "s",
                "requests": {"all": 1},
            }
        },
        "gateway": {
            "routes": {
                "all": {
                    "path": "/",
                    "to": "server",
                    "retries": {"num_retries": 1, "retry_on": ["5xx"], "retry_back_off": {"base_interval": "1ms"}},
                }
            }
        },
        "services": {
            "server": {
                "script": [{"compute": {"replay": {"file": table, "column": "service_s", "unit": "s"}}}],
                "errors": {"replay": {"file": table, "column": "fails"}},
            }
        },
        "run": {"duration": "1s"},
    }


def test_a_measured_world_is_simulated_request_by_request(measured):
    result = ms.load(measured).run()

    assert result.requests["started_ns"].tolist() == [0, 20 * MS, 40 * MS]
    assert result.requests["ended_ns"].tolist() == [2 * MS, 30 * MS, 45 * MS]
    assert result.requests["attempts"].tolist() == [1, 2, 1]
    assert result.requests["response_flags"].tolist() == ["-", "-", "-"]


def test_a_retry_gets_the_row_of_its_own_attempt(measured):
    attempts = ms.load(measured).run().attempts

    assert attempts[["request", "attempt", "worked_ns", "response_flags"]].to_numpy().tolist() == [
        [0, 1, 2 * MS, "-"], [1, 1, 3 * MS, "error"], [1, 2, 7 * MS, "-"], [2, 1, 5 * MS, "-"],
    ]  # fmt: skip


def test_the_seed_changes_nothing_where_everything_is_measured(measured):
    experiment = ms.load(measured)

    one, other = experiment.run(seed=1), experiment.run(seed=2)

    assert one.attempts.equals(other.attempts)


def test_the_load_may_start_later_and_end_earlier_than_its_file(measured):
    measured["load"]["recorded"] |= {"start": "100ms", "duration": "30ms"}

    requests = ms.load(measured).run().requests

    assert requests["started_ns"].tolist() == [100 * MS, 120 * MS]


def test_where_the_table_runs_out_the_run_ends_with_a_message_and_leaves_nothing_behind(measured, tmp_path):
    measured["gateway"]["routes"]["all"]["retries"]["retry_on"] = ["5xx"]
    measured["services"]["server"]["errors"] = "100%"

    with pytest.raises(ReplayError) as refused:
        ms.load(measured).run(out=tmp_path / "results" / "run")

    assert str(refused.value) == (
        f"{tmp_path / 'world.parquet'}: has no number for request 0, attempt 2 (it has 3 requests and 2 attempts)"
    )
    assert list((tmp_path / "results").iterdir()) == []


def test_a_broken_file_is_told_before_anything_runs(measured, tmp_path):
    (tmp_path / "arrivals.csv").write_text("arrival\nsoon\n")

    with pytest.raises(ReplayError, match=r"arrivals\.csv: holds something that is no number$"):
        ms.load(measured)


def test_a_manifest_names_the_digest_of_each_measured_file(measured, tmp_path):
    digests = ms.load(measured).run().manifest["data_files"]

    assert set(digests) == {str(tmp_path / "arrivals.csv"), str(tmp_path / "world.parquet")}
    assert all(len(digest) == 64 for digest in digests.values())


def test_two_rows_for_one_attempt_are_refused_and_not_chosen_from(tmp_path):
    path = written(tmp_path, "csv", request=[0, 1, 0], attempt=[1, 1, 1], work=[0.1, 0.2, 0.3])

    assert refusal(read_table, path, "work") == "has more than one row for the same request and attempt"
