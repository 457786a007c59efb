"""What a scenario's settings come to when the product's defaults are filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshsim.policies.outlier_detection import OutlierDetection
from meshsim.policies.retry import FullJitter
from meshsim.scenario.defaults import NO_PRODUCT, Multiple, Product, resolve
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
    from meshsim.scenario.sections.resilience import HealthChecksSection, HedgeSection, MirrorSection
    from meshsim.scenario.sections.traffic import RetriesSection, TrafficSection
    from meshsim.scenario.sections.types import PolicySection

EVERY_DESTINATION = "*"
"""The entry of `traffic:` that holds for all destinations which do not say otherwise."""


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
    return None if block is None else _retries(block, resolve(NO_PRODUCT))


def retries(block: RetriesSection | None, product: Product) -> Retries | None:
    """A proxy's retries: the block, or what the product does without being asked."""
    if block is None and product.default("traffic.retries").value is None:
        return None
    return _retries(block, product)


def traffic(entries: Mapping[str, TrafficSection], destination: str, product: Product) -> Traffic:
    """What a proxy does for a destination: its own entry over the one for all, over the product's defaults."""
    blocks = [entries[key] for key in (destination, EVERY_DESTINATION) if key in entries]

    def first(field: str) -> Any:
        return next((value for block in blocks if (value := getattr(block, field)) is not None), None)

    def chosen(field: str) -> Any:
        value = first(field)
        return None if value is None else value.chosen

    def policy(field: str) -> Any:
        value = first(field)
        return None if value is None else value.policy()

    breakers, budget, balancer = first("circuit_breakers"), first("retry_budget"), first("load_balancer")
    connections, connect_timeout = first("connections"), first("connect_timeout")
    queue = first("balancer_queue")
    outliers, merge_window_ns, panic = first("outlier_detection"), first("update_merge_window"), first("healthy_panic_threshold")
    factor = first("overprovisioning_factor")
    return Traffic(
        timeout_ns=timeout_ns(first("timeout"), product.default("traffic.timeout").value),
        retries=retries(first("retries"), product),
        load_balancer=_default_balancer(product) if balancer is None else balancer.chosen,
        circuit_breakers=_limits(breakers, product),
        budget_percent=None if budget is None else _value(budget, "budget_percent", "traffic.retry_budget", product),
        min_retry_concurrency=0 if budget is None else _value(budget, "min_retry_concurrency", "traffic.retry_budget", product),
        token_budget=chosen("retry_token_budget"),
        hedging=first("hedge_policy"),
        idle_timeout_ns=timeout_ns(first("idle_timeout")),
        connect_timeout_ns=timeout_ns(connect_timeout, product.default("traffic.connect_timeout").value),
        connections=connections,
        max_concurrent_streams=_value(connections, "max_concurrent_streams", "traffic.connections", product),
        outliers=None if outliers is None else _outliers(outliers, product),
        accrual=chosen("failure_accrual"),
        failfast_ns=timeout_ns(_value(queue, "failfast_timeout", "traffic.balancer_queue", product)),
        queue_capacity=_value(queue, "capacity", "traffic.balancer_queue", product),
        health_checks=first("health_checks"),
        panic_threshold=product.default("traffic.healthy_panic_threshold").value if panic is None else panic,
        overprovisioning=(product.default("traffic.overprovisioning_factor").value if factor is None else factor) / 100,
        merge_window_ns=product.default("traffic.update_merge_window").value if merge_window_ns is None else merge_window_ns,
        ignores_health_on_removal=(
            product.default("traffic.ignore_health_on_host_removal").value
            if (ignores := first("ignore_health_on_host_removal")) is None
            else ignores
        ),
        locality=chosen("locality"),
        hash_on=first("hash_on"),
        breaker=policy("circuit_breaker"),
        throttling=policy("client_throttling"),
        limiter=chosen("concurrency_limit"),
        split=first("split"),
        mirror=first("mirror"),
    )


def writes_connections(entries: Mapping[str, TrafficSection], destination: str) -> bool:
    """Whether a scenario says anything about the connections to a destination."""
    blocks = [entries[key] for key in (destination, EVERY_DESTINATION) if key in entries]
    return any(block.connections is not None or block.connect_timeout is not None for block in blocks)


def timeout_ns(written: int | str | None, default: int | None = None) -> int:
    """Nanoseconds of a timeout that may be `none` or absent; 0 for none."""
    if written is None:
        return default or 0
    return written if isinstance(written, int) else 0


def _retries(block: RetriesSection | None, product: Product) -> Retries:
    where = "traffic.retries"
    back_off = None if block is None else block.retry_back_off
    base_ns: int = _value(back_off, "base_interval", f"{where}.retry_back_off", product)
    longest = _value(back_off, "max_interval", f"{where}.retry_back_off", product)
    other: Any = None if block is None or block.back_off is None else block.back_off.chosen
    longest_ns: int = longest.factor * base_ns if isinstance(longest, Multiple) else longest
    return Retries(
        num_retries=_value(block, "num_retries", where, product),
        retry_on=tuple(_value(block, "retry_on", where, product)),
        retriable_status_codes=tuple(_value(block, "retriable_status_codes", where, product)),
        per_try_timeout_ns=timeout_ns(_value(block, "per_try_timeout", where, product)),
        base_interval_ns=base_ns,
        max_interval_ns=longest_ns,
        avoids_previous_hosts=_value(block, "retry_host_predicate", where, product) == "previous_hosts",
        max_reselections=_value(block, "host_selection_retry_max_attempts", where, product),
        back_off=other or FullJitter(base_interval=base_ns, max_interval=longest_ns),
        max_retry_after_ns=0 if block is None else block.max_retry_after or 0,
        avoids_previous_priorities=block is not None and block.retry_priority == "previous_priorities",
        update_frequency=2 if block is None else block.update_frequency,
    )


def _outliers(block: PolicySection, product: Product) -> OutlierDetection:
    """The block's settings over the product's own over Envoy's."""
    written = {name: getattr(block, name) for name in block.model_fields_set}
    prefix = "traffic.outlier_detection."
    own = {field.removeprefix(prefix): one.value for field, one in product.fields.items() if field.startswith(prefix)}
    return OutlierDetection(**{**own, **written})


def _limits(block: Any, product: Product) -> Mapping[str, int] | None:
    names = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    limits = {name: _value(block, name, "traffic.circuit_breakers", product) for name in names}
    known = {name: limit for name, limit in limits.items() if limit is not None}
    return known or None


def _default_balancer(product: Product) -> LoadBalancer:
    made: LoadBalancer = choice_of("load_balancer").model_validate(product.default("traffic.load_balancer").value).chosen
    return made


def _value(block: Any, field: str, where: str, product: Product) -> Any:
    given = None if block is None else getattr(block, field)
    return product.default(f"{where}.{field}").value if given is None else given
