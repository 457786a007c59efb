"""Places for the nodes of a call graph: layers from left to right, few crossings, straight runs.

Source: Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", IEEE Transactions on
Systems, Man, and Cybernetics 11(2), 1981: cut cycles, layer by the longest path, a stand-in in each layer that an edge
passes, order by barycentres.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Edge = tuple[str, str]
Node = str | tuple[str, str, int]
"""A service, or the stand-in (caller, service, layer) of an edge that passes a layer."""
_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Layers:
    """Who stands where."""

    columns: list[list[Node]]
    """For each layer, from left to right, its nodes from top to bottom."""
    routes: dict[Edge, list[Node]]
    """For each edge its nodes from left to right: caller, stand-ins, service; or service first where it closes a cycle."""
    backward: list[Edge]
    """Edges that close a cycle; those of a service to itself have no route."""


def layered(edges: Sequence[Edge]) -> Layers:
    """Layers of a call graph; the same for the same edges in the same order.

    Args:
        edges: Caller and service, each pair once; cycles and calls to oneself are allowed.

    Returns:
        Every caller stands left of those that it calls, but for the edges that close a cycle.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from(edges)
    backward = _cut_cycles(graph)
    layer: dict[str, int] = {}
    for name in nx.lexicographical_topological_sort(graph, key={name: at for at, name in enumerate(graph)}.__getitem__):
        layer[name] = max((layer[caller] + 1 for caller in graph.predecessors(name)), default=0)
    columns: list[list[Node]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in graph:
        columns[layer[name]].append(name)
    routes: dict[Edge, list[Node]] = {}
    for caller, service in [*graph.edges, *(edge for edge in backward if edge[0] != edge[1])]:
        left, right = (caller, service) if layer[caller] < layer[service] else (service, caller)
        passed: list[Node] = [(caller, service, at) for at in range(layer[left] + 1, layer[right])]
        for at, stand_in in enumerate(passed, layer[left] + 1):
            columns[at].append(stand_in)
        routes[caller, service] = [left, *passed, right]
    return Layers(_ordered(columns, routes), routes, backward)


def _cut_cycles(graph: nx.DiGraph[str]) -> list[Edge]:
    backward: list[Edge] = [(caller, service) for caller, service in list(graph.edges) if caller == service]
    graph.remove_edges_from(backward)
    roots = [name for name, calls in graph.in_degree() if calls == 0] or list(graph)[:1]
    while True:
        try:
            cycle = nx.find_cycle(graph, roots)
        except nx.NetworkXNoCycle:
            if nx.is_directed_acyclic_graph(graph):
                return backward
            roots = list(graph)
            continue
        last = (cycle[-1][0], cycle[-1][1])
        graph.remove_edge(*last)
        backward.append(last)


def _ordered(columns: list[list[Node]], routes: dict[Edge, list[Node]]) -> list[list[Node]]:
    """The order with the fewest crossings that sweeps to the right and to the left come by."""
    left: dict[Node, list[Node]] = {}
    right: dict[Node, list[Node]] = {}
    for route in routes.values():
        for one, other in pairwise(route):
            right.setdefault(one, []).append(other)
            left.setdefault(other, []).append(one)
    best, fewest = columns, _crossings(columns, right)
    now = columns
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        now = _swept(now, left, forward=True) if forth else _swept(now, right, forward=False)
        crossings = _crossings(now, right)
        if crossings < fewest:
            best, fewest = now, crossings
    return best


def _swept(columns: list[list[Node]], neighbours: dict[Node, list[Node]], *, forward: bool) -> list[list[Node]]:
    place: dict[Node, float] = {}
    swept = []
    for column in columns if forward else columns[::-1]:
        own = {node: (at + 0.5) / len(column) for at, node in enumerate(column)}
        wanted = {node: _mean([place[one] for one in neighbours.get(node, [])], own[node]) for node in column}
        ordered = sorted(column, key=wanted.__getitem__)
        place |= {node: (at + 0.5) / len(ordered) for at, node in enumerate(ordered)}
        swept.append(ordered)
    return swept if forward else swept[::-1]


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(columns: list[list[Node]], right: dict[Node, list[Node]]) -> int:
    """Pairs of edges between neighbouring layers that cross."""
    crossings = 0
    for column, following in pairwise(columns):
        place = {node: at for at, node in enumerate(following)}
        ends = [(at, place[other]) for at, node in enumerate(column) for other in right.get(node, [])]
        crossings += sum((a - c) * (b - d) < 0 for one, (a, b) in enumerate(ends) for c, d in ends[one + 1 :])
    return crossings


def heights(layers: Layers, height: Callable[[Node], float], gap: float) -> dict[Node, float]:
    """The middle of each node, from the top down, so that edges run straight where there is room.

    Args:
        layers: Who stands where.
        height: Of a node.
        gap: Between two nodes of a column.

    Returns:
        Distance from the top; no two nodes of a column closer than `gap`.
    """
    beside: dict[Node, list[Node]] = {}
    for route in layers.routes.values():
        for one, other in pairwise(route):
            beside.setdefault(one, []).append(other)
            beside.setdefault(other, []).append(one)
    place: dict[Node, float] = {}
    for column in layers.columns:
        total = sum(height(node) + gap for node in column)
        at = -total / 2
        for node in column:
            place[node] = at + (height(node) + gap) / 2
            at += height(node) + gap
    widest = max(range(len(layers.columns)), key=lambda at: sum(height(node) + gap for node in layers.columns[at]), default=0)
    for _ in range(_SWEEPS):
        for at, column in enumerate(layers.columns):
            if at != widest:
                wanted = [_mean([place[one] for one in beside.get(node, [])], place[node]) for node in column]
                place |= dict(zip(column, _apart(wanted, [height(node) + gap for node in column]), strict=True))
    top = min((place[node] - height(node) / 2 for node in place), default=0.0)
    return {node: middle - top for node, middle in place.items()}


def _apart(wanted: list[float], sizes: list[float]) -> list[float]:
    """The places nearest to the wanted ones, in order, each pair apart by half of both sizes (pool adjacent violators)."""
    offsets = [0.0]
    for one, other in pairwise(sizes):
        offsets.append(offsets[-1] + (one + other) / 2)
    pools: list[list[float]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        pools.append([value - offset])
        while len(pools) > 1 and _mean(pools[-2], 0) > _mean(pools[-1], 0):
            pools[-2:] = [pools[-2] + pools[-1]]
    levels = [_mean(pool, 0) for pool in pools for _ in pool]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]
