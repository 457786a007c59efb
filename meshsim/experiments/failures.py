"""Why requests failed, over all replications of each variant."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.experiments.replications import Replications
    from meshsim.metrics.summary import Cause

COLUMNS = ("variant", "route", "status", "grpc_status", "response_flags", "origin", "origin_flags", "requests", "share")


def failures(kept: Mapping[str, Replications]) -> pd.DataFrame:
    """A row for each way in which requests of a route failed, the most frequent of a variant first.

    Returns:
        Columns `COLUMNS`, as `Comparison.failures` says.
    """
    rows = []
    for variant, replications in kept.items():
        ways: Counter[tuple[str, Cause]] = Counter()
        requests: Counter[str] = Counter()
        for summary in replications.summaries:
            for route in summary.routes:
                name = route.route or ""
                requests[name] += route.requests
                for cause in route.causes:
                    ways[name, replace(cause, count=0)] += cause.count
        for (name, cause), count in ways.most_common():
            way = {**asdict(cause), "response_flags": cause.flags, "requests": count, "share": count / requests[name]}
            rows.append((variant, name, *(way[column] for column in COLUMNS[2:])))
    return pd.DataFrame(rows, columns=list(COLUMNS))
