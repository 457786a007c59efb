"""A measured case of a real Envoy as a scenario on its own draws."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from ruamel.yaml import YAML

import meshsim as ms

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from meshsim import Result

PATH_OVERHEAD_MS = 0.61
"""Client, Envoy and back-end loops of the test bed, mean (reference/envoy/README.md); spread over four traversals of the network."""
WARM_UP_S = 5


def draws_module(envoy: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("draws", envoy / "draws.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def replayed(
    envoy: Path,
    name: str,
    folder: Path,
    route: dict[str, Any],
    traffic: dict[str, Any],
    service: dict[str, Any] | None = None,
    faults: list[dict[str, Any]] | None = None,
    filters: list[dict[str, Any]] | None = None,
) -> tuple[Result, dict[str, Any]]:
    """A case on its own draws, and its measured summary."""
    case = YAML(typ="safe").load(envoy / "cases" / name / "case.yaml")
    start, work, errors = draws_module(envoy).world(case)
    (spec,) = case["services"]
    fails = errors[0] < spec.get("error_rate", 0.0)
    world = folder / "world.npz"
    np.savez(world, arrivals_s=start, service_s=work[0], fails=fails.astype(np.float64))
    scenario = {
        "name": name.replace("@", "-"),
        "defaults": "envoy-1.40",
        "deployment": "gateway",
        "load": {
            "recorded": {"executor": "replay", "file": str(world), "column": "arrivals_s", "unit": "s", "requests": {"all": 1}}
        },
        "gateway": {
            "proxy_time": "0s",
            "filters": filters or [],
            "routes": {"all": {"path": "/", "to": "svc", **route}},
            "traffic": {"svc": {"load_balancer": "round_robin", **traffic}},
        },
        "services": {
            "svc": {
                "replicas": spec["instances"],
                "workers": spec["slots"],
                "script": [{"compute": {"replay": {"file": str(world), "column": "service_s", "unit": "s"}}}],
                "errors": {"replay": {"file": str(world), "column": "fails"}},
                **(service or {}),
            }
        },
        "faults": faults or [],
        "network": {"same_zone": f"{PATH_OVERHEAD_MS / 4}ms"},
        "run": {"duration": f"{case['arrival']['duration_s']}s", "warm_up": f"{WARM_UP_S}s", "cold_start": True},
    }
    summary = json.loads((envoy / "cases" / name / "summary.json").read_text(encoding="utf-8"))
    return ms.load(scenario).run(), summary
