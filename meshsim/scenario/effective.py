"""What a scenario's settings come to when the product's defaults are filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshsim.policies.outlier_detection import OutlierDetection
from meshsim.policies.retry import FullJitter
from meshsim.scenario.circumstances import EVERY_DESTINATION, Caller, Circumstances, circumstances
from meshsim.scenario.defaults import NO_PRODUCT, Default, Multiple, Product, resolve
from meshsim.scenario.sections.types import choice_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.policies.circuit_breaking import CircuitBreaker
    from meshsim.policies.concurrency import ConcurrencyLimit
    from meshsim.policies.failure_accrual import FailureAccrual
    from meshsim.policies.load_balancing import LoadBalancer
    from meshsim.policies.locality import Locality
    from meshsim.policies.retry import BackOff, RetryTokenBudget
    from meshsim.policies.throttling import ClientThrottling
    from meshsim.scenario.sections.connections import ConnectionsSection
    from meshsim.scenario.sections.gateway import GatewaySection
    from meshsim.scenario.sections.proxies import MeshSection
    from meshsim.scenario.sections.resilience import HealthChecksSection, HedgeSection, MirrorSection
    from meshsim.scenario.sections.routes import RouteSection
    from meshsim.scenario.sections.traffic import RetriesSection, TrafficSection
    from meshsim.scenario.sections.types import PolicySection

NOBODY = Caller()
TAKES_NO_TIME = ("mesh.node_proxy",)
"""Proxies at layer 4, of whose timers and connections no product says anything here."""


@dataclass(frozen=True, slots=True)
class Retries:
    """A `retries:` block with nothing left open."""

    num_retries: int
    retry_on: tuple[str, ...]
    retriable_status_codes: tuple[int, ...]
    per_try_timeout_ns: int
    """0 for none."""
    base_interval_ns: int
    max_interval_ns: int
    avoids_previous_hosts: bool
    max_reselections: int
    back_off: BackOff
    max_retry_after_ns: int = 0
    """0 for not at all."""
    avoids_previous_priorities: bool = False
    update_frequency: int = 2


def of_proxy(section: object, where: str, name: str, product: Product) -> int:
    """A time in ns that every proxy of one kind has: what is written, or the product's; 0 of what no product says."""
    written: int | None = getattr(section, name, None)
    if written is not None or where in TAKES_NO_TIME:
        return written or 0
    default: int = product.default(f"{where}.{name}").value
    return default


@dataclass(frozen=True, slots=True)
class Traffic:
    """A `traffic:` entry with nothing left open."""

    timeout_ns: int
    """Over all tries; 0 for none."""
    retries: Retries | None
    load_balancer: LoadBalancer
    circuit_breakers: Mapping[str, int] | None
    """By Envoy's name of the limit; None where there are none."""
    budget_percent: float | None
    """Share; None without a retry budget."""
    min_retry_concurrency: int
    token_budget: RetryTokenBudget | None
    hedging: HedgeSection | None
    idle_timeout_ns: int
    """0 for none."""
    connect_timeout_ns: int
    """0 for none."""
    connections: ConnectionsSection | None
    max_concurrent_streams: int
    outliers: OutlierDetection | None
    accrual: FailureAccrual | None
    failfast_ns: int
    """How long the balancer's queue waits for an endpoint; 0 where there is no such queue."""
    queue_capacity: int
    health_checks: HealthChecksSection | None
    panic_threshold: float
    overprovisioning: float
    merge_window_ns: int
    ignores_health_on_removal: bool
    locality: Locality | None
    hash_on: str | None
    breaker: CircuitBreaker | None
    throttling: ClientThrottling | None
    limiter: ConcurrencyLimit | None
    split: Mapping[str, float] | None
    mirror: MirrorSection | None


def own_retries(block: RetriesSection | None) -> Retries | None:
    """Retries of a client or an application, which no product configures."""
    return None if block is None else _retries(block, Defaults(resolve(NO_PRODUCT), Circumstances((), Caller())))


