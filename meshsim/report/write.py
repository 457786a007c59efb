"""The report as a file: HTML, PDF, Markdown or JUnit, by the ending of its name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from meshsim.errors import UsageError
from meshsim.report.page import junit, markdown, page, pdf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meshsim.experiments.comparison import Comparison

WRITERS: dict[str, Callable[[Comparison], bytes]] = {
    ".html": lambda comparison: page(comparison).encode(),
    ".pdf": lambda comparison: pdf(page(comparison)),
    ".md": lambda comparison: markdown(comparison).encode(),
    ".xml": lambda comparison: junit(comparison).encode(),
}


def write_report(comparison: Comparison, path: Path) -> Path:
    """Write it, whole or not at all.

    Returns:
        The path.

    Raises:
        UsageError: The ending says no kind of report.
        OSError: It cannot be written.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"{path}: a report is a file that ends in {', '.join(WRITERS)}")
    content = writer(comparison)
    draft = path.with_name(f".draft.{path.name}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)  # noqa: PTH105 — Path.rename refuses on some systems what this does
    finally:
        draft.unlink(missing_ok=True)
    return path
