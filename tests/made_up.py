"""Made-up plans and records: figures without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meshsim.arrivals import Profile, Segment
from meshsim.flags import Flag
from meshsim.metrics.summarise import summarise
from meshsim.metrics.tally import Tally
from meshsim.plan import (
    BARE,
    Effect,
    Fault,
    Gateway,
    Mesh,
    Names,
    Network,
    OnCancel,
    Plan,
    ProxyKind,
    Service,
    Source,
)
from meshsim.records import TABLES

if TYPE_CHECKING:
    from meshsim.metrics.summary import Summary
    from meshsim.records import Chunk

SECOND = 1_000_000_000
MS = 1_000_000


def plan(
    *,
    services: tuple[str, ...] = ("payment",),
    routes: tuple[str, ...] = ("checkout",),
    sources: tuple[str, ...] = ("shoppers",),
    replicas: int = 2,
    workers: int = 4,
    gateway: bool = True,
    mesh: bool = False,
    consumers: tuple[str, ...] = (),
    faults: tuple[tuple[int, int], ...] = (),
    duration_ns: int = 10 * SECOND,
    interval_ns: int = SECOND,
) -> Plan:
    """Ten seconds of which the first two are warm-up; consumers one for each source, faults from and until."""
    service = Service(
        stream=0,
        zones=(0,) * replicas,
        weights=(1.0,) * replicas,
        workers=workers,
        queue_limit=-1,
        is_async=False,
        on_cancel=OnCancel.CONTINUE,
        is_grpc=False,
        may_crash=False,
        inbound=(),
    )
    proxy = ProxyKind(workers=2, time=None)
    return Plan(
        duration_ns=duration_ns,
        warm_up_ns=2 * SECOND,
        interval_ns=interval_ns,
        sources=tuple(_source(number, duration_ns) for number in range(len(consumers))),
        routes=(),
        services=(service,) * len(services),
        operations=(),
        direct=(),
        gateway=Gateway((0, 0), proxy, (), ()) if gateway else None,
        mesh=Mesh(proxy, (), ()) if mesh else None,
        network=Network(None, None),
        faults=tuple(Fault(from_ns, until_ns, 0, replicas, Effect.SLOW, 5.0) for from_ns, until_ns in faults),
        names=Names(sources, routes, services, services, consumers, ()),
    )


def _source(number: int, duration_ns: int) -> Source:
    """A load at a constant rate, of the consumer of its number."""
    steady = Profile((Segment(0, duration_ns, 10.0, 10.0),), is_poisson=True)
    return Source(
        stream=number,
        zone=0,
        consumer=number,
        routes=(0,),
        writes=(False,),
        shares=(1.0,),
        stack=BARE,
        arrivals=steady,
        users=(),
        think_time=None,
    )


def chunk(table: str, **columns: Any) -> Chunk:
    """Rows of a table: columns that are not given are what they are for a request that went well."""
    usual = {"user": -1, "status": 200, "grpc_status": -1, "attempts": 1, "origin": -1, "attempt": 1, "parent": -1, "is_up": 1}
    rows = max(np.size(column) for column in columns.values())
    return {
        name: np.broadcast_to(np.asarray(columns.get(name, usual.get(name, 0)), dtype=np.int64), (rows,)).copy()
        for name in TABLES[table]
    }


def requests(**columns: Any) -> Chunk:
    return chunk("requests", **columns)


def attempts(**columns: Any) -> Chunk:
    """Attempts that wait 1 ms and work 4 ms, unless told otherwise."""
    started = np.asarray(columns.setdefault("request_started_ns", np.asarray([3 * SECOND])))
    columns.setdefault("sent_ns", started)
    columns.setdefault("arrived_ns", columns["sent_ns"])
    columns.setdefault("started_ns", columns["arrived_ns"] + MS)
    columns.setdefault("finished_ns", columns["started_ns"] + 4 * MS)
    columns.setdefault("ended_ns", columns["finished_ns"])
    columns.setdefault("worked_ns", 4 * MS)
    return chunk("attempts", **columns)


def summary_of(made: Plan, *, simulated_ns: int = 10 * SECOND, **tables: Any) -> Summary:
    """Summary of chunks by table."""
    tally = Tally(made)
    for table, chunks in tables.items():
        for one in chunks if isinstance(chunks, list) else [chunks]:
            tally.take(table, one)
    return summarise(tally, simulated_ns)


def shop(seed: int = 7) -> Summary:
    """A summary with everything in it: two loads, three routes, five services, failures of several kinds, proxies."""
    services = ("cart", "catalog", "checkout-v1", "frontend", "payment")
    made = plan(
        services=services,
        routes=("browse", "checkout", "recommendations-for-signed-in-customers"),
        sources=("partner", "shoppers"),
        mesh=True,
    )
    rng = np.random.default_rng(seed)
    n = 20_000
    started = np.sort(rng.integers(0, 10 * SECOND, n))
    latency = (np.exp(rng.normal(np.log(18), 0.9, n)) * MS).astype(np.int64)
    route = rng.choice([0, 0, 0, 0, 1, 2], n)
    kind = np.where(route == 1, rng.choice(6, n, p=[0.93, 0.03, 0.02, 0.01, 0.005, 0.005]), 0)
    flags = np.array([0, Flag.URX | Flag.UT, Flag.dependency, Flag.RL, Flag.DC, Flag.URX | Flag.error])
    own = np.array([0, Flag.UT, Flag.queue_full, Flag.RL, Flag.DC, Flag.error])
    came = requests(
        request=np.arange(n),
        source=rng.choice([0, 1, 1, 1], n),
        route=route,
        started_ns=started,
        ended_ns=started + latency,
        status=np.array([200, 504, 500, 429, 0, 500])[kind],
        response_flags=flags[kind],
        origin_flags=own[kind],
        origin=np.array([-1, 4, 4, -1, -1, 0])[kind],
        attempts=np.where(kind == 1, 3, 1),
    )
    m = 3 * n
    began = np.repeat(started, 3)
    arrived = began + rng.integers(MS, 5 * MS, m)
    wait = rng.exponential(0.6 * MS, m).astype(np.int64)
    work = rng.exponential(6 * MS, m).astype(np.int64)
    service = rng.integers(0, 5, m)
    is_bad = (service == 4) & (rng.random(m) < 0.06)
    tries = attempts(
        request=np.repeat(np.arange(n), 3),
        request_started_ns=began,
        sent_ns=began,
        arrived_ns=arrived,
        started_ns=arrived + wait,
        finished_ns=arrived + wait + work,
        ended_ns=arrived + wait + work + MS,
        worked_ns=work,
        wasted_ns=np.where(is_bad, work, 0),
        service=service,
        operation=service,
        attempt=np.where((service == 4) & (rng.random(m) < 0.1), 2, 1),
        status=np.where(is_bad, 504, 200),
        response_flags=np.where(is_bad, rng.choice([int(Flag.UT), int(Flag.UO)], m), 0),
    )
    time, number, instance = (
        axis.ravel() for axis in np.meshgrid(np.arange(1, 12) * SECOND, np.arange(5), np.arange(2), indexing="ij")
    )
    busy = np.array([0.1, 0.35, 0.62, 0.88, 3.9])[number] * SECOND
    watched = chunk(
        "counters",
        time_ns=time,
        service=number,
        instance=instance,
        busy_ns=busy,
        queued_ns=busy * (number == 4) * 3,
        queued=np.where(number == 4, 14 + instance, 0),
    )
    gateways = chunk(
        "proxies",
        time_ns=time,
        kind=number > 0,
        service=number - 1,
        instance=instance,
        busy_ns=np.where(number == 4, 1.6, 0.15) * SECOND,
    )
    return summary_of(made, simulated_ns=int(10.4 * SECOND), requests=came, attempts=tries, counters=watched, proxies=gateways)