class Defaults:
    """A product's defaults in the circumstances of one destination."""

    def __init__(self, product: Product, written: Circumstances) -> None:
        self._product = product
        self.written = written

    def of(self, field: str) -> Default:
        """What a field means here where it is absent."""
        return self._product.default(field).under(self.written)

    def fill(self, field: str, given: Any) -> Any:
        """What is written, or the default."""
        return self.of(field).fill(given)

    def inside(self, block: Any, field: str, where: str) -> Any:
        """The same for a field of a block that may be absent."""
        return self.fill(f"{where}.{field}", None if block is None else getattr(block, field))

    def settings_of(self, where: str) -> dict[str, Any]:
        """All defaults of a block, by the field's name."""
        prefix = f"{where}."
        return {field.removeprefix(prefix): self.of(field).value for field in self._product.fields if field.startswith(prefix)}


def traffic(
    entries: Mapping[str, TrafficSection],
    destination: str,
    product: Product,
    caller: Caller = NOBODY,
    route: RouteSection | None = None,
) -> Traffic:
    """What a proxy does for a destination: a route's own settings over the destination's entry over the product's defaults."""
    written = circumstances(entries, destination, caller, route)
    first, defaults = written.first, Defaults(product, written)

    def chosen(field: str) -> Any:
        value = first(field)
        return None if value is None else value.chosen

    def policy(field: str) -> Any:
        value = first(field)
        return None if value is None else value.policy()

    budget, outliers, connections = first("retry_budget"), first("outlier_detection"), first("connections")
    queue = first("balancer_queue")
    return Traffic(
        timeout_ns=timeout_ns(first("timeout"), defaults.of("traffic.timeout").value),
        retries=_of_proxy(first("retries"), defaults),
        load_balancer=_policy("load_balancer", chosen("load_balancer"), defaults),
        circuit_breakers=_limits(first("circuit_breakers"), defaults),
        budget_percent=None if budget is None else defaults.inside(budget, "budget_percent", "traffic.retry_budget"),
        min_retry_concurrency=0 if budget is None else defaults.inside(budget, "min_retry_concurrency", "traffic.retry_budget"),
        token_budget=chosen("retry_token_budget"),
        hedging=first("hedge_policy"),
        idle_timeout_ns=timeout_ns(first("idle_timeout")),
        connect_timeout_ns=timeout_ns(first("connect_timeout"), defaults.of("traffic.connect_timeout").value),
        connections=connections,
        max_concurrent_streams=defaults.inside(connections, "max_concurrent_streams", "traffic.connections"),
        outliers=None if outliers is None else _outliers(outliers, defaults),
        accrual=chosen("failure_accrual"),
        failfast_ns=timeout_ns(defaults.inside(queue, "failfast_timeout", "traffic.balancer_queue")),
        queue_capacity=defaults.inside(queue, "capacity", "traffic.balancer_queue"),
        health_checks=first("health_checks"),
        panic_threshold=defaults.fill("traffic.healthy_panic_threshold", first("healthy_panic_threshold")),
        overprovisioning=defaults.fill("traffic.overprovisioning_factor", first("overprovisioning_factor")) / 100,
        merge_window_ns=defaults.fill("traffic.update_merge_window", first("update_merge_window")),
        ignores_health_on_removal=defaults.fill("traffic.ignore_health_on_host_removal", first("ignore_health_on_host_removal")),
        locality=_policy("locality", chosen("locality"), defaults),
        hash_on=defaults.fill("traffic.hash_on", first("hash_on")),
        breaker=policy("circuit_breaker"),
        throttling=policy("client_throttling"),
        limiter=chosen("concurrency_limit"),
        split=first("split"),
        mirror=first("mirror"),
    )


def route_traffic(section: GatewaySection, route: RouteSection, product: Product) -> Traffic:
    """What a gateway does for a route: as for its first destination by name, under the route's own settings."""
    return traffic(section.traffic, first_destination(route), product, caller_of_route(route), route)


def cluster_per(section: GatewaySection, route: RouteSection, product: Product) -> str:
    """What a route's clusters are: one for each `service`, one for the `rule`, or one for each `backend` of the rule."""
    written = circumstances(section.traffic, first_destination(route), caller_of_route(route), route)
    made: str = Defaults(product, written).fill("traffic.cluster_per", route.cluster_per)
    return made


