"""The critical path of a request: at each instant the one thing that its client was waiting for.

Walked from the end backwards, as in a trace: what ended last was waited for, back to where it began, and there again. Between the
calls of an instance it computes; what a call waited before it was sent (a proxy, a connection, a back-off) stands in its row.

The walk is that of the critical path in Jaeger's trace view, with the waits that traces do not show.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from meshsim.records import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Below = Mapping[int, Sequence["Try"]]
    Piece = tuple["Try | None", int, int]

QUEUE, SERVICE, NETWORK, PROXY, FILTERS, CONNECTION, TLS, BACK_OFF, OTHER = STAGES
NONE = -1
CLIENT = -1
GATEWAY = -2


class Try(NamedTuple):
    """A row of the attempts, or of the waits: these were never sent and have no `id`. Columns as in `meshsim.records`."""

    id: int
    parent: int
    attempt: int
    caller: int
    proxy: int
    service: int
    operation: int
    instance: int
    sent_ns: int
    arrived_ns: int
    started_ns: int
    finished_ns: int
    ended_ns: int
    worked_ns: int
    backoff_ns: int
    proxy_ns: int
    filter_ns: int
    connection_ns: int
    tls_ns: int
    inbound_ns: int
    status: int
    response_flags: int

    @property
    def began_ns(self) -> int:
        """When the try before had ended, or the call was made."""
        until_ns = self.ended_ns if self.sent_ns == NONE else self.sent_ns
        return until_ns - self.connection_ns - self.proxy_ns - self.backoff_ns


class Segment(NamedTuple):
    """A stretch of time and where it went."""

    service: int
    """Whose it is: an index, `GATEWAY` or `CLIENT`.

    Queue, service: where it stood. Network, connection, TLS, back-off: the service that was called. Proxy: where the proxy stands.
    """
    stage: str
    from_ns: int
    until_ns: int


def split(started_ns: int, ended_ns: int, tries: Iterable[Try], *, knows_waits: bool = True) -> list[Segment]:
    """Divide the latency of a request.

    Args:
        started_ns: When the client began to send it.
        ended_ns: When the client had its outcome; what went on behind its back later does not count.
        tries: All its attempts and waits.
        knows_waits: Whether the waits are among them. Without, what is missing in a service is "other".

    Returns:
        In order of time, without gap or overlap from `started_ns` to `ended_ns`.
    """
    below = by_parent(tries)
    segments: list[Segment] = []
    for one, from_ns, until_ns in chain(below.get(NONE, ()), started_ns, ended_ns):
        if one is None:
            segments.append(Segment(GATEWAY, NETWORK, from_ns, until_ns))  # on the wire between the client and the gateway
        else:
            segments.extend(_through(one, until_ns, below, knows_waits=knows_waits))
    return segments


def by_parent(tries: Iterable[Try]) -> dict[int, list[Try]]:
    """Tries by the attempt in whose script they stand; under `NONE` those of the client and the gateway."""
    ordered = sorted(tries, key=attrgetter("parent", "id"))
    return {parent: list(group) for parent, group in groupby(ordered, key=attrgetter("parent"))}


def chain(tries: Sequence[Try], from_ns: int, until_ns: int) -> list[Piece]:
    """What was waited for in a stretch of time: of tries side by side the one that ended last, and before it the next.

    Returns:
        In order of time: a try or None where there was none, from when, until when. They fill the stretch.
    """
    pieces: list[Piece] = []
    for one in sorted(tries, key=lambda one: (min(one.ended_ns, until_ns), one.ended_ns), reverse=True):
        now_ns = pieces[-1][1] if pieces else until_ns
        end_ns, began_ns = min(one.ended_ns, until_ns), max(one.began_ns, from_ns)
        if end_ns > now_ns or began_ns >= end_ns:  # it went on beside what was waited for, or took no time
            continue
        if end_ns < now_ns:
            pieces.append((None, end_ns, now_ns))
        pieces.append((one, began_ns, end_ns))
    now_ns = pieces[-1][1] if pieces else until_ns
    if now_ns > from_ns:
        pieces.append((None, from_ns, now_ns))
    return pieces[::-1]


def _through(one: Try, until_ns: int, below: Below, *, knows_waits: bool) -> Iterator[Segment]:
    """A try and all below it that was waited for, until then. Without recursion: a chain of calls may be longer than Python's stack."""
    yield from waits_of(one, until_ns)
    pending = [stages_of(one, until_ns, below, knows_waits=knows_waits)]
    while pending:
        piece, segment = next(pending[-1], (None, None))
        if segment is None:
            pending.pop()
        elif piece is None:
            yield segment
        else:
            yield from waits_of(piece, segment.until_ns)
            pending.append(stages_of(piece, segment.until_ns, below, knows_waits=knows_waits))


