"""The whole answer of a run or a comparison for machines: `-o json`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.experiments.comparison import Comparison
    from meshsim.experiments.result import Result


def as_json(result: Result, warnings: Sequence[str] = ()) -> str:
    """Where the records are, whether all thresholds hold, warnings, manifest, thresholds and summary; in ASCII, for any encoding."""
    content = {
        "directory": str(result.directory),
        "interrupted": result.interrupted,
        "passed": result.passed,
        "warnings": list(warnings),
        "manifest": result.manifest,
        "thresholds": [verdict.to_dict() for verdict in result.verdicts],
        "summary": result.summary().to_dict(),
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def comparison_as_json(comparison: Comparison) -> str:
    """Verdict, thresholds, gates, and the table, one entry for each figure and variant; null where there is no number."""
    content = {
        "directory": str(comparison.directory),
        "passed": comparison.passed,
        "verdict": comparison.verdict,
        "notes": list(comparison.notes),
        "manifest": comparison.manifest,
        "thresholds": [one.to_dict() for one in comparison.standings],
        "gates": [asdict(one) for one in comparison.gates],
        "failures": [{name: _plain(value) for name, value in row.items()} for row in comparison.failures().to_dict("records")],
        "figures": [{name: _plain(value) for name, value in row.items()} for row in comparison.table().to_dict("records")],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "never"
    return None if isinstance(value, float) and math.isnan(value) else value
