"""A progress bar for a notebook's cell, or wherever tqdm draws one."""

from __future__ import annotations

from typing import Any, Protocol

from tqdm.auto import tqdm

from meshsim.experiments.campaign import HowFar as CampaignProgress
from meshsim.units import NS_PER_S


class RunProgress(Protocol):
    """What an engine says of its progress."""

    @property
    def now_ns(self) -> int:
        """Simulated time."""
        ...

    @property
    def planned_ns(self) -> int:
        """Simulated time at which load ends."""
        ...

    @property
    def requests(self) -> int:
        """Client requests that have started."""
        ...


class progress:  # noqa: N801 — it is called like a function: `run(progress=ms.progress())`
    """A bar to be given to `run`, `compare` or `sweep`: `ms.compare(file, progress=ms.progress())`.

    It goes when the work is done.
    """

    def __init__(self) -> None:
        self._bar: Any = None

    def __call__(self, now: RunProgress | CampaignProgress) -> None:
        """Show how far it has come."""
        if isinstance(now, CampaignProgress):
            done, planned, unit = now.done, now.planned, "replication"
        else:
            done, planned, unit = now.now_ns // NS_PER_S, now.planned_ns // NS_PER_S, "s"
        if self._bar is None:
            self._bar = tqdm(total=planned, unit=unit, desc="simulated" if unit == "s" else "replications", leave=False)
        self._bar.total = planned
        self._bar.update(min(done, planned) - self._bar.n)
        if not isinstance(now, CampaignProgress):
            self._bar.set_postfix_str(f"{now.requests:,} requests", refresh=False)
        elif now.precision is not None and now.wanted is not None:
            self._bar.set_postfix_str(f"precision {now.precision:.1%}, {now.wanted:.1%} asked for", refresh=False)
        if done >= planned:
            self._bar.close()
            self._bar = None
