"""The pydantic types that a scenario's model is made of: frozen sections, quantities, and single-key choices."""

from __future__ import annotations

import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints, is_typeddict

from annotated_types import Ge, Le
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo

from meshsim import distributions, policies, registry  # noqa: F401 — their policies register themselves
from meshsim.errors import UnitError, did_you_mean
from meshsim.registry import REQUIRED, Policy, SettingError
from meshsim.scenario.files.nodes import shown
from meshsim.scenario.sections.one_or_several import union_of
from meshsim.scenario.sections.wording import NAME_PATTERN, in_our_words, mistake
from meshsim.units import Duration as _Duration
from meshsim.units import Rate as _Rate
from meshsim.units import Share as _Share
from meshsim.units import Size as _Size
from meshsim.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetJsonSchemaHandler, ModelWrapValidatorHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""As Kubernetes names things; it becomes a folder and a column, so no slash."""


class Section(BaseModel):
    """A mapping of a scenario: frozen, an unknown key is an error, and so is a number in quotes."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True)

    documented_in: ClassVar[type | None] = None
    """The class whose source documents its fields, where that is not the section itself."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            raise in_our_words(error, [field.alias or name for name, field in cls.model_fields.items()]) from None


class PolicySection(Section):
    """The settings of one policy, checked by pydantic and then by the policy itself."""

    policy_class: ClassVar[type[Policy]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.policy().check()
        except SettingError as error:
            raise mistake(str(error), error.field) from None
        return self

    def policy(self) -> Policy:
        """The policy with these settings."""
        return self.policy_class(**{name: _plain(getattr(self, name)) for name in type(self).model_fields})


class Choice(Section):
    """One policy of a family, as a mapping of a single key (`{least_request: {choice_count: 3}}`) or its bare name.

    A time may also be a bare duration, which is a constant.
    """

    family: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _written_short(cls, value: Any) -> Any:
        if cls.family == "distribution" and _is_like_a_duration(value):
            return {"constant": {"value": value}}
        if isinstance(value, cls):
            return value
        family, known = cls.family.replace("_", " "), ", ".join(cls.model_fields)
        if isinstance(value, str):
            value = {value: {}}
        if not isinstance(value, dict):
            raise mistake(
                f"expected the name of a {family}, or a mapping with that single key, not {shown(value)} (one of: {known})"
            )
        if len(value) != 1:
            raise mistake(f"choose one {family}, not {len(value)} (one of: {known})")
        (name,) = value
        if name not in cls.model_fields:
            raise mistake(f"unknown {family} {shown(name)}{did_you_mean(str(name), cls.model_fields)}")
        return {key: {} if inner is None else inner for key, inner in value.items()}

    @property
    def chosen(self) -> Policy:
        """The settings of the policy that was chosen."""
        (name,) = self.model_fields_set
        section: PolicySection = getattr(self, name)
        return section.policy()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(schema)
        mapping = handler.resolve_ref_schema(made)
        for inner in mapping["properties"].values():
            inner.pop("default", None)
        mapping.update(minProperties=1, maxProperties=1)
        bare = [name for name, policy in registry.families()[cls.family].items() if _needs_nothing(policy)]
        ways: list[dict[str, Any]] = [{"enum": bare}] if bare else []
        if cls.family == "distribution":
            ways.append(_schema_of(_duration_unit()))
        return {"anyOf": [*ways, made]} if ways else made


def _is_like_a_duration(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (isinstance(value, str) and value[:1].isdigit())


def _needs_nothing(policy: type[Policy]) -> bool:
    return all(setting.default is not REQUIRED for setting in registry.settings(policy))


def _plain(value: Any) -> Any:
    """What a policy's constructor takes: sections inside of its settings are policies or mappings themselves."""
    if isinstance(value, Choice):
        return value.chosen
    if isinstance(value, PolicySection):
        return value.policy()
    if isinstance(value, list | tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, Section):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    return value


def field_type(annotation: Any) -> Any:
    """The pydantic type of a policy's field: quantities are read from text, policies and families become sections and choices."""
    if isinstance(annotation, type) and issubclass(annotation, Policy):
        return section_of(annotation) if annotation.name else choice_of(annotation.family)
    if is_typeddict(annotation):
        hints = get_type_hints(annotation, include_extras=True)
        fields: dict[str, Any] = {name: (field_type(hint), ...) for name, hint in hints.items()}
        section = create_model(annotation.__name__, __base__=Section, __doc__=annotation.__doc__, **fields)
        section.documented_in = annotation
        return section
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        unit = registry.unit_of(annotation)
        return (
            annotation
            if unit is None
            else Annotated[annotation, BeforeValidator(_reader(unit)), WithJsonSchema(_schema_of(unit))]
        )
    if origin in (Union, types.UnionType):
        return union_of([field_type(one) for one in inner])
    if origin in (tuple, list, dict):
        made: Any = origin[tuple(one if one is Ellipsis else field_type(one) for one in inner)]
        return Annotated[made, Strict(strict=False)] if origin is tuple else made
    return Annotated[annotation, Strict(strict=False)] if annotation is Path else annotation


