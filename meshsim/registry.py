"""How a class in one file becomes a name in YAML.

A family is a class made with `@family(...)`; a policy is a subclass made with `@policy`. The class's annotated fields are its
settings, the string under a field is its documentation, and its name in snake_case is its name in a scenario.
Validation, the JSON Schema, `meshsim policies`, `meshsim explain` and "did you mean" are all read from here.

    @policy
    class LeastRequest(LoadBalancer):
        '''Send to the endpoint with the fewest requests in flight among a few drawn at random.'''

        choice_count: PositiveCount = 2
        '''Endpoints compared for each request; 1 is plain random.'''

        def build(self, **_):
            return LeastRequestState(self)


    class LeastRequestState(LoadBalancerState):
        def __init__(self, settings):
            self.choice_count = settings.choice_count

        def pick(self, endpoints, draw, now_ns, hash_key):
            ...

Settings and state are different things, and two classes: an instance made from a scenario holds settings only and never changes, and
`build()` gives each proxy a state of its own, a plain object of the family's interface.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import MISSING, dataclass
from functools import cache
from importlib.metadata import entry_points
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from meshsim import own_policies
from meshsim.errors import MeshsimError
from meshsim.own_policies import PolicyError, State
from meshsim.units import Unit

if TYPE_CHECKING:
    from meshsim.own_policies import Right

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
    interface: ClassVar[type[State] | None]
    """What the states are that its policies build."""
    name: ClassVar[str] = ""
    """The name in a scenario."""

    def check(self) -> None:
        """Raise `SettingError` where settings contradict each other."""

    def build(self, *args: Any, **context: Any) -> Any:  # noqa: ARG002
        """The state of one owner (a proxy's view, a rate limit's key), which answers what the policy's family is asked."""
        built = copy.copy(self)
        built.set_up(**context)
        return built

    def set_up(self, *args: Any, **context: Any) -> None:
        """Work out what is asked for often."""


P = TypeVar("P", bound=type[Policy])
_FAMILIES: dict[str, dict[str, type[Policy]]] = {}


def family(name: str, interface: type[State] | None = None, **answers: Right) -> Any:
    """Class decorator: the class is the settings side of a family of policies, under this name.

    Args:
        name: As `meshsim policies` prints it.
        interface: What the states of its policies are; None where what is built is the settings once more (distributions).
        answers: What the states' answers have to be, by method; looked at only in policies that are not meshsim's own.
    """

    def declare_family(cls: P) -> P:
        cls.family = name
        cls.interface = interface
        _FAMILIES.setdefault(name, {})
        if interface is not None:
            own_policies.declare(interface, answers)
        return cls

    return declare_family


@dataclass_transform(kw_only_default=True)
def policy(cls: P) -> P:
    """Class decorator: the class is a policy of its base's family, by its name in snake_case.

    Args of the class are its settings, by keyword; quantities may be given as text, as in a scenario.

    Raises:
        PolicyError: The class has no family, or no `build`.
    """
    if not own_policies.is_ours(cls):
        _check_own(cls, own_policies.place_of(sys._getframe(1)))  # noqa: SLF001 — where it stands, also in a notebook's cell
    _read_text_settings(cls)
    dataclasses.dataclass(kw_only=True, eq=False, repr=True, frozen=cls.set_up is Policy.set_up)(cls)
    cls.name = snake_case(cls.__name__)
    _FAMILIES[cls.family][cls.name] = cls
    return cls


def _check_own(cls: type[Policy], place: str) -> None:
    """Refuse what can be no policy, and look at what the rest builds."""
    if not hasattr(cls, "family"):
        known = ", ".join(sorted(_FAMILIES))
        raise PolicyError(
            f"{place}: {cls.__name__} is of no family: `@policy` needs the class of one as its base, such as "
            f"`class {cls.__name__}(LoadBalancer)` from meshsim.policies.load_balancing (families: {known})"
        )
    if cls.interface is None:
        return
    family_class: type[Policy] = next(one for one in cls.__mro__ if "family" in vars(one))
    if cls.build is family_class.build:
        interface = cls.interface.__name__
        raise PolicyError(
            f"{place}: {cls.__name__} has no `build`: write `def build(self, **_): return {cls.__name__}State(self)`, and a "
            f"`class {cls.__name__}State({interface})` that answers"
        )
    own_policies.guard_settings(cls, cls.interface)


def families() -> dict[str, dict[str, type[Policy]]]:
    """All policies by family and name, both in alphabetical order; entry points of the group `meshsim.policies` included."""
    _load_entry_points()
    return {name: dict(sorted(members.items())) for name, members in sorted(_FAMILIES.items())}


@cache
def _load_entry_points() -> None:
    for entry_point in entry_points(group="meshsim.policies"):
        try:
            entry_point.load()
        except MeshsimError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise PolicyError(f"the policy {entry_point.name} = {entry_point.value} cannot be loaded: {kind}: {error}") from error


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
                object.__setattr__(self, name, unit.parse(value))  # it is frozen

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
