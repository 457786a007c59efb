"""The shape of the code, read from its files: which way imports point, and what a file may be."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import meshsim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "meshsim").rglob("*.py"))
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES}
PACKAGES = sorted(name for name, path in MODULES.items() if path.name == "__init__.py")
LAYERS = (
    ("errors",),
    ("own_policies", "units"),
    ("flags", "portable", "randomness", "registry", "replay", "xxhash"),
    ("random_blocks", "service_records"),
    ("distributions", "policies", "records"),
    ("arrivals", "recorder"),
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
ROOMS = {
    "engines/reference": (
        ("time",),
        ("travel",),
        ("services",),
        ("destinations",),
        ("layers",),
        ("proxies",),
        ("clients",),
        ("control",),
        ("counters",),
        ("model",),
        ("engine",),
    ),
    "scenario": (
        ("expressions", "files", "defaults", "spread"),
        ("sections",),
        ("circumstances",),
        ("effective", "matrix", "thresholds"),
        ("figure", "flow"),
        ("references",),
        ("load",),
        ("changes", "documentation"),
        ("advice",),
    ),
    "metrics": (
        ("rows", "mser", "cost", "no_figure"),
        ("latency",),
        ("policies",),
        ("over_time", "summary_frames"),
        ("summary",),
        ("cells", "edges", "histogram_table", "warm_up"),
        ("stages", "tally", "priced", "queue_figures", "after_faults"),
        ("figures", "summarise"),
        ("frames", "thresholds"),
    ),
}
"""The rooms of a part, and the files that stand in none, lowest first; they import as the parts do: downwards, and from themselves."""
HOMES = {
    "simpy": ("engines/reference/",),
    "typer": ("cli/",),
    "pydantic": ("scenario/",),
    "pydantic_core": ("scenario/",),
    "ruamel": ("scenario/",),
    "re2": ("scenario/expressions.py",),
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
    "experiments/failures.py",
    "experiments/faults.py",
    "experiments/judgement.py",
    "experiments/sweep_result.py",
)
"""Where pandas may be imported at the top: what nothing loads but whoever asks for frames."""
LOADED_LATE = {"pandas", "meshsim.replay", "meshsim.random_blocks"}
"""What a function may import: what needs NumPy and pandas, for those who read a file of measurements or let requests arrive."""
LONGEST_FILE = 300
LONGEST_SENTENCE = 130
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
            names = {f"{child.module}.{one.name}": str(child.module) for one in child.names}
            found = {name if name in MODULES else module for name, module in names.items()}  # a module, or a name in one
            yield from (Import(name, child.lineno, is_inside, is_for_types) for name in sorted(found))
        else:
            for_types = is_for_types or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
            inside = is_inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, is_inside=inside, is_for_types=for_types)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "meshsim").as_posix()


def part_of(path: Path) -> str:
    return name_of(path).partition("/")[0].removesuffix(".py")


@cache
def graph() -> dict[str, set[str]]:
    """By module, all modules of ours that it imports: those that only the type checker sees too, and those inside functions.

    Who imports a module needs its packages' `__init__` too, but for the packages that it stands in itself: those are on their way.
    """
    found: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        imported = {one.name for one in imports(path) if one.name in MODULES}
        around = {package for one in imported for package in PACKAGES[1:] if one.startswith(f"{package}.")}
        found[name] = imported | {package for package in around if not f"{name}.".startswith(f"{package}.")}
    return found


def rooms_of(package: str, modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """By room of a package (a folder in it, or a file that stands in none), the other rooms that it imports from."""

    def room(module: str) -> str:
        return module.removeprefix(f"{package}.").partition(".")[0] if module.startswith(f"{package}.") else ""

    found: dict[str, set[str]] = {}
    for module, imported in modules.items():
        if own := room(module):
            found.setdefault(own, set()).update({room(other) for other in imported} - {own, ""})
    return found


def circle(things: Mapping[str, set[str]]) -> list[str]:
    """Some circle among them, its first at both ends; empty where there is none."""
    try:
        TopologicalSorter(things).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


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


@pytest.mark.parametrize("place", ROOMS)
def test_the_rooms_of_a_part_import_one_way(place: str) -> None:
    """A new room, or a new file in none, gets its line in `ROOMS`."""
    depth = {room: depth for depth, rooms in enumerate(ROOMS[place]) for room in rooms}
    found = rooms_of(f"meshsim.{place.replace('/', '.')}", graph())

    assert set(found) == set(depth)
    assert [f"{room} imports {other}" for room, others in found.items() for other in others if depth[other] >= depth[room]] == []


def test_a_request_walks_forward_through_the_rooms_of_the_engine() -> None:
    """On its way down `docs/life_of_a_request.md` meets each room after those that import it; the two lowest are what it walks on."""
    down = (ROOT / "docs" / "life_of_a_request.md").read_text(encoding="utf-8").split("\n## Down\n")[1].split("\n## ")[0]
    ground, rooms = ROOMS["engines/reference"][:2], ROOMS["engines/reference"][2:-3]
    met = dict.fromkeys(re.findall(r"/engines/reference/(\w+)/", down))

    assert [room for room in met if (room,) not in ground] == [room for (room,) in reversed(rooms) if room != "control"]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle_joins_the_rooms_of_a_package(package: str) -> None:
    assert circle(rooms_of(package, graph())) == []


def test_no_circle_of_imports_is_left_anywhere() -> None:
    """Those that only the type checker sees included: what is in no circle can be read, tested and ported by itself."""
    assert circle(graph()) == []


def test_a_circle_would_be_found() -> None:
    """And who imports from a package's `__init__` what that imports from its files stands in none."""
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])
    assert circle({"package": {"package.one"}, "package.one": {"package.two"}, "package.two": set(), "user": {"package"}}) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_says_in_a_sentence_what_it_is(package: str) -> None:
    first, *rest = (ast.get_docstring(ast.parse(MODULES[package].read_text(encoding="utf-8"))) or "").splitlines()

    assert re.fullmatch(r"\w[^.]+\.", first), "one sentence on the first line"
    assert len(first) <= LONGEST_SENTENCE
    assert not rest or rest[0] == "", "what more there is to say stands below an empty line"


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
