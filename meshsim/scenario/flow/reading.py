"""Reads a scenario into what `flow` follows: sources, routes, operations and the layers that guard each call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from meshsim.scenario import effective
from meshsim.scenario.defaults import NO_PRODUCT, resolve
from meshsim.scenario.sections.services import ReplayedTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshsim.scenario.defaults import Product
    from meshsim.scenario.sections.model import Scenario
    from meshsim.scenario.sections.traffic import TrafficSection

Path: TypeAlias = tuple[str | int, ...]
"""Of a setting: keys and positions in lists."""


@dataclass(frozen=True)
class Tries:
    """How often one layer tries, and upon what."""

    attempts: int
    """1 where nothing is retried."""
    retry_on: tuple[str, ...]
    codes: tuple[int, ...]
    per_try_timeout_ns: int
    """0 for none."""
    path: Path
    """Of the block; empty where the product adds it."""


NO_RETRY = Tries(1, (), (), 0, ())


@dataclass(frozen=True)
class Layer:
    """Who guards a call, with what timeout and retries."""

    who: str
    """For people: `load shoppers`, `route browse`, `sidecar of frontend`."""
    timeout_ns: int
    """Over all tries; 0 for none."""
    timeout_path: Path
    """Empty where the product sets it."""
    tries: Tries
    idle_timeout_ns: int = 0
    """Time without a byte; 0 for none."""

    @property
    def has_an_end(self) -> bool:
        """Whether it gives up by itself, sooner or later."""
        return bool(self.timeout_ns or self.tries.per_try_timeout_ns or self.idle_timeout_ns)


@dataclass(frozen=True)
class Call:
    """A call in a script."""

    target: str
    times: float
    """In the mean: probability x repeat."""
    layers: tuple[Layer, ...]
    """Outermost first: the application's own, its sidecar's."""
    path: Path


Step: TypeAlias = "float | Call | tuple[Step, ...]"
"""Nanoseconds of computing in the mean, a call, or steps side by side."""


@dataclass(frozen=True)
class Operation:
    """One thing that a service does."""

    key: str
    """`catalog`, or `catalog/list`."""
    service: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Route:
    """A route of the gateway."""

    shares: dict[str, float]
    """Of its requests by operation."""
    layer: Layer


def operations(scenario: Scenario, product: Product, has_mesh: bool) -> Iterator[Operation]:  # noqa: FBT001
    """All operations of all services."""
    for name, service in scenario.services.items():
        scripts: dict[str, tuple[Path, Any]] = {name: (("services", name), service.script)}
        for operation, inner in (service.operations or {}).items():
            scripts[f"{name}/{operation}"] = (("services", name, "operations", operation), inner.script)
        for key, (path, script) in scripts.items():
            if script is not None or key != name or not service.operations:
                steps = _steps(scenario, product if has_mesh else None, name, script or (), (*path, "script"))
                yield Operation(key, name, steps)


def _steps(scenario: Scenario, product: Product | None, service: str, script: Any, path: Path) -> tuple[Step, ...]:
    return tuple(_step(scenario, product, service, step, (*path, index)) for index, step in enumerate(script))


def _step(scenario: Scenario, product: Product | None, service: str, step: Any, path: Path) -> Step:
    if isinstance(step, list | tuple):
        return _steps(scenario, product, service, step, path)
    if getattr(step, "call", None) is None:
        return mean_ns(step.compute)
    again = tries(effective.own_retries(step.retries), (*path, "retries"))
    own = Layer(f"{service} itself", effective.timeout_ns(step.timeout), (*path, "timeout"), again)
    target = step.call.partition("/")[0]
    layers = (own, direct(scenario, service, target) if product is None else sidecar(scenario, product, service, target))
    times = (1.0 if step.probability is None else step.probability) * (step.repeat or 1)
    return Call(step.call, times, layers, path)


def sidecar(scenario: Scenario, product: Product, caller: str, target: str) -> Layer:
    """What a caller's sidecar does for calls to a service."""
    return _traffic_layer(f"sidecar of {caller}", _entries(scenario.mesh), ("mesh", "traffic"), product, target)


def direct(scenario: Scenario, caller: str, target: str) -> Layer:
    """What a caller without a proxy does for calls to a service."""
    return _traffic_layer(f"{caller} itself", _entries(scenario.direct), ("direct", "traffic"), resolve(NO_PRODUCT), target)


def _entries(section: Any) -> Mapping[str, TrafficSection]:
    return (section.traffic if section is not None else None) or {}


def _traffic_layer(who: str, entries: Mapping[str, TrafficSection], path: Path, product: Product, target: str) -> Layer:
    made = effective.traffic(entries, target, product)

    def written(field: str) -> Path:
        keys = [key for key in (target, effective.EVERY_DESTINATION) if getattr(entries.get(key), field, None) is not None]
        return (*path, keys[0], field) if keys else ()

    return Layer(who, made.timeout_ns, written("timeout"), tries(made.retries, written("retries")), made.idle_timeout_ns)


def tries(made: effective.Retries | None, path: Path) -> Tries:
    """The tries that a block at `path` makes."""
    if made is None:
        return NO_RETRY
    return Tries(1 + made.num_retries, made.retry_on, made.retriable_status_codes, made.per_try_timeout_ns, path)


def routes(scenario: Scenario, product: Product, has_gateway: bool) -> dict[str, Route]:  # noqa: FBT001
    """The gateway's routes by name."""
    made: dict[str, Route] = {}
    for name, route in (scenario.gateway.routes if scenario.gateway else {}).items():
        shares = destinations(route.to)
        first = next(iter(shares)).partition("/")[0]
        layer = _traffic_layer(f"route {name}", _entries(scenario.gateway), ("gateway", "traffic"), product, first)
        path = ("gateway", "routes", name)
        made[name] = Route(
            shares,
            Layer(
                layer.who,
                layer.timeout_ns if route.timeout is None else effective.timeout_ns(route.timeout),
                layer.timeout_path if route.timeout is None else (*path, "timeout"),
                layer.tries if route.retries is None else tries(effective.retries(route.retries, product), (*path, "retries")),
                layer.idle_timeout_ns if route.idle_timeout is None else effective.timeout_ns(route.idle_timeout),
            )
            if has_gateway
            else Layer(layer.who, 0, (), NO_RETRY),
        )
    return made


def destinations(to: Any) -> dict[str, float]:
    """Shares by operation of a route's `to`: one name, or weights."""
    if isinstance(to, str):
        return {to: 1.0}
    total = sum(to.values())
    return {key: weight / total for key, weight in to.items() if weight}


def mean_ns(time: Any) -> float:
    """Mean of a time in nanoseconds; 0 where it is not known before the run (a table of measurements)."""
    if time is None:
        return 0.0
    if isinstance(time, int | float):
        return float(time)
    return 0.0 if isinstance(time, ReplayedTime) else float(time.chosen.mean_ns)
