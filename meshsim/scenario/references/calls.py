"""Who calls whom: that the callee exists, that the calls of one request come to an end, and how many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import Finding, shortened, shown
from meshsim.scenario.references.scripts import consumers, messages, scripts, times, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path

MOST_CALLS = 100_000
"""Calls that one request may lead to, if every call is made and none is retried."""


class Call(NamedTuple):
    """One call in a script."""

    target: str
    times: int
    path: Path


def unknown_target(tree: Any, target: str) -> str | None:
    """What is wrong with the name of a service or `service/operation`; None if nothing is."""
    services: Any = tree.get("services")
    services = services if isinstance(services, dict) else {}
    service, slash, operation = target.partition("/")
    if service not in services:
        return f"unknown service {shown(service)}{did_you_mean(service, services)}"
    section: dict[str, Any] = services[service] if isinstance(services[service], dict) else {}
    operations: Any = section.get("operations")
    operations = operations if isinstance(operations, dict) else {}
    if slash and operation not in operations:
        if not operations:
            return f"{service} has no operations; write '{service}'"
        return f"{service} has no operation {shown(operation)}{did_you_mean(operation, operations)}"
    if not slash and operations and section.get("script") is None:
        return f"{service} has no script of its own; write one of its operations: {_listed(service, operations)}"
    return None


def _listed(service: str, operations: dict[str, Any]) -> str:
    names = [f"'{service}/{shortened(name)}'" for name in sorted(operations)]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def findings(tree: Any) -> Iterator[Finding]:
    """Calls to what does not exist, calls in a circle, and calls and steps without measure."""
    made, unbounded = operations(tree), too_long(tree)
    yield from unbounded.values()
    for each in made.values():
        for call in each:
            if message := unknown_target(tree, call.target):
                yield Finding(call.path, message)
    yield from _messages(tree, made)
    asks = [(caller, ask) for caller, ask in _asks(tree, made) if not unknown_target(tree, ask.target)]
    for caller, ask in asks:
        made[caller].append(ask)
    what = "calls, with what filters ask," if asks else "calls"
    order, circles = _sorted(made)
    for circle, closing in circles:
        yield Finding(closing.path, f"{what} in a circle never end: {' -> '.join(map(shortened, circle))}")
    if not circles:
        yield from _too_many({name: [] if name in unbounded else each for name, each in made.items()}, order)


def _messages(tree: Any, made: dict[str, list[Call]]) -> Iterator[Finding]:
    """Operations that consume messages and are not there; the others are called by who publishes, which is added to `made`."""
    consumed = consumers(tree)
    for queue, (operation, path) in consumed.items():
        if message := unknown_target(tree, operation):
            yield Finding(path, message, at_key=path[-1] == queue)
    for one in messages(tree):
        target = consumed.get(one.queue, ("", ()))[0]
        if target in made:
            made[one.operation].append(Call(target, 1, one.path))


def operations(tree: Any) -> dict[str, list[Call]]:
    """The calls of each operation, by `service` or `service/operation`."""
    return {script.operation: list(_calls(script.steps, script.path)) for script in scripts(tree)}


def _asks(tree: Any, made: dict[str, list[Call]]) -> Iterator[tuple[str, Call]]:
    """What filters before services ask, by the operation that leads to it.

    A sidecar's filter asks for each request to its service, and the question passes the filters before whom it asks. In ambient mode
    questions go past waypoints, so that only who calls such a service by its script leads to one.
    """
    if "mesh" not in str(tree.get("deployment")):
        return
    mesh = _mapping(tree.get("mesh"))
    is_ambient = mesh.get("mode") == "ambient"
    for service, block in _mapping(mesh.get("inbound")).items():
        concerned = [
            caller
            for caller, called in made.items()
            if service in {name.partition("/")[0] for name in ([call.target for call in called] if is_ambient else [caller])}
        ]
        filters = _mapping(block).get("filters")
        for index, one in enumerate(filters if isinstance(filters, list) else ()):
            for name, settings in _mapping(one).items():
                target = _mapping(settings).get("service")
                if isinstance(target, str):
                    path: Path = ("mesh", "inbound", service, "filters", index, name, "service")
                    yield from ((caller, Call(target, 1, path)) for caller in concerned)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _calls(script: Any, path: Path) -> Iterator[Call]:
    for index, step in enumerate(script if isinstance(script, list) else ()):
        if isinstance(step, list) and not isinstance(path[-1], int):
            yield from _calls(step, (*path, index))
        elif isinstance(step, dict) and "call" not in step:
            for key in ("lookup", "script", "parallel"):
                for call in _calls(step.get(key), (*path, index, key)):
                    yield call._replace(times=call.times * times(step, "loop"))
        elif isinstance(step, dict) and isinstance(step.get("call"), str):
            repeat = times(step, "repeat")
            yield Call(step["call"], repeat, (*path, index, "call"))
            for call in _calls(step.get("fallback"), (*path, index, "fallback")):
                yield call._replace(times=call.times * repeat)


def _sorted(made: dict[str, list[Call]]) -> tuple[list[str], list[tuple[list[str], Call]]]:
    """Callees before their callers, and the circles: each as its names, the first again at the end, with the call that closes it.

    Depth first and without recursion: a chain of calls may be longer than Python's stack.
    """
    order: list[str] = []
    circles: list[tuple[list[str], Call]] = []
    done: set[str] = set()
    for start in sorted(made):
        way: list[str] = [] if start in done else [start]
        on_way, pending = set(way), [iter(made[start])] if way else []
        while pending:
            call = next(pending[-1], None)
            if call is None:
                pending.pop()
                finished = way.pop()
                on_way.remove(finished)
                done.add(finished)
                order.append(finished)
            elif call.target in on_way:
                circles.append(([*way[way.index(call.target) :], call.target], call))
            elif call.target in made and call.target not in done:
                way.append(call.target)
                on_way.add(call.target)
                pending.append(iter(made[call.target]))
    return order, circles


def _too_many(made: dict[str, list[Call]], order: list[str]) -> Iterator[Finding]:
    """Operations of which one request leads to more calls than can be meant; only the first on each way is told."""
    total: dict[str, int] = {}
    for name in order:
        total[name] = sum(call.times * (1 + total.get(call.target, 0)) for call in made[name])
        if total[name] > MOST_CALLS:
            worst = max(made[name], key=lambda call: call.times * (1 + total.get(call.target, 0)))
            yield Finding(
                worst.path,
                f"one request to {shortened(name)} leads to {total[name]:,} calls; at most {MOST_CALLS:,} are simulated",
            )
            total[name] = 0
