"""The control plane by itself: real instances of services, a few callers' views of them, and a plan of what comes and goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import made_up

from meshsim.distributions import Constant
from meshsim.engines.reference.control.control import Control
from meshsim.engines.reference.destinations.place import Place
from meshsim.engines.reference.destinations.view import View
from meshsim.engines.reference.layers.hop import HopLayer
from meshsim.engines.reference.services.instance import Instance
from meshsim.engines.reference.time.beginnings import Beginnings
from meshsim.engines.reference.time.clock import Clock
from meshsim.engines.reference.time.ticks import Ticks
from meshsim.engines.reference.travel.call import CALLER_GATEWAY, Call
from meshsim.engines.reference.travel.network import Links
from meshsim.engines.reference.travel.refusals import Refusals
from meshsim.engines.reference.travel.request import Request
from meshsim.flags import Flag
from meshsim.plan import NONE, Cluster, Effect, Fault, HealthCheck, Lifecycle, Network, Operation, Step, StepKind
from meshsim.policies.load_balancing import RoundRobin
from meshsim.randomness import call_key
from meshsim.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.distributions import Distribution
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.plan import Discovery

MS = 1_000_000
WORK_MS = (10, 30, 100, 1000)
"""How long the operations work that requests may ask for."""


@dataclass
class Sent:
    """A request and what became of it; times in ms, -1 where it has not ended."""

    outcome: Outcome | None = None
    ended_ms: float = -1
    instance: int = -1

    @property
    def flags(self) -> Flag:
        assert self.outcome is not None
        return Flag(self.outcome.flags)


class NotedView(View):
    """A view that writes down what it is told: `(ms, index)`."""

    __slots__ = ("ill", "joined", "left", "well")

    def join(self, index: int) -> None:
        self._note(self.joined, index, super().join)

    def leave(self, index: int) -> None:
        self._note(self.left, index, super().leave)

    def _note(self, told: list[tuple[float, int]], index: int, change: Callable[[int], None]) -> None:
        before = self.endpoints[index].is_member
        change(index)
        if self.endpoints[index].is_member != before:
            told.append((self.clock.now_ns / MS, index))

    def set_health(self, index: int, is_healthy: bool) -> None:  # noqa: FBT001
        (self.well if is_healthy else self.ill).append((self.clock.now_ns / MS, index))
        super().set_health(index, is_healthy)


def lifecycle(replicas: int, **changes_ms: Any) -> Lifecycle:
    """Replicas that stay, start at once, and are lost at once where they go; times of all changes in ms."""
    scale = tuple((round(at * MS), count) for at, count in changes_ms.pop("scale", ()))
    restarts = tuple((round(at * MS), batch) for at, batch in changes_ms.pop("restarts", ()))
    times = {"startup": 0, "pre_stop": 0, "grace": 0, **changes_ms}
    readiness = times.pop("readiness", None)
    order = tuple(times.pop("order", range(10)))
    rollouts = times.pop("rollouts_", None)
    made_ns = {f"{name}_ns": round(ms * MS) for name, ms in times.items()}
    readiness_ns = NONE if readiness is None else round(readiness * MS)
    return Lifecycle(replicas, order, scale, restarts, readiness_ns=readiness_ns, rollouts=rollouts, **made_ns)


def check(**changes: Any) -> HealthCheck:
    """Every 50 ms; times of all changes in ms."""
    times = {"interval": 50, "timeout": 20, **{name: changes.pop(name) for name in ("interval", "timeout") if name in changes}}
    made_ns = {f"{name}_ns": round(ms * MS) for name, ms in times.items()}
    return HealthCheck(**{"unhealthy_threshold": 1, "healthy_threshold": 1, "uses_worker": False, **made_ns, **changes})


ROUND_MS = 52
"""From a check that is answered to the next one."""


def fault(at_ms: float, until_ms: float, *instances: int, effect: Effect = Effect.CRASH) -> Fault:
    return Fault(round(at_ms * MS), round(until_ms * MS), 0, instances, effect, 1.0)


class Bench:
    """One service 1 ms away, callers of it in a mesh, and one at the gateway, which learns of all changes at once."""

    def __init__(
        self,
        *,
        places: int = 2,
        workers: int = 1,
        life: Lifecycle | None = None,
        discovery: Discovery | None = None,
        check: HealthCheck | None = None,
        faults: tuple[Fault, ...] = (),
        callers: int = 1,
        latency: Distribution | None = None,
        error_rate: float = 0.0,
        key: int = 0,
        priorities: tuple[int, ...] = (),
        tick_ms: float = 0,
        **traffic: Any,
    ) -> None:
        """`tick_ms`: of the callers' coarse clocks, which all tick at 0; `traffic`: other parts of the callers' `Cluster`."""
        self.clock = Clock()
        self._proxy: Any = SimpleNamespace(ticks=Ticks(self.clock, round(tick_ms * MS), 0)) if tick_ms else None
        self.recorder = Recorder(())
        self.links = Links(Network(Constant(value=MS) if latency is None else latency, None))
        plan = made_up.plan(replicas=places, workers=workers, mesh=True)
        assert plan.mesh is not None
        service = replace(plan.services[0], lifecycle=life, may_crash=True, priorities=priorities)
        operations = tuple(
            Operation(0, (Step(StepKind.COMPUTE, 0, Constant(value=ms * MS)),), error_rate, None, 503, NONE, not error_rate)
            for ms in WORK_MS
        )
        mesh = replace(plan.mesh, discovery=discovery)
        self.plan = replace(plan, services=(service,), operations=operations, mesh=mesh, faults=faults)
        self.instances = tuple(
            Instance(self.clock, self.recorder, service, 0, index, operations, call_key(key, index)) for index in range(places)
        )
        self.control = Control(self.clock, self.plan, (self.instances,), self.links, self.recorder)
        refusals = Refusals(self.clock, self.recorder, (0,) * len(operations))
        self.hop = HopLayer(self.clock, self.links, 0, refusals)
        cluster = Cluster(service=0, balancer=RoundRobin(), health_check=check, panic_threshold=0.0)
        self.views = [self._view(replace(cluster, **traffic), 1 + number, 0) for number in range(callers)]
        self.gateway = self._view(replace(cluster, health_check=None), 1000, CALLER_GATEWAY)
        """Its notes tell what happens in the registry."""
        self.view = self.views[0]
        self.control.begin(Beginnings(self.plan, 0, 0), 0)
        self._sent = 0

    def _view(self, cluster: Cluster, key: int, caller: int) -> NotedView:
        place = Place(key, 0, proxy=self._proxy)
        view = NotedView(self.clock, cluster, self.plan.services[0], self.instances, place, self.links.constant_ns)
        view.joined, view.left, view.well, view.ill = [], [], [], []
        self.control.follow(view, caller)
        return view

    @property
    def now_ms(self) -> float:
        return self.clock.now_ns / MS

    def send(self, at_ms: float, work_ms: int = 10, *, to: int | None = None) -> Sent:
        """A request of the first caller, to this instance or to the load balancer's choice."""
        sent = Sent()
        self.at(at_ms, partial(self._start, sent, WORK_MS.index(work_ms), to))
        return sent

    def _start(self, sent: Sent, operation: int, to: int | None) -> None:
        self._sent += 1
        call = Call(Request(0, 0, -1, self._sent, 0, 0, self.clock.now_ns), self._sent, operation, 0, 0)
        endpoint = self.view.pick(call) if to is None else self.view.endpoints[to]
        assert endpoint is not None
        call.endpoint, sent.instance = endpoint, endpoint.index
        self.clock.start(self.hop.call(call), partial(self._end, sent))

    def _end(self, sent: Sent, outcome: Outcome) -> None:
        sent.outcome, sent.ended_ms = outcome, self.now_ms

    def healthy(self, view: View | None = None) -> list[int]:
        """Among whom a caller picks."""
        return [one.index for one in (view or self.view).endpoints if one.is_member and one.is_healthy]

    def at(self, at_ms: float, what: Callable[[], Any]) -> None:
        """Do something at an instant."""
        self.clock.call_at(round(at_ms * MS), what)

    def run(self, until_ms: float = 10_000) -> None:
        """To this instant: checks and lookups never end."""
        self.at(until_ms, lambda: setattr(self.clock, "is_over", True))
        self.clock.run_all(lambda: None)
        assert self.clock.now_ns == round(until_ms * MS)
