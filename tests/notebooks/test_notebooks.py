"""Every notebook is stored without outputs, runs from top to bottom, and shows what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
runs_every_notebook = pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=() if path is NOTEBOOKS[0] else pytest.mark.slow, id=path.stem) for path in NOTEBOOKS],
)
"""The first with every test run; the others, of half a minute each, with the slow ones."""


def test_there_are_the_notebooks_that_the_readme_names() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["01_first_run", "02_compare_policies", "03_the_gateway"]


@every_notebook
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]

    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.filterwarnings("ignore")
@runs_every_notebook
def test_a_notebook_runs_and_each_chart_is_shown_once(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    complaints = [
        output["text"]
        for cell in code
        for output in cell.outputs
        if output.get("name") == "stderr" and "Warning" in output["text"]
    ]

    assert complaints == []
    for cell in code:
        images = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert len(images) == (1 if ".plot." in cell.source else 0), cell.source
    assert shown_as_html(code) >= 2


def shown_as_html(code: list[Any]) -> int:
    """Cells that showed themselves as HTML."""
    return sum(any("text/html" in output.get("data", {}) for output in cell.outputs) for cell in code)
