"""Quota: so many requests in a day, week, month or year of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import Count, PositiveCount

NS_PER_US = 1000
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
"""Length of a period, about."""
LAST_YEAR = 9000
"""Python's calendar ends with the year 9999."""
MICROSECOND = timedelta(microseconds=1)
FIRST_SECOND = "2023-10-01T00:00:00"
"""Of a day, a week and a month: a Sunday."""


@policy
class Quota(Admission):
    """Admit so many requests in each period of the calendar, in UTC.

    Months are as long as they are, weeks begin on Sunday. A run is short against a period: what matters is how much of the quota is
    left as it begins (`offset`), and whether it runs across the end of a period (`time_zero`, or `run.time_zero` for the whole run), where
    everybody's quota comes back at once. That is not drawn: where neither is written, the run begins with a period.

    Source: AWS API Gateway, API reference, QuotaSettings (limit, offset, period DAY, WEEK or MONTH); the year is Kong's.
    """

    requests: PositiveCount
    """How many in a period."""
    period: Literal["day", "week", "month", "year"]
    """Of the calendar."""
    offset: Count = 0
    """Requests that are already used up in the first period."""
    time_zero: str | None = None
    """Date and time at which the run begins, in UTC unless it says its offset (`+02:00`); the run's where absent, and where that says
    none either 2023-10-01T00:00:00, the first second of a week and a month."""

    def check(self) -> None:
        """Raise `SettingError` for a date that is none, and where nothing is left."""
        try:
            zero = _in_utc(self.time_zero or FIRST_SECOND)
        except (ValueError, OverflowError):
            raise SettingError("time_zero", "is no date and time such as '2023-10-31T23:59:50'") from None
        if zero.year > LAST_YEAR:
            raise SettingError("time_zero", f"must not be after the year {LAST_YEAR}: the calendar has no end of its period")
        if self.offset > self.requests:
            raise SettingError("offset", f"must not be above requests, {self.requests:,}")

    def build(self, begins: str = "", **_: object) -> QuotaState:
        """The first period, with its offset."""
        return QuotaState(self, begins)

    def limit(self) -> int:
        """How many in a period."""
        return self.requests

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.requests / (DAYS[self.period] * 86_400)


class QuotaState(AdmissionState):
    """What is used of the present period."""

    __slots__ = ("_count", "_end_ns", "_zero", "period", "requests")

    def __init__(self, settings: Quota, begins: str) -> None:
        """The first period, with its offset."""
        self.requests = settings.requests
        self.period = settings.period
        self._zero = _in_utc(settings.time_zero or begins or FIRST_SECOND)
        self._count = settings.offset
        self._end_ns = self._end_of(0)

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Count it, if it fits."""
        if now_ns >= self._end_ns:
            self._count = 0
            self._end_ns = self._end_of(now_ns)
        if self._count + cost > self.requests:
            return False
        self._count += cost
        return True

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until the next period."""
        if cost > self.requests:
            return NEVER
        return 0 if cost <= self.remaining(now_ns) else self._end_ns - now_ns

    def remaining(self, now_ns: int) -> int:
        """How many are left in this period."""
        return self.requests - (self._count if now_ns < self._end_ns else 0)

    def _end_of(self, now_ns: int) -> int:
        """When the period ends that `now_ns` is in."""
        now = self._zero + timedelta(microseconds=now_ns // NS_PER_US)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "day":
            end = day + timedelta(days=1)
        elif self.period == "week":
            end = day + timedelta(days=7 - day.isoweekday() % 7)
        elif self.period == "month":
            end = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)
        else:
            end = day.replace(year=day.year + 1, month=1, day=1)
        return (end - self._zero) // MICROSECOND * NS_PER_US


def _in_utc(text: str) -> datetime:
    """A date and time in UTC, which it is in where it does not say."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
