"""Client-side throttling, after Google's SRE book."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le

from meshsim.own_policies import State, yes_or_no
from meshsim.registry import Policy, SettingError, family, policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

BUCKETS = 60
"""Parts of the window: it moves on by one of them at a time."""


class ThrottlingState(State):
    """Holds requests back at the caller. It belongs to one caller's view of one destination."""

    __slots__ = ()

    def admit(self, now_ns: int, draw: Draw) -> bool:
        """Whether a request may be sent; it counts either way."""
        raise NotImplementedError

    def done(self, now_ns: int, is_accepted: bool) -> None:  # noqa: FBT001
        """What was sent has been accepted, or turned away."""


@family("client_throttling", ThrottlingState, admit=yes_or_no)
class Throttling(Policy):
    """Says when a caller holds requests back. Each caller's view of a destination has a state of its own."""

    def build(self, **context: Any) -> ThrottlingState:
        """One that has seen nothing.

        Args:
            context: `born_ns`, when the caller's process began; below 0 for one that was there before the run.
        """
        raise NotImplementedError


@policy
class ClientThrottling(Throttling):
    """Reject with probability (requests - K x accepts) / (requests + 1), counted over the last two minutes.

    Requests are all that were asked for, those rejected here included: that is what keeps it shut when accepts fail to come, and what
    sets it apart from Envoy's admission control. With K = 2 the destination still sees twice what it accepts. After a total
    outage it reopens slowly: what was rejected stays in the window.

    Source: Beyer et al., "Site Reliability Engineering", chapter 21, "Handling overload", client-side throttling.
    """

    k: Annotated[float, Ge(1), Le(1e6)] = 2.0
    """How many requests the caller may send for each that is accepted."""
    window: Duration = 120_000_000_000
    """Over which requests and accepts are counted."""

    def check(self) -> None:
        """Raise `SettingError` for a window that has no sixtieth."""
        if self.window < BUCKETS:
            raise SettingError("window", "must be longer, such as 2m")

    def build(self, born_ns: int = 0, **_: object) -> ClientThrottlingState:
        """Nothing has been asked for."""
        return ClientThrottlingState(self, born_ns)


class ClientThrottlingState(ThrottlingState):
    """Requests and accepts of the window."""

    __slots__ = ("_buckets", "_since_ns", "accepts", "k", "requests", "window")

    def __init__(self, settings: ClientThrottling, born_ns: int) -> None:
        """Nothing has been asked for."""
        self.k = settings.k
        self.window = settings.window
        self._since_ns = -born_ns % settings.window
        self._buckets: deque[list[int]] = deque()
        """Number of the bucket, requests, accepts."""
        self.requests = self.accepts = 0

    def admit(self, now_ns: int, draw: Draw) -> bool:
        """Whether a request may be sent; it counts either way."""
        bucket = self._bucket(now_ns)
        probability = (self.requests - self.k * self.accepts) / (self.requests + 1)
        bucket[1] += 1
        self.requests += 1
        return probability <= 0.0 or draw.uniform() >= probability

    def done(self, now_ns: int, is_accepted: bool) -> None:  # noqa: FBT001
        """What was sent has been accepted, or turned away."""
        if is_accepted:
            self._bucket(now_ns)[2] += 1
            self.accepts += 1

    def _bucket(self, now_ns: int) -> list[int]:
        """The present one; those out of the window are dropped."""
        number = (now_ns + self._since_ns) * BUCKETS // self.window
        buckets = self._buckets
        if not buckets or buckets[-1][0] != number:
            buckets.append([number, 0, 0])
        while buckets[0][0] <= number - BUCKETS:
            _, requests, accepts = buckets.popleft()
            self.requests -= requests
            self.accepts -= accepts
        return buckets[-1]
