"""Reads a scenario into what `flow` follows: sources, routes, operations and the layers that guard each call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from meshsim.scenario import effective
from meshsim.scenario.circumstances import EVERY_DESTINATION
from meshsim.scenario.defaults import NO_PRODUCT, resolve
from meshsim.scenario.flow.caching import least_misses
from meshsim.scenario.sections.errors import ReplayedTime
from meshsim.scenario.sections.scripts import CachedStep, CallStep, LoopStep, ParallelStep, PublishStep, TransactionStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshsim.policies.retry.back_off import BackOff
    from meshsim.scenario.defaults import Product
    from meshsim.scenario.sections.gateway import GatewaySection
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
    back_off: BackOff | None = None
    """How long it waits in between."""


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
    """In the mean: probability x repeat. Of calls side by side each has a `Call` of its own."""
    layers: tuple[Layer, ...]
    """Outermost first: the application's own, its sidecar's."""
    path: Path
    is_waited_for: bool = True


@dataclass(frozen=True)
class Together:
    """Calls side by side."""

    calls: tuple[Call, ...]
    need: int = 0
    """So many of them are waited for; 0 for all."""


Step: TypeAlias = "float | Call | Together"
"""Nanoseconds of computing in the mean, a call, or calls side by side."""


@dataclass(frozen=True)
class Transaction:
    """Steps that hold a connection of a pool."""

    pool: str
    steps: tuple[Step, ...]
    times: float
    """For each request where nothing fails: as often as the loops around it turn and the caches around it miss, and 0 in a fallback."""


@dataclass(frozen=True)
class Lookup:
    """A step that reads through a cache."""

    cache: str
    steps: tuple[Step, ...]
    """What loads a value."""
    times: float
    """For each request where nothing fails."""
    is_keyed: bool
    """Whether it is inside of a step that reads through a cache with keys, which it looks up."""


@dataclass(frozen=True)
class Operation:
    """One thing that a service does."""

    key: str
    """`catalog`, or `catalog/list`."""
    service: str
    steps: tuple[Step, ...]
    transactions: tuple[Transaction, ...] = ()
    """Whose steps are among those."""
    lookups: tuple[Lookup, ...] = ()
    """The same."""


@dataclass(frozen=True)
class Route:
    """A route of the gateway."""

    shares: dict[str, float]
    """Of its requests by operation."""
    layer: Layer


def steps_of(scenario: Scenario, product: Product | None, service: str, script: Any, path: Path) -> tuple[Step, ...]:
    """A script's steps, with those inside of others among them."""
    steps: list[Step] = []
    for index, step in enumerate(script):
        if isinstance(step, TransactionStep | LoopStep):
            inside = steps_of(scenario, product, service, step.script, (*path, index, "script"))
            steps += inside * (step.loop if isinstance(step, LoopStep) else 1)
        elif isinstance(step, CachedStep):
            misses = least_misses(scenario.services[service].caches[step.cached])
            inside = steps_of(scenario, product, service, step.script, (*path, index, "script"))
            steps += steps_of(scenario, product, service, step.lookup or (), (*path, index, "lookup"))
            steps += [_less_often(one, misses) for one in inside]
        else:
            steps.append(_step(scenario, product, service, step, (*path, index)))
    return tuple(steps)


def _less_often(step: Step, share: float) -> Step:
    """A step that is done in a share of the cases, in the mean."""
    if isinstance(step, float):
        return step * share
    if isinstance(step, Call):
        return replace(step, times=step.times * share)
    return replace(step, calls=tuple(replace(one, times=one.times * share) for one in step.calls))


def _step(scenario: Scenario, product: Product | None, service: str, step: Any, path: Path) -> Step:
    if isinstance(step, list | tuple):
        return Together(_at_once(scenario, product, service, step, path))
    if isinstance(step, ParallelStep):
        return Together(_at_once(scenario, product, service, step.parallel, (*path, "parallel")), step.need or 0)
    if isinstance(step, PublishStep):
        return _message(scenario, step, path)
    if not isinstance(step, CallStep):
        return mean_ns(step.compute)
    one = _call(scenario, product, service, step, path)
    return replace(one, times=one.times * step.repeat)


