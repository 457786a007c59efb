"""The pydantic types that a scenario's model is made of: frozen sections, quantities, and single-key choices."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, create_model, model_validator
from pydantic_core import PydanticCustomError

from meshsim import distributions, policies, registry  # noqa: F401 — their policies register themselves
from meshsim.errors import UnitError
from meshsim.registry import REQUIRED, Policy, SettingError
from meshsim.units import Duration as _Duration
from meshsim.units import Rate as _Rate
from meshsim.units import Share as _Share
from meshsim.units import Unit

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
"""As Kubernetes names things; it becomes a folder and a column, so no slash."""


class Section(BaseModel):
    """A mapping of a scenario: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=True)


class PolicySection(Section):
    """The settings of one policy, checked by pydantic and then by the policy itself."""

    policy_class: ClassVar[type[Policy]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.policy().check()
        except SettingError as error:
            raise PydanticCustomError("setting", "{reason}", {"reason": str(error), "field": error.field}) from None
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
        if isinstance(value, str):
            return {value: {}}
        if not isinstance(value, dict):
            raise PydanticCustomError(
                "choice", "write the name of a {family}, or a mapping with that single key (one of: {known})",
                {"family": cls.family.replace("_", " "), "known": ", ".join(cls.model_fields)},
            )  # fmt: skip
        if len(value) != 1 and not set(value) - set(cls.model_fields):
            raise PydanticCustomError(
                "choice", "choose one {family}, not {count} (one of: {known})",
                {"family": cls.family.replace("_", " "), "count": len(value), "known": ", ".join(cls.model_fields)},
            )  # fmt: skip
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
        docs, hints = registry.field_docs(annotation), get_type_hints(annotation, include_extras=True)
        fields: dict[str, Any] = {
            name: (field_type(hint), Field(description=docs.get(name, ""))) for name, hint in hints.items()
        }
        return create_model(annotation.__name__, __base__=Section, __doc__=annotation.__doc__, **fields)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        unit = registry.unit_of(annotation)
        return annotation if unit is None else Annotated[annotation, BeforeValidator(_reader(unit)), WithJsonSchema(_schema_of(unit))]
    if origin in (Union, types.UnionType):
        return Union[tuple(field_type(one) for one in inner)]  # noqa: UP007 — of a computed number of types
    if origin in (tuple, list, dict):
        return origin[tuple(one if one is Ellipsis else field_type(one) for one in inner)]
    return annotation


def _reader(unit: Unit) -> Any:
    def read(value: Any) -> Any:
        try:
            return unit.parse(value)
        except UnitError as error:
            raise PydanticCustomError("unit", "{reason}", {"reason": str(error)}) from None

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
            setting.name: (
                field_type(setting.annotation),
                Field(... if setting.default is REQUIRED else setting.default, description=setting.doc),
            )
            for setting in registry.settings(policy)
        }
        made = create_model(policy.__name__, __base__=PolicySection, __doc__=policy.__doc__, **fields)
        made.policy_class = policy
        _SECTIONS[policy] = made
    return _SECTIONS[policy]


def choice_of(family: str) -> Any:
    """The choice among the policies of a family that are registered now.

    A policy may have a choice of its own family among its settings (a mixture of distributions); that inner one is a reference to the
    choice in the making.
    """
    if family not in _CHOICES:
        name = "".join(part.capitalize() for part in family.split("_")) + "Choice"
        _CHOICES[family] = name
        base = type(f"{name}Base", (Choice,), {"family": family, "__module__": __name__, "__annotations__": {"family": ClassVar[str]}})
        fields: dict[str, Any] = {
            one: (section_of(policy) | None, Field(default=None, description=registry.first_sentence(policy)))
            for one, policy in registry.families()[family].items()
        }
        made = create_model(name, __base__=base, __doc__=f"One {family.replace('_', ' ')}.", **fields)
        _CHOICES[family] = made
        for policy in registry.families()[family].values():
            _SECTIONS[policy].model_rebuild(force=True, _types_namespace={name: made})
        made.model_rebuild(force=True, _types_namespace={name: made})
    return _CHOICES[family]


Duration = field_type(_Duration)
Rate = field_type(_Rate)
Share = field_type(_Share)
TimeDistribution = choice_of("distribution")
