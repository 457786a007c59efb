"""What a scenario's settings come to when the product's defaults are filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshsim.scenario.defaults import NO_PRODUCT, Multiple, Product, resolve
from meshsim.scenario.types import choice_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.policies.load_balancing import LoadBalancer
    from meshsim.scenario.traffic import RetriesSection, TrafficSection

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

    breakers, budget, balancer = first("circuit_breakers"), first("retry_budget"), first("load_balancer")
    return Traffic(
        timeout_ns=timeout_ns(first("timeout"), product.default("traffic.timeout").value),
        retries=retries(first("retries"), product),
        load_balancer=_default_balancer(product) if balancer is None else balancer.chosen,
        circuit_breakers=_limits(breakers, product),
        budget_percent=None if budget is None else _value(budget, "budget_percent", "traffic.retry_budget", product),
        min_retry_concurrency=0 if budget is None else _value(budget, "min_retry_concurrency", "traffic.retry_budget", product),
    )


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
    return Retries(
        num_retries=_value(block, "num_retries", where, product),
        retry_on=tuple(_value(block, "retry_on", where, product)),
        retriable_status_codes=tuple(_value(block, "retriable_status_codes", where, product)),
        per_try_timeout_ns=timeout_ns(_value(block, "per_try_timeout", where, product)),
        base_interval_ns=base_ns,
        max_interval_ns=longest.factor * base_ns if isinstance(longest, Multiple) else longest,
        avoids_previous_hosts=_value(block, "retry_host_predicate", where, product) == "previous_hosts",
        max_reselections=_value(block, "host_selection_retry_max_attempts", where, product),
    )


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
