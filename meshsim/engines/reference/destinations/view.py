"""One proxy's view of a destination: whom it knows, whom it thinks healthy, and all the state that Envoy keeps per cluster.

Ten gateway replicas have ten of them, and they differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.destinations.activity import Activity
from meshsim.engines.reference.destinations.avoiding import Avoiding
from meshsim.engines.reference.destinations.balancer_queue import BalancerQueue
from meshsim.engines.reference.destinations.health import Health
from meshsim.engines.reference.destinations.members import Members
from meshsim.engines.reference.destinations.retry_breaker import admits_retry
from meshsim.engines.reference.travel.endpoint import endpoints_of
from meshsim.plan import NONE, HashOn, HealthStatus
from meshsim.policies.load_balancing import NO_HASH
from meshsim.policies.load_balancing.hashing import ANY_HASH, weighed
from meshsim.policies.locality import ALL_HOSTS, HEALTHY_HOSTS, LocalityState, is_panic
from meshsim.policies.locality.tables import Tables, by_hash
from meshsim.randomness import LOAD_BALANCER, LOCALITY, START_OFFSET, Draw, call_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshsim.engines.reference.destinations.hash_keys import HashKeys
    from meshsim.engines.reference.destinations.parts import Part
    from meshsim.engines.reference.destinations.place import Place
    from meshsim.engines.reference.destinations.roles import Pool, Reports
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.server import Server
    from meshsim.plan import Cluster, Service
    from meshsim.policies.load_balancing import LoadBalancerState
    from meshsim.policies.locality import Arrangement, Source


class View(Members):
    """What one proxy knows of one destination."""

    operation = NONE
    """What a call asks for whose try finds nobody: what it asked for before."""

    __slots__ = (
        "_arrangement", "_balancer", "_balancers", "_changes", "_groups", "_hash_keys", "_hash_on", "_is_hashed",
        "_locality", "_only", "_others", "_present", "activity", "client", "clients", "clock", "cluster", "draw",
        "endpoints", "health", "is_dynamic", "is_empty", "is_panic", "key", "luck", "place", "pool", "proxy", "queue",
        "reports", "service", "sources", "ticks", "zone",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        cluster: Cluster,
        service: Service,
        instances: Sequence[Instance],
        place: Place,
        latency_ns: Callable[[int, int], int],
        hash_keys: HashKeys | None = None,
        beginnings: Beginnings | None = None,
    ) -> None:
        self.clock, self.place = clock, place
        self.cluster, self.service = cluster, cluster.service
        self.key, self.zone, self.proxy, self.ticks = place.key, place.zone, place.proxy, place.ticks
        self.luck = call_key(call_key(place.key, service.stream + cluster.owner), cluster.subset + 1)
        """What its draws come from, by names: no other view of this proxy has the same, and none changes it."""
        self.endpoints = endpoints_of(service, instances, place.zone, latency_ns)
        self.activity, self.draw = Activity(), Draw()
        if beginnings is None:
            super().__init__(cluster, 0, 0)
        else:
            super().__init__(cluster, beginnings.of(place.key), beginnings.time_zero_ns)
        self.pool: Pool | None = None
        """Whatever keeps its connections."""
        self.is_empty = False
        """Whether nobody is there to go to."""
        self.queue = None if cluster.queue is None else BalancerQueue(self, cluster.queue)
        """Where requests wait meanwhile; None where they do not."""
        self.reports: Reports | None = None
        """What brings it the endpoints' own reports of their load, where its balancer reads them."""
        self._hash_on, self._is_hashed = cluster.hash_on, cluster.balancer.is_hashed
        self._hash_keys = None if cluster.hash_on is HashOn.NOTHING else hash_keys
        self._locality = cluster.locality
        if self._locality is None and (service.priorities or HealthStatus.DEGRADED in service.health):
            self._locality = LocalityState()
        self._balancers: dict[Source, LoadBalancerState] = {}
        """One for each source of endpoints that picks are made among (Envoy's HostsSource): a priority and a zone, all healthy, or all."""
        self.sources: list[Source] = []
        self._groups: list[list[EndpointView]] = []
        """What each source consists of now."""
        self._only: list[EndpointView] | None = None
        """The one group of endpoints, where there is one and requests have no hash: the usual case, kept short."""
        self._balancer: LoadBalancerState
        self._arrangement: Arrangement | None = None
        self._others = Avoiding(self)
        """Among whom a retry is made that avoids priorities."""
        self._changes = 0
        self._present: tuple[int, int] | None = None
        self.is_panic = False
        """Whether picks are made among all endpoints because too few are healthy (of one of its groups, where there are several)."""
        self._begin(service)
        self.health = Health.of(self)
        self.is_dynamic = (
            self.health is not None
            or service.lifecycle is not None
            or (cluster.balancer.reads_reports and not cluster.balancer.report_interval)
            or not any(endpoint.is_member and endpoint.is_healthy for endpoint in self.endpoints)
        )
        """Whether its endpoints may change, or may be gone without its knowing, or there are none to begin with."""
        self.refresh()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is told of and counted by service: itself, or the backends of a view over several."""
        return (self,)

    @property
    def nobody(self) -> Part:
        """Whose share of the requests it was where the latest pick found nobody."""
        return self

    def endpoint_of(self, instance: Server) -> EndpointView | None:
        """The endpoint that an instance is here; None where its service is another one."""
        return next((part.endpoints[instance.index] for part in self.parts if part.service == instance.service), None)

    @property
    def static_group(self) -> tuple[list[EndpointView], LoadBalancerState] | None:
        """Whom every pick is made among, and by what, where that never changes."""
        return None if self._only is None or self.is_dynamic else (self._only, self._balancer)

    @property
    def present(self) -> tuple[int, int]:
        """How many endpoints it knows of, and how many of them are neither ejected nor fail a check."""
        if self._present is None or self.is_dynamic:
            members = [endpoint for endpoint in self.endpoints if endpoint.is_member]
            self._present = len(members), sum(endpoint.is_healthy and endpoint.is_available for endpoint in members)
        return self._present

    def refresh(self) -> None:
        """Work out anew among whom picks are made; after any change of membership or health."""
        members = [endpoint for endpoint in self.endpoints if endpoint.is_member and endpoint.is_available]
        self._others.forget()
        weights: list[list[float] | None] = []
        if self._locality is None:
            healthy = [endpoint for endpoint in members if endpoint.is_healthy]
            self.is_panic = is_panic(len(healthy), len(members), self.cluster.panic_threshold, self.cluster.overprovisioning)
            self._groups = [members if self.is_panic else healthy]
            self.sources = [ALL_HOSTS if self.is_panic else HEALTHY_HOSTS]
        else:
            self._arrangement, self._groups = self.arrange(members)
            self.sources = self._arrangement.sources
            weights = self._arrangement.weights if isinstance(self._arrangement, Tables) else weights
            self.is_panic = any(self._arrangement.is_panic)
        for number, (source, group) in enumerate(zip(self.sources, self._groups, strict=True)):
            self.prepare(source, group, weights[number] if weights else None)
        self._changes += 1
        is_simple = self._arrangement is None and self._hash_on is HashOn.NOTHING and bool(self._groups[0])
        self._only = self._groups[0] if is_simple else None
        if is_simple:
            self._balancer = self._balancers[self.sources[0]]
        self.is_empty = not any(self._groups)
        if self.queue is not None:
            self.queue.refreshed()

    def arrange(self, members: list[EndpointView]) -> tuple[Arrangement, list[list[EndpointView]]]:
        """Share the members out in groups; of a hash each group is a table."""
        assert self._locality is not None  # noqa: S101 — whoever calls has looked
        cluster = self.cluster
        arrangement: Arrangement
        if self._is_hashed:
            arrangement = by_hash(self._locality, members, self.zone, cluster.panic_threshold, cluster.overprovisioning)
        else:
            draw = self.draw.at(self.luck + self._changes, LOCALITY)
            arrangement = self._locality.arrange(
                members, self.zone, self.place.callers, cluster.panic_threshold, cluster.overprovisioning, draw
            )
        return arrangement, [[members[position] for position in group] for group in arrangement.groups]

    def prepare(self, source: Source, group: list[EndpointView], weights: list[float] | None = None) -> None:
        """A balancer for a group; it keeps what it remembers when the group changes, or comes back after a time.

        All groups of one view begin their turns with one and the same random number.

        Source: Envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc (EdfLoadBalancerBase: seed_).
        """
        if not group:
            return
        draw = self.draw.at(self.luck, START_OFFSET)
        client, clients = self.place.client, max(1, sum(self.place.callers))
        hosts = group if weights is None else weighed(group, weights)
        if source in self._balancers:
            self._balancers[source].update(hosts, draw)
        elif self._balancers:
            first = next(iter(self._balancers.values()))
            self._balancers[source] = self.cluster.balancer.beside(first, hosts, draw, client, clients)
        else:
            self._balancers[source] = self.cluster.balancer.build(endpoints=hosts, draw=draw, client=client, clients=clients)

    def pick(self, call: Call) -> EndpointView | None:
        """The load balancer's choice for an attempt; None where nobody is there to go to."""
        group = self._only
        if group is None:
            return self._pick(call, self.draw.at(call.key, LOAD_BALANCER))
        return group[self._balancer.pick(group, self.draw.at(call.key, LOAD_BALANCER), self.clock.now_ns, NO_HASH)]

    def pick_again(self, call: Call, number: int = 1) -> EndpointView | None:
        """Another choice for the same attempt, the `number`-th; a hash is changed for it, or it would be the same choice.

        Source: Envoy, source/extensions/load_balancing_policies/common/thread_aware_lb_impl.h (chooseHost's `attempt`).
        """
        return self._pick(call, self.draw, number)

    def _pick(self, call: Call, draw: Draw, number_again: int = 0) -> EndpointView | None:
        groups = self._groups
        hash_key = NO_HASH if self._hash_keys is None else self._hash_keys.of(call.request, self._hash_on)
        number, arrangement = 0, self._arrangement
        if isinstance(arrangement, Tables):
            hash_key = draw.below(ANY_HASH) if hash_key == NO_HASH else hash_key
            number = arrangement.choose_by(hash_key)
        elif arrangement is not None and groups:
            number = arrangement.choose(draw)
        if not groups or not groups[number]:
            self._miss(self.sources[number] if groups else HEALTHY_HOSTS)
            return None
        if number_again and hash_key != NO_HASH:
            hash_key = call_key(hash_key, number_again)
        group = groups[number]
        return group[self._balancers[self.sources[number]].pick(group, draw, self.clock.now_ns, hash_key)]

    def _miss(self, source: Source) -> None:
        """Nobody is there among whom a pick was to be made."""

    def pick_avoiding(self, call: Call, priorities: int) -> EndpointView | None:
        """The choice for a retry that avoids the priorities (a bit for each) which were tried before; all once all were tried.

        A load balancer that hashes knows no such thing: the hash alone says which priority it is.

        Source: Envoy, source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc (chooseHost, which does not ask
        determinePriorityLoad).
        """
        if self._locality is None or self._is_hashed:
            return self.pick(call)
        draw = self.draw.at(call.key, LOAD_BALANCER)
        arrangement, groups = self._others.arrangement(priorities)
        number = arrangement.choose(draw) if groups else 0
        if not groups or not groups[number]:
            self._miss(arrangement.sources[number] if groups else HEALTHY_HOSTS)
            return None
        hash_key = NO_HASH if self._hash_keys is None else self._hash_keys.of(call.request, self._hash_on)
        balancer = self._balancers[arrangement.sources[number]]
        return groups[number][balancer.pick(groups[number], draw, self.clock.now_ns, hash_key)]

    def level(self, endpoint: EndpointView) -> int:
        """The priority that an endpoint has in this view: its own, or what the locality policy makes of its zone."""
        return endpoint.priority if self._locality is None else self._locality.level(endpoint, self.zone)

    def notice(self, endpoint: EndpointView, status: int, grpc_status: int, flags: int, rtt_ns: int) -> None:
        """What became of an attempt: for outlier detection, failure accrual and the load balancer."""
        if self.health is not None:
            self.health.notice(endpoint, status, grpc_status, flags)
        if self.reports is not None and not self.cluster.balancer.report_interval:
            self.reports.send(endpoint)
        if self.cluster.balancer.observes:
            is_failure = status >= 500 or status == 0 or grpc_status > 0
            for balancer in self._balancers.values():
                balancer.done(endpoint, self.clock.now_ns, rtt_ns, is_failure)

    def admits_retry(self, is_timeout: bool = False, endpoint: EndpointView | None = None) -> bool:  # noqa: FBT001, FBT002
        """Whether the retry breaker has room after a try at an endpoint; the slot is taken."""
        return admits_retry(self, endpoint, is_timeout=is_timeout)