def waits_of(one: Try, until_ns: int) -> Iterator[Segment]:
    """What went by before a try was sent."""
    called = one.service if one.service >= 0 else one.caller
    waits = (
        (CLIENT if one.caller == CLIENT else called, BACK_OFF, one.backoff_ns),
        (one.caller, PROXY, one.proxy_ns - one.filter_ns),
        (one.caller, FILTERS, one.filter_ns),
        (called, CONNECTION, one.connection_ns - one.tls_ns),
        (called, TLS, one.tls_ns),
    )
    yield from _one_after_the_other(one.began_ns, until_ns, waits)


def stages_of(one: Try, until_ns: int, below: Below, *, knows_waits: bool = True) -> Iterator[tuple[Try | None, Segment]]:
    """What a try went through after it was sent: its own stages, and in their place the calls that its instance waited for.

    Returns:
        (None, a stage of its own), or (the try of a call, when); nothing for a try that was never sent.
    """
    if one.sent_ns == NONE:
        return
    until_ns = min(until_ns, one.ended_ns)
    for segment in _one_after_the_other(one.sent_ns, until_ns, _way_in(one)):
        yield None, segment
    if one.started_ns != NONE and one.started_ns < until_ns:
        yield from _work(one, until_ns, below.get(one.id, ()), QUEUE if knows_waits else OTHER)
    if one.finished_ns != NONE and one.finished_ns < until_ns:
        yield None, Segment(one.service, NETWORK, one.finished_ns, until_ns)


def _way_in(one: Try) -> Iterator[tuple[int, str, int]]:
    """From the caller to the worker: whose, stage, how long."""
    arrived_ns = one.ended_ns if one.arrived_ns == NONE else one.arrived_ns
    network_ns = arrived_ns - one.sent_ns - one.inbound_ns
    if one.arrived_ns != NONE:
        left_queue_ns = one.finished_ns if one.started_ns == NONE else one.started_ns
        yield one.service, NETWORK, network_ns
        yield one.service, PROXY, one.inbound_ns
        yield one.service, QUEUE, left_queue_ns - arrived_ns
    else:  # turned away at the sidecar, or given up on the way: there and back are not told apart
        yield one.service, NETWORK, network_ns // 2
        yield one.service, PROXY, one.inbound_ns
        yield one.service, NETWORK, network_ns - network_ns // 2


def _work(one: Try, until_ns: int, calls: Sequence[Try], missing: str) -> Iterator[tuple[Try | None, Segment]]:
    """While an instance works on a try.

    It computes when it does not wait for a call. An asynchronous service may wait for a worker again after a call: that is what is
    left of the time between calls when the computing is taken off. Where in several gaps it stood is not known; it is put first.
    Where the caller gave up in the middle, not even how much of it was before: that is "other".
    """
    gaps_ns = sum(to_ns - from_ns for call, from_ns, to_ns in chain(calls, one.started_ns, one.finished_ns) if call is None)
    left_ns = max(0, gaps_ns - one.worked_ns)
    is_unknown = left_ns > 0 and until_ns < one.finished_ns
    for call, from_ns, to_ns in chain(calls, one.started_ns, min(until_ns, one.finished_ns)):
        if call is not None:
            yield call, Segment(one.service, OTHER, from_ns, to_ns)
        elif from_ns == one.started_ns and missing == QUEUE:  # it has had its worker since then
            yield None, Segment(one.service, SERVICE, from_ns, to_ns)
        elif is_unknown:
            yield None, Segment(one.service, OTHER, from_ns, to_ns)
        else:
            waited_ns = min(left_ns, to_ns - from_ns)
            left_ns -= waited_ns
            parts = ((one.service, missing, waited_ns), (one.service, SERVICE, to_ns - from_ns - waited_ns))
            for segment in _one_after_the_other(from_ns, to_ns, parts):
                yield None, segment


def _one_after_the_other(now_ns: int, until_ns: int, parts: Iterable[tuple[int, str, int]]) -> Iterator[Segment]:
    """Segments of these lengths, as far as they lie before the end."""
    for service, stage, length_ns in parts:
        end_ns = min(now_ns + length_ns, until_ns)
        if end_ns > now_ns:
            yield Segment(service, stage, now_ns, end_ns)
        now_ns += length_ns