def _reader(unit: Unit) -> Any:
    def read(value: Any) -> Any:
        if value is None or isinstance(value, bool | list | dict):
            raise mistake(f"expected a {unit.name} such as '{unit.example}', not {shown(value)}")
        try:
            return unit.parse(value)
        except UnitError as error:
            raise mistake(str(error)) from None

    return read


def _schema_of(unit: Unit) -> dict[str, Any]:
    return {
        "anyOf": [{"type": "string", "pattern": unit.pattern}, {"const": 0}],
        "description": f"A {unit.name}, such as {unit.example}",
        "examples": [unit.example],
    }


def _duration_unit() -> Unit:
    unit = registry.unit_of(_Duration)
    assert unit is not None  # noqa: S101 — units.py marks it
    return unit


_SECTIONS: dict[type[Policy], type[PolicySection]] = {}
_CHOICES: dict[str, Any] = {}


def section_of(policy: type[Policy]) -> type[PolicySection]:
    """The section that a policy's settings make."""
    if policy not in _SECTIONS:
        fields: dict[str, Any] = {
            setting.name: (field_type(setting.annotation), ... if setting.default is REQUIRED else setting.default)
            for setting in registry.settings(policy)
        }
        made = create_model(policy.__name__, __base__=PolicySection, __doc__=policy.__doc__, **fields)
        made.policy_class = made.documented_in = policy
        _SECTIONS[policy] = made
    return _SECTIONS[policy]


def inner_sections(policy: type[Policy]) -> list[tuple[str, type[Section]]]:
    """The mappings among a policy's settings, by name of the setting."""
    fields = section_of(policy).model_fields.items()
    kinds = [(name, one) for name, info in fields for one in (info.annotation, *get_args(info.annotation))]
    return [(name, one) for name, one in kinds if isinstance(one, type) and issubclass(one, Section)]


def choice_of(family: str) -> Any:
    """The choice among the policies of a family that are registered now.

    A policy may have a choice of its own family among its settings (a mixture of distributions); that inner one is a reference to the
    choice in the making.
    """
    if family not in _CHOICES:
        name = "".join(part.capitalize() for part in family.split("_")) + "Choice"
        _CHOICES[family] = name
        base = type(
            f"{name}Base", (Choice,), {"family": family, "__module__": __name__, "__annotations__": {"family": ClassVar[str]}}
        )
        fields: dict[str, Any] = {one: (section_of(policy) | None, None) for one, policy in registry.families()[family].items()}
        made: type[Choice] = create_model(name, __base__=base, __doc__=f"One {family.replace('_', ' ')}.", **fields)
        _CHOICES[family] = made
        for section in _sections(Section):
            if not section.__pydantic_fields_complete__:
                section.model_rebuild(force=True, _types_namespace={name: made})
    return _CHOICES[family]


def take_up_new_policies() -> None:
    """Add policies that were registered after the model was made (in a notebook's cell, say) to the choices of their families."""
    is_changed = False
    for family, choice in _CHOICES.items():
        for name, policy in registry.families()[family].items():
            wanted = section_of(policy) | None
            if name not in choice.model_fields or choice.model_fields[name].annotation != wanted:
                choice.__pydantic_fields__[name] = FieldInfo(annotation=wanted, default=None)  # type: ignore[arg-type]
                is_changed = True
    if is_changed:
        names, sections = {choice.__name__: choice for choice in _CHOICES.values()}, list(_sections(Section))
        for section in sections:  # or those that are rebuilt first would take over what others were
            section.__pydantic_core_schema__ = None  # type: ignore[assignment]
        for section in sections:
            section.model_rebuild(force=True, _types_namespace=names)


def _sections(base: type[Section]) -> Iterator[type[Section]]:
    """All sections, inner ones before those that hold them: the order in which they were made."""
    for section in base.__subclasses__():
        yield section
        yield from _sections(section)


if TYPE_CHECKING:
    Duration = _Duration
    Rate = _Rate
    Share = _Share
    Size = _Size
    TimeDistribution = Choice
else:
    Duration = field_type(_Duration)
    Rate = field_type(_Rate)
    Share = field_type(_Share)
    Size = field_type(_Size)
    TimeDistribution = choice_of("distribution")


def _some_weight(weights: dict[str, float]) -> dict[str, float]:
    if not any(weights.values()):
        raise mistake("needs a weight above 0")
    return weights


Weights = Annotated[dict[str, Annotated[float, Ge(0), Le(1e9)]], Field(min_length=1), AfterValidator(_some_weight)]
"""Shares by name, in proportion to each other; 0 takes one out, but not all."""
DataFile = Annotated[Path, Strict(strict=False)]
"""A file beside the scenario; whoever loads the scenario has made it absolute and has looked that it can be read."""
