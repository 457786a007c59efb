"""What the policies of a caller did towards one destination over time: health, breakers, retries, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.panels import Panel, stacked, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "no policy did anything"
PANELS = (
    Panel("healthy_share", "instances that are neither ejected nor fail a check", "healthy instances", "share", 1.0),
    Panel("ejections_per_s", "ejections of instances", "ejections"),
    Panel("health_changes_per_s", "changes of an instance's health by active checks", "changes of health"),
    Panel("panic_picks_per_s", "picks among all instances, since too few are healthy (panic)", "picks in panic"),
    Panel("no_host_per_s", "tries that found no instance to go to", "tries without an instance"),
    Panel("endpoint_waits_per_s", "tries that begin to wait until an instance is ready", "new waits for an instance"),
    Panel("failfasts_per_s", "proxies that begin to fail fast, since no instance is ready", "beginnings of failing fast"),
    Panel("timeouts_per_s", "calls that their timeout ended", "calls that timed out"),
    Panel("sessions_moved_per_s", "tries of a session whose instance cannot be used", "tries of a session without its instance"),
    Panel("breakers_open_share", "circuit breakers that are open", "open circuit breakers", "share"),
    Panel("breakers_half_open_share", "circuit breakers that are half open", "half-open circuit breakers", "share"),
    Panel("breaker_rejected_per_s", "tries held back by an open circuit breaker", "tries held back by a circuit breaker"),
    Panel("retries_per_s", "retries", "retries"),
    Panel("retries_refused_per_s", "retries refused by a budget or by max_retries", "refused retries"),
    Panel("active_retries", "retries under way, which a budget or max_retries limits", "retries under way", "number"),
    Panel("hedges_per_s", "hedges: further tries while one is on its way", "hedges"),
    Panel("hedges_won_per_s", "hedges whose answer came first", "hedges that won"),
    Panel("throttled_per_s", "tries held back by the caller's own throttling", "throttled tries"),
    Panel("concurrency_limit", "requests at a time that adaptive limits allow", "adaptive limits", "number"),
    Panel("limited_per_s", "tries held back by a concurrency limit", "tries over the concurrency limit"),
    Panel("mirrored_per_s", "copies sent to a mirror", "mirrored copies"),
)


@style.styled
def policies_over_time(
    policies: pd.DataFrame,
    ax: Axes | None = None,
    *,
    destination: str | None = None,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """A narrow panel for each thing that any policy did towards a destination, a line a variant; what never happened has none.

    Args:
        policies: Frame `policies` of a result or a comparison.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        destination: From whom to whom, such as `(gateway) to payment`; the one where most happened by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes of the last panel; all callers of a kind together, rates per second, the mean of the replications.
    """
    return stacked(policies, ax, PANELS, destination=destination, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)


def reading(
    policies: pd.DataFrame, *, destination: str | None = None, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0
) -> str:
    """One sentence: how far each thing went after the warm-up, with which variant and when."""
    return told(policies, PANELS, destination=destination, faults=faults, warm_up_s=warm_up_s, nothing=NOTHING)
