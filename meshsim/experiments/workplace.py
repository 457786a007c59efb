"""Where a directory of results is made, beside its place, and what is done about those whose makers were killed.

Each has a lock file of its own beside it, which the system lets go of when its process ends, however that ends. So the next run in
the same place knows the dead from those at work.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = ".lock"


class Workplace:
    """A new folder beside a place, and nobody else's; the folders there that dead processes have left are taken away.

    Raises:
        OSError: There is no room for it.
    """

    def __init__(self, place: Path) -> None:
        _clear_away_the_dead(place)
        self.path = Path(tempfile.mkdtemp(prefix=_prefix(place), dir=place.parent))
        self.path.chmod(0o755)
        self._lock = FileLock(_lock_of(self.path))
        self._lock.acquire(timeout=0)

    def give_up(self) -> None:
        """Let the lock go: the folder has its place now, or is gone."""
        with suppress(OSError):
            _lock_of(self.path).unlink(missing_ok=True)  # first, so that nobody finds it unlocked
        self._lock.release()
        with suppress(OSError):
            _lock_of(self.path).unlink(missing_ok=True)  # where an open file cannot be taken away


def _clear_away_the_dead(place: Path) -> None:
    for path in list(place.parent.iterdir()) if place.parent.is_dir() else ():
        if not (path.name.startswith(_prefix(place)) and path.name.endswith(LOCK)):
            continue
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # its process lives, or is somebody else's
            continue
        shutil.rmtree(path.with_name(path.name.removesuffix(LOCK)), ignore_errors=True)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


def _prefix(place: Path) -> str:
    return f".{place.name}."


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}{LOCK}")
