"""meshsim: know what your API gateway and service mesh settings will do, before you deploy them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshsim.errors import MeshsimError, ResultError, ScenarioError
    from meshsim.experiments.result import Result, open_result
    from meshsim.experiments.run import Experiment, load
    from meshsim.registry import policy

_HOMES = {
    "Experiment": "meshsim.experiments.run",
    "MeshsimError": "meshsim.errors",
    "Result": "meshsim.experiments.result",
    "ResultError": "meshsim.errors",
    "ScenarioError": "meshsim.errors",
    "load": "meshsim.experiments.run",
    "open_result": "meshsim.experiments.result",
    "policy": "meshsim.registry",
}
__all__ = ["Experiment", "MeshsimError", "Result", "ResultError", "ScenarioError", "load", "open_result", "policy"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for, so that `meshsim --help` need not load the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'meshsim' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
