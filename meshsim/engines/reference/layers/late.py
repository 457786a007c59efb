"""A way to a destination that is made for the first call that goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.engines.reference.destinations.place import Place
    from meshsim.engines.reference.destinations.together import Seen, Together
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.plan import Cluster, Stack


class LateWay(NamedTuple):
    """Which way it is."""

    cluster: Cluster
    stack: Stack
    place: Place
    caller: int
    views: list[View]
    """The proxy's, to which those that are made are added."""


class Expecting(Protocol):
    """Whoever counts views that are not made yet."""

    def leave(self, way: LateWay, views: tuple[View, ...], layer: LateLayer) -> Sequence[tuple[Together, Seen]]:
        """The views have been made, and the layer knows of each call that comes to them."""
        ...


class LateLayer:
    """Stands where a handler will, makes it for the first call, and passes all calls straight to it from then on.

    In a mesh of thousands of services a proxy calls few of those that it could call. A view that nothing looks after but its own
    calls is the same whenever it is made, so that rows do not tell when it was. While nothing goes on in its views, the next call tells the
    rows of it.
    """

    __slots__ = ("_expecting", "_handler", "_make", "_seen", "_way", "call")

    def __init__(self, way: LateWay, make: Callable[[LateWay], tuple[Handler, tuple[View, ...]]], expecting: Expecting) -> None:
        self._way = way
        self._make = make
        self._expecting = expecting
        self._handler: Handler
        self._seen: Sequence[tuple[Together, Seen]] = ()
        self.call: Callable[[Call], Steps] = self._first
        """Of the handler itself, once that is made and something goes on in its views."""

    def _first(self, call: Call) -> Steps:
        self._handler, views = self._make(self._way)
        self._way.views.extend(views)
        self._seen = self._expecting.leave(self._way, views, self)
        self.call = self._handler.call
        return self.call(call)

    def rest(self) -> None:
        """Tell the rows of the next call."""
        self.call = self._again

    def _again(self, call: Call) -> Steps:
        for together, seen in self._seen:
            together.wake(seen)
        self.call = self._handler.call
        return self.call(call)
