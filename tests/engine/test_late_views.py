"""A way to a destination that is made late leaves the rows of one that was there from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import meshsim as ms
from meshsim.engines import reference
from meshsim.engines.reference.control.control import Control
from meshsim.engines.reference.layers.stacks import Stacks

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pytest

SCENARIO: dict[str, Any] = {
    "name": "late",
    "deployment": "gateway+mesh",
    "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "40/s", "requests": {"all": 1}}},
    "gateway": {"routes": {"all": {"path": "/", "to": "front"}}},
    "mesh": {
        "traffic": {
            "back": {
                "retries": {"num_retries": 2, "retry_on": ["5xx"], "per_try_timeout": "8ms"},
                "load_balancer": "least_request",
                "circuit_breakers": {"max_connections": 2, "max_pending_requests": 1},
                "circuit_breaker": {},
            },
            "rare": {"load_balancer": "peak_ewma", "retry_token_budget": "leaky_budget", "retries": {"num_retries": 1}},
        }
    },
    "services": {
        "front": {
            "replicas": 3,
            "workers": 20,
            "script": [{"call": "back"}, {"call": "rare", "probability": "5%", "optional": True}],
        },
        "back": {
            "replicas": 4,
            "workers": 2,
            "errors": {"rate": "5%"},
            "script": [{"compute": {"exponential": {"mean": "5ms"}}}],
        },
        "rare": {
            "replicas": 2,
            "errors": {"rate": "20%"},
            "script": [{"compute": "1ms"}, {"call": "never", "probability": "0%"}],
        },
        "never": {"replicas": 5, "health_status": {"unhealthy": [1], "degraded": [3]}, "script": [{"compute": "1ms"}]},
    },
    "network": {"same_zone": {"exponential": {"mean": "200us"}}},
    "faults": [{"at": "1s", "for": "500ms", "service": "back", "instances": [1], "crash": True}],
    "run": {"duration": "3s", "interval": "100ms"},
}


class Kept:
    """Every row of every table, in order."""

    def __init__(self) -> None:
        self.tables: dict[str, list[tuple[int, ...]]] = {}

    def take(self, table: str, chunk: Mapping[str, np.ndarray]) -> None:
        rows = zip(*(column.tolist() for column in chunk.values()), strict=True)
        self.tables.setdefault(table, []).extend(rows)


def tables_of() -> dict[str, list[tuple[int, ...]]]:
    kept = Kept()
    reference.run(ms.load(SCENARIO).plan, 7, 0, (kept,))
    return kept.tables


def test_rows_do_not_tell_when_a_view_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    late = tables_of()
    monkeypatch.setattr(Control, "looks_after", lambda *_: True)  # so that all are there from the start
    early = tables_of()

    assert late == early


def test_views_that_nobody_uses_are_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    view = Stacks._view  # noqa: SLF001 — what a test counts

    def counted(self: Any, cluster: Any, place: Any, caller: int) -> Any:
        made.append(cluster.service)
        return view(self, cluster, place, caller)

    monkeypatch.setattr(Stacks, "_view", counted)
    plan = ms.load(SCENARIO).plan
    rows = Kept()
    reference.run(plan, 7, 0, (rows,))
    names = [plan.names.services[service] for service in made]

    assert names.count("back") == 3  # one for each replica of front
    assert "never" not in names
    never = plan.names.services.index("never")
    assert {row[4:7] for row in rows.tables["destinations"] if row[2] == never} == {(2, 10, 6)}  # proxies, members, healthy
