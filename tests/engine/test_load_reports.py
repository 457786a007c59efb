"""When reports of load come: each at a phase of its own, all of one proxy together, or all of them together."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from meshsim.engines.reference.destinations.load_reports import LoadReports
from meshsim.engines.reference.time.clock import Clock

MS = 1_000_000
INTERVAL_NS = 100 * MS


def reported(phase: str) -> list[list[int]]:
    """When the first reports of three endpoints reach each of two proxies, ns."""
    clock = Clock()
    station = SimpleNamespace(busy_ns=0, workers=1)
    proxies = []
    for key in (11, 12):
        instances = [
            SimpleNamespace(in_it=0, finished=0, failed=0, station=station, is_unreachable=False, is_down=False) for _ in range(3)
        ]
        endpoints = [
            SimpleNamespace(index=index, instance=one, is_member=True, reported_ns=-1) for index, one in enumerate(instances)
        ]
        reports = LoadReports(clock, SimpleNamespace(endpoints=endpoints, key=key, luck=key))  # type: ignore[arg-type]
        for endpoint in endpoints:
            clock.process(reports.watch(endpoint, INTERVAL_NS, phase))  # type: ignore[arg-type]
        proxies.append(endpoints)
    clock.call_at(INTERVAL_NS + 1, lambda: setattr(clock, "is_over", True))
    clock.run_all(lambda: None)
    return [[endpoint.reported_ns % INTERVAL_NS for endpoint in endpoints] for endpoints in proxies]


@pytest.mark.parametrize(("phase", "instants"), [("endpoint", (3, 6)), ("proxy", (1, 2)), ("common", (1, 1))])
def test_reports_come_together_as_the_setting_says(phase, instants):
    """How many different instants there are for one proxy, and for both."""
    first, second = reported(phase)

    assert (len(set(first)), len({*first, *second})) == instants
