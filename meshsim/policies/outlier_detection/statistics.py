"""Outlier detection by comparison: success rates of hosts against each other."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def threshold(rates: Sequence[float], factor: float) -> float:
    """Success rate below which a host is an outlier: mean less `factor` standard deviations (of the population).

    Source: Envoy, source/common/upstream/outlier_detection_impl.cc (successRateEjectionThreshold).
    """
    mean = sum(rates) / len(rates)
    variance = sum((rate - mean) * (rate - mean) for rate in rates) / len(rates)
    return mean - factor * sqrt(variance)
