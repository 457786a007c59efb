"""Results that were written before, read again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshsim.errors import ResultError
from meshsim.experiments.comparison import Comparison
from meshsim.experiments.default_figures import default_figures
from meshsim.experiments.places import SCENARIO, read_manifest
from meshsim.experiments.run import Experiment
from meshsim.experiments.store import Store, folder_of
from meshsim.experiments.study import CONFIDENCE
from meshsim.experiments.sweep_result import Sweep
from meshsim.scenario.load import load

if TYPE_CHECKING:
    from collections.abc import Sequence


def open_comparison(directory: str | Path) -> Comparison:
    """A comparison or a sweep that was written before.

    Raises:
        ResultError: It is none, or of another version of meshsim.
    """
    directory = Path(directory)
    if not directory.exists() and (kept := Store.kept(directory)):
        partial = Store.partial_of(directory)
        raise ResultError(f"{directory} is not finished: {kept} are in {partial}. Go on with --resume, or report on {partial}")
    manifest = read_manifest(directory)
    if manifest.get("kind") in {"comparison", "sweep"}:
        manifest = _finished(directory, manifest)
    match manifest.get("kind"):
        case "comparison":
            return Comparison(directory, manifest)
        case "sweep":
            return Sweep(directory, manifest)
    return _of_runs([directory])


def _finished(directory: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with the replications that every point has, and with `is_whole`: whether that is all that was asked for.

    Raises:
        ResultError: Some point has none.
    """
    folders = [one["folder"] for one in manifest["points"]]
    rounds = 0
    while all(folder_of(directory, folder, rounds).is_dir() for folder in folders):
        rounds += 1
    if not rounds:
        raise ResultError(
            f"{directory} was interrupted before each of its {len(folders)} points had a replication: there is nothing to compare yet. "
            "The same command with --resume goes on from there"
        )
    return {**manifest, "replications": rounds, "is_whole": rounds == manifest["replications"]}


def open_results(directories: Sequence[Path]) -> Comparison:
    """One comparison or sweep, or several runs as one.

    Raises:
        ResultError: They cannot be read, or do not belong together.
    """
    if len(directories) == 1:
        return open_comparison(directories[0])
    return _of_runs(directories)


def _of_runs(directories: Sequence[Path]) -> Comparison:
    """Runs side by side: those of the same scenario and variant are its replications."""
    groups: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for directory in directories:
        manifest = read_manifest(directory)
        if "kind" in manifest:
            raise ResultError(f"{directory} is a {manifest['kind']}: a report is of one of those, or of several runs")
        if not manifest["is_whole"]:
            raise ResultError(f"{directory} is of a run that was interrupted: run it again for a report")
        groups.setdefault(manifest["digest"], []).append((directory.absolute(), manifest))
    played = [{(manifest["seed"], manifest["replication"]) for _, manifest in group} for group in groups.values()]
    if any(one != played[0] for one in played):
        raise ResultError("the runs do not pair: each scenario needs the same seeds and replications")
    points, names = [], set()
    for group in groups.values():
        group.sort(key=lambda one: (one[1]["seed"], one[1]["replication"]))
        first, manifest = group[0]
        name = manifest["variant"]
        if name in names:
            name = f"{name} ({manifest['digest'][:8]})"
        names.add(name)
        points.append(
            {
                "name": name, "folder": str(first), "folders": [str(directory) for directory, _ in group],
                "file": manifest["file"], "variant": manifest["variant"], "set": manifest["set"], "settings": {},
                "digest": manifest["digest"], "data_files": manifest["data_files"],
            }
        )  # fmt: skip
    manifest = next(iter(groups.values()))[0][1]
    experiments = [Experiment(load(Path(point["folder"]) / SCENARIO)) for point in points]
    content = {
        **manifest,
        "kind": "run",
        "description": experiments[0].scenario.description.strip(),
        "points": points,
        "axes": [],
        "replications": len(played[0]),
        "until": None,
        "confidence": CONFIDENCE,
        "figures": [str(figure) for figure in default_figures(experiments)],
        "gates": [],
    }
    return Comparison(Path(points[0]["folder"]), content)
