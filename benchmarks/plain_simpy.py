"""The two-hop chain as a plain SimPy model: what a SimPy user writes who knows the library and does not tune.

A process for each request and for each try, `Resource` for workers, `|` (AnyOf) for per-try timeouts. The model is that of
two_hop_chain.yaml, with the same semantics, but nothing is shared with meshsim. Times are milliseconds.

    python benchmarks/plain_simpy.py --duration-s 60 --seed 1
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import simpy

ARRIVALS_PER_MS = 1.1
TOKENS_PER_MS = 1.15
MAX_TOKENS = 20
GATEWAY_MS = 0.2
NETWORK_MS = 1.0
NUM_RETRIES = 2
BACK_OFF_BASE_MS = 10

A_INSTANCES, A_WORKERS, A_TIMEOUT_MS = 4, 8, 50.0
A_MEAN_MS, A_SIGMA = 10.0, 0.8
B_INSTANCES, B_WORKERS, B_TIMEOUT_MS = 3, 8, 30.0
B_MEAN_MS = 5.0

OK, RATE_LIMITED, DEPENDENCY_FAILED, TIMED_OUT = 200, 429, 500, 504

Steps = Generator[simpy.Event, Any, Any]


@dataclass
class Result:
    """What came of a run: arrays of shape (requests,), in the order in which the requests started."""

    started_ms: np.ndarray
    """float64."""
    latency_ms: np.ndarray
    """float64; from the client's send to its answer."""
    status: np.ndarray
    """int64, HTTP status."""
    retries_a: np.ndarray
    """int64, tries at a after the first."""
    retries_b: np.ndarray
    """int64, tries at b after the first of each call, over all calls made for the request."""
    events: int
    """Events that SimPy's environment processed."""


@dataclass(slots=True)
class Request:
    """A client's request, and what became of it."""

    started_ms: float
    ended_ms: float = math.nan
    status: int = 0
    retries_a: int = 0
    retries_b: int = 0


@dataclass(slots=True)
class Attempt:
    """One try of a call."""

    request: Request
    abandoned_ms: float = math.inf
    """When its caller gave up on it."""


