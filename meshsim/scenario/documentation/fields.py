"""Every field of a scenario, read off the model: path, type in words, documentation."""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from meshsim import registry
from meshsim.policies.retry import CONDITIONS
from meshsim.registry import Policy
from meshsim.scenario.documentation.descriptions import descriptions
from meshsim.scenario.sections.model import Scenario
from meshsim.scenario.sections.types import Choice
from meshsim.units import Unit, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

KEYS = {
    "load": "<source>",
    "requests": "<route>",
    "routes": "<route>",
    "to": "<service>",
    "traffic": "<service>",
    "inbound": "<service>",
    "services": "<service>",
    "operations": "<operation>",
    "connection_pools": "<pool>",
    "queues": "<queue>",
    "consumes": "<queue>",
    "caches": "<cache>",
    "zones": "<zone>",
    "split": "<subset>",
    "subsets": "<subset>",
    "weights": "<zone>",
    "failover": "<zone>",
    "distribute": "<zone>",
    "variants": "<variant>",
    "thresholds": "<metric>",
}
"""How the names under a mapping are written in a path."""
STEPS_INSIDE = ("script", "parallel", "fallback", "lookup")
"""Keys of steps under which further steps stand."""
_LARGEST_COUNT = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Field:
    """One field at one place of a scenario."""

    path: tuple[str, ...]
    """From the top; names that the user chooses as `<service>` and the like; positions in lists left out."""
    owner: type
    """The section that it belongs to."""
    doc: str
    type: str
    """In words, such as `duration, such as 250ms`."""
    choices: tuple[str, ...]
    default: str
    """As text, empty where it is required or None."""
    is_open: bool = False
    """Whether its keys are names that the user chooses."""
    is_required: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[-1]

    def ends_with(self, parts: list[str]) -> bool:
        """Whether the path ends so, where a name that the user chose stands for any."""
        if len(parts) > len(self.path) or (_is_open(self.path[-1]) and len(parts) < len(self.path)):
            return False
        return all(_is_open(own) or own == part for own, part in zip(self.path[-len(parts) :], parts, strict=True))


@cache
def fields() -> tuple[Field, ...]:
    """All fields of a scenario in the order of the model; a script's parallel steps, and steps in steps, are not gone into again."""
    return tuple(_walk(Scenario, (), ()))


