"""What filters say of the rest of a scenario: routes, consumers and services that must exist, and filters where they can stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, shown
from meshsim.scenario.references import calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.scenario.files.nodes import Path

AT_THE_GATEWAY = ("cache",)
"""Filters that send requests again: only the gateway has the routes for that."""


def findings(tree: Any) -> Iterator[Finding]:
    """All contradictions of filters in a scenario's plain tree."""
    gateway = _mapping(tree, "gateway")
    yield from _filters(tree, ("gateway", "filters"), gateway.get("filters"))
    for service, block in _mapping(tree, "mesh", "inbound").items():
        here: Path = ("mesh", "inbound", service, "filters")
        filters = _mapping(block).get("filters")
        yield from _filters(tree, here, filters)
        for index, name, _ in _settings(filters):
            if name in AT_THE_GATEWAY:
                yield Finding((*here, index, name), "stands at the gateway only: write it under `gateway.filters`", at_key=True)


def _filters(tree: Any, here: Path, filters: Any) -> Iterator[Finding]:
    for index, name, settings in _settings(filters):
        path: Path = (*here, index, name)
        yield from _names(tree, path, settings)
        rules = settings.get("rules")
        for number, rule in enumerate(rules if isinstance(rules, list) else []):
            yield from _names(tree, (*path, "rules", number), _mapping(rule))
        service = settings.get("service")
        if isinstance(service, str) and (message := calls.unknown_target(tree, service)):
            yield Finding((*path, "service"), message)


def _names(tree: Any, path: Path, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Routes and consumers that a filter names."""
    known: dict[str, Any] = {"routes": _mapping(tree, "gateway", "routes"), "consumers": consumers(tree)}
    for key, names in known.items():
        given = settings.get(key)
        for number, name in enumerate(given if isinstance(given, list) else []):
            if isinstance(name, str) and name not in names:
                what = "unknown route" if key == "routes" else "no load has the consumer"
                yield Finding((*path, key, number), f"{what} {shown(name)}{did_you_mean(name, names)}")


def consumers(tree: Any) -> dict[str, None]:
    """The consumers that loads name."""
    named = [_mapping(load).get("consumer") for load in _mapping(tree, "load").values()]
    return {name: None for name in named if isinstance(name, str)}


def _settings(filters: Any) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Number, name and settings of each filter that has the right shape."""
    for index, one in enumerate(filters if isinstance(filters, list) else []):
        if isinstance(one, dict) and len(one) == 1:
            ((name, settings),) = one.items()
            yield index, str(name), _mapping(settings)


def _mapping(tree: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}
