"""How evenly a caller used the instances of a service over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "there was nothing to spread over instances"
PANELS = (
    Panel("spread", "attempts at the busiest instance (1: as many as the mean)",
          "attempts at the busiest instance as a multiple of the mean", "number", 1.0),
    Panel("used_share", "instances that get any attempt", "instances in use", "share", 1.0),
    Panel("in_zone_share", "attempts that stay in the caller's zone", "attempts that stay in the zone", "share", 1.0),
)  # fmt: skip


@style.styled
def balance_over_time(
    balance: pd.DataFrame,
    ax: Axes | None = None,
    *,
    destination: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: what the busiest instance gets, how many instances get anything, and what stays in the zone.

    Args:
        balance: Frame `balance` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        destination: From whom to whom, such as `(gateway) to payment`; the one with most panels by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; of the attempts that were sent in an interval, the mean of the replications.
    """
    return stacked(balance, ax, PANELS, destination=destination, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(
    balance: pd.DataFrame, *, destination: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0
) -> str:
    """One sentence: how uneven it became after the warm-up, with which variant and when."""
    return told(balance, PANELS, destination=destination, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)
