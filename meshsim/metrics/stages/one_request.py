"""One request as spans, as a trace shows it: the client, the gateway, and every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.metrics.stages.critical_path import (
    CLIENT,
    CONNECTION,
    GATEWAY,
    NETWORK,
    NONE,
    PROXY,
    SERVICE,
    Segment,
    Try,
    by_parent,
    chain,
    stages_of,
    waits_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Span(NamedTuple):
    """A stretch of the request at one place."""

    attempt: Try | None
    """None of the client and of the gateway."""
    service: int
    instance: int
    parent: int
    """Its place in the list; -1 of the first."""
    depth: int
    segments: tuple[Segment, ...]
    """Its own stages and the waits before the calls that it made. They begin and end with the span."""


def spans_of(started_ns: int, ended_ns: int, tries: Sequence[Try]) -> list[Span]:
    """The spans of a request, in order of their start; parents before their children.

    Args:
        started_ns: When the client began to send it.
        ended_ns: When the client had its outcome; what went on later is cut off.
        tries: All its attempts and waits.
    """
    below = by_parent(tries)
    entry = below.get(NONE, [])
    clients, gateways = ([one for one in entry if one.caller == caller] for caller in (CLIENT, GATEWAY))
    gaps = [Segment(GATEWAY, NETWORK, *times) for one, *times in chain(entry, started_ns, ended_ns) if one is None]
    spans = [
        Span(None, CLIENT, NONE, NONE, 0, _whole(started_ns, ended_ns, [*gaps, *_waits(clients, ended_ns)], CLIENT, NETWORK))
    ]
    if gateways:
        began_ns, until_ns = min(one.began_ns for one in gateways), min(ended_ns, max(one.ended_ns for one in gateways))
        replicas = {one.proxy for one in gateways if one.id != NONE}
        replica = replicas.pop() if len(replicas) == 1 else NONE
        spans.append(Span(None, GATEWAY, replica, 0, 1, _whole(began_ns, until_ns, _waits(gateways, ended_ns), GATEWAY, PROXY)))
    entrance = len(spans) - 1
    places: dict[int, int] = {}
    for one in sorted(
        (one for one in tries if one.id != NONE and _start_ns(one) <= ended_ns), key=lambda one: (_start_ns(one), one.id)
    ):
        parent = places.get(one.parent, entrance)
        places[one.id] = len(spans)
        spans.append(Span(one, one.service, one.instance, parent, spans[parent].depth + 1, _of_attempt(one, ended_ns, below)))
    return spans


def _start_ns(one: Try) -> int:
    return one.ended_ns if one.sent_ns == NONE else one.sent_ns


def _of_attempt(one: Try, ended_ns: int, below: dict[int, list[Try]]) -> tuple[Segment, ...]:
    own = [segment for call, segment in stages_of(one, ended_ns, below) if call is None]
    until_ns = min(one.ended_ns, ended_ns)
    usual = CONNECTION if one.sent_ns == NONE else SERVICE
    return _whole(_start_ns(one), until_ns, [*own, *_waits(below.get(one.id, []), until_ns)], one.service, usual)


def _waits(tries: Iterable[Try], until_ns: int) -> list[Segment]:
    """What went by before these tries, the caller's as they are shown."""
    return [segment for one in tries for segment in waits_of(one, until_ns)]


def _whole(from_ns: int, until_ns: int, segments: list[Segment], service: int, usual: str) -> tuple[Segment, ...]:
    """In order of time, with a segment without length where the first does not begin, or the last does not end, with the span."""
    ordered = sorted(segments, key=lambda segment: (segment.from_ns, segment.until_ns))
    if not ordered or ordered[0].from_ns > from_ns:
        ordered.insert(0, Segment(service, ordered[0].stage if ordered else usual, from_ns, from_ns))
    if max(segment.until_ns for segment in ordered) < until_ns:
        ordered.append(Segment(service, ordered[-1].stage, until_ns, until_ns))
    return tuple(ordered)
