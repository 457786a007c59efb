"""The files of measurements that a scenario names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path, Plain

ENDINGS = (".csv", ".parquet", ".npy", ".npz")
_HOLDERS = {"replay", "empirical"}
"""Keys over a mapping with a `file:` in it; besides them a load has one."""


@dataclass(slots=True)
class DataFiles:
    """The files that one scenario names, found and read.

    Attributes:
        digests: SHA-256 in hexadecimal, by the name that the scenario writes.
    """

    folder: FilePath
    digests: dict[str, str] = field(default_factory=dict)

    def find(self, tree: Plain) -> Iterator[Finding]:
        """Look for all files that the tree names, and say which of them cannot be used."""
        for path, name in _files(tree, ()):
            if FilePath(name).suffix not in ENDINGS:
                yield Finding(path, f"{shown(name)} is none of {', '.join(ENDINGS)}")
            elif name not in self.digests:
                try:
                    with (self.folder / name).open("rb") as file:
                        self.digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
                except (OSError, ValueError) as error:
                    yield Finding(path, self._reason(name, error))

    def named(self, tree: Plain) -> dict[str, str]:
        """The digests of the files that the tree names."""
        return {name: self.digests[name] for _, name in _files(tree, ()) if name in self.digests}

    def absolute(self, tree: Plain) -> Plain:
        """The tree with absolute names of files."""
        return _with_files(tree, {name: str((self.folder / name).resolve()) for name in self.digests})

    def digested(self, tree: Plain) -> Plain:
        """The tree with a digest of each file in place of its name, so that it means the same wherever the file is."""
        return _with_files(tree, {name: f"sha256:{digest}" for name, digest in self.digests.items()})

    def _reason(self, name: str, error: Exception) -> str:
        if isinstance(error, IsADirectoryError):
            return f"{shown(name)} is a folder"
        if isinstance(error, FileNotFoundError):
            try:
                beside = [one.name for one in (self.folder / name).parent.iterdir() if one.suffix in ENDINGS]
            except OSError:
                beside = []
            return f"there is no file {shown(name)} beside the scenario{did_you_mean(FilePath(name).name, beside)}"
        return f"{shown(name)} cannot be read ({getattr(error, 'strerror', None) or error})"


def _files(tree: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(tree, dict):
        for key, inner in tree.items():
            here = (*path, key)
            if _is_file(tree, here) and isinstance(inner, str):
                yield here, inner
            elif here != ("variants",):
                yield from _files(inner, here)
    elif isinstance(tree, list):
        for index, inner in enumerate(tree):
            yield from _files(inner, (*path, index))


def _is_file(tree: dict[str, Any], path: Path) -> bool:
    is_load = len(path) == 3 and path[0] == "load" and tree.get("executor") == "replay"
    return path[-1] == "file" and (is_load or (len(path) > 1 and path[-2] in _HOLDERS))


def _with_files(tree: Plain, names: dict[str, str]) -> Plain:
    def changed(inner: Any, path: Path) -> Any:
        if isinstance(inner, dict):
            return {
                key: names.get(one, one) if isinstance(one, str) and _is_file(inner, (*path, key)) else changed(one, (*path, key))
                for key, one in inner.items()
            }
        return [changed(one, (*path, index)) for index, one in enumerate(inner)] if isinstance(inner, list) else inner

    made: Plain = changed(tree, ())
    return made
