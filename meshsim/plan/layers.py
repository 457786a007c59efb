"""The layers of a call outside the cluster: timeouts, retries, hedging, mirroring, splitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.plan.kinds import HashOn
    from meshsim.policies.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Hedging:
    """A further try while one is still on its way."""

    on_per_try_timeout: bool
    """Envoy's: when the per-try timeout fires, through the back-off, with the old try left running."""
    delay_ns: int
    """After so long without an answer; 0 for not."""
    quantile: float
    """After that quantile of the latencies seen so far; 0 for not."""
    max_hedges: int
    """Further tries at most; with `on_per_try_timeout` the retries are the limit."""
    cancels: bool
    """Whether the losers are cancelled when one has answered."""


@dataclass(frozen=True, slots=True)
class Retries:
    """When one layer tries again, and how long a try may take."""

    policy: RetryPolicy
    per_try_timeout_ns: int
    """0 for none."""
    hedging: Hedging | None = None


@dataclass(frozen=True, slots=True)
class Mirror:
    """Copies of requests whose answers nobody waits for."""

    operation: int
    share: float


@dataclass(frozen=True, slots=True)
class Persistence:
    """Who comes back to the endpoint that has answered."""

    of: HashOn
    timeout_ns: int
    """0 for none."""
    is_strict: bool
    """Whether nobody else answers where that endpoint cannot."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The layers of a call outside the cluster: the timeout over all tries, and the tries."""

    timeout_ns: int
    """0 for none."""
    retries: Retries | None
    idle_timeout_ns: int = 0
    """Time without a byte on a try; 0 for none."""
    mirror: Mirror | None = None
    subsets: tuple[int, ...] = ()
    """Among which calls are split; empty where they are not."""
    shares: tuple[float, ...] = ()
    """Upper bounds of the cumulated weights of the subsets, the last of them 1."""
    persistence: Persistence | None = None
    """Whether the first try may have its endpoint already."""


BARE = Stack(0, None)
"""No layer at all."""
