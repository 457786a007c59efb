"""The geometry of a call graph's picture, in points: boxes in columns and the tracks of the arrows between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from matplotlib.path import Path

from meshsim.report.charts.layers import Edge, Layers, Node, heights, layered
from meshsim.report.charts.mermaid import CLIENT, GATEWAY, OUTSIDE
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.stages import width_points
from meshsim.report.charts.words import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

LINE = 11.5
"""From one line of text to the next."""
PADDING = 4.0
_GAP = 8.0
_BETWEEN = (22.0, 48.0)
"""Least and most from one column to the next: the room that the arrows have."""
_WIDTH = 365.0
"""Of the page that the columns are spread over, where they need no more."""
_STAND_IN = 7.0
_LONGEST_LINE = 15
_MARGIN = 3.0
_ABOVE = 22.0
_LOOP = 16.0


@dataclass(frozen=True, slots=True)
class Box:
    """A node: what is written in it, where it is, and its size; y grows downwards."""

    lines: list[str]
    utilisation: float
    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Of its height."""
        return self.top + self.height / 2


class CallGraph:
    """Boxes and tracks of a graph; the same for the same calls in the same order."""

    def __init__(self, edges: Sequence[Edge], utilisation: Mapping[str, float]) -> None:
        layers, self._is_client_above = _without_client(edges)
        names = [node for column in layers.columns for node in column if isinstance(node, str)]
        lines = {name: _lines(name, utilisation.get(name, math.nan)) for name in names}
        sizes = {
            name: (max(map(width_points, those)) + 2 * PADDING, len(those) * LINE + 2 * PADDING) for name, those in lines.items()
        }
        middles = heights(layers, lambda node: sizes[node][1] if isinstance(node, str) else _STAND_IN, _GAP)
        self._middles = {node: middle + _MARGIN for node, middle in middles.items()}
        breadths = [max(sizes[node][0] for node in column if isinstance(node, str)) for column in layers.columns]
        between = min(max((_WIDTH - sum(breadths)) / max(len(breadths) - 1, 1), _BETWEEN[0]), _BETWEEN[1])
        self.boxes: dict[str, Box] = {}
        self._columns: list[tuple[float, float]] = []
        at = _MARGIN
        for column, breadth in zip(layers.columns, breadths, strict=True):
            for name in column:
                if isinstance(name, str):
                    wide, tall = sizes[name]
                    left, top = at + (breadth - wide) / 2, self._middles[name] - tall / 2
                    self.boxes[name] = Box(lines[name], utilisation.get(name, math.nan), left, top, wide, tall)
            self._columns.append((at, at + breadth))
            at += breadth + between
        self._layers = layers
        self._column_of = {node: number for number, column in enumerate(layers.columns) for node in column}
        self._ports = _ports(layers, self._middles)
        if self._is_client_above:
            self._put_client()
        self.width = at - between + _MARGIN
        self.height = max([*(box.top + box.height for box in self.boxes.values()), *self._middles.values()]) + _MARGIN

    def _put_client(self) -> None:
        """Above the gateway, which is alone in the first column: a column less leaves the names more room."""
        gateway = self.boxes[GATEWAY]
        lines = _lines(CLIENT, math.nan)
        wide, tall = width_points(lines[0]) + 2 * PADDING, LINE + 2 * PADDING
        top = gateway.top - _ABOVE - tall
        self.boxes[CLIENT] = Box(lines, math.nan, gateway.left + (gateway.width - wide) / 2, top, wide, tall)
        down = max(0.0, _MARGIN - top)
        if down:
            self.boxes = {name: replace(box, top=box.top + down) for name, box in self.boxes.items()}
            self._middles = {node: middle + down for node, middle in self._middles.items()}
            self._ports = {edge: (begin + down, end + down) for edge, (begin, end) in self._ports.items()}

    def is_backward(self, edge: Edge) -> bool:
        """Whether an edge closes a cycle."""
        return edge in self._layers.backward

    def track(self, edge: Edge, shift: float = 0.0) -> Path:
        """From the caller to the service, round the boxes between; a loop at the right where a service calls itself.

        Args:
            edge: Caller and service.
            shift: Points to the right of all.
        """
        points, codes = self._points(edge)
        return Path([(x + shift, y) for x, y in points], codes)

    def _points(self, edge: Edge) -> tuple[list[tuple[float, float]], list[np.uint8]]:
        caller, service = self.boxes[edge[0]], self.boxes[edge[1]]
        if self._is_client_above and edge == (CLIENT, GATEWAY):
            x = service.left + service.width / 2
            return [(x, caller.top + caller.height), (x, service.top)], [Path.MOVETO, Path.LINETO]
        if caller is service:
            right, top = caller.left + caller.width, caller.top
            points = [(right - 12, top), (right - 12, top - _LOOP), (right + _LOOP, top + 6), (right, top + 6)]
            return points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
        route = self._layers.routes[edge]
        first, last = self.boxes[str(route[0])], self.boxes[str(route[-1])]
        begin, end = self._ports[edge]
        points = [(first.left + first.width, begin)]
        codes = [Path.MOVETO]
        for node in route[1:-1]:
            left, right = self._columns[self._column_of[node]]
            points += [*_bend(points[-1], (left, self._middles[node])), (right, self._middles[node])]
            codes += [Path.CURVE4] * 3 + [Path.LINETO]
        points += _bend(points[-1], (last.left, end))
        return points[::-1] if self.is_backward(edge) else points, codes + [Path.CURVE4] * 3


def _without_client(edges: Sequence[Edge]) -> tuple[Layers, bool]:
    """The layers, and whether the client was left out because all that it calls is a gateway that nobody else calls."""
    rest = [edge for edge in edges if CLIENT not in edge]
    if (CLIENT, GATEWAY) in edges and len(rest) == len(edges) - 1 and rest:
        layers = layered(rest)
        if layers.columns[0] == [GATEWAY]:
            return layers, True
    return layered(edges), False


def _bend(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    half = (end[0] - start[0]) * 0.5
    return [(start[0] + half, start[1]), (end[0] - half, end[1]), end]


def _lines(node: str, utilisation: float) -> list[str]:
    lines = wrapped(node.strip("()") if node in OUTSIDE else node, _LONGEST_LINE)
    return lines if math.isnan(utilisation) else [*lines, f"{amount(round(utilisation, 2), 'share')} busy"]


def _ports(layers: Layers, middles: Mapping[Node, float]) -> dict[Edge, tuple[float, float]]:
    """Where each edge leaves and arrives, those of one box beside each other in the order of their other ends."""
    leaving: dict[str, list[tuple[float, Edge]]] = {}
    arriving: dict[str, list[tuple[float, Edge]]] = {}
    for edge, route in layers.routes.items():
        leaving.setdefault(str(route[0]), []).append((middles[route[1]], edge))
        arriving.setdefault(str(route[-1]), []).append((middles[route[-2]], edge))
    leave = _spread(leaving, middles)
    arrive = _spread(arriving, middles)
    return {edge: (leave[edge], arrive[edge]) for edge in layers.routes}


def _spread(ends: dict[str, list[tuple[float, Edge]]], middles: Mapping[Node, float]) -> dict[Edge, float]:
    places = {}
    for name, those in ends.items():
        step = min(5.0, 18.0 / len(those))
        for at, (_, edge) in enumerate(sorted(those, key=lambda one: one[0])):
            places[edge] = middles[name] + (at - (len(those) - 1) / 2) * step
    return places
