"""A bar on standard error that shows how far a run or a comparison has come."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from meshsim.units import NS_PER_S, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meshsim.experiments.campaign import HowFar as CampaignProgress

REFRESH_S = 0.1


class HowFar(Protocol):
    """What an engine says of its progress."""

    @property
    def now_ns(self) -> int:
        """Simulated time."""
        ...

    @property
    def requests(self) -> int:
        """Client requests that have started."""
        ...


@contextmanager
def progress_bar(duration_ns: int, console: Console | None = None) -> Iterator[Callable[[HowFar], None]]:
    """A bar for the time of the context, which is gone afterwards.

    Args:
        duration_ns: Simulated time at which it is full.
        console: Where it stands; standard error if not given.

    Yields:
        What to call now and then with how far the run has come.
    """
    columns = (BarColumn(bar_width=None), TextColumn("{task.description}"))
    bar = Progress(*columns, console=console or Console(stderr=True), transient=True, auto_refresh=False, expand=True)
    task = bar.add_task("starting", total=duration_ns)
    began_s = time.monotonic()
    shown_s = -REFRESH_S

    def show(now: HowFar) -> None:
        nonlocal shown_s
        passed_s = time.monotonic() - began_s
        if passed_s - shown_s >= REFRESH_S:
            shown_s = passed_s
            text = describe(now.now_ns, now.requests, duration_ns, passed_s)
            bar.update(task, completed=min(now.now_ns, duration_ns), description=text, refresh=True)

    with bar:
        yield show


def describe(now_ns: int, requests: int, duration_ns: int, passed_s: float) -> str:
    """`1m20s of 8m simulated  123,456 requests  20,576/s  34s left`; the rate is of the machine's own time.

    Args:
        now_ns: Simulated time.
        requests: Client requests that have started.
        duration_ns: Simulated time at which load ends.
        passed_s: How long it has taken.
    """
    simulated = format_duration(now_ns // NS_PER_S * NS_PER_S)
    parts = [f"{simulated} of {format_duration(duration_ns)} simulated", f"{requests:,} requests"]
    if passed_s > 0:
        parts.append(f"{requests / passed_s:,.0f}/s")
    if now_ns >= duration_ns:
        parts.append("last requests are ending")
    elif now_ns > 0 and passed_s > 0:
        left_s = passed_s * (duration_ns - now_ns) / now_ns
        parts.append(f"{format_duration(round(left_s) * NS_PER_S)} left")
    return "  ".join(parts)


@contextmanager
def campaign_bar(console: Console | None = None) -> Iterator[Callable[[CampaignProgress], None]]:
    """A bar for the replications of a comparison or a sweep, which is gone afterwards.

    Args:
        console: Where it stands; standard error if not given.

    Yields:
        What to call after each replication.
    """
    columns = (BarColumn(bar_width=None), TextColumn("{task.description}"))
    bar = Progress(*columns, console=console or Console(stderr=True), transient=True, refresh_per_second=2, expand=True)
    task = bar.add_task("starting", total=None)
    began_s = time.monotonic()
    first: CampaignProgress | None = None

    def show(now: CampaignProgress) -> None:
        nonlocal first
        first = first or now
        text = describe_campaign(now, now.done - first.done, time.monotonic() - began_s)
        bar.update(task, completed=now.done, total=now.planned, description=text, refresh=True)

    with bar:
        yield show


def describe_campaign(now: CampaignProgress, done_here: int, passed_s: float) -> str:
    """`12 of 30 replications  0.8/s  23s left  precision 7.1%, 5.0% asked for`.

    Args:
        now: How far it has come.
        done_here: Replications that were done since the bar began, which those of an interrupted run are not.
        passed_s: How long that has taken.
    """
    parts = [f"{now.done:,} of {now.planned:,} replications"]
    if done_here and passed_s > 0:
        rate = done_here / passed_s
        parts.append(f"{rate:,.1f}/s" if rate >= 0.1 else f"{format_duration(round(1 / rate) * NS_PER_S)} each")
        if now.done < now.planned:
            parts.append(f"{format_duration(round((now.planned - now.done) / rate) * NS_PER_S)} left")
    if now.wanted is not None:
        reached = "not known yet" if now.precision is None else f"{now.precision:.1%}"
        parts.append(f"precision {reached}, {now.wanted:.1%} asked for")
    return "  ".join(parts)
