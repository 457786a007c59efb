"""The JSON Schema of a scenario, for completion and checking in an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from meshsim.scenario.defaults import NO_PRODUCT, products
from meshsim.scenario.documentation.descriptions import descriptions
from meshsim.scenario.sections.model import Scenario
from meshsim.scenario.thresholds import METRICS

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core.core_schema import ModelSchema

_PATCHES = "ScenarioPatch"
_WHOLE = {"items", "prefixItems", "enum", "const", "default", "examples"}
"""Keywords whose content a patch does not change: lists are replaced, not merged."""


class _Generator(GenerateJsonSchema):
    """Pydantic's, without titles made of names."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """A section's, with the documentation of its fields."""
        made = super().model_schema(schema)
        section = schema["cls"]
        for name, text in descriptions(section).items():
            if text:
                made["properties"][section.model_fields[name].alias or name]["description"] = text
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 — the name of the field says as much
        return False


def json_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12.

    Units have patterns, a policy is its bare name or a single key, each field has its documentation, and a variant is a scenario of
    which any part may be left out or `null`. What one part says of another (names, sums) is the loader's to check.
    """
    schema = _tidy(Scenario.model_json_schema(by_alias=True, mode="validation", schema_generator=_Generator))
    definitions: dict[str, Any] = schema.pop("$defs")
    schema["properties"]["defaults"]["enum"] = _products()
    schema["properties"]["thresholds"]["propertyNames"] = {"pattern": rf"^\s*({'|'.join(METRICS)})\s*(\{{[^{{}}]*\}})?\s*$"}
    patches = {f"{name}Patch": _patch(one) for name, one in definitions.items()}
    patches[_PATCHES] = _patch(schema)
    del patches[_PATCHES]["properties"]["variants"]
    (names,) = schema["properties"]["variants"]["patternProperties"]
    schema["properties"]["variants"]["patternProperties"] = {
        names: {"anyOf": [{"$ref": f"#/$defs/{_PATCHES}"}, {"type": "null"}]}
    }
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "meshsim scenario",
        **schema,
        "$defs": {**definitions, **_used(patches)},
    }


def _tidy(schema: Any) -> Any:
    """The same without the names of classes, and with names of things held to their pattern."""
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _tidy(one) for key, one in schema.items() if key != "title"}
    if "patternProperties" in made:
        made["additionalProperties"] = False
    return made


def _products() -> list[str]:
    """Every product, with its versions and without."""
    names = [product.name for product in products() if product.name != NO_PRODUCT]
    return [NO_PRODUCT, *sorted({name.partition("-")[0] for name in names}), *names]


def _patch(schema: Any) -> Any:
    """The same for a patch: nothing is required, `null` takes out what a key holds, and a load need not say its executor again.

    A load with another executor takes out what belongs to the old one, so that there it may have any key, with `null`.
    """
    if isinstance(schema, list):
        return [_patch(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, one in schema.items():
        if key in _WHOLE:
            made[key] = one
        elif key in ("properties", "patternProperties"):
            made[key] = {name: _or_null(_patch(inner)) for name, inner in one.items()}
        elif key == "additionalProperties" and isinstance(one, dict):
            made[key] = _or_null(_patch(one))
        elif key == "$ref":
            made[key] = f"{one}Patch"
        elif key not in ("required", "minProperties"):
            made["anyOf" if key == "oneOf" else key] = _patch(one)
    if "executor" in made.get("properties", {}):
        made["additionalProperties"] = {"type": "null"}
    return made


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    text = {key: schema[key] for key in ("description",) if key in schema}
    return {**text, "anyOf": [{key: one for key, one in schema.items() if key not in text}, {"type": "null"}]}


def _used(definitions: dict[str, Any]) -> dict[str, Any]:
    """Those definitions that the patch of a scenario leads to."""
    found: dict[str, Any] = {}
    pending = [_PATCHES]
    while pending:
        name = pending.pop()
        if name in definitions and name not in found:
            found[name] = definitions[name]
            pending += _references(definitions[name])
    return dict(sorted(found.items()))


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for one in schema for name in _references(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix("#/$defs/")] if isinstance(schema.get("$ref"), str) else []
    return own + [name for one in schema.values() for name in _references(one)]
