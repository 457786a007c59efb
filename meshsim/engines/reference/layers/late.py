"""A way to a destination that is made for the first call that goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler


class LateLayer:
    """Stands where a handler will, makes it for the first call, and passes all calls straight to it from then on.

    In a mesh of thousands of services a proxy calls few of those that it could call. A view that nothing looks after but its own
    calls is the same whenever it is made, so that rows do not tell when it was.
    """

    __slots__ = ("_make", "call")

    def __init__(self, make: Callable[[], Handler]) -> None:
        self._make = make
        self.call: Callable[[Call], Steps] = self._first
        """Of the handler itself, once that is made."""

    def _first(self, call: Call) -> Steps:
        self.call = self._make().call
        return self.call(call)
