"""Directories of results: what stands in them, whose they are, and which version of meshsim can read them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from meshsim.errors import ResultError

RESULTS = Path("results")
MANIFEST = "manifest.json"
SUMMARY = "summary.json"
SCENARIO = "scenario.yaml"
FORMAT = 7
"""Of the files in a directory of results; another number means that this version cannot read them."""


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a directory of results.

    Raises:
        ResultError: There is none, or another version of meshsim has written it in a way that this one does not read.
    """
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
        writer, written = manifest["versions"]["meshsim"], manifest.get("format", 1)
    except FileNotFoundError:
        raise ResultError(f"{directory} holds no result of meshsim: there is no {MANIFEST} in it") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{directory} holds no result that can be read ({error})") from None
    if written != FORMAT:
        raise ResultError(
            f"{directory} was written by meshsim {writer} in format {written}, and this version reads format {FORMAT}; "
            f"run the scenario again: {directory / SCENARIO}"
        )
    content: dict[str, Any] = manifest
    return content


def refuse_what_is_not_ours(path: Path) -> None:
    """Raise `ResultError` where there is anything that meshsim has not written. Many tools have a manifest.json, so look inside."""
    for _ in range(2):  # another run may be replacing the directory between two looks
        if _is_ours(path):
            return
        try:
            if not os.listdir(path):  # noqa: PTH208 — a listing, complete before anything else happens
                return
        except FileNotFoundError:
            return
        except NotADirectoryError:
            if not path.exists():  # below a file: making the folders will say so
                return
            raise ResultError(f"{path} is a file; choose another --out") from None
        except OSError as error:
            raise ResultError(f"cannot write results to {path}: {error.strerror or error}") from None
    raise ResultError(f"{path} is not empty and holds no result of meshsim; choose another --out")


def take_away(path: Path) -> None:
    """Remove an older result, but only what meshsim itself has written.

    Raises:
        ResultError: It is something else.
    """
    refuse_what_is_not_ours(path)
    grave = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        os.replace(path, grave / "old")  # noqa: PTH105
    except FileNotFoundError:
        pass  # another run has taken it away
    finally:
        shutil.rmtree(grave, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        return "digest" in manifest and "meshsim" in manifest["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
