"""A way to a destination that is made late leaves the rows of one that was there from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import meshsim as ms
from meshsim.engines import reference
from meshsim.engines.reference import counters
from meshsim.engines.reference.control.control import Control
from meshsim.engines.reference.destinations.together import Seen, Together
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


def tables_of(scenario: dict[str, Any] = SCENARIO) -> dict[str, list[tuple[int, ...]]]:
    kept = Kept()
    reference.run(ms.load(scenario).plan, 7, 0, (kept,))
    return kept.tables


WAITING: dict[str, Any] = {
    **SCENARIO,
    "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "12/s", "requests": {"all": 1}}},
    "mesh": {
        "traffic": {
            "back": {
                "retries": {
                    "num_retries": 3,
                    "retry_on": ["5xx"],
                    "retry_back_off": {"base_interval": "90ms", "max_interval": "900ms"},
                },
            }
        }
    },
    "services": {
        "front": {
            "replicas": 3,
            "workers": 20,
            "async": True,
            "connection_pools": {"db": {"maximum_pool_size": 1, "acquire_timeout": "200ms"}},
            "script": [{"transaction": "db", "script": [{"call": "back"}]}],
        },
        "back": {
            "replicas": 4,
            "cpu": {"limits": "100m"},
            "errors": "50%",
            "script": [{"compute": {"exponential": {"mean": "6ms"}}}],
        },
        "never": {"replicas": 2, "script": [{"compute": "1ms"}]},
    },
    "run": {"duration": "3s", "interval": "40ms"},
}
"""Little work, and waits that last over several rows: back-offs, a pool, a CPU that stands still, a crash."""


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


def test_what_is_passed_over_has_the_rows_that_a_look_at_everything_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    passed_over = {name: tables_of(scenario) for name, scenario in (("usual", SCENARIO), ("waiting", WAITING))}

    def asleep_never(self: Together, sleeper: Any, part: Any) -> Seen:  # noqa: ARG001 — nobody tells of calls
        return next(one for one in reversed(self._awake) if one.part is part)

    monkeypatch.setattr(Together, "leave_to", asleep_never)
    monkeypatch.setattr(counters, "_different", lambda read, things, before: list(range(len(things))))  # noqa: ARG005
    looked_at = {name: tables_of(scenario) for name, scenario in (("usual", SCENARIO), ("waiting", WAITING))}
    active = [row for row in looked_at["waiting"]["proxies"] if row[9]]

    assert looked_at == passed_over
    assert len(active) > 50  # rows with retries under way, at proxies whose own workers have nothing to do
