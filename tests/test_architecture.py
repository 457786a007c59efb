"""The shape of the code, read from its files: which way imports point, and what a file may be."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import meshsim

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "meshsim").rglob("*.py"))
LAYERS = (
    ("errors",),
    ("units",),
    ("flags", "portable", "randomness", "registry", "replay"),
    ("random_blocks",),
    ("arrivals", "distributions", "policies", "records"),
    ("recorder",),
    ("scenario",),
    ("plan",),
    ("planning",),
    ("engines", "metrics", "statistics"),
    ("experiments",),
    ("report",),
    ("cli",),
    ("__main__",),
)
"""Lowest first. A part imports from the lines above its own, and from itself: not from its neighbours, and not upwards."""
DEPTH = {part: depth for depth, parts in enumerate(LAYERS) for part in parts}
HOMES = {
    "simpy": ("engines/reference/",),
    "typer": ("cli/",),
    "pydantic": ("scenario/",),
    "pydantic_core": ("scenario/",),
    "ruamel": ("scenario/",),
    "rich": ("report/", "cli/"),
    "matplotlib": ("report/",),
    "jinja2": ("report/",),
    "tqdm": ("report/notebook.py",),
    "networkx": ("report/charts/",),
    "weasyprint": ("report/page/",),
    "scipy": ("statistics/",),
    "joblib": ("experiments/seam.py",),
    "distributed": ("experiments/cluster.py",),
}
"""Where a library may be imported."""
FRAME_MODULES = (
    "metrics/frames/",
    "report/charts/",
    "report/page/",
    "experiments/comparison.py",
    "experiments/judgement.py",
    "experiments/sweep_result.py",
)
"""Where pandas may be imported at the top: what nothing loads but whoever asks for frames."""
LOADED_LATE = {"pandas", "meshsim.replay"}
"""What a function may import: what reads files of measurements, with NumPy and pandas, for those who have such a file."""
LONGEST_FILE = 300
README_TEST_COMMAND = (
    "python3 -m venv .venv && .venv/bin/pip install --quiet -e '.[test]' && .venv/bin/pytest -n auto -m 'not slow'"
)
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:work|root|home|tmp|Users|mnt|scratch)/[\w.]")


class Import(NamedTuple):
    """One imported module."""

    name: str
    line: int
    is_inside: bool
    """Whether a function does it."""
    is_for_types: bool
    """Whether only the type checker sees it."""


def imports(path: Path) -> Iterator[Import]:
    yield from _imports(ast.parse(path.read_text(encoding="utf-8")), is_inside=False, is_for_types=False)


def _imports(node: ast.AST, *, is_inside: bool, is_for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(one.name, child.lineno, is_inside, is_for_types) for one in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: a relative import hides where it leads"
            names = [f"{child.module}.{one.name}" for one in child.names] if child.module == "meshsim" else [str(child.module)]
            yield from (Import(name, child.lineno, is_inside, is_for_types) for name in names)
        else:
            for_types = is_for_types or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
            inside = is_inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, is_inside=inside, is_for_types=for_types)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "meshsim").as_posix()


def part_of(path: Path) -> str:
    return name_of(path).partition("/")[0].removesuffix(".py")


def tracked_files() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git repository: it is not known which files are tracked")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


every_source = pytest.mark.parametrize("path", SOURCES, ids=name_of)


def test_every_part_has_its_place_among_the_layers() -> None:
    assert {part_of(path) for path in SOURCES} == {*DEPTH, "__init__"}


@every_source
def test_imports_point_one_way(path: Path) -> None:
    """Those that only the type checker sees too; the package's own `__init__` names what is public, wherever it is."""
    part = part_of(path)
    if part == "__init__":
        return
    wrong = [
        f"line {one.line}: {part} imports {one.name}"
        for one in imports(path)
        if one.name.startswith("meshsim.") and (other := one.name.split(".")[1]) != part and DEPTH[other] >= DEPTH[part]
    ]

    assert wrong == []


@every_source
def test_a_library_is_imported_only_where_it_belongs(path: Path) -> None:
    wrong = [
        f"line {one.line}: {one.name}"
        for one in imports(path)
        if (library := one.name.partition(".")[0]) in HOMES and not name_of(path).startswith(HOMES[library] or ("nowhere",))
    ]

    assert wrong == []


@every_source
def test_a_function_imports_nothing_but_in_the_command_line_and_what_loads_late(path: Path) -> None:
    inside = [one for one in imports(path) if one.is_inside]

    assert name_of(path).startswith("cli/") or {one.name for one in inside} <= LOADED_LATE, inside


@every_source
def test_pandas_is_loaded_only_when_a_frame_is_asked_for(path: Path) -> None:
    """At the top of a module only in those that nothing loads but what asks for frames."""
    found = [one for one in imports(path) if one.name == "pandas" and not one.is_inside and not one.is_for_types]

    assert found == [] or name_of(path).startswith(FRAME_MODULES)


@every_source
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@every_source
def test_what_is_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert ast.get_docstring(tree), "the module"
    assert list(_undocumented(tree)) == []


def _undocumented(node: ast.Module | ast.ClassDef) -> Iterator[str]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            if not ast.get_docstring(child) and not _says_elsewhere(child):
                yield f"line {child.lineno}: {child.name}"
            if isinstance(child, ast.ClassDef):
                yield from _undocumented(child)


def _says_elsewhere(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it overrides what is documented at its base."""
    return any(ast.unparse(decorator) in {"override", "typing.override"} for decorator in node.decorator_list)


def test_the_public_names_are_the_ones_with_a_home() -> None:
    assert sorted(meshsim.__all__) == sorted(meshsim._HOMES)  # noqa: SLF001 — this is what is tested
    assert all(getattr(meshsim, name) is not None for name in meshsim.__all__)
    assert dir(meshsim) == sorted(meshsim.__all__)


def test_no_tracked_file_names_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in MACHINE_PATH.finditer(text)]

    assert found == []


@pytest.mark.parametrize("file", ["README.md", ".ci/run"])
def test_the_test_command_of_the_readme_is_the_one_that_is_run(file: str) -> None:
    assert README_TEST_COMMAND in (ROOT / file).read_text(encoding="utf-8").splitlines()
