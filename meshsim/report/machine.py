"""The whole answer of a run for machines: `meshsim run -o json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.experiments.result import Result


def as_json(result: Result) -> str:
    """Where the records are, whether all thresholds hold, manifest, thresholds and summary; in ASCII, for any encoding."""
    content = {
        "directory": str(result.directory),
        "interrupted": result.interrupted,
        "passed": result.passed,
        "manifest": result.manifest,
        "thresholds": [verdict.to_dict() for verdict in result.verdicts],
        "summary": result.summary().to_dict(),
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"
