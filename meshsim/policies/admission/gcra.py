"""Generic cell rate algorithm: one time stamp in place of a bucket."""

from __future__ import annotations

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_S, Count, Duration, PositiveCount


@policy
class Gcra(Admission):
    """Admit what comes no earlier than its theoretical arrival time less a tolerance.

    Each admitted request moves that time on by the emission interval, `period` / `count`; the burst tolerance is `max_burst` of these. It is
    a token bucket told by time, and admits the very same requests as one of `max_burst` + 1 tokens of which `count` come back in a
    `period`: mind the one. Counted in whole numbers (time x count), so there is no rounding.

    Source: ITU-T I.371 annex A, virtual scheduling; settings as of redis-cell, src/cell/mod.rs (CL.THROTTLE max_burst count period).
    """

    max_burst: Count = 0
    """Requests beyond the first that may come at once."""
    count: PositiveCount
    """Requests in one `period` in the long run."""
    period: Duration
    """Over which they are."""

    def check(self) -> None:
        """Raise `SettingError` where there is no rate."""
        if self.period <= 0:
            raise SettingError("period", "must be longer than 0s")

    def build(self, **_: object) -> GcraState:
        """The first may come at once."""
        return GcraState(self)

    def limit(self) -> int:
        """How many may come at once."""
        return self.max_burst + 1

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.count * NS_PER_S / self.period


class GcraState(AdmissionState):
    """The theoretical arrival time."""

    __slots__ = ("_arrival", "_tolerance", "count", "max_burst", "period")

    def __init__(self, settings: Gcra) -> None:
        """The first may come at once."""
        self.max_burst = settings.max_burst
        self.count = settings.count
        self.period = settings.period
        self._arrival = 0
        """When the next one is due by the rate, in ns x count."""
        self._tolerance = (settings.max_burst + 1) * settings.period

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Move the theoretical arrival time on, if that stays within the tolerance."""
        now = now_ns * self.count
        arrival = self._arrival
        if arrival < now:  # noqa: PLR1730 — `max` is a call more, for every request
            arrival = now
        arrival += cost * self.period
        if arrival - self._tolerance > now:
            return False
        self._arrival = arrival
        return True

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until the theoretical arrival time comes within the tolerance."""
        if cost > self.max_burst + 1:
            return NEVER
        early = max(self._arrival, now_ns * self.count) + cost * self.period - self._tolerance - now_ns * self.count
        return -(-early // self.count) if early > 0 else 0

    def remaining(self, now_ns: int) -> int:
        """How many would be within the tolerance."""
        now = now_ns * self.count
        return (now + self._tolerance - max(self._arrival, now)) // self.period
