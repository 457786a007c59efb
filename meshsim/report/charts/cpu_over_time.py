"""The processor time of a service over time, and how much it stood still for want of quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "no service used any of its cpu"
PANELS = (
    Panel("used_cores", "cores used, over all replicas", "cores used", "number"),
    Panel("throttled_share", "share of the quota's periods that were throttled", "throttled periods", "share"),
    Panel("throttled_cores", "processors that stood still meanwhile, over all replicas", "processors that stand still", "number"),
)  # fmt: skip


@style.styled
def cpu_over_time(
    cpu: pd.DataFrame,
    ax: Axes | None = None,
    *,
    service: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: cores used, the share of periods that were throttled, and processors that stood still; a line a variant.

    Args:
        cpu: Frame `cpu_over_time` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        service: Whose; the one with most to show by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; means of the replications.
    """
    rows = lines(cpu)
    return stacked(rows, ax, PANELS, destination=service, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(cpu: pd.DataFrame, *, service: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: the most cores used and the largest share of throttled periods after the warm-up, and when."""
    return told(lines(cpu), PANELS, destination=service, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(cpu: pd.DataFrame) -> pd.DataFrame:
    """The rows as `panels` wants them, the service in `destination`."""
    return cpu.rename(columns={"service": "destination"})