def first_destination(route: RouteSection) -> str:
    """The service whose settings are the whole route's: the first by name."""
    used = [name for name, weight in route.destinations.items() if weight or (route.canary and route.canary.to == name)]
    return min(used or route.destinations).partition("/")[0]


def caller_in_mesh(section: MeshSection | None, service: str) -> Caller:
    """Who sends the calls to a service in a mesh: the callers' sidecars, or its waypoint."""
    before = {} if section is None or section.waypoints is None else section.waypoints.services
    return Caller("waypoint" if section is not None and section.mode == "ambient" and service in before else "sidecar")


def caller_of_route(route: RouteSection) -> Caller:
    """The gateway, with as many destinations as the route has."""
    return Caller("gateway", sum(weight > 0 for weight in route.destinations.values()))


def writes_connections(entries: Mapping[str, TrafficSection], destination: str) -> bool:
    """Whether a scenario says anything about the connections to a destination."""
    blocks = [entries[key] for key in (destination, EVERY_DESTINATION) if key in entries]
    return any(block.connections is not None or block.connect_timeout is not None for block in blocks)


def timeout_ns(written: int | str | None, default: int | None = None) -> int:
    """Nanoseconds of a timeout that may be `none` or absent; 0 for none."""
    if written is None:
        return default or 0
    return written if isinstance(written, int) else 0


def _of_proxy(block: RetriesSection | None, defaults: Defaults) -> Retries | None:
    """A proxy's retries: the block, or what the product does without being asked."""
    return None if block is None and defaults.of("traffic.retries").value is None else _retries(block, defaults)


def _retries(block: RetriesSection | None, defaults: Defaults) -> Retries:
    where = "traffic.retries"
    back_off = None if block is None else block.retry_back_off
    base_ns: int = defaults.inside(back_off, "base_interval", f"{where}.retry_back_off")
    longest = defaults.inside(back_off, "max_interval", f"{where}.retry_back_off")
    other: Any = None if block is None or block.back_off is None else block.back_off.chosen
    longest_ns: int = longest.factor * base_ns if isinstance(longest, Multiple) else longest
    return Retries(
        num_retries=defaults.inside(block, "num_retries", where),
        retry_on=tuple(defaults.inside(block, "retry_on", where)),
        retriable_status_codes=tuple(defaults.inside(block, "retriable_status_codes", where)),
        per_try_timeout_ns=timeout_ns(defaults.inside(block, "per_try_timeout", where)),
        base_interval_ns=base_ns,
        max_interval_ns=longest_ns,
        avoids_previous_hosts=defaults.inside(block, "retry_host_predicate", where) == "previous_hosts",
        max_reselections=defaults.inside(block, "host_selection_retry_max_attempts", where),
        back_off=other or FullJitter(base_interval=base_ns, max_interval=longest_ns),
        max_retry_after_ns=0 if block is None else block.max_retry_after or 0,
        avoids_previous_priorities=block is not None and block.retry_priority == "previous_priorities",
        update_frequency=2 if block is None else block.update_frequency,
    )


def _outliers(block: PolicySection, defaults: Defaults) -> OutlierDetection:
    """The block's settings over the product's own over Envoy's."""
    written = {name: getattr(block, name) for name in block.model_fields_set}
    return OutlierDetection(**{**defaults.settings_of("traffic.outlier_detection"), **written})


def _limits(block: Any, defaults: Defaults) -> Mapping[str, int] | None:
    names = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    limits = {name: defaults.inside(block, name, "traffic.circuit_breakers") for name in names}
    known = {name: limit for name, limit in limits.items() if limit is not None}
    return known or None


def _policy(family: str, chosen: Any, defaults: Defaults) -> Any:
    """The policy that is chosen, or the one that the product's default names; None for none."""
    default = None if chosen is not None else defaults.of(f"traffic.{family}").value
    return choice_of(family).model_validate(default).chosen if default is not None else chosen