def _message(scenario: Scenario, step: PublishStep, path: Path) -> Step:
    """A call of the consumer, which nobody waits for and no layer guards; nothing where nobody consumes."""
    consumer, times = scenario.consumers.get(step.publish), 1.0 if step.probability is None else step.probability
    return 0.0 if consumer is None else Call(consumer, times, (), path, is_waited_for=False)


def _at_once(
    scenario: Scenario, product: Product | None, service: str, calls: Iterable[CallStep], path: Path
) -> tuple[Call, ...]:
    """Calls side by side; one that is repeated is as many."""
    each = ((_call(scenario, product, service, one, (*path, index)), one.repeat) for index, one in enumerate(calls))
    return tuple(call for one, repeat in each for call in (one,) * repeat)


def _call(scenario: Scenario, product: Product | None, service: str, step: CallStep, path: Path) -> Call:
    """One call, not repeated."""
    again = tries(effective.own_retries(step.retries), (*path, "retries"))
    own = Layer(f"{service} itself", effective.timeout_ns(step.timeout), (*path, "timeout"), again)
    target = step.call.partition("/")[0]
    layers = (own, direct(scenario, service, target) if product is None else sidecar(scenario, product, service, target))
    return Call(step.call, 1.0 if step.probability is None else step.probability, layers, path, step.wait)


def sidecar(scenario: Scenario, product: Product, caller: str, target: str) -> Layer:
    """What a caller's sidecar does for calls to a service."""
    entries, path = _entries(scenario.mesh), ("mesh", "traffic")
    made = effective.traffic(entries, target, product, effective.caller_in_mesh(scenario.mesh, target))
    again = tries(made.retries, _written(entries, path, target, "retries"))
    return Layer(f"sidecar of {caller}", made.timeout_ns, _written(entries, path, target, "timeout"), again, made.idle_timeout_ns)


def direct(scenario: Scenario, caller: str, target: str) -> Layer:
    """What a caller without a proxy does for calls to a service."""
    entries, path = _entries(scenario.direct), ("direct", "traffic")
    made = effective.traffic(entries, target, resolve(NO_PRODUCT))
    again = tries(made.retries, _written(entries, path, target, "retries"))
    return Layer(f"{caller} itself", made.timeout_ns, _written(entries, path, target, "timeout"), again, made.idle_timeout_ns)


def _entries(section: Any) -> Mapping[str, TrafficSection]:
    return (section.traffic if section is not None else None) or {}


def _written(entries: Mapping[str, TrafficSection], path: Path, target: str, field: str) -> Path:
    """Where a setting of a destination stands; empty where it is not written."""
    keys = [key for key in (target, EVERY_DESTINATION) if getattr(entries.get(key), field, None) is not None]
    return (*path, keys[0], field) if keys else ()


def tries(made: effective.Retries | None, path: Path) -> Tries:
    """The tries that a block at `path` makes."""
    if made is None:
        return NO_RETRY
    return Tries(1 + made.num_retries, made.retry_on, made.retriable_status_codes, made.per_try_timeout_ns, path, made.back_off)


def routes(scenario: Scenario, product: Product, has_gateway: bool) -> dict[str, Route]:  # noqa: FBT001
    """The gateway's routes by name."""
    made: dict[str, Route] = {}
    for name, route in (scenario.gateway.routes if scenario.gateway else {}).items():
        assert scenario.gateway is not None  # noqa: S101 — or it has no routes
        layer = _route_layer(scenario.gateway, name, product) if has_gateway else Layer(f"route {name}", 0, (), NO_RETRY)
        made[name] = Route(destinations(route.to), layer)
    return made


def _route_layer(gateway: GatewaySection, name: str, product: Product) -> Layer:
    """What the gateway does for a route."""
    route = gateway.routes[name]
    made, first = effective.route_traffic(gateway, route, product), effective.first_destination(route)

    def written(field: str) -> Path:
        if getattr(route, field) is not None:
            return "gateway", "routes", name, field
        return _written(gateway.traffic, ("gateway", "traffic"), first, field)

    again = tries(made.retries, written("retries"))
    return Layer(f"route {name}", made.timeout_ns, written("timeout"), again, made.idle_timeout_ns)


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
