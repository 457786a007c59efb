"""The scripts of a plain tree, and how many steps they are once `loop` and `repeat` are multiplied out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshsim.scenario.files.nodes import Finding, mapping, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.scenario.files.nodes import Path

MOST_STEPS = 100_000
"""Of one script; a plan has each of them."""
MOST_TIMES = 1000
"""That a loop turns or a call is repeated; the model says so where more are written."""


class Script(NamedTuple):
    """What a service or one of its operations does."""

    operation: str
    """`service` or `service/operation`."""
    path: Path
    steps: Any
    """As written; None where there are none."""


def scripts(tree: Any) -> Iterator[Script]:
    """All scripts, of a service before those of its operations."""
    for name, service in mapping(tree, "services").items():
        if isinstance(service, dict):
            yield Script(name, ("services", name, "script"), service.get("script"))
            for operation, section in mapping(service, "operations").items():
                path = ("services", name, "operations", operation, "script")
                yield Script(f"{name}/{operation}", path, mapping(section).get("script"))


def times(step: Any, key: str) -> int:
    """How often a `loop` turns or a call is made for its `repeat`; 1 where that is not said, or wrongly."""
    given = step.get(key, 1)
    return given if type(given) is int and 0 < given <= MOST_TIMES else 1


def too_long(tree: Any) -> dict[str, Finding]:
    """Scripts that no plan has room for, by operation."""
    found = {}
    for script in scripts(tree):
        steps, path = _size(script.steps, script.path)
        if steps > MOST_STEPS:
            found[script.operation] = Finding(
                path,
                f"{shortened(script.operation)} has {steps:,} steps, with all that `loop` and `repeat` repeat; at most {MOST_STEPS:,} are"
                " simulated",
            )
    return found


def _size(script: Any, path: Path) -> tuple[int, Path]:
    """How many steps a script is, and what multiplies most of them: the outermost `loop` or `repeat` around them."""
    sizes = [_size_of(step, (*path, index)) for index, step in enumerate(script if isinstance(script, list) else ())]
    return sum(steps for steps, _ in sizes), max(sizes, key=lambda size: size[0], default=(0, path))[1]


def _size_of(step: Any, path: Path) -> tuple[int, Path]:
    if isinstance(step, list) and not isinstance(path[-2], int):  # and not a list among calls made at once
        steps, inside = _size(step, path)
        return 1 + steps, inside if steps else path
    if not isinstance(step, dict):
        return 1, path
    if "call" in step or "publish" in step:
        steps, inside = _size(step.get("fallback"), (*path, "fallback"))
        repeat = times(step, "repeat")
        return repeat * (1 + steps), (*path, "repeat") if repeat > 1 else inside if steps else path
    key = "parallel" if "parallel" in step else "script"
    steps, inside = _size(step.get(key), (*path, key))
    if "lookup" in step:
        more, within = _size(step["lookup"], (*path, "lookup"))
        steps, inside = steps + more, within if more > steps else inside
    turns = times(step, "loop")
    return turns * steps + ("loop" not in step), (*path, "loop") if turns > 1 else inside if steps else path


class Message(NamedTuple):
    """One `publish` in a script."""

    operation: str
    """Whose script."""
    queue: str
    path: Path


def messages(tree: Any) -> Iterator[Message]:
    """All `publish` steps of all scripts, those inside of other steps too."""
    for script in scripts(tree):
        for queue, path in _published(script.steps, script.path):
            yield Message(script.operation, queue, path)


def _published(script: Any, path: Path) -> Iterator[tuple[str, Path]]:
    for index, step in enumerate(script if isinstance(script, list) else ()):
        if isinstance(step, dict):
            if isinstance(step.get("publish"), str):
                yield step["publish"], (*path, index, "publish")
            for key in ("script", "fallback"):
                yield from _published(step.get(key), (*path, index, key))


def consumers(tree: Any) -> dict[str, tuple[str, Path]]:
    """The operation to which each message is a request, and where that is written, by queue."""
    found: dict[str, tuple[str, Path]] = {}
    for service in mapping(tree, "services"):
        for queue in mapping(tree, "services", service, "consumes"):
            path: Path = ("services", service, "consumes", queue)
            operation = mapping(tree, "services", service, "consumes", queue).get("operation")
            if isinstance(operation, str):
                found.setdefault(queue, (f"{service}/{operation}", (*path, "operation")))
            elif operation is None:
                found.setdefault(queue, (service, path))
    return found
