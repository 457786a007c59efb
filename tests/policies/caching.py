"""A cache by itself, and a small gateway around it."""

from __future__ import annotations

from heapq import heappop, heappush

from asking import Request

from meshsim.policies.filters.cache import Cache
from meshsim.policies.filters.filter import NOTHING, Decision, Surroundings, Then
from meshsim.randomness import Draw

MS = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
NO_DRAW = None
HIT, MISS, STALE = Decision.HIT, Decision.MISS, Decision.STALE


def asking(content_key=0, route=0):
    return Request(content_key=content_key, route=route)


def cache(routes=("all",), **settings):
    made = Cache(**{"ttl": "10s", **settings})
    made.check()
    return made.build(around=Surroundings(routes=routes))


def fetch(one, now_ns, asked, status=200, grpc_status=-1):
    """The verdict on a request that is answered as soon as it is sent."""
    verdict = one.judge(now_ns, asked, NO_DRAW)
    if not verdict.status and verdict.then is Then.NOTHING:
        one.done(now_ns, 0, asked, status, grpc_status, 0)
    return verdict


class Gateway:
    """Requests through one cache to a service that takes its time: the waiting that verdicts ask for, by hand."""

    def __init__(self, one, fetch_ns, answer=lambda _: 200):
        self.cache = one
        self.fetch_ns = fetch_ns
        self.answer = answer
        self.fetches = []
        """When requests arrived at the service."""
        self.answers = {}
        """By the number of the request: when it was answered, with which status and by whose decision."""
        self._events = []
        self._waiting = []
        self._number = 0

    def run(self, *arrivals):
        """The answers to requests for the same key, in the order of their arrival."""
        for number, at_ns in enumerate(arrivals):
            self._at(at_ns, self._judge, number, asking())
        while self._events:
            self.now_ns, _, act, args = heappop(self._events)
            act(*args)
        return [self.answers[number] for number in range(len(arrivals))]

    def _at(self, at_ns, act, *args):
        self._number += 1
        heappush(self._events, (at_ns, self._number, act, args))

    def _judge(self, number, asked, *, is_late=False):
        verdict = (self.cache.give_up_waiting if is_late else self.cache.judge)(self.now_ns, asked, Draw().at(number, 0))
        if verdict.then is Then.WAIT:
            waiting = [verdict.key, number, asked]
            self._waiting.append(waiting)
            if verdict.delay_ns:
                self._at(self.now_ns + verdict.delay_ns, self._give_up, waiting)
            return
        if verdict.then is Then.REFRESH:
            self._send(NOTHING, asking(), verdict.key, verdict.decision)
        if verdict.status:
            self.answers[number] = (self.now_ns, verdict.status, verdict.decision)
        else:
            self._send(number, asked, verdict.key, verdict.decision)

    def _send(self, number, asked, key, decision):
        self.fetches.append(self.now_ns)
        self._at(self.now_ns + self.fetch_ns, self._end, number, asked, key, decision, self.answer(self.now_ns))

    def _end(self, number, asked, key, decision, status):
        given = self.cache.answer_instead(self.now_ns, asked, status, -1) or status
        self.answers[number] = (self.now_ns, given, decision)
        self.cache.done(self.now_ns, self.fetch_ns, asked, status, -1, 0)
        woken = [one for one in self._waiting if one[0] == key]
        self._waiting = [one for one in self._waiting if one[0] != key]
        for _, *waiting in woken:
            self._judge(*waiting)

    def _give_up(self, waiting):
        if any(waiting is one for one in self._waiting):
            self._waiting = [one for one in self._waiting if one is not waiting]
            self._judge(waiting[1], waiting[2], is_late=True)
