"""What a service's cache did over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "nobody looked anything up in a cache"
PANELS = (
    Panel("hit_ratio", "share of the look-ups that hit", "hits", "share", calm=1.0, company=("lookups_per_s",)),
    Panel("loads_per_s", "loads", "loads"),
    Panel("failed_loads_per_s", "loads that failed", "failed loads"),
    Panel("coalesced_per_s", "look-ups that wait for another's load", "look-ups that wait for another's load"),
    Panel("evictions_per_s", "values that had to make room", "evictions"),
)


@style.styled
def caches_over_time(
    caches: pd.DataFrame,
    ax: Axes | None = None,
    *,
    cache: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: the hit ratio, loads, those that failed, look-ups that waited for another's, and evictions; a line a variant.

    Args:
        caches: Frame `caches_over_time` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        cache: Which, such as `shop: products`; the one with most to tell by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; means over each interval, and of the replications.
    """
    return stacked(lines(caches), ax, PANELS, destination=cache, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(caches: pd.DataFrame, *, cache: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: the lowest hit ratio, and most loads, waits for one and evictions after the warm-up, and when."""
    return told(lines(caches), PANELS, destination=cache, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(caches: pd.DataFrame) -> pd.DataFrame:
    """The rows as `panels` wants them, service and cache in `destination`."""
    return caches.assign(destination=caches["service"].astype(str) + ": " + caches["cache"].astype(str))
