"""The pydantic types that a scenario's model is made of: frozen sections, quantities, and single-key choices."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from meshsim import distributions, policies, registry  # noqa: F401 — their policies register themselves
from meshsim.errors import UnitError
from meshsim.registry import REQUIRED, Policy, SettingError
from meshsim.units import Unit
from meshsim.units import Duration as _Duration
from meshsim.units import Rate as _Rate
from meshsim.units import Share as _Share


class Section(BaseModel):
    """A mapping of a scenario: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=False)


def quantity(annotation: Any) -> Any:
    """The pydantic type of a field type from `meshsim.units`: text in, number out, with its JSON Schema."""
    if get_origin(annotation) is Annotated:
        unit = next((mark for mark in get_args(annotation)[1:] if isinstance(mark, Unit)), None)
        if unit is None:
            return annotation
        return Annotated[
            annotation,
            BeforeValidator(_reader(unit)),
            WithJsonSchema(
                {
                    "anyOf": [{"type": "string", "pattern": unit.pattern}, {"const": 0}],
                    "description": f"A {unit.name}, such as {unit.example}",
                    "examples": [unit.example],
                }
            ),
        ]
    if get_args(annotation) and registry.unit_of(annotation):  # Duration | None and the like
        inner = tuple(quantity(one) for one in get_args(annotation))
        result = inner[0]
        for one in inner[1:]:
            result = result | one
        return result
    return annotation


def _reader(unit: Unit) -> Any:
    def read(value: Any) -> Any:
        try:
            return unit.parse(value)
        except UnitError as error:
            raise PydanticCustomError("unit", "{reason}", {"reason": str(error)}) from None

    return read


Duration = quantity(_Duration)
Rate = quantity(_Rate)
Share = quantity(_Share)
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
"""As Kubernetes names things; it becomes a folder and a column, so no slash."""


class Choice(Section):
    """One policy of a family, as a mapping of a single key (`{least_request: {choice_count: 3}}`) or its bare name."""

    family: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, dict):
            value = {key: {} if inner is None else inner for key, inner in value.items()}
            if len(value) != 1 and not set(value) - set(cls.model_fields):
                known = ", ".join(cls.model_fields)
                raise PydanticCustomError(
                    "choice", "choose one {family}, not {count} (one of: {known})",
                    {"family": cls.family, "count": len(value), "known": known},
                )  # fmt: skip
            return value
        raise PydanticCustomError(
            "choice", "write the name of a {family}, or a single key such as {{{known}: {{...}}}}",
            {"family": cls.family, "known": next(iter(cls.model_fields))},
        )  # fmt: skip

    @property
    def chosen(self) -> Policy:
        """The settings of the policy that was chosen."""
        (name,) = self.model_fields_set
        made: Policy = getattr(self, name).policy()
        return made


class PolicySection(Section):
    """The settings of one policy, checked by pydantic and then by the policy itself."""

    policy_class: ClassVar[type[Policy]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.policy().check()
        except SettingError as error:
            raise PydanticCustomError(
                "setting", "{reason}", {"reason": str(error), "field": error.field}
            ) from None
        return self

    def policy(self) -> Policy:
        """The policy with these settings."""
        return self.policy_class(**{name: _plain(getattr(self, name)) for name in type(self).model_fields})


def _plain(value: Any) -> Any:
    """Sections inside a policy's settings are policies themselves."""
    if isinstance(value, Choice):
        return value.chosen
    if isinstance(value, PolicySection):
        return value.policy()
    if isinstance(value, list | tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, Section):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    return value


def section_of(policy: type[Policy]) -> type[PolicySection]:
    """The section that a policy's settings make."""
    fields: dict[str, Any] = {
        setting.name: (
            quantity(_with_choices(setting.annotation)),
            Field(... if setting.default is REQUIRED else setting.default, description=setting.doc),
        )
        for setting in registry.settings(policy)
    }
    made = create_model(policy.__name__, __base__=PolicySection, __doc__=policy.__doc__, **fields)
    made.policy_class = policy
    return made


_CHOICES: dict[str, type[Choice]] = {}


def choice_of(family: str) -> type[Choice]:
    """The choice among the policies of a family that are registered now."""
    if family not in _CHOICES:
        made = type(f"Choice of {family}", (Choice,), {"family": family, "__module__": __name__})
        _CHOICES[family] = made
        members = registry.families()[family]
        fields: dict[str, Any] = {
            name: (section_of(policy) | None, Field(default=None, description=registry.first_sentence(policy)))
            for name, policy in members.items()
        }
        _CHOICES[family] = create_model(f"{registry.snake_case(family)}_choice", __base__=made, **fields)
    return _CHOICES[family]


def _with_choices(annotation: Any) -> Any:
    """A field whose type is a family's class is a choice of that family; one whose type is a policy is that policy's section."""
    if isinstance(annotation, type) and issubclass(annotation, Policy):
        return section_of(annotation) if annotation.name else choice_of(annotation.family)
    return annotation


def _bare_duration(value: Any) -> Any:
    """A bare duration is a constant."""
    return {"constant": {"value": value}} if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def time_distribution() -> Any:
    """A distribution of times: a bare duration, or a choice of the family."""
    return Annotated[choice_of("distribution"), BeforeValidator(_bare_duration)]


TimeDistribution = time_distribution()
