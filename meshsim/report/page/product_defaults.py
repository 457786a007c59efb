"""Which defaults of products fill in for what a scenario left out: the same ways as `meshsim.scenario.effective`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.report.page import mesh_defaults
from meshsim.scenario import effective
from meshsim.scenario.circumstances import EVERY_DESTINATION, Caller, Circumstances, circumstances
from meshsim.scenario.defaults import NO_PRODUCT, Default, Product, resolve
from meshsim.scenario.effective import NOBODY, caller_in_mesh, caller_of_route
from meshsim.scenario.sections.script import CallStep
from meshsim.scenario.sections.types import Choice, PolicySection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.traffic import RetriesSection, TrafficSection

RETRIES = "traffic.retries"
BACK_OFF = ("base_interval", "max_interval")
LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
BALANCER = "traffic.load_balancer"
CHOICES = f"{BALANCER}.least_request.choice_count"
NOTHING_WRITTEN = Circumstances((), NOBODY)


class Use(NamedTuple):
    """One default of a product, used at one place."""

    field: str
    """As the defaults name it, such as `traffic.timeout`."""
    product: Product
    place: str
    """For people, such as `sidecars to payment`."""
    written: Circumstances = NOTHING_WRITTEN
    """What it may hang on."""

    @property
    def default(self) -> Default:
        """What it means here."""
        return self.product.default(self.field).under(self.written)


def product_defaults(scenario: Scenario) -> Iterator[Use]:
    """Every default of the scenario's product, and of `none` where no product configures anything, that is used."""
    product = resolve(scenario.defaults)
    calls = list(_calls(scenario))
    called = list(dict.fromkeys(step.call.partition("/")[0] for _, step in calls))
    if "gateway" in scenario.deployment and scenario.gateway is not None:
        yield from _gateway(scenario, product)
    else:
        asked = dict.fromkeys(path.partition("/")[0] for load in scenario.load.values() for path in load.requests)
        yield from _without_proxy([name for name in asked if name in scenario.services], "clients")
    if "mesh" in scenario.deployment:
        yield from _mesh(scenario, called, product)
    else:
        yield from _without_proxy(called, "services")
    nobody = resolve(NO_PRODUCT)
    for name, load in scenario.load.items():
        yield from (Use(field, nobody, f"clients of {name}") for field in _own_retries(load.retries, nobody))
    for caller, step in calls:
        yield from (Use(field, nobody, f"{caller} to {step.call}") for field in _own_retries(step.retries, nobody))


def _gateway(scenario: Scenario, product: Product) -> Iterator[Use]:
    section = scenario.gateway
    assert section is not None  # noqa: S101 — the caller looked
    opens = section.tls is not None or section.max_connections is not None or _opens_connections(section.traffic, scenario)
    yield from (Use(field, product, "gateway") for field in _proxy(section, "gateway", opens=opens))
    yield from _filters(section.filters, "gateway", product)
    reached: dict[str, None] = {}
    for name, route in section.routes.items():
        targets = [target.partition("/")[0] for target in ([route.to] if isinstance(route.to, str) else route.to)]
        reached |= dict.fromkeys(targets)
        place = f"gateway's route {name}"
        first = effective.first_destination(route)
        blocks, written = _blocks(section.traffic, first), circumstances(section.traffic, first, caller_of_route(route), route)
        if route.timeout is None and _first(blocks, "timeout") is None:
            yield Use("traffic.timeout", product, place)
        if route.cluster_per is None:
            yield Use("traffic.cluster_per", product, place, written)
        retries = _first(blocks, "retries") if route.retries is None else route.retries
        yield from (Use(field, product, place, written) for field in _retries(retries, product))
    for target in reached:
        blocks, written = _blocks(section.traffic, target), circumstances(section.traffic, target, Caller("gateway"))
        for field in (*_cluster(blocks, product), *mesh_defaults.of_cluster(blocks, has_tls=_has_tls(scenario))):
            yield Use(field, product, f"gateway to {target}", written)
    for field in (*mesh_defaults.of_discovery(section.discovery), *mesh_defaults.of_telemetry(section.telemetry)):
        yield Use(field, product, "gateway")


def _has_tls(scenario: Scenario) -> bool:
    return "mesh" in scenario.deployment and scenario.mesh is not None and scenario.mesh.mtls is not None


def _opens_connections(entries: Mapping[str, TrafficSection], scenario: Scenario) -> bool:
    has_tls = _has_tls(scenario)
    return has_tls or any(mesh_defaults.opens_connections([block], has_tls=has_tls) for block in entries.values())


