"""How a class in one file becomes a name in YAML.

A family is a class made with `@family(...)`; a policy is a subclass made with `@policy`. The class's annotated fields are its
settings, the string under a field is its documentation, and its name in snake_case is its name in a scenario.
Validation, the JSON Schema, `meshsim policies`, `meshsim explain` and "did you mean" are all read from here.

    @policy
    class LeastRequest(LoadBalancer):
        '''Send to the endpoint with the fewest requests in flight among a few drawn at random.'''

        choice_count: PositiveCount = 2
        '''Endpoints compared for each request; 1 is plain random.'''

Settings and state are different things: an instance made from a scenario holds settings only, and `build()` gives each proxy
a copy of its own with the state set up.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import MISSING, dataclass
from functools import cache
from importlib.metadata import entry_points
from itertools import pairwise
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from meshsim.errors import MeshsimError
from meshsim.units import Unit

CachedFunction = TypeVar("CachedFunction", bound=Callable[..., Any])


def cached_by_class(function: CachedFunction) -> CachedFunction:
    """`functools.cache` for a function of a class, which mypy does not take for hashable."""
    return cache(function)  # type: ignore[return-value]


REQUIRED = MISSING
"""The default of a setting that has none."""


class SettingError(MeshsimError):
    """One setting of a policy that does not go with the others.

    Attributes:
        field: Name of the setting to point at.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a policy, as its documentation and its validation see it."""

    owner: type[Policy]
    name: str
    annotation: Any
    default: Any

    @property
    def doc(self) -> str:
        """What stands under it in the source, which is read only where somebody asks."""
        return field_docs(self.owner).get(self.name, "")


class Policy:
    """What all families share: settings as fields, state by `build`."""

    family: ClassVar[str]
    """The family's name, as `meshsim policies` prints it."""
    name: ClassVar[str] = ""
    """The name in a scenario."""

    def check(self) -> None:
        """Raise `SettingError` where settings contradict each other."""

    def build(self, *args: Any, **context: Any) -> Any:  # noqa: ARG002
        """The state of one owner (a proxy's view, a rate limit's key), with what the policy's family asks."""
        built = copy.copy(self)
        built.set_up(**context)
        return built

    def set_up(self, *args: Any, **context: Any) -> None:
        """Set up the state; the settings are there already."""


P = TypeVar("P", bound=type[Policy])
_FAMILIES: dict[str, dict[str, type[Policy]]] = {}


def family(name: str) -> Any:
    """Class decorator: the class is the interface of a family of policies, under this name."""

    def declare(cls: P) -> P:
        cls.family = name
        _FAMILIES.setdefault(name, {})
        return cls

    return declare


@dataclass_transform(kw_only_default=True)
def policy(cls: P) -> P:
    """Class decorator: the class is a policy of its base's family, by its name in snake_case.

    Args of the class are its settings, by keyword; quantities may be given as text, as in a scenario.
    """
    _read_text_settings(cls)
    dataclasses.dataclass(kw_only=True, eq=False, repr=True)(cls)
    cls.name = snake_case(cls.__name__)
    _FAMILIES[cls.family][cls.name] = cls
    return cls


def families() -> dict[str, dict[str, type[Policy]]]:
    """All policies by family and name, both in alphabetical order; entry points of the group `meshsim.policies` included."""
    _load_entry_points()
    return {name: dict(sorted(members.items())) for name, members in sorted(_FAMILIES.items())}


@cache
def _load_entry_points() -> None:
    for entry_point in entry_points(group="meshsim.policies"):
        entry_point.load()


@cached_by_class
def settings(cls: type[Policy]) -> tuple[Setting, ...]:
    """The settings of a policy, in the order of its fields."""
    hints = _hints(cls)
    return tuple(
        Setting(cls, field.name, hints[field.name], _default(field))
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]
        if field.init
    )


def values(made: Policy) -> dict[str, Any]:
    """The settings of an instance by name (no state)."""
    return {setting.name: getattr(made, setting.name) for setting in settings(type(made))}


def field_docs(cls: type) -> dict[str, str]:
    """The string under each annotated field of a class and its bases, by field."""
    docs: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if one.__module__ != "builtins" and "__annotations__" in one.__dict__:
            docs |= _own_field_docs(one)
    return docs


@cached_by_class
def _own_field_docs(cls: type) -> dict[str, str]:
    """Those of a class's own fields."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # made where no source is kept
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    return {
        statement.target.id: inspect.cleandoc(below.value.value)
        for statement, below in pairwise(body)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def first_sentence(cls: type) -> str:
    """The first line of a class's docstring: what a user sees in a list."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def snake_case(name: str) -> str:
    """`LeastRequest` to `least_request`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def unit_of(annotation: Any) -> Unit | None:
    """The quantity that a field's type is marked with, or None."""
    if get_origin(annotation) is Annotated:
        return next((mark for mark in get_args(annotation)[1:] if isinstance(mark, Unit)), None)
    return next((unit for inner in get_args(annotation) if (unit := unit_of(inner))), None)


def _read_text_settings(cls: type[Policy]) -> None:
    """Let the constructor take `"100ms"` where the field is a duration, as a scenario does."""

    def __post_init__(self: Any) -> None:  # noqa: N807
        for name, unit in _units(cls).items():
            if isinstance(value := getattr(self, name), str):
                setattr(self, name, unit.parse(value))

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]


@cached_by_class
def _hints(cls: type[Policy]) -> dict[str, Any]:
    """The types of a policy's fields; found when they are asked for, since reading them all takes longer than importing them."""
    return get_type_hints(cls, include_extras=True)


@cached_by_class
def _units(cls: type[Policy]) -> dict[str, Unit]:
    """The quantities among a policy's fields."""
    return {name: unit for name, hint in _hints(cls).items() if (unit := unit_of(hint))}


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