def type_text(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """A field's type for people, with its unit and an example."""
    if unit := next((mark for mark in metadata if isinstance(mark, Unit)), None):
        return f"{unit.name}, such as {unit.example}"
    bare = _without_none(annotation)
    if get_origin(bare) is Annotated:
        return type_text(get_args(bare)[0], (*metadata, *get_args(bare)[1:]))
    if get_origin(bare) is None:
        return _class_text(bare, metadata) if isinstance(bare, type) else "any value"
    return _container_text(get_origin(bare), get_args(bare))


def _container_text(origin: Any, args: tuple[Any, ...]) -> str:
    if origin in (Union, types.UnionType):
        return ", or ".join(dict.fromkeys(type_text(one) for one in args))
    if origin is Literal:
        return ("one of " if len(args) > 1 else "") + ", ".join(map(str, args))
    return f"mapping of names to {type_text(args[1])}" if origin is dict else f"list of {type_text(args[0])}"


def _class_text(cls: type, metadata: tuple[Any, ...]) -> str:
    if issubclass(cls, Choice):
        return f"one {cls.family.replace('_', ' ')}: its name, or a single key with its settings"
    if issubclass(cls, BaseModel):
        return f"mapping with {', '.join(info.alias or name for name, info in cls.model_fields.items()) or 'no settings'}"
    if issubclass(cls, Policy) and not cls.name:
        return f"one {cls.family.replace('_', ' ')}: its name, or a single key with its settings"
    if issubclass(cls, Policy):
        return f"mapping with {', '.join(one.name for one in registry.settings(cls))}"
    if cls in (int, float):
        low = next((f"from {_bound(mark.ge)}" for mark in metadata if isinstance(mark, Ge)), "")
        above: Any = next((mark.gt for mark in metadata if isinstance(mark, Gt)), None)
        if above is not None:
            low = f"from {_bound(above + 1)}" if cls is int else f"above {_bound(above)}"
        high = next((mark.le for mark in metadata if isinstance(mark, Le)), None)
        number = "whole number" if cls is int else "number"
        bounds = [low] if low else []
        if high not in (None, _LARGEST_COUNT, 1e9):
            bounds.append(f"{'up ' if low.startswith('above') else ''}to {_bound(high)}")
        return " ".join([number, *bounds])
    return {str: "text", bool: "true or false", type(None): "none"}.get(cls, "value")


def _bound(value: Any) -> str:
    # By its value and not its type: `typing` takes Le(1e6) and Le(1_000_000) for the same and keeps whichever came first.
    return f"{int(value):,}" if value == int(value) and abs(value) < 1e18 * 10 else f"{value:,.12g}"


def _walk(model: type[BaseModel], path: tuple[str, ...], seen: tuple[type, ...]) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        key = info.alias or name
        here = (*path, key)
        yield _field(here, model, name, info)
        if key not in STEPS_INSIDE or "script" not in path:
            yield from _inside(info.annotation, here, (*seen, model))


def _inside(annotation: Any, path: tuple[str, ...], seen: tuple[type, ...]) -> Iterator[Field]:
    bare = _without_none(annotation)
    origin = get_origin(bare)
    if origin is Annotated:
        yield from _inside(get_args(bare)[0], path, seen)
    elif origin in (Union, types.UnionType):
        for one in get_args(bare):
            yield from _inside(one, path, seen)
    elif origin in (list, tuple):
        yield from _inside(get_args(bare)[0], path, seen)
    elif origin is dict:
        yield from _inside(get_args(bare)[1], (*path, KEYS.get(path[-1], "<name>")), seen)
    elif isinstance(bare, type) and issubclass(bare, BaseModel) and bare not in seen:
        yield from _walk(bare, path, seen)


def _field(path: tuple[str, ...], owner: type[BaseModel], name: str, info: FieldInfo) -> Field:
    return Field(
        path=path,
        owner=owner,
        doc=descriptions(owner).get(name, ""),
        type=type_text(info.annotation, tuple(info.metadata)),
        choices=_choices(info.annotation, path),
        is_open=get_origin(_without_none(info.annotation)) is dict,
        is_required=info.is_required(),
        default=_default(info),
    )


def _choices(annotation: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    if path[-1] == "retry_on":
        return tuple(CONDITIONS)
    bare = _without_none(annotation)
    if get_origin(bare) is Literal and len(get_args(bare)) > 1:
        return tuple(map(str, get_args(bare)))
    if get_origin(bare) is Annotated or get_origin(bare) in (Union, types.UnionType, list, tuple):
        return tuple(dict.fromkeys(choice for one in get_args(bare) for choice in _choices(one, path)))
    if isinstance(bare, type) and issubclass(bare, Choice):
        return tuple(bare.model_fields)
    return ()


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in get_args(annotation) if one is not type(None)]
        return rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007 -- made from a list at run time
    return annotation


def _is_open(part: str) -> bool:
    return part.startswith("<")


def _default(info: FieldInfo) -> str:
    value = info.default
    if info.default_factory or isinstance(value, BaseModel) or value in (None, PydanticUndefined, {}, (), []):
        return ""
    return value_text(value, info.annotation, tuple(info.metadata))


def value_text(value: Any, annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """A value as a scenario would have it, such as `250ms`, `20%` and `true`.

    Args:
        value: In the unit of the model: nanoseconds, a share of 1.
        annotation: The type of its field, which says the unit.
        metadata: What stands beside the type.
    """
    if isinstance(value, list | tuple):
        return ", ".join(value_text(one, annotation, metadata) for one in value) or "none"
    unit = _unit(annotation, metadata)
    if unit is not None and unit.name == "duration":
        return format_duration(value)
    if unit is not None and unit.name == "share":
        return f"{value * 100:.12g}%"
    if unit is not None and not value:
        return "0"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unit(annotation: Any, metadata: tuple[Any, ...] = ()) -> Unit | None:
    return next((mark for mark in metadata if isinstance(mark, Unit)), None) or registry.unit_of(annotation)
