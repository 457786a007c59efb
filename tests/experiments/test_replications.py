"""The tables of replications, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.experiments.arrow import as_parquet
from meshsim.experiments.replications import Replications
from meshsim.report.charts.waterfall import waterfall

if TYPE_CHECKING:
    from pathlib import Path

SPAN = {
    "request": [0], "span": [0], "parent": [-1], "depth": [0], "service": ["(client)"], "operation": ["a"], "attempt": [1],
    "instance": [""], "stage": ["network"], "from_s": [0.0], "until_s": [0.5], "status": [404], "response_flags": ["NR"],
}  # fmt: skip


def test_one_without_a_row_leaves_numbers_numbers(tmp_path: Path) -> None:
    """Nothing says what an empty column is of; joined with numbers it made objects of them, of which no chart could be drawn."""
    places = (tmp_path / "empty", tmp_path / "full")
    for place, columns in zip(places, ({name: [] for name in SPAN}, SPAN), strict=True):
        place.mkdir()
        (place / "spans.parquet").write_bytes(as_parquet(columns))

    table = Replications(places).table("spans")

    assert table["until_s"].dtype == "float64"
    assert table["until_s"].tolist() == [0.5]
    assert waterfall(table.assign(variant="base")).patches
