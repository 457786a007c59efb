"""How the pods of a service went over time while its versions changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "no version changed"
PANELS = (
    Panel("available_share", "available pods, of the replicas wanted", "available pods", "share", calm=1),
    Panel("updated_share", "pods of the new version", "pods of the new version", "share", calm=1),
    Panel("pods", "pods of all versions", "pods of all versions", "number"),
    Panel("terminating", "pods that end", "pods that end", "number"),
)  # fmt: skip


@style.styled
def rollouts_over_time(
    rollouts: pd.DataFrame,
    ax: Axes | None = None,
    *,
    service: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Narrow panels: shares of pods available and of the new version, pods of all versions, and those that end; a line a variant.

    Args:
        rollouts: Frame `rollouts` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        service: Whose pods; the first with rollouts by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; of each interval the least shares and the most pods, the mean of the replications.
    """
    rows = lines(rollouts)
    return stacked(rows, ax, PANELS, destination=service, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(
    rollouts: pd.DataFrame, *, service: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0
) -> str:
    """One sentence: how far the pods of each kind went after the warm-up, and when."""
    return told(lines(rollouts), PANELS, destination=service, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def lines(rollouts: pd.DataFrame) -> pd.DataFrame:
    """The rows as `panels` wants them, the service in `destination`."""
    return rollouts.rename(columns={"service": "destination"})
