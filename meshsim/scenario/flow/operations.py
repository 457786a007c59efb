"""Reads the scripts of a scenario into operations: their steps, and what holds connections and looks up in caches among them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meshsim.scenario.flow.caching import least_misses
from meshsim.scenario.flow.reading import Lookup, Operation, Transaction, steps_of
from meshsim.scenario.sections.scripts import CachedStep, CallStep, LoopStep, PublishStep, TransactionStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from meshsim.scenario.defaults import Product
    from meshsim.scenario.flow.reading import Path, Step
    from meshsim.scenario.sections.caches import CacheSection
    from meshsim.scenario.sections.model import Scenario


def operations(scenario: Scenario, product: Product, has_mesh: bool) -> Iterator[Operation]:  # noqa: FBT001
    """All operations of all services."""
    for name, service in scenario.services.items():
        scripts: dict[str, tuple[Path, Any]] = {name: (("services", name), service.script)}
        for operation, inner in (service.operations or {}).items():
            scripts[f"{name}/{operation}"] = (("services", name, "operations", operation), inner.script)
        for key, (path, script) in scripts.items():
            if script is not None or key != name or not service.operations:
                read, here = partial(steps_of, scenario, product if has_mesh else None, name), (*path, "script")
                held = tuple(_inside(read, service.caches, script, here, 1.0))
                transactions = tuple(one for one in held if isinstance(one, Transaction))
                lookups = tuple(one for one in held if isinstance(one, Lookup))
                yield Operation(key, name, read(script or (), here), transactions, lookups)


def _inside(
    read: Callable[[Any, Path], tuple[Step, ...]],
    caches: Mapping[str, CacheSection],
    script: Any,
    path: Path,
    times: float,
    *,
    is_keyed: bool = False,
) -> Iterator[Transaction | Lookup]:
    """All transactions of a script and all look-ups, those inside of others too."""
    for index, step in enumerate(script or ()):
        here, inside = (*path, index), (*path, index, "script")
        if isinstance(step, TransactionStep):
            yield Transaction(step.transaction, read(step.script, inside), times)
            yield from _inside(read, caches, step.script, inside, times, is_keyed=is_keyed)
        elif isinstance(step, LoopStep):
            yield from _inside(read, caches, step.script, inside, times * step.loop, is_keyed=is_keyed)
        elif isinstance(step, CachedStep):
            cache = caches[step.cached]
            yield Lookup(step.cached, read(step.script, inside), times, is_keyed)
            keyed = is_keyed or cache.keys is not None
            yield from _inside(read, caches, step.lookup, (*here, "lookup"), times, is_keyed=keyed)
            yield from _inside(read, caches, step.script, inside, times * least_misses(cache), is_keyed=keyed)
        elif isinstance(step, CallStep | PublishStep):
            yield from _inside(read, caches, step.fallback, (*here, "fallback"), 0.0, is_keyed=is_keyed)
