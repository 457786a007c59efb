"""The directory of a comparison: nothing lost, nothing half-written, nothing mixed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from meshsim.errors import ResultError
from meshsim.experiments.places import FORMAT, read_manifest
from meshsim.experiments.store import Store

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"summary.json": b"{}", "timeline.parquet": b"x"}


def manifest(seed: int = 1) -> dict[str, Any]:
    return {"format": FORMAT, "digest": "d", "versions": {"meshsim": "0.1.0"}, "identity": {"seed": seed}}


def test_while_it_grows_the_directory_has_another_name(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", manifest(), resume=False)
    store.add("as-is", 0, FILES)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.partial"]
    assert store.has("as-is", 0)
    assert not store.has("as-is", 1)

    store.publish(manifest())

    assert sorted(one.name for one in tmp_path.iterdir()) == ["out"]
    assert sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()) == [
        "out/as-is/replication-0000/summary.json",
        "out/as-is/replication-0000/timeline.parquet",
        "out/manifest.json",
    ]


def test_without_a_replication_nothing_is_left(tmp_path: Path) -> None:
    Store(tmp_path / "out", manifest(), resume=False).close()

    assert list(tmp_path.iterdir()) == []


def test_what_was_interrupted_is_not_thrown_away(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", manifest(), resume=False)
    store.add("as-is", 0, FILES)
    store.close()

    with pytest.raises(ResultError) as error:
        Store(tmp_path / "out", manifest(), resume=False)

    assert str(error.value) == (
        f"{tmp_path}/out.partial holds 1 replication of an interrupted run; add --resume to go on from there, or delete it to begin anew"
    )
    assert Store(tmp_path / "out", manifest(), resume=True).has("as-is", 0)


def test_another_scenario_or_version_is_not_mixed_in(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", manifest(seed=1), resume=False)
    store.add("as-is", 0, FILES)
    store.add("budget", 0, FILES)
    store.close()

    with pytest.raises(ResultError) as error:
        Store(tmp_path / "out", manifest(seed=2), resume=True)

    assert str(error.value) == (
        f"{tmp_path}/out.partial holds 2 replications of something else (another scenario, seed or version of meshsim); delete it, "
        "or choose another --out"
    )


def test_a_finished_one_is_gone_on_from_when_more_is_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", manifest(), resume=False)
    store.add("as-is", 0, FILES)
    store.publish(manifest())

    again = Store(tmp_path / "out", manifest(), resume=True)

    assert again.has("as-is", 0)


def test_only_one_process_at_a_time_works_on_it(tmp_path: Path) -> None:
    code = f"""
import json, sys
from pathlib import Path
from meshsim.experiments.store import Store
store = Store(Path({str(tmp_path / "out")!r}), json.loads({json.dumps(manifest())!r}), resume=False)
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ResultError) as error:
            Store(tmp_path / "out", manifest(), resume=False)
        other.kill()

    assert str(error.value) == f"another meshsim works on {tmp_path}/out at this moment; wait for it, or choose another --out"
    Store(tmp_path / "out", manifest(), resume=False)


def test_a_replication_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "out", manifest(), resume=False)
    store.add("as-is", 0, FILES)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        store.add("as-is", 1, FILES)

    assert sorted(one.name for one in (tmp_path / "out.partial" / "as-is").iterdir()) == ["replication-0000"]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("", encoding="utf-8")

    with pytest.raises(ResultError, match="is not empty and holds no result of meshsim; choose another --out"):
        Store(tmp_path / "out", manifest(), resume=False)

    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ResultError, match="file is a file; choose another --out"):
        Store(tmp_path / "file", manifest(), resume=False)
    with pytest.raises(ResultError, match="cannot write results to"):
        Store(tmp_path / "file" / "below", manifest(), resume=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no result of meshsim: there is no manifest.json in it"),
        ("{", "holds no result that can be read"),
        ("[]", "holds no result that can be read"),
        (
            json.dumps({"digest": "d", "versions": {"meshsim": "0.0.9"}}),
            f"was written by meshsim 0.0.9 in format 1, and this version reads format {FORMAT}; run the scenario again: ",
        ),
    ],
)
def test_results_that_this_version_cannot_read_are_told(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")

    with pytest.raises(ResultError) as error:
        read_manifest(tmp_path)

    assert message in str(error.value)