def _mesh(scenario: Scenario, called: list[str], product: Product) -> Iterator[Use]:
    section = scenario.mesh
    if section is None or section.mode == "sidecar":
        opens = section is not None and _opens_connections(section.traffic, scenario)
        yield from (Use(field, product, "sidecars") for field in _proxy(section, "mesh", opens=opens))
    yield from (Use(field, product, place) for field, place in mesh_defaults.of_mesh(scenario))
    for service, inbound in section.inbound.items() if section is not None else ():
        yield from _filters(inbound.filters, f"sidecars at {service}", product)
    for target in called:
        entries, caller = {} if section is None else section.traffic, caller_in_mesh(section, target)
        blocks, place, written = _blocks(entries, target), f"sidecars to {target}", circumstances(entries, target, caller)
        if _first(blocks, "timeout") is None:
            yield Use("traffic.timeout", product, place)
        yield from (Use(field, product, place, written) for field in _retries(_first(blocks, "retries"), product))
        yield from (Use(field, product, place, written) for field in _cluster(blocks, product))
        for field in mesh_defaults.of_cluster(blocks, has_tls=_has_tls(scenario)):
            yield Use(field, product, place, written)


def _without_proxy(targets: list[str], who: str) -> Iterator[Use]:
    yield from (Use(BALANCER, resolve(NO_PRODUCT), f"{who} to {target}") for target in targets)


def _calls(scenario: Scenario) -> Iterator[tuple[str, CallStep]]:
    """Every call that a script makes, with the service that makes it."""
    for name, service in scenario.services.items():
        for script in (service.script, *(operation.script for operation in service.operations.values())):
            for step in script or ():
                for one in step if isinstance(step, list | tuple) else (step,):
                    if isinstance(one, CallStep):
                        yield name, one


def _blocks(entries: Mapping[str, TrafficSection], destination: str) -> list[TrafficSection]:
    return [entries[key] for key in (destination, EVERY_DESTINATION) if key in entries]


def _first(blocks: list[TrafficSection], field: str) -> Any:
    return next((found for block in blocks if (found := getattr(block, field)) is not None), None)


def _proxy(section: Any, where: str, *, opens: bool) -> list[str]:
    """Of a proxy itself, which opens connections that are told apart or not."""
    names = ("workers", "proxy_time", "timer_resolution", *(("connection_time",) if opens else ()))
    return [f"{where}.{name}" for name in names if getattr(section, name, None) is None]


def _cluster(blocks: list[TrafficSection], product: Product) -> Iterator[str]:
    """How a proxy picks an endpoint, and the limits on what it sends."""
    balancer, breakers, budget = (_first(blocks, name) for name in ("load_balancer", "circuit_breakers", "retry_budget"))
    if balancer is None:
        yield BALANCER
        if product.default(BALANCER).value == "least_request":
            yield CHOICES
    elif balancer.model_fields_set == {"least_request"} and "choice_count" not in balancer.least_request.model_fields_set:
        yield CHOICES
    if budget is None:
        yield "traffic.retry_budget"
    else:
        absent = [name for name in ("budget_percent", "min_retry_concurrency") if getattr(budget, name) is None]
        yield from (f"traffic.retry_budget.{name}" for name in absent)
    yield from (f"traffic.circuit_breakers.{name}" for name in LIMITS if getattr(breakers, name, None) is None)


def _retries(block: RetriesSection | None, product: Product) -> Iterator[str]:
    """A proxy's: where there is no block, the product may retry without being asked."""
    if block is None:
        yield RETRIES
        if product.default(RETRIES).value is None:
            return
    yield from _settings_of_retries(block, product)


def _own_retries(block: RetriesSection | None, nobody: Product) -> Iterator[str]:
    """Of a client or an application, which no product configures: none without a block."""
    if block is not None:
        yield from _settings_of_retries(block, nobody)


def _settings_of_retries(block: RetriesSection | None, product: Product) -> Iterator[str]:
    """Those that are left open and matter: without any retry only the time for one try does."""
    asked = None if block is None else block.num_retries
    if block is not None and asked is None:
        yield f"{RETRIES}.num_retries"
    if getattr(block, "per_try_timeout", None) is None:
        yield f"{RETRIES}.per_try_timeout"
    if asked == 0 or (asked is None and product.default(f"{RETRIES}.num_retries").value == 0):
        return
    for name in ("retry_on", "retriable_status_codes", "retry_host_predicate"):
        if getattr(block, name, None) is None:
            yield f"{RETRIES}.{name}"
    back_off = getattr(block, "retry_back_off", None)
    yield from (f"{RETRIES}.retry_back_off.{name}" for name in BACK_OFF if getattr(back_off, name, None) is None)
    written = getattr(block, "retry_host_predicate", None)
    predicate = product.default(f"{RETRIES}.retry_host_predicate").value if written is None else written
    if predicate == "previous_hosts" and getattr(block, "host_selection_retry_max_attempts", None) is None:
        yield f"{RETRIES}.host_selection_retry_max_attempts"


def _filters(choices: list[Choice], place: str, product: Product) -> Iterator[Use]:
    for choice in choices:
        for name in sorted(choice.model_fields_set):
            for path in _unset(getattr(choice, name), f"filters.{name}"):
                if path in product.fields:
                    yield Use(path, product, place)


def _unset(section: Any, path: str) -> Iterator[str]:
    if not isinstance(section, PolicySection):
        return
    for name in type(section).model_fields:
        inner = getattr(section, name)
        if name not in section.model_fields_set:
            yield f"{path}.{name}"
        else:
            yield from _unset(inner, f"{path}.{name}")
