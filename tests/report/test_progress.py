"""How far a run has come."""

from __future__ import annotations

import io
from dataclasses import dataclass

from rich.console import Console

from meshsim.report.progress import describe, progress_bar

SECOND = 1_000_000_000


@dataclass
class Now:
    now_ns: int
    requests: int


def test_progress_tells_simulated_time_requests_rate_and_time_left() -> None:
    text = describe(120 * SECOND, 60_000, 480 * SECOND, 10.0)

    assert text == "2m of 8m simulated  60,000 requests  6,000/s  30s left"


def test_after_the_end_of_the_load_only_the_last_requests_are_left() -> None:
    assert describe(481 * SECOND, 10, 480 * SECOND, 1.0) == "8m1s of 8m simulated  10 requests  10/s  last requests are ending"


def test_at_the_start_nothing_is_promised() -> None:
    assert describe(0, 0, SECOND, 0.0) == "0s of 1s simulated  0 requests"


def test_a_bar_is_drawn_while_it_runs_and_gone_afterwards() -> None:
    stream = io.StringIO()
    with progress_bar(10 * SECOND, Console(file=stream, force_terminal=True, width=80)) as progress:
        progress(Now(5 * SECOND, 1234))
        drawn = stream.getvalue()

    assert "5s of 10s simulated" in drawn
    assert "1,234 requests" in drawn
    assert stream.getvalue().endswith("\x1b[2K")
