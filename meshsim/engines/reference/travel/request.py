"""What a client asks for."""

from __future__ import annotations

from meshsim.plan import NONE, Asker
from meshsim.randomness import ADDRESS, BODY, CREDENTIAL, TOKEN, uniform

ANYBODY = Asker()


class Request:
    """What a client asks for; its call may be tried again by the client."""

    __slots__ = (
        "_apart",
        "asker",
        "attempts",
        "consumer",
        "content",
        "content_key",
        "is_write",
        "key",
        "number",
        "route",
        "row_number",
        "source",
        "started_ns",
        "tries",
        "user",
    )  # fmt: skip

    def __init__(
        self, source: int, number: int, user: int, key: int, route: int, consumer: int, started_ns: int, asker: Asker = ANYBODY
    ) -> None:
        self.asker = asker
        self.source = source
        self.number = number
        self.user = user
        self.key = key
        self.route = route
        self.consumer = consumer
        self.started_ns = started_ns
        self.content = key
        """A key that tells what the jobs ask for that are made of it: of several messages of one request each asks for something else."""
        self.content_key = NONE
        """Which of the load's keys it asks for; NONE where it has none."""
        self.is_write = False
        """Whether its method is neither GET nor HEAD."""
        self.row_number = 0
        self.tries = 0
        """Tries at the entry service so far, over all layers that retry, those that a full pool refused included."""
        self.attempts = 0
        """Those that were sent."""

    def aside(self, now_ns: int, content: int | None = None) -> Request:
        """The same request once more for something that no client waits for; its attempts have no request (-1).

        It has the request's key, and with it the client's credential, address and body: whom a filter lets pass at the gateway, it lets
        pass here too. What the call itself draws hangs on the call's key.

        Args:
            now_ns: When.
            content: What it asks for, where that is something of its own.
        """
        other = Request(self.source, self.number, self.user, self.key, self.route, self.consumer, now_ns, self.asker)
        other.row_number, other.content_key, other.is_write = NONE, self.content_key, self.is_write
        other.content = self.content if content is None else content
        return other

    @property
    def tries_apart(self) -> dict[int, int]:
        """Tries at what the gateway calls beside the route's own destination, by its place."""
        if not hasattr(self, "_apart"):  # few routes have such calls
            self._apart: dict[int, int] = {}
        return self._apart

    @property
    def kib(self) -> float:
        """Size of its body."""
        spread = self.asker.kib_spread
        return self.asker.kib if spread is None else spread.quantile(uniform(self.key, BODY)) / 1024

    @property
    def criticality(self) -> int:
        """How important it is; 0 is the most important."""
        return self.asker.criticality

    @property
    def address(self) -> int:
        """Number of the client's address: a virtual user keeps its own."""
        count = self.asker.addresses
        return self.asker.first_address + (self._drawn(count, ADDRESS) if count > 1 else 0)

    @property
    def credential(self) -> int:
        """Number of the key or token that it brings, NONE where it brings none."""
        asker = self.asker
        drawn = uniform(self.key, CREDENTIAL) if asker.missing_share or asker.bad_share else 1.0
        if drawn < asker.missing_share:
            return NONE
        number = self._drawn(asker.credentials, TOKEN) if asker.credentials > 1 else 0
        is_bad = drawn < asker.missing_share + asker.bad_share
        return asker.first_credential + number + (asker.credentials if is_bad else 0)

    @property
    def is_valid(self) -> bool:
        """Whether it brings a good one."""
        asker = self.asker
        share = asker.missing_share + asker.bad_share
        return not share or uniform(self.key, CREDENTIAL) >= share

    def _drawn(self, count: int, purpose: int) -> int:
        return self.user % count if self.user != NONE else int(uniform(self.key, purpose) * count)
