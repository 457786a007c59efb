"""The charts of a result: whoever draws them is found through the entry points of the group `meshsim.plots`.

So results know nothing of matplotlib, and another package can bring charts of its own, as with pandas' `plotting.backend`.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

GROUP = "meshsim.plots"
DEFAULT = "matplotlib"


def plots_of(result: Any, backend: str = DEFAULT) -> Any:
    """What draws the charts of a run, a comparison or a sweep.

    Args:
        result: What is to be drawn.
        backend: Name of the entry point.

    Raises:
        LookupError: There is no such entry point.
    """
    for found in entry_points(group=GROUP, name=backend):
        return found.load()(result)
    raise LookupError(f"no package brings charts called '{backend}' (entry points of the group {GROUP}); is meshsim installed?")
