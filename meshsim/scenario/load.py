"""From a file to a checked scenario, or to everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from meshsim.errors import Mistake, ScenarioError, did_you_mean
from meshsim.scenario import matrix
from meshsim.scenario.files.data_files import DataFiles
from meshsim.scenario.files.mapping_reader import read_mapping
from meshsim.scenario.files.nodes import Finding, Node, Places, plain, shown
from meshsim.scenario.files.patch import Patch
from meshsim.scenario.files.text_reader import LARGEST_BYTES, decoded, read_text
from meshsim.scenario.files.yaml_writer import as_yaml
from meshsim.scenario.references import references
from meshsim.scenario.sections.model import Scenario
from meshsim.scenario.sections.types import take_up_new_policies
from meshsim.scenario.sections.wording import MISSING, UNKNOWN_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from meshsim.scenario.files.nodes import Plain

__all__ = ["LoadedScenario", "Places", "load", "read"]

NO_FILE = "scenario"
"""What messages call a scenario that is no file."""


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A scenario with all changes applied, and where it comes from."""

    scenario: Scenario
    variant: str | None
    """Name of the variant; None for the scenario as it stands."""
    changes: tuple[str, ...]
    """The `--set` arguments."""
    file: str
    """As it was given."""
    digest: str
    """SHA-256, hexadecimal, of all settings of one run and of all files that they name.

    The order of keys, other variants and the number of replications do not count.
    """
    data_files: Mapping[str, str]
    """SHA-256 of each file that the scenario names, by the name that it writes."""
    tree: Plain
    """What `text` is made of."""
    places: Places
    """Where each setting stands."""
    names: tuple[str, ...]
    """All variants of the file, in its order."""

    @property
    def text(self) -> str:
        """YAML that loads as the same scenario from anywhere: variant and changes applied, names of files absolute."""
        return as_yaml(self.tree)


def load(
    source: str | Path | Mapping[str, Any],
    *,
    variant: str | None = None,
    set: Sequence[str] = (),  # noqa: A002 — the word of the command line
) -> LoadedScenario:
    """A scenario that can be run.

    All variants are checked, not only the one that is asked for.

    Args:
        source: Path of a file, YAML text (it has more than one line), or the content as a mapping.
        variant: Name of one of its `variants:`.
        set: Changes as `path=value`, laid over the variant one after the other.

    Raises:
        ScenarioError: With every mistake and its place.
    """
    return _Source(source).loaded(variant, set)


def load_all(source: str | Path | Mapping[str, Any], *, set: Sequence[str] = ()) -> Iterator[LoadedScenario]:  # noqa: A002
    """The scenario as it stands and then each of its variants, as `load` gives them, from one reading of the file.

    Raises:
        ScenarioError: As `load` of each, when its turn comes.
    """
    checked = _Source(source)
    for variant in (None, *checked.versions):
        yield checked.loaded(variant, set)


class _Source:
    """A scenario that has been read, and checked with all its variants."""

    def __init__(self, source: str | Path | Mapping[str, Any]) -> None:
        take_up_new_policies()
        self.file, folder, self.root, mistakes = _read(source)
        self.checker = _Checker(DataFiles(folder), mistakes)
        variants = self.root.value.get("variants") if isinstance(self.root.value, dict) else None
        named = variants.value if variants is not None and isinstance(variants.value, dict) else {}
        self.checker.check(self.root)
        self.versions = {name: self.checker.variant(self.root, name, patch) for name, patch in named.items()}
        """By name of the variant."""
        self.checker.matrix(self.root)

    def loaded(self, variant: str | None, changes: Sequence[str]) -> LoadedScenario:
        """One of its versions, with changes laid over it."""
        checker, chosen = self.checker, self.root if variant is None else self.versions.get(variant, self.root)
        if variant is not None and variant not in self.versions:
            message = (
                f"unknown variant {shown(variant)}{did_you_mean(str(variant), self.versions)}"
                if self.versions
                else f"there are no variants, so no {shown(variant)}"
            )
            checker.add([Places(self.root).mistake(("variants",), message)])
        for argument in changes:
            chosen = checker.change(chosen, argument)
        if changes:
            checker.check(chosen)
        if checker.mistakes:
            raise ScenarioError(list(checker.mistakes))
        tree: Any = plain(chosen)
        files = checker.files
        return LoadedScenario(
            scenario=Scenario.model_validate(files.absolute(tree)),
            variant=variant,
            changes=tuple(changes),
            file=self.file,
            digest=_digest(files.digested(_one_run(tree))),
            data_files=files.named(tree),
            tree=files.absolute(_without_variants(tree)),
            places=Places(chosen),
            names=tuple(self.versions),
        )


def read(source: str | Path | Mapping[str, Any]) -> tuple[Scenario, Places]:
    """The scenario as it stands, without any variant, and where its settings are."""
    loaded = load(source)
    return loaded.scenario, loaded.places