class TokenBucket:
    """A bucket that is full at the start and fills continuously."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.tokens = float(MAX_TOKENS)
        self.filled_ms = 0.0

    def admit(self) -> bool:
        """Take a token if there is one."""
        self.tokens = min(MAX_TOKENS, self.tokens + (self.env.now - self.filled_ms) * TOKENS_PER_MS)
        self.filled_ms = self.env.now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Instance:
    """One replica of a service: workers, and a first-come-first-served queue for them."""

    def __init__(self, env: simpy.Environment, workers: int, work: Callable[[Request], Steps]) -> None:
        self.env = env
        self.workers = simpy.Resource(env, capacity=workers)
        self.work = work

    def serve(self, attempt: Attempt) -> Steps:
        """A process: over the network, through the queue, and back; its value is the status."""
        yield self.env.timeout(NETWORK_MS)
        with self.workers.request() as worker:
            yield worker
            if self.env.now >= attempt.abandoned_ms + NETWORK_MS:  # the message that the caller has gone found it in the queue
                return TIMED_OUT
            status = yield from self.work(attempt.request)
        yield self.env.timeout(NETWORK_MS)
        return status


class Caller:
    """Per-try timeout, retries and back-off: what a proxy does around the tries of a call."""

    def __init__(self, env: simpy.Environment, rng: random.Random, timeout_ms: float) -> None:
        self.env = env
        self.rng = rng
        self.timeout_ms = timeout_ms

    def call(self, request: Request) -> Steps:
        """Try until an answer is good or the retries are used up; returns the last status and the number of retries."""
        for retry in range(NUM_RETRIES + 1):
            status = yield from self.send(Attempt(request))
            if status < 500 or retry == NUM_RETRIES:
                break
            yield self.env.timeout(self.rng.randrange(BACK_OFF_BASE_MS * 2**retry))
        return status, retry

    def send(self, attempt: Attempt) -> Steps:
        """Make one try at whichever instance the load balancer picks; returns its status."""
        raise NotImplementedError

    def wait(self, answer: simpy.Process, attempt: Attempt) -> Steps:
        """Wait for the answer, but not for ever; returns the status."""
        yield answer | self.env.timeout(self.timeout_ms)
        if answer.triggered:
            return answer.value
        attempt.abandoned_ms = self.env.now
        return TIMED_OUT


class RoundRobinCaller(Caller):
    """Sends to each instance in turn; a retry takes a turn too."""

    def __init__(self, env: simpy.Environment, rng: random.Random, timeout_ms: float, instances: list[Instance]) -> None:
        super().__init__(env, rng, timeout_ms)
        self.turns = cycle(instances)

    def send(self, attempt: Attempt) -> Steps:
        """Make one try at the instance whose turn it is; returns its status."""
        answer = self.env.process(next(self.turns).serve(attempt))
        return (yield from self.wait(answer, attempt))


class LeastRequestCaller(Caller):
    """Sends to the less busy of two instances drawn with replacement, by its own requests in flight; a tie goes to the first."""

    def __init__(self, env: simpy.Environment, rng: random.Random, timeout_ms: float, instances: list[Instance]) -> None:
        super().__init__(env, rng, timeout_ms)
        self.instances = instances
        self.in_flight = [0] * len(instances)

    def send(self, attempt: Attempt) -> Steps:
        """Make one try at the less busy of two instances; returns its status."""
        picked = self.rng.randrange(len(self.instances))
        other = self.rng.randrange(len(self.instances))
        if self.in_flight[other] < self.in_flight[picked]:
            picked = other
        self.in_flight[picked] += 1
        answer = self.env.process(self.instances[picked].serve(attempt))
        status = yield from self.wait(answer, attempt)
        self.in_flight[picked] -= 1
        return status


class Chain:
    """The whole model."""

    def __init__(self, env: simpy.Environment, seed: int) -> None:
        self.env = env
        self.rng = random.Random(seed)
        self.bucket = TokenBucket(env)
        self.requests: list[Request] = []
        instances_b = [Instance(env, B_WORKERS, self.work_at_b) for _ in range(B_INSTANCES)]
        instances_a = [
            Instance(env, A_WORKERS, self.work_at_a(LeastRequestCaller(env, self.rng, B_TIMEOUT_MS, instances_b)))
            for _ in range(A_INSTANCES)
        ]
        self.gateway = RoundRobinCaller(env, self.rng, A_TIMEOUT_MS, instances_a)

    def arrive(self, until_ms: float) -> Steps:
        """A process: Poisson arrivals."""
        while True:
            yield self.env.timeout(self.rng.expovariate(ARRIVALS_PER_MS))
            if self.env.now >= until_ms:
                return
            request = Request(self.env.now)
            self.requests.append(request)
            self.env.process(self.handle(request))

    def handle(self, request: Request) -> Steps:
        """A process: one request, through the gateway."""
        yield self.env.timeout(GATEWAY_MS)
        if self.bucket.admit():
            request.status, request.retries_a = yield from self.gateway.call(request)
        else:
            request.status = RATE_LIMITED
        request.ended_ms = self.env.now

    def work_at_a(self, sidecar: Caller) -> Callable[[Request], Steps]:
        """What an instance of a does for a request, which calls b through the instance's own sidecar."""
        mu = math.log(A_MEAN_MS) - A_SIGMA**2 / 2

        def work(request: Request) -> Steps:
            yield self.env.timeout(self.rng.lognormvariate(mu, A_SIGMA))
            status, retries = yield from sidecar.call(request)
            request.retries_b += retries
            return OK if status == OK else DEPENDENCY_FAILED

        return work

    def work_at_b(self, _: Request) -> Steps:
        """What an instance of b does for a request."""
        yield self.env.timeout(self.rng.expovariate(1 / B_MEAN_MS))
        return OK


def run(duration_s: float, seed: int) -> Result:
    """Simulate arrivals for so long, and on until the last of them is done."""
    env = simpy.Environment()
    chain = Chain(env, seed)
    env.process(chain.arrive(until_ms=duration_s * 1000))
    env.run()
    started_ms = np.array([request.started_ms for request in chain.requests])
    return Result(
        started_ms=started_ms,
        latency_ms=np.array([request.ended_ms for request in chain.requests]) - started_ms,
        status=np.array([request.status for request in chain.requests]),
        retries_a=np.array([request.retries_a for request in chain.requests]),
        retries_b=np.array([request.retries_b for request in chain.requests]),
        events=next(env._eid),  # noqa: SLF001 — SimPy numbers its events, and none is left: counting them would cost time
    )


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description="The two-hop chain as a plain SimPy model.")
    parser.add_argument("--duration-s", type=float, default=60.0, help="simulated seconds (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began_s = time.perf_counter()
    result = run(arguments.duration_s, arguments.seed)
    elapsed_s = time.perf_counter() - began_s
    requests = len(result.status)
    answered = result.status == OK
    latency_ms = result.latency_ms[answered]
    p50_ms, p99_ms = np.quantile(latency_ms, [0.5, 0.99])
    admitted = result.status != RATE_LIMITED
    speed = requests / elapsed_s
    print(f"{requests:,} requests in {elapsed_s:.2f} s: {speed:,.0f}/s, {result.events / requests:.1f} events each")
    print(f"latency of the answered: mean {latency_ms.mean():.2f} ms, p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms")
    print(
        f"rate limited {1 - admitted.mean():.2%}, failed {np.mean(admitted & ~answered):.3%}, "
        f"retried at a {np.mean(result.retries_a[admitted] > 0):.2%}, at b {np.mean(result.retries_b[admitted] > 0):.2%}"
    )


if __name__ == "__main__":
    main()
