"""Quantities as people write them, to the numbers that the simulator counts in.

| quantity | written        | becomes              |
|----------|----------------|----------------------|
| duration | `250ms`, `1m30s` | whole nanoseconds  |
| rate     | `400/s`, `2k/min` | float, per second |
| share    | `20%`, `0.5%`  | float from 0 to 1    |
| size     | `16KiB`, `2MB` | whole bytes          |

A number without a unit is an error: `timeout: 5` has meant five seconds to one person and five milliseconds to
another too often. Only zero needs no unit, as in Go.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le

from meshsim.errors import UnitError

if TYPE_CHECKING:
    from collections.abc import Callable

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
LONGEST_NS = 10 * 365 * 86_400 * NS_PER_S
"""Ten years: the longest duration that is taken for meant."""

_DURATION = re.compile(r"(\d{1,12}(\.\d{1,12})?(ns|us|µs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", re.ASCII)
_NANOSECONDS = {
    "ns": 1,
    "us": NS_PER_US,
    "µs": NS_PER_US,
    "ms": NS_PER_MS,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
}
_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(k|M)?(?:rps|/(ms|s|min|m|h))", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,12})?)%", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(B|kB|KB|MB|GB|KiB|MiB|GiB)", re.ASCII)
_PER_SECOND = {None: 1.0, "ms": 1000.0, "s": 1.0, "min": 1 / 60, "m": 1 / 60, "h": 1 / 3600}
_BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def since_1970_ns(text: str) -> int:
    """Nanoseconds since 1970 of a date and time such as `2023-10-31T23:59:50`, in UTC where it does not say its offset.

    Raises:
        ValueError, OverflowError: It is none.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * NS_PER_US


def parse_duration(value: object) -> int:
    """Nanoseconds of a duration in Go's notation.

    Args:
        value: Text such as `250ms`, `1m30s`, `1.5s`; or zero.

    Returns:
        Whole nanoseconds, from 0 to ten years.

    Raises:
        UnitError: Anything else; the message shows what to write.
    """
    if _is_zero(value):
        return 0
    if _is_number(value):
        raise UnitError(f"{_short(value)} has no unit; write '{_short(value)}ms' or '{_short(value)}s'")
    text = _text(value, "a duration such as '250ms' or '1m30s'")
    if not _DURATION.fullmatch(text):
        raise UnitError(f"{_quote(value)} is not a duration (write '250ms', '1m30s' or '2h')")
    nanoseconds = round(sum(Decimal(number) * _NANOSECONDS[unit] for number, unit in _PART.findall(text)))
    if nanoseconds > LONGEST_NS:
        raise UnitError(f"{_quote(value)} is longer than ten years")
    return nanoseconds


def parse_rate(value: object) -> float:
    """Events per second of a rate such as `400/s`, `2k/s`, `90/min` or `400rps`."""
    if _is_zero(value):
        return 0.0
    if _is_number(value):
        raise UnitError(f"{_short(value)} has no unit; write '{_short(value)}/s'")
    text = _text(value, "a rate such as '400/s'")
    match = _RATE.fullmatch(text)
    if match is None:
        raise UnitError(f"{_quote(value)} is not a rate (write '400/s', '2k/s' or '90/min')")
    number, factor, per = match.groups()
    rate = float(number) * {None: 1, "k": 1e3, "M": 1e6}[factor] * _PER_SECOND[per]
    if rate > 1e9:
        raise UnitError(f"{_quote(value)} is more than 1,000,000,000 per second")
    return rate


def parse_share(value: object) -> float:
    """A share from 0 to 1, of text such as `20%`."""
    if _is_zero(value):
        return 0.0
    if _is_number(value):
        number = float(value)  # type: ignore[arg-type]
        percent = _short(number * 100 if 0 < number <= 1 else number)
        raise UnitError(f"{_short(value)} has no unit; write '{percent}%'")
    text = _text(value, "a share such as '20%'")
    match = _SHARE.fullmatch(text)
    if match is None:
        raise UnitError(f"{_quote(value)} is not a share (write '20%' or '0.5%')")
    share = float(match.group(1)) / 100
    if share > 1:
        raise UnitError(f"{_quote(value)} is more than 100%")
    return share


def parse_size(value: object) -> int:
    """Bytes of a size such as `16KiB` or `2MB`."""
    if _is_zero(value):
        return 0
    if _is_number(value):
        raise UnitError(f"{_short(value)} has no unit; write '{_short(value)}KiB' or '{_short(value)}B'")
    match = _SIZE.fullmatch(_text(value, "a size such as '16KiB'"))
    if match is None:
        raise UnitError(f"{_quote(value)} is not a size (write '16KiB', '2MB' or '512B')")
    return round(float(match.group(1)) * _BYTES[match.group(2)])


def format_duration(nanoseconds: float, digits: int = 3) -> str:
    """A duration for people, with the unit that suits it: `1.25ms`, `34.1s`, `2m30s`."""
    if math.isnan(nanoseconds):
        return "-"
    for unit, size in (("h", 3600 * NS_PER_S), ("m", 60 * NS_PER_S)):
        if nanoseconds >= 2 * size or (nanoseconds >= size and nanoseconds % size == 0):
            whole, rest = divmod(round(nanoseconds / NS_PER_S), size // NS_PER_S)
            return f"{whole}{unit}" + (format_duration(rest * NS_PER_S) if rest else "")
    for unit, size in (("s", NS_PER_S), ("ms", NS_PER_MS), ("us", NS_PER_US)):
        if nanoseconds >= size:
            return f"{_short(float(f'{nanoseconds / size:.{digits}g}'))}{unit}"
    return f"{_short(nanoseconds)}ns" if nanoseconds else "0s"


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a field's type with the quantity it is; read by the scenario's validation and its JSON Schema."""

    name: str
    parse: Callable[[object], Any]
    pattern: str
    example: str


Duration = Annotated[int, Unit("duration", parse_duration, r"^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$", "250ms")]
Rate = Annotated[float, Unit("rate", parse_rate, r"^(0|\d+(\.\d+)?[kM]?(rps|/(ms|s|min|m|h)))$", "400/s")]
Share = Annotated[float, Unit("share", parse_share, r"^(0|\d+(\.\d+)?%)$", "20%")]
Size = Annotated[int, Unit("size", parse_size, r"^(0|\d+(\.\d+)?(B|kB|KB|MB|GB|KiB|MiB|GiB))$", "16KiB")]
Count = Annotated[int, Ge(0), Le(2**32 - 1)]
"""A whole number from 0 to 2^32 - 1, which is how Istio writes "no limit"."""
PositiveCount = Annotated[int, Ge(1), Le(2**32 - 1)]
Number = Annotated[float, Ge(0), Le(1e9)]


def _is_zero(value: object) -> bool:
    return (_is_number(value) and value == 0) or value == "0"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object, wanted: str) -> str:
    if not isinstance(value, str):
        raise UnitError(f"{_quote(value)} is not {wanted}")
    return value.strip()


def _quote(value: object) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    return f"'{text}'" if len(text) <= 40 else f"'{text[:37]}...'"


def _short(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)[:40]
