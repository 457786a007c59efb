"""The documentation says what is: links lead somewhere, examples run, generated pages are fresh."""

from __future__ import annotations

import difflib
import os
import re
import runpy
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import unquote

import matplotlib.pyplot as plt
import pytest
from ruamel.yaml import YAML

import meshsim as ms
from meshsim import registry
from meshsim.scenario.defaults import table
from meshsim.scenario.documentation import reference_page
from meshsim.scenario.documentation.explain import policy_families
from meshsim.scenario.documentation.fields import fields
from meshsim.scenario.sections.types import Choice, PolicySection
from meshsim.units import parse_duration, parse_rate, parse_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meshsim.experiments.run import Experiment

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks" / "README.md",
    ROOT / "notebooks" / "README.md",
    ROOT / "results" / "README.md",
    ROOT / "scenarios" / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
SHORT = ["run.duration=1s", "run.warm_up=0s"]
"""Enough to see that a scenario runs."""
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_TOC = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def links(path: Path) -> list[str]:
    """Targets of the links on a page, those into the web left out."""
    return [target for target in _LINK.findall(text_of(path)) if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """As GitHub and myst make them of the headings."""
    headings = _HEADING.findall(_BLOCK.sub("", text_of(path)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def blocks(path: Path, language: str) -> list[str]:
    return [content for word, content in _BLOCK.findall(text_of(path)) if word == language]


def whole_scenarios() -> Iterator[Any]:
    """Each YAML block of the documentation that is a scenario by itself."""
    for path in PAGES:
        for number, content in enumerate(blocks(path, "yaml")):
            if re.search(r"^load:", content, re.MULTILINE) and re.search(r"^services:", content, re.MULTILINE):
                yield pytest.param(content, id=f"{name_of(path)}-{number}")


def commands() -> list[str]:
    """Each `meshsim ...` of the README: what its blocks run, and the first column of its table."""
    text = text_of(ROOT / "README.md")
    run = [part.strip() for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines() for part in line.split("&&")]
    found = [part.rpartition("bin/")[2] for part in run if "meshsim" in part.split()[0]]
    return [*found, *re.findall(r"^\| `(meshsim [^`]+)`", text, re.MULTILINE)]


def takes_long(command: str) -> bool:
    """Whether it runs several times; one that does stays with the quick ones."""
    return command.split()[1] in {"compare", "report", "sweep"} and "FILE" not in command


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(path: Path) -> None:
    wrong = []
    for target in links(path):
        name, _, anchor = unquote(target).partition("#")
        file = path.parent / name if name else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            wrong.append(target)

    assert wrong == []


def test_the_life_of_a_request_passes_every_file_of_the_engine() -> None:
    life = ROOT / "docs" / "life_of_a_request.md"
    passed = {(life.parent / target).resolve() for target in links(life)}
    engine = {path for path in (ROOT / "meshsim" / "engines" / "reference").rglob("*.py") if path.name != "__init__.py"}

    assert {name_of(path) for path in engine - passed} == set()


def test_every_page_stands_in_a_table_of_contents() -> None:
    docs = ROOT / "docs"
    listed = {
        (index.parent / f"{entry.strip()}.md").resolve()
        for index in (docs / "index.md", docs / "decisions" / "README.md")
        for inside in _TOC.findall(text_of(index))
        for entry in inside.splitlines()
        if entry.strip() and not entry.startswith(":")
    }

    assert listed == {path for path in PAGES if docs in path.parents} - {docs / "index.md"}


@pytest.mark.parametrize("content", list(whole_scenarios()))
def test_every_scenario_in_the_documentation_runs(content: str) -> None:
    result = ms.load(YAML(typ="safe").load(content), set=SHORT).run()

    assert result.manifest["requests"] > 0


def test_the_readme_shows_a_whole_scenario() -> None:
    assert any(str(each.id).startswith("README.md") for each in whole_scenarios())


@pytest.mark.parametrize("path", SCENARIOS, ids=name_of)
def test_every_variant_of_every_scenario_runs(path: Path) -> None:
    for variant in (None, *ms.load(path).loaded.names):
        assert ms.load(path, variant=variant, set=SHORT).run().manifest["requests"] > 0


@pytest.mark.parametrize("command", [pytest.param(one, marks=pytest.mark.slow if takes_long(one) else ()) for one in commands()])
def test_every_command_of_the_readme_works(command: str, tmp_path: Path) -> None:
    """On a short run, and with something real where the table says FILE or FIELD."""
    for placeholder, real in (
        ("FILE", "scenarios/online-boutique.yaml"),
        ("FIELD", "per_try_timeout"),
        ("RESULTS...", str(tmp_path / "run")),
    ):
        command = command.replace(placeholder, real)
    _, *arguments = shlex.split(command)
    short = ["--quiet", "--out", str(tmp_path / "out"), *(part for one in SHORT for part in ("--set", one))]
    match arguments[0]:
        case "run":
            arguments += short
        case "compare":
            arguments += [*short, "--replications", "2"]
        case "sweep":
            arguments += [*short, "--replications", "2", "--vary", "load.shoppers.rate=50/s,100/s"]
        case "report":
            ms.load(ROOT / "scenarios" / "online-boutique.yaml", set=SHORT).run(out=tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-m", "meshsim", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )

    assert done.returncode in ({0, 99} if arguments[0] in {"run", "compare"} else {0}), done.stderr
    assert done.stdout


def test_the_readme_names_commands_and_the_options_of_run_that_exist() -> None:
    text = text_of(ROOT / "README.md")
    offered = subprocess.run(
        [sys.executable, "-m", "meshsim", "run", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    ).stdout
    (row,) = re.findall(r"^\| `meshsim run .*$", text, re.MULTILINE)

    assert {"meshsim run FILE", "meshsim check FILE", "meshsim explain FIELD", "meshsim policies"} <= set(commands())
    assert [option for option in re.findall(r"`(--?[a-z]+)", row) if option not in offered] == []


def test_python_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With short runs in place of long ones."""
    monkeypatch.chdir(ROOT)
    (code,) = blocks(ROOT / "README.md", "python")
    seen: dict[str, Any] = {}
    compare = partial(ms.compare, set=SHORT, replications=2, jobs=1)
    with mock.patch.object(ms, "load", shortened(ms.load), create=True), mock.patch.object(ms, "compare", compare, create=True):
        exec(compile(code, "README.md", "exec"), seen)  # noqa: S102 — the text is ours
    plt.close("all")

    assert seen["result"].manifest["duration_s"] == 1
    assert seen["comparison"].replications == 2


def shortened(load: Callable[..., Experiment]) -> Callable[..., Experiment]:
    def load_for_a_second(scenario: str, *, variant: str | None = None, duration: str | None = None) -> Experiment:
        assert duration is None or parse_duration(duration) > 0
        return load(scenario, variant=variant, set=SHORT)

    return load_for_a_second


def test_the_page_of_settings_is_fresh() -> None:
    """To write it anew: `python -m meshsim.scenario.documentation.reference_page > docs/scenario.md`."""
    made, kept = (text.splitlines() for text in (reference_page.page(), text_of(ROOT / "docs" / "scenario.md")))
    changed = "\n".join(difflib.unified_diff(kept, made, "docs/scenario.md", "made now", lineterm="", n=0))

    assert not changed, f"run: python -m meshsim.scenario.documentation.reference_page > docs/scenario.md\n{changed}"


def test_the_page_of_defaults_is_fresh() -> None:
    fresh = table() == text_of(ROOT / "docs" / "defaults.md")

    assert fresh, 'run: python -c "from meshsim.scenario.defaults import table; print(table(), end=str())" > docs/defaults.md'


def test_the_page_of_settings_has_every_section_of_the_model() -> None:
    described = {section for sections in reference_page.TABLES.values() for _, section in sections}
    from_the_registry = {
        field.owner for field in fields() if issubclass(field.owner, Choice | PolicySection) or "mixture" in field.path
    }

    assert {field.owner for field in fields()} - described - from_the_registry == set()


def test_the_page_of_settings_has_every_field_and_every_policy() -> None:
    page = reference_page.page()
    missing = {field.name for field in fields() if f"{field.name}`" not in page and "mixture" not in field.path}
    unlisted = {policy.name for family in policy_families() for policy in family.policies if f"| `{policy.name}` |" not in page}

    assert (missing, unlisted) == (set(), set())


def test_a_default_that_depends_on_the_product_is_told_from_one_that_does_not() -> None:
    rows = reference_page.page().splitlines()

    assert next(row for row in rows if row.startswith("| `num_retries` |")).split(" | ")[2] == "[by product](defaults.md)"
    assert next(row for row in rows if row.startswith("| `interval` |")).split(" | ")[2] == "`1s`"
    assert next(row for row in rows if row.startswith("| `vus` |")).split(" | ")[2] == "required"


def test_the_examples_of_quantities_are_understood() -> None:
    parse = {"duration": parse_duration, "rate": parse_rate, "share": parse_share}
    rows = {
        row.split(" | ")[0].strip("| "): row.split(" | ")[1]
        for row in reference_page.page().splitlines()
        if row.count(" | ") == 2
    }
    understood = {
        quantity: [parser(example) for example in re.findall(r"`([^`]+)`", rows[quantity])] for quantity, parser in parse.items()
    }

    assert understood == {
        "duration": [250_000_000, 90_000_000_000, 1_500_000_000, 100_000],
        "rate": [400.0, 2000.0, 1.5, 400.0],
        "share": [0.2, 0.005],
    }


def test_meshsim_policies_lists_every_policy_that_is_registered() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "meshsim", "policies"], capture_output=True, text=True, check=True, timeout=300
    ).stdout
    missing = [name for members in registry.families().values() for name in members if f"  {name}: " not in listed]

    assert missing == []


def test_the_page_of_policies_is_the_one_that_the_code_makes():
    made = subprocess.run([sys.executable, ROOT / "docs" / "policy_table.py"], capture_output=True, text=True, check=True).stdout

    assert text_of(ROOT / "docs" / "policies.md") == made, "run: python docs/policy_table.py > docs/policies.md"
    assert "| none |" not in made, "a policy without a test"


def _pairs() -> list[list[str]]:
    """The rows of the table of pairs in docs/model.md."""
    section = text_of(ROOT / "docs" / "model.md").partition("## Where two settings meet")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| setting")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]


def test_each_pair_of_settings_that_touch_names_its_source_and_a_test_that_is_there() -> None:
    rows, wrong = _pairs(), []
    for row in rows:
        assert len(row) == 5, row
        assert all(row), row
        for named in re.findall(r"`([^`]+)`", row[4]):
            file, *names = named.split("::")
            path = ROOT / "tests" / file
            text = text_of(path) if path.is_file() else ""
            wrong += [f"{row[0]} and {row[1]}: {named}" for name in [*names, "test"] if name not in text]
    assert wrong == []
    assert len(rows) > 100


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "studies").glob("*.py")), ids=name_of)
def test_what_a_study_needs_is_there(path: Path) -> None:
    """They take minutes or more, so that here they are only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        assert "__doc__" in runpy.run_path(str(path), run_name="a study")