class _Checker:
    """Collects the mistakes of a scenario and its variants, each once."""

    def __init__(self, files: DataFiles, mistakes: Sequence[Mistake]) -> None:
        self.files = files
        self.mistakes = dict.fromkeys(mistakes)
        self._unreadable = {(one.file, one.line, one.column) for one in mistakes}
        """Places of which nothing more is to be said."""

    def add(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes |= dict.fromkeys(mistakes)

    def check(self, root: Node, variant: str | None = None) -> None:
        """Everything that is wrong with one version of the scenario."""
        places = Places(root)
        told = {(one.file, one.line, one.column, one.path) for one in self.mistakes}
        for finding in self._findings(root):
            one = places.mistake(finding.path, finding.message, at_key=finding.at_key)
            where = (one.file, one.line, one.column)
            if (where in self._unreadable and one.line) or (*where, one.path) in told:
                continue
            if variant is not None and not one.path.startswith("variants."):
                one = Mistake(*where, one.path, f"{one.message} (in variant {shown(variant)})")
            self.mistakes[one] = None

    def _findings(self, root: Node) -> Iterator[Finding]:
        tree: Any = plain(root)
        yield from self.files.find(tree)
        try:
            Scenario.model_validate(self.files.absolute(tree))
        except ValidationError as error:
            yield from (_finding(one, root) for one in error.errors(include_url=False))
        yield from references.findings(tree)

    def variant(self, root: Node, name: str, patch: Node) -> Node:
        """The scenario with a variant, checked."""
        if patch.value is None:
            return root
        if not isinstance(patch.value, dict):
            self.add([Places(root).mistake(("variants", name), f"expected a mapping of changes, not {shown(plain(patch))}")])
            return root
        if "variants" in patch.value:
            self.add([Places(root).mistake(("variants", name, "variants"), "a variant has no variants", at_key=True)])
            return root
        patcher = Patch()
        changed = patcher.variant(root, name, patch)
        self.add(patcher.mistakes)
        self.check(changed, name)
        return changed

    def matrix(self, root: Node) -> None:
        """Each value of each axis, in its place in the scenario."""
        axes = root.child("matrix")
        if axes is None or not isinstance(axes.value, dict):
            return
        for path, values in axes.value.items():
            if path == matrix.VARIANT or path in {matrix.INCLUDE, matrix.EXCLUDE} or not isinstance(values.value, list):
                continue
            for value in values.value:
                try:
                    self.check(Patch().value(root, path, value, axes.keys[path]))
                except ScenarioError as error:
                    self.add(error.mistakes)
                    break

    def change(self, root: Node, argument: str) -> Node:
        """The scenario with a `--set` argument."""
        try:
            return Patch().setting(root, argument)
        except ScenarioError as error:
            self.add(error.mistakes)
            return root


def _finding(error: ErrorDetails, root: Node) -> Finding:
    """An error of the model, with the path that the file has there.

    Pydantic's location also names the kinds of a union (`<call>`), and what a short form stands for (`9ms` for
    `{constant: {value: 9ms}}`).
    """
    path: list[str | int] = []
    node: Node | None = root
    is_missing = error["type"] == MISSING
    field = error.get("ctx", {}).get("field")
    for part in (*error["loc"], *([field] if field else [])):
        child = node.child(part) if node is not None else None
        if child is None:
            is_tag = isinstance(part, str) and ((part.startswith("<") and part.endswith(">")) or part == "[key]")
            is_inside = node is None or isinstance(node.value, dict)
            if is_tag or not (is_inside or is_missing):
                continue
        path.append(part)
        node = child
    at_key = error["type"] == UNKNOWN_KEY or error["loc"][-1:] == ("[key]",)
    return Finding(tuple(path), error["msg"], at_key)


def _read(source: str | Path | Mapping[str, Any]) -> tuple[str, Path, Node, list[Mistake]]:
    """Name, folder, content and first mistakes of a source."""
    if isinstance(source, Mapping):
        root, mistakes = read_mapping(source, NO_FILE)
        return NO_FILE, Path(), root, mistakes
    if isinstance(source, str) and "\n" in source:
        return NO_FILE, Path(), *read_text(source, NO_FILE)
    file = str(source)
    try:
        with Path(source).open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ScenarioError([Mistake(file, 0, 0, "", _unreadable(Path(source), error))]) from None
    return file, Path(source).parent, *read_text(decoded(content, file), file)


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        try:
            beside = [one.name for one in path.parent.iterdir() if one.suffix in {".yaml", ".yml"}]
        except OSError:
            return "there is no such file"
        return f"there is no such file{did_you_mean(path.name, beside)}"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a scenario"
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


def _without_variants(tree: Any) -> dict[str, Plain]:
    return {key: value for key, value in tree.items() if key not in {"variants", "matrix"}}


def _one_run(tree: Any) -> Plain:
    """What one run is made of: without the other variants, and without what says how many runs there are."""
    kept = _without_variants(tree)
    if isinstance(run := kept.get("run"), dict):
        kept["run"] = {key: value for key, value in run.items() if key not in {"replications", "until"}}
    return kept


def _digest(tree: Plain) -> str:
    canonical = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
