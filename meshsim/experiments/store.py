"""The directory of a comparison: one folder for each point and in it one for each replication, each there whole or not at all.

While it grows its name ends in `.partial`, and one process at a time works on it; what it holds survives Ctrl-C, a crash and a full
disk, and `resume` goes on from there. When nothing is missing it takes its own name.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from meshsim.errors import ResultError
from meshsim.experiments.places import MANIFEST, SCENARIO, read_manifest, refuse_what_is_not_ours, take_away

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCK = ".lock"
IDENTITY = "identity"
"""Key of the manifest: what has to be the same for replications to belong together."""


class Store:
    """Replications, kept as they come.

    Args:
        path: Where the directory will be when it is whole.
        manifest: With an `identity`; written at once.
        resume: Keep what an interrupted run has left.

    Raises:
        ResultError: There is no place for it; it belongs to something else; another process works on it; it holds replications
            of an interrupted run and `resume` was not asked for, or it was and they are of something else.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], *, resume: bool) -> None:
        self.path = path
        self.partial = self.partial_of(path)
        refuse_what_is_not_ours(path)
        try:
            self.partial.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.partial / LOCK)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ResultError(f"another meshsim works on {path} at this moment; wait for it, or choose another --out") from None
        except OSError as error:
            raise ResultError(f"cannot write results to {path}: {error.strerror or error}") from None
        try:
            self._take_up(manifest, resume=resume)
        except BaseException:
            self.close()
            raise

    def _take_up(self, manifest: Mapping[str, Any], *, resume: bool) -> None:
        kept = self._replications(self.partial)
        if not kept and resume and (self.path / MANIFEST).is_file():
            before = read_manifest(self.path)
            if before.get(IDENTITY) == manifest[IDENTITY]:  # finished before: more replications may be asked for now
                shutil.copytree(self.path, self.partial, dirs_exist_ok=True)
                kept = self._replications(self.partial)
        if kept and not resume:
            raise ResultError(
                f"{self.partial} holds {_replications(kept)} of an interrupted run; add --resume to go on from there, "
                "or delete it to begin anew"
            )
        if kept and read_manifest(self.partial).get(IDENTITY) != manifest[IDENTITY]:
            raise ResultError(
                f"{self.partial} holds {_replications(kept)} of something else (another scenario, seed or version of "
                "meshsim); delete it, or choose another --out"
            )
        self.write_json(MANIFEST, manifest)

    def has(self, point: str, replication: int) -> bool:
        """Whether a replication is there."""
        return folder_of(self.partial, point, replication).is_dir()

    def add(self, point: str, replication: int, files: Mapping[str, bytes]) -> None:
        """Keep one replication, all of its files or none.

        Raises:
            OSError: As on a full disk.
        """
        place = folder_of(self.partial, point, replication)
        place.parent.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft.", dir=place.parent))
        try:
            draft.chmod(0o755)
            for name, content in files.items():
                (draft / name).write_bytes(content)
            os.replace(draft, place)  # noqa: PTH105 — Path.rename refuses on some systems what this does
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """One JSON file beside the points, whole or not at all."""
        self._write(self.partial / name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def write_scenario(self, point: str, text: str) -> None:
        """The scenario of a point, which repeats it."""
        (self.partial / point).mkdir(exist_ok=True)
        self._write(self.partial / point / SCENARIO, text)

    def publish(self, manifest: Mapping[str, Any]) -> Path:
        """Give the directory its own name; an older result of that name goes."""
        self.write_json(MANIFEST, manifest)
        for draft in self.partial.glob("*/.draft.*"):  # of a process that was killed
            shutil.rmtree(draft, ignore_errors=True)
        self._lock.release()
        (self.partial / LOCK).unlink(missing_ok=True)
        if self.path.exists():
            take_away(self.path)
        os.replace(self.partial, self.path)  # noqa: PTH105
        return self.path

    def close(self) -> None:
        """Let another process at it; a directory without a replication goes."""
        if not self.partial.is_dir():
            return
        self._lock.release()
        if not self._replications(self.partial):
            shutil.rmtree(self.partial, ignore_errors=True)
        else:
            (self.partial / LOCK).unlink(missing_ok=True)

    @staticmethod
    def partial_of(path: Path) -> Path:
        """Where the directory is while it grows."""
        return path.with_name(f"{path.name}.partial")

    @classmethod
    def kept(cls, path: Path) -> str:
        """What an interrupted run has left, in words: `34 replications`; empty for nothing."""
        count = cls._replications(cls.partial_of(path))
        return _replications(count) if count else ""

    @staticmethod
    def _write(path: Path, text: str) -> None:
        draft = path.with_name(f".draft.{path.name}")
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105

    @staticmethod
    def _replications(folder: Path) -> int:
        return sum(1 for _ in folder.glob("*/replication-*"))


def folder_of(directory: Path, point: str, replication: int) -> Path:
    """Where a replication of a point is."""
    return directory / point / f"replication-{replication:04d}"


def _replications(count: int) -> str:
    return f"{count:,} replication" if count == 1 else f"{count:,} replications"
