"""How to repeat a comparison: command, seeds, versions, digests, and the figures to take away."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.report.page.wording import plural
from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    import pandas as pd

    from meshsim.experiments.comparison import Comparison

MOST_LISTED = 6
"""Scenarios that are printed in full; of more, only the baseline and the changes are."""


class Download(NamedTuple):
    """A file that the page carries in itself."""

    name: str
    label: str
    uri: str


class Listing(NamedTuple):
    """A scenario in full."""

    title: str
    file: str
    text: str
    uri: str


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """Name and text of each thing that one has to know."""
    manifest = comparison.manifest
    versions = dict(manifest["versions"])
    files = dict.fromkeys(str(point["file"]) for point in manifest["points"])
    found = [
        ("Seed", str(manifest["seed"])),
        ("Replications", f"{plural(comparison.replications, 'replication')} of each variant, numbered from 0"),
        (
            "Duration",
            f"{_time(manifest['duration_s'])}, of which the first {_time(manifest['warm_up_s'])} are not measured (warm-up)",
        ),
        ("Engine", str(manifest["engine"])),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("Scenario files", ", ".join(files)),
    ]
    changed = dict.fromkeys(setting for point in manifest["points"] for setting in point["set"])
    if changed:
        found.append(("Changed with --set", ", ".join(changed)))
    return found


def digests(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Of what, from which file, and its SHA-256."""
    found = []
    for point in comparison.manifest["points"]:
        found.append((str(point["name"]), str(point["file"]), str(point["digest"])))
        found += [(f"data file of {point['name']}", str(file), str(digest)) for file, digest in point["data_files"].items()]
    return found


def listings(comparison: Comparison) -> list[Listing]:
    """The scenario of each variant, with all changes applied."""
    names = comparison.variants if len(comparison.variants) <= MOST_LISTED else comparison.variants[:1]
    made = []
    for name in names:
        text = comparison.experiments[name].loaded.text
        file = f"{_file_name(comparison.name)}-{_file_name(name)}.yaml"
        made.append(Listing(f"Scenario of {name}, all changes applied", file, text, _uri("application/yaml", text)))
    return made


def downloads(comparison: Comparison, table: pd.DataFrame, thresholds: pd.DataFrame) -> list[Download]:
    """The figures as CSV, and everything as JSON."""
    stem = _file_name(comparison.name)
    return [
        Download(
            f"{stem}-figures.csv", "Download the figures (CSV)", _uri("text/csv", table.to_csv(index=False, lineterminator="\n"))
        ),
        Download(f"{stem}.json", "Download all of it (JSON)", _uri("application/json", as_json(comparison, table, thresholds))),
    ]


def as_json(comparison: Comparison, table: pd.DataFrame, thresholds: pd.DataFrame) -> str:
    """Verdict, manifest, thresholds and figures; durations in s, rates per s, shares from 0 to 1, null for nothing."""
    content = {
        "verdict": comparison.verdict,
        "notes": list(comparison.notes),
        "manifest": comparison.manifest,
        "thresholds": json.loads(thresholds.to_json(orient="records", double_precision=12)),
        "figures": json.loads(table.to_json(orient="records", double_precision=12)),
    }
    return json.dumps(content, indent=1, sort_keys=False, ensure_ascii=True, default=str) + "\n"


def _uri(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode('ascii')}"


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)[:80]


def _time(seconds: Any) -> str:
    return format_duration(round(float(seconds) * NS_PER_S))
