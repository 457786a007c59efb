"""What a scenario left out, and what that came to: every default used, with its value and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.report.page.own_defaults import own_defaults
from meshsim.report.page.product_defaults import product_defaults
from meshsim.scenario.documentation import fields
from meshsim.scenario.documentation.explain import default_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshsim.scenario.sections.model import Scenario

_Key = tuple[str, str, str]
"""Field, product, and because of what."""
OWN_SOURCE = "meshsim's own default, whatever the product"


@dataclass(frozen=True, slots=True)
class Places:
    """Places where the same was left out in the same variants."""

    names: tuple[str, ...]
    """Names of services or loads, or who calls whom; one empty name for the whole scenario."""
    variants: tuple[str, ...]
    """In which variants; empty for all."""

    def __str__(self) -> str:
        grouped: dict[str, list[str]] = {}
        for place in self.names:
            caller, _, target = place.rpartition(" ")
            grouped.setdefault(caller, []).append(target)
        text = "; ".join(f"{caller} {', '.join(targets)}".strip() for caller, targets in grouped.items()) or "everywhere"
        return f"only in {', '.join(self.variants)}: {text}" if self.variants else text


@dataclass(frozen=True, slots=True)
class Assumption:
    """One default that holds for one or more places of the scenario."""

    field: str
    """Path, with `<service>` and the like for names, or its short form: `traffic.timeout`."""
    meaning: str
    """What the field is, in one line or more; empty where the code has none."""
    value: str
    product: str
    """Whose default it is, such as `istio-1.29`; `meshsim` for those that do not depend on the product."""
    source: str
    note: str
    places: tuple[Places, ...]
    """Where it was left out."""

    @property
    def where(self) -> str:
        """The places in words: `sidecars to catalog, ads; only in as-is, budget: sidecars to payment`."""
        return "; ".join(str(one) for one in self.places)


def assumptions(scenarios: Mapping[str, Scenario]) -> list[Assumption]:
    """Every default that fills in for something which the scenarios left out.

    Args:
        scenarios: By variant, with all changes applied.

    Returns:
        Those of products first, in the order of the model; one for each field, product and what it hangs on.
    """
    meanings = _meanings()
    found: dict[_Key, dict[str, dict[str, None]]] = {}
    values: dict[_Key, tuple[str, str, str, str]] = {}
    for variant, scenario in scenarios.items():
        for use in product_defaults(scenario):
            default = use.default
            key = use.field, use.product.name, default.because
            _keep(found, key, use.place, variant)
            why = f"Because {default.because}." if default.because else ""
            values[key] = (meanings.get(use.field, ""), default.text, default.source, f"{why} {default.note}".strip())
        for own in own_defaults(scenario):
            _keep(found, (own.field, "meshsim", ""), own.place, variant)
            values[own.field, "meshsim", ""] = (own.meaning, own.value, OWN_SOURCE, "")
    order = {name: number for number, name in enumerate(dict.fromkeys(product for _, product, _ in found))}
    made = []
    for key in sorted(found, key=lambda key: (key[1] == "meshsim", order[key[1]])):
        field, product_name, _ = key
        meaning, value, source, note = values[key]
        places = tuple(
            Places(names, () if len(variants) == len(scenarios) else variants)
            for variants, names in sorted(_together(found[key]).items(), key=lambda one: -len(one[0]))
        )
        made.append(Assumption(field, meaning, value, product_name, source, note, places))
    return made


def _keep(found: dict[_Key, dict[str, dict[str, None]]], key: _Key, place: str, variant: str) -> None:
    found.setdefault(key, {}).setdefault(place, {})[variant] = None


def _together(places: Mapping[str, Mapping[str, None]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The places by the variants in which they occur."""
    made: dict[tuple[str, ...], tuple[str, ...]] = {}
    for place, variants in places.items():
        made[tuple(variants)] = (*made.get(tuple(variants), ()), place)
    return made


def _meanings() -> dict[str, str]:
    """What the fields with a product's default are, by the path that the defaults have."""
    made: dict[str, str] = {}
    for of_a_product in (True, False):
        for one in fields.fields():
            known = default_field(one.path)
            if known is not None and known[1] == of_a_product:
                made.setdefault(known[0], one.doc.split("\n", maxsplit=1)[0])
    return made
