"""Steps that read through a cache: that it exists, and that no load waits for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, mapping, shortened, shown
from meshsim.scenario.references.scripts import scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path

_INSIDE = ("lookup", "script", "fallback")


def findings(tree: Any) -> Iterator[Finding]:
    """Caches that do not exist, and one inside of itself."""
    for script in scripts(tree):
        service = str(script.path[1])
        caches = mapping(tree, "services", service, "caches")
        for name, around, path in _read(script.steps, script.path, ()):
            if name not in caches:
                missing = did_you_mean(name, caches) if caches else "; write it under `caches`"
                yield Finding(path, f"{shortened(service)} has no cache {shown(name)}{missing}")
            elif name in around:
                yield Finding(path, f"{shortened(name)} is read inside of a load of itself, which would wait for itself")


def _read(script: Any, path: Path, around: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    """All `cached` steps: the cache, those that are being loaded meanwhile, and where it stands."""
    for index, step in enumerate(script if isinstance(script, list) else ()):
        if not isinstance(step, dict):
            continue
        here, within = (*path, index), around
        if isinstance(step.get("cached"), str):
            yield step["cached"], around, (*here, "cached")
            within = (*around, step["cached"])
        for key in _INSIDE:
            yield from _read(step.get(key), (*here, key), within)
