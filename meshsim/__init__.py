"""meshsim: know what your API gateway and service mesh settings will do, before you deploy them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshsim.errors import MeshsimError, ResultError, ScenarioError, SeamError, UsageError
    from meshsim.experiments.compare import compare
    from meshsim.experiments.comparison import Comparison
    from meshsim.experiments.open import open_comparison
    from meshsim.experiments.result import Result, open_result
    from meshsim.experiments.run import Experiment, load
    from meshsim.experiments.sweep import sweep
    from meshsim.experiments.sweep_result import Sweep
    from meshsim.registry import policy
    from meshsim.report.notebook import progress

_HOMES = {
    "Comparison": "meshsim.experiments.comparison",
    "Experiment": "meshsim.experiments.run",
    "MeshsimError": "meshsim.errors",
    "Result": "meshsim.experiments.result",
    "ResultError": "meshsim.errors",
    "ScenarioError": "meshsim.errors",
    "SeamError": "meshsim.errors",
    "Sweep": "meshsim.experiments.sweep_result",
    "UsageError": "meshsim.errors",
    "compare": "meshsim.experiments.compare",
    "load": "meshsim.experiments.run",
    "open_comparison": "meshsim.experiments.open",
    "open_result": "meshsim.experiments.result",
    "policy": "meshsim.registry",
    "progress": "meshsim.report.notebook",
    "sweep": "meshsim.experiments.sweep",
}
__all__ = [
    "Comparison",
    "Experiment",
    "MeshsimError",
    "Result",
    "ResultError",
    "ScenarioError",
    "SeamError",
    "Sweep",
    "UsageError",
    "compare",
    "load",
    "open_comparison",
    "open_result",
    "policy",
    "progress",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for, so that `meshsim --help` need not load the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'meshsim' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
