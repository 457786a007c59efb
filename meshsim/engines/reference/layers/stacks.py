"""The layers of a call, from the route's timeout to the link, in the one order in which they stand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from meshsim.engines.reference.destinations.connections import ConnectionLayer
from meshsim.engines.reference.destinations.pool import PoolLayer
from meshsim.engines.reference.destinations.rule_view import RuleView
from meshsim.engines.reference.destinations.together import Together
from meshsim.engines.reference.destinations.transport import TransportLayer
from meshsim.engines.reference.destinations.view import View
from meshsim.engines.reference.layers.backends import BackendsLayer, LastTriedLayer, Way
from meshsim.engines.reference.layers.guard import GuardLayer
from meshsim.engines.reference.layers.hedging import ConnectedLayer
from meshsim.engines.reference.layers.hop import HopLayer
from meshsim.engines.reference.layers.late import LateLayer
from meshsim.engines.reference.layers.mirror import MirrorLayer
from meshsim.engines.reference.layers.pick import Chooser, WatchfulTransportLayer, pick_layer
from meshsim.engines.reference.layers.retrying import tried
from meshsim.engines.reference.layers.split import SplitLayer
from meshsim.engines.reference.layers.timeout import ALL_FLAGS, GrpcLayer, around, timed_out, within
from meshsim.engines.reference.layers.zoned_hop import ZonedHopLayer
from meshsim.engines.reference.time.outcome import failure
from meshsim.flags import Flag
from meshsim.plan import NONE, Stack
from meshsim.policies.admission import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.destinations.activity import Activity
    from meshsim.engines.reference.destinations.hash_keys import HashKeys
    from meshsim.engines.reference.destinations.place import Place
    from meshsim.engines.reference.destinations.together import Seen
    from meshsim.engines.reference.layers.late import LateWay
    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.beginnings import Beginnings
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.time.ticks import Ticks
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Cluster, Plan


class Stacks:
    """Builds the layers of calls, and the views that they need; one view for each proxy, destination and subset."""

    def __init__(
        self,
        plan: Plan,
        refusals: Refusals,
        links: Links,
        instances: tuple[tuple[Instance, ...], ...],
        hash_keys: HashKeys,
        beginnings: Beginnings,
    ) -> None:
        self._plan = plan
        self._hash_keys = hash_keys
        self._beginnings = beginnings
        self._refusals = refusals
        self._links = links
        self._instances = instances
        self.together: dict[tuple[int, int, int], Together] = {}
        """All views, by caller, destination and subset."""
        self._known: dict[tuple[int, int, tuple[int, ...], int], list[tuple[Together, int, int]]] = {}
        """Of views that are not made yet, by caller, service, subsets and zone of the caller."""

    def _view(self, cluster: Cluster, place: Place, caller: int) -> View:
        """A new view of a destination."""
        services, instances, clock, latency_ns = (
            self._plan.services,
            self._instances,
            self._refusals.clock,
            self._links.constant_ns,
        )
        made: View
        if cluster.backends:
            numbers = [backend.service for backend in cluster.backends]
            of_all = [services[number] for number in numbers], [instances[number] for number in numbers]
            made = RuleView(clock, cluster, *of_all, place, latency_ns, self._hash_keys, self._beginnings)
        else:
            service, its = services[cluster.service], instances[cluster.service]
            made = View(clock, cluster, service, its, place, latency_ns, self._hash_keys, self._beginnings)
        for number, part in enumerate(made.parts):
            self._together(caller, part.service, cluster.subset).add(part, None if number else made)
        return made

    def _together(self, caller: int, service: int, subset: int) -> Together:
        found = self.together.get((caller, service, subset))
        if found is None:
            found = self.together[caller, service, subset] = Together()
        return found

    def late(self, way: LateWay, make: Callable[[LateWay], tuple[Handler, tuple[View, ...]]]) -> Handler:
        """A handler that `make` makes for its first call, with its views; these count from now on."""
        for together, members, healthy in self._expected(way):
            together.expect(members, healthy)
        return LateLayer(way, make, self)

    def leave(self, way: LateWay, views: tuple[View, ...], layer: LateLayer) -> list[tuple[Together, Seen]]:
        """The views that were expected have been made, and this layer knows of each call that comes to them."""
        for together, members, healthy in self._expected(way):
            together.take(members, healthy)
        seen = []
        for view in views:
            for part in view.parts:
                together = self._together(way.caller, part.service, view.cluster.subset)
                seen.append((together, together.leave_to(layer, part)))
        return seen

    def _expected(self, way: LateWay) -> list[tuple[Together, int, int]]:
        """Where the views of a way count, how many endpoints each knows of, and how many are well; the same from all places of one zone."""
        cluster, subsets, zone = way.cluster, way.stack.subsets, way.place.zone
        key = (way.caller, cluster.service, subsets or (cluster.subset,), zone)
        if key not in self._known:
            health = self._plan.services[cluster.service].health
            known = [
                (one.subset, not (health and health[one.index]))
                for one in self._instances[cluster.service]
                if cluster.locality is None or cluster.locality.knows(one.zone, zone)
            ]
            self._known[key] = []
            for subset in key[2]:
                well = [is_well for its, is_well in known if subset in (NONE, its)]
                self._known[key].append((self._together(way.caller, cluster.service, subset), len(well), sum(well)))
        return self._known[key]

    def views_of(self, cluster: Cluster, stack: Stack, place: Place, caller: int) -> tuple[View, ...]:
        """The views that a stack needs: one, or one for each subset that its calls are split among."""
        if not stack.subsets:
            return (self._view(cluster, place, caller),)
        return tuple(self._view(replace(cluster, subset=subset), place, caller) for subset in stack.subsets)

    def handler(
        self, views: tuple[View, ...], stack: Stack, layer: int, mirror: Handler | None = None, visible: int = ALL_FLAGS
    ) -> Handler:
        """All layers from the route's timeout to the link.

        Outermost first, and why it stands there:

        1. gRPC: the translation of local answers, after every decision about them;
        2. the timeout over all tries and waits, with the timeout of an idle stream;
        3. mirroring: a copy of the request, whatever becomes of its tries;
        4. the split: all tries of a request stay in the subset that it was given;
        5. retries and hedging, with the retry breaker of the view;
        6. the guard (breaker, throttling, concurrency limit): asked anew for each try;
        7. the pick: anew for each try, and the place that learns what became of it;
        8. the backend, of a cluster over several services: the endpoint's own, with the layers below named after it;
        9. the pool: the host is chosen before, and waiting for its connection is not part of the try's time;
        10. the per-try timeout: it begins when the try has a connection;
        11. the hop: link, instance, link.
        """
        service = views[0].service
        on_timeout = timed_out(service)
        parts = tuple(self._tries(view, stack, layer, visible, on_timeout) for view in views)
        handler = parts[0] if len(parts) == 1 else SplitLayer(parts, stack.shares, stack.subsets)
        if stack.mirror is not None and mirror is not None:
            handler = MirrorLayer(handler, mirror, stack.mirror, views[0])
        ticks = views[0].ticks
        handler = within(handler, stack.idle_timeout_ns, self._refusals, failure(504, Flag.SI, service), ticks=ticks)
        handler = within(handler, stack.timeout_ns, self._refusals, on_timeout, partial(_counted_at, views), ticks)
        if views[0].cluster.backends:
            handler = LastTriedLayer(handler, {one.operation: one.service for one in views[0].cluster.backends})
        return GrpcLayer(handler) if self._plan.services[service].is_grpc else handler

    def per_try(self, inner: Handler, stack: Stack, service: int, ticks: Ticks | None = None) -> Handler:
        """The per-try timeout, where there is one; one that only starts a hedge is the race's own."""
        retries = stack.retries
        if retries is None or not retries.per_try_timeout_ns:
            return inner
        if retries.hedging is not None and retries.hedging.on_per_try_timeout:
            return ConnectedLayer(inner)
        return within(inner, retries.per_try_timeout_ns, self._refusals, timed_out(service), ticks=ticks)

    def _tries(self, view: View, stack: Stack, layer: int, visible: int, deadline: Outcome) -> Handler:
        """From the retries to the link, by one view."""
        refusals, cluster = self._refusals, view.cluster
        chooser = Chooser(view, None if stack.retries is None else stack.retries.policy, stack.persistence)
        handler: Handler
        if cluster.backends:
            handler = BackendsLayer(
                tuple(Way(backend.operation, self._below_the_pick(view, stack, backend.service)) for backend in cluster.backends)
            )
        else:
            handler = self._below_the_pick(view, stack, view.service)
        if cluster.connections is not None and cluster.connections.is_balanced:
            handler = TransportLayer(handler, view, self._links, refusals, cluster.connections)
            handler = WatchfulTransportLayer(handler, view) if view.is_dynamic or cluster.balancer.observes else handler
        else:
            is_watched = view.is_dynamic or cluster.balancer.observes
            handler = pick_layer(handler, chooser, refusals, is_watched=is_watched, deadline=deadline)
        if view.breaker is not None or view.throttling is not None or view.limiter is not None:
            handler = GuardLayer(handler, view, refusals)
        return around(handler, Stack(0, stack.retries), refusals, layer, view, timed_out(view.service), visible)

    def _below_the_pick(self, view: View, stack: Stack, service: int) -> Handler:
        """From the pool, where the pick does not bring its connection, to the link to an instance of a service."""
        refusals, cluster, links = self._refusals, view.cluster, self._links
        hop = HopLayer(refusals.clock, links, service, refusals)
        if len(self._plan.names.zones) > 1:
            hop = ZonedHopLayer(refusals.clock, links, service, refusals, view, self._plan.operations)
        handler = self.per_try(hop, stack, service, view.ticks)
        if cluster.connections is not None:
            if cluster.connections.is_balanced:
                return handler
            return ConnectionLayer(handler, view, links, refusals, cluster.connections, service)
        if cluster.budget is not None or _limits_anything(cluster):
            return PoolLayer(handler, view, service, refusals)
        return handler


def _counted_at(views: tuple[View, ...], call: Call) -> Activity:
    """Where it is counted what befalls a whole call: where its latest try went; before any, of the first subset or backend."""
    endpoint = tried(call)
    if endpoint is not None:
        for view in views:
            if view.cluster.subset in (NONE, endpoint.instance.subset):
                return view.activity_of(endpoint)
    return views[0].activity


def _limits_anything(cluster: Cluster) -> bool:
    limits = cluster.limits
    return limits is not None and any(
        limit < NO_LIMIT for limit in (limits.max_connections, limits.max_pending_requests, limits.max_requests)
    )
