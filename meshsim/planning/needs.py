"""What a run will take at the least, known from its plan before it begins: events, rows and memory.

A scenario is refused where that is more than can be had, and the setting that asks for most of it is named. These are bounds from
below, with generous limits: what grows only while a run goes on (queues, retries) is for whoever watches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.arrivals import Profile
from meshsim.plan import NONE, Measured
from meshsim.planning import volume
from meshsim.policies.load_balancing import Maglev, RingHash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.plan import Cluster, Plan, Service

    Path = tuple[str | int, ...]

MOST_EVENTS = 2_000_000_000
"""Hours of work."""
MOST_ROWS = 200_000_000
"""Of the tables over time: minutes of writing, and some gigabytes."""
MOST_INTERVALS = 3_000_000
"""Until the last request is over; more of them with nothing else to do would end the run."""
EVENTS, INTERVALS, ROWS, BYTES = "events", "intervals", "rows over time", "of memory"
BYTES_OF_A_USER = 1_500
BYTES_OF_AN_INSTANCE = 3_000
BYTES_OF_A_FAULT = 1_000
"""With the process that strikes."""
BYTES_OF_AN_ENDPOINT = 400
"""As one view knows it."""
BYTES_OF_A_PLACE = 60
"""On a ring or in a table of hashes: two lists, and the number in one of them."""


class Need(NamedTuple):
    """A part of what a run takes."""

    kind: str
    """`EVENTS`, `INTERVALS`, `ROWS` or `BYTES`."""
    amount: float
    what: str
    """In words: `requests of shoppers`."""
    path: Path
    """The setting that asks for it."""
    remedy: str


class Refusal(NamedTuple):
    """Why a plan is not run."""

    path: Path
    message: str


class Sender(NamedTuple):
    """Callers of one kind and what they do for one destination."""

    section: str
    callers: int
    cluster: Cluster
    is_late: bool
    """Whether their views are made for the first call."""


def refusals(plan: Plan, memory: float) -> list[Refusal]:
    """What cannot be, with the setting that asks for most of it; empty where all fits.

    Args:
        plan: What would be run.
        memory: Bytes that can be had.
    """
    found = []
    parts = list(needs(plan))
    for kind, most in ((EVENTS, MOST_EVENTS), (INTERVALS, MOST_INTERVALS), (ROWS, MOST_ROWS), (BYTES, memory)):
        of_kind = [one for one in parts if one.kind == kind]
        total = sum(one.amount for one in of_kind)
        if total > most:
            worst = max(of_kind, key=lambda one: one.amount)
            found.append(
                Refusal(
                    worst.path,
                    f"a run takes {_amount(kind, total)} {kind} at the least, most of it for {worst.what}, and can have"
                    f" {_amount(kind, most)}; {worst.remedy}, or run.limits: false to try it all the same",
                )
            )
    return found


def needs(plan: Plan) -> Iterator[Need]:
    """All parts."""
    horizon_ns = max(plan.duration_ns, volume.longest_work_ns(plan))
    yield from _of_loads(plan)
    yield from _of_instances(plan)
    yield from _of_breakdowns(plan)
    yield from _of_intervals(plan, horizon_ns)
    made = volume.calls(plan)
    to_service = [0.0] * len(plan.services)
    for number, (operation, times) in enumerate(zip(plan.operations, made, strict=True)):
        to_service[operation.service] += times
        name = plan.names.operations[number]
        yield Need(
            EVENTS, times, f"the calls to {name}", ("services", name.partition("/")[0]), "ask for a lower rate, or a shorter run"
        )
    tables: set[tuple[str, int]] = set()
    for sender in senders(plan):
        yield from _of_sender(plan, sender, to_service[sender.cluster.service], tables)


def senders(plan: Plan) -> Iterator[Sender]:
    """Who has views, of whom."""
    if plan.gateway is not None:
        for cluster in plan.gateway.clusters:
            if cluster is not None:
                yield Sender("gateway", len(plan.gateway.zones), cluster, is_late=False)
    mesh = plan.mesh
    clusters = plan.direct.clusters if mesh is None else mesh.clusters
    called: dict[int, set[int]] = {}
    for operation in plan.operations:
        called.setdefault(operation.service, set()).update(
            plan.operations[one.operation].service for one in volume.calls_of(operation)
        )
    for caller, services in sorted(called.items()):
        for service in sorted(services):
            cluster = clusters[service]
            is_late = plan.services[service].lifecycle is None and not _is_looked_after(cluster)
            yield Sender("direct" if mesh is None else "mesh", len(plan.services[caller].zones), cluster, is_late)


def _is_looked_after(cluster: Cluster) -> bool:
    kept = (cluster.outliers, cluster.accrual, cluster.health_check, cluster.limiter)
    return cluster.balancer.reads_reports or any(one is not None for one in kept)


def _of_loads(plan: Plan) -> Iterator[Need]:
    for source, name in zip(plan.sources, plan.names.sources, strict=True):
        requests = volume.requests_of(source)
        is_open = source.arrivals is not None
        remedy = "ask for a lower rate, or a shorter run" if is_open else "ask for fewer users"
        yield Need(EVENTS, requests, f"the requests of {name}", ("load", name), remedy)
        if isinstance(source.arrivals, Profile):
            bent = "bursts" if source.arrivals.bursts is not None else "sinusoid"
            yield Need(EVENTS, source.arrivals.pieces, f"the {bent} of {name}", ("load", name, bent), f"write slower {bent}")
        if not is_open:
            yield Need(BYTES, BYTES_OF_A_USER * len(source.users), f"the users of {name}", ("load", name), "ask for fewer users")


def _of_instances(plan: Plan) -> Iterator[Need]:
    for service, name in zip(plan.services, plan.names.services, strict=True):
        path: Path = ("services", name, "replicas")
        yield Need(BYTES, BYTES_OF_AN_INSTANCE * len(service.zones), f"the instances of {name}", path, "write fewer replicas")
        if service.lifecycle is not None and service.lifecycle.restarts:
            restarted = len(service.lifecycle.restarts) * service.lifecycle.replicas
            yield Need(EVENTS, restarted, f"restarts of {name}", ("services", name, "restarts"), "write fewer restarts")
        if service.lifecycle is not None and service.lifecycle.rollouts is not None:
            rolled = len(service.lifecycle.rollouts.changes) * service.lifecycle.replicas
            yield Need(EVENTS, rolled, f"rollouts of {name}", ("services", name, "rollouts"), "write fewer rollouts")
        if service.lifecycle is not None and service.lifecycle.autoscaling is not None:
            scaling = service.lifecycle.autoscaling
            measured = {metric.measured for metric in scaling.metrics}
            samples = len(service.zones) if measured - {Measured.CPU} else 0
            looked_at = (
                ("sync_period", scaling.sync_ns, 1), ("scrape_interval", scaling.scrape_ns, samples),
                ("metric_resolution", scaling.resolution_ns, Measured.CPU in measured),
            )  # fmt: skip
            for field, period_ns, each in looked_at:
                looks = plan.duration_ns / period_ns * each
                yield Need(EVENTS, looks, f"the autoscaler of {name}", ("autoscaler", field), "write a longer one")


def _of_breakdowns(plan: Plan) -> Iterator[Need]:
    """Faults by chance, which are all drawn before the run."""
    for one in plan.breakdowns:
        cycle_ns = one.time_to_failure.mean_ns + one.time_to_repair.mean_ns
        times = max(0, one.fault.until_ns - one.fault.from_ns) / cycle_ns * (1 if one.is_together else len(one.fault.instances))
        path: Path = ("faults", one.fault.number, "mtbf")
        yield Need(BYTES, BYTES_OF_A_FAULT * times, "faults by chance", path, "write a longer mtbf")


def _of_intervals(plan: Plan, horizon_ns: int) -> Iterator[Need]:
    """Rows of each interval, until the last request is over."""
    instances = sum(len(service.zones) for service in plan.services)
    in_mesh = instances if plan.mesh is not None and plan.mesh.ambient is None else 0
    gateways = 0 if plan.gateway is None else len(plan.gateway.zones) * (1 + len(plan.gateway.filters))
    inbound = sum(len(service.zones) * len(service.inbound) for service in plan.services) if plan.mesh is not None else 0
    pools = sum(len(service.zones) * len(service.connection_pools) for service in plan.services)
    pools += sum(len(service.zones) * len(service.caches) for service in plan.services)
    sharing = sum(len(service.zones) for service in plan.services if service.cpu is not None)
    rows = horizon_ns / plan.interval_ns * (instances + pools + sharing + in_mesh + gateways + inbound)
    longer = "write a longer run.interval"
    if horizon_ns > plan.duration_ns:
        hours = horizon_ns / 3_600_000_000_000
        longer += f" (a request that computes for {hours:,.0f} hours keeps the run going for so long)"
    yield Need(ROWS, rows, "what stations and proxies look like at each interval", ("run", "interval"), longer)
    yield Need(INTERVALS, horizon_ns / plan.interval_ns, "rows over time", ("run", "interval"), longer)


def _of_sender(plan: Plan, sender: Sender, times: float, tables: set[tuple[str, int]]) -> Iterator[Need]:
    """What views of a destination take, and what looks after them."""
    cluster, section = sender.cluster, sender.section
    name, service = plan.names.services[cluster.service], plan.services[cluster.service]
    hosts = sum(_hosts(plan.services[one.service], cluster) for one in cluster.backends) or _hosts(service, cluster)
    views = min(sender.callers, times) if sender.is_late else sender.callers
    yield Need(
        BYTES, BYTES_OF_AN_ENDPOINT * views * hosts, f"what each of {views:,.0f} callers knows of the {hosts:,} instances of {name}",
        ("services", name, "replicas"), "write fewer replicas here or at the callers",
    )  # fmt: skip
    here: Path = (section, "traffic", name)
    places = _places(cluster)
    if places and (section, cluster.service) not in tables:
        tables.add((section, cluster.service))
        yield Need(
            BYTES, BYTES_OF_A_PLACE * places, f"the table of hashes of {name}", (*here, "load_balancer"), "write a smaller table"
        )
    looked_at = (
        (cluster.outliers is not None and cluster.outliers.interval, views, "sweeps of outlier detection", "outlier_detection"),
        (cluster.health_check is not None and cluster.health_check.interval_ns, views * hosts, "health checks", "health_checks"),
        (cluster.balancer.report_interval, views * hosts, "reports of load", "load_balancer"),
    )
    for interval_ns, each, what, field in looked_at:
        if interval_ns:
            path = (*here, field)
            yield Need(EVENTS, plan.duration_ns / interval_ns * each, f"{what} of {name}", path, "write a longer interval")
    discovery = {"gateway": plan.gateway, "mesh": plan.mesh, "direct": plan.direct}[section]
    refresh_ns = 0 if discovery is None or discovery.discovery is None else discovery.discovery.dns_refresh_ns
    if refresh_ns and service.lifecycle is not None:
        lookups = plan.duration_ns / refresh_ns * views
        yield Need(EVENTS, lookups, f"lookups of {name}", (section, "discovery", "dns_refresh"), "write a longer one")


def _hosts(service: Service, cluster: Cluster) -> int:
    return len(service.zones) if cluster.subset == NONE else service.subsets.count(cluster.subset)


def _places(cluster: Cluster) -> int:
    if isinstance(cluster.balancer, RingHash):
        return cluster.balancer.minimum_ring_size
    return cluster.balancer.table_size if isinstance(cluster.balancer, Maglev) else 0


def _amount(kind: str, amount: float) -> str:
    """In three digits, which is more than is known of it."""
    if kind == BYTES:
        return f"{amount / 2**30:,.3g} GiB"
    return f"{float(f'{amount:.3g}'):,.0f}"
