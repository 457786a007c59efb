"""Answers from the documentation in the code: what a field of a scenario means, and which policies there are."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim import policies, registry
from meshsim.errors import did_you_mean
from meshsim.scenario.defaults import HOWS, NO_PRODUCT, SHORT_FORMS, Default, products, text_of
from meshsim.scenario.documentation import fields

if TYPE_CHECKING:
    from meshsim.scenario.documentation.fields import Field

__all__ = [
    "Explanation",
    "Meaning",
    "PolicyFamily",
    "PolicyText",
    "SettingText",
    "UnknownFieldError",
    "default_field",
    "explain",
    "policy_families",
]
LOADED = policies
"""Importing the policies is what registers them."""


class UnknownFieldError(LookupError):
    """A field that no scenario has; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning of a field: the places where it is the same thing, and what it is when absent."""

    name: str
    doc: str
    """One line or more; empty where the code has none."""
    type: str
    """With the unit and an example, such as `duration, such as 250ms`."""
    choices: tuple[str, ...]
    """What may be written, where that is a closed list."""
    places: tuple[str, ...]
    """Paths where it may stand, with `<service>` and the like for names."""
    default: str
    """What it is where absent, when that does not depend on the product; else empty."""
    products: tuple[tuple[str, Default], ...]
    """What each product makes of its absence."""

    def lines(self) -> list[str]:
        """As plain text."""
        lines = [f"{self.name}: {self.type}"]
        lines += [f"  {line}" for line in self.doc.splitlines()]
        if self.choices:
            lines.append(f"  one of: {', '.join(self.choices)}")
        lines += [f"  at {place}" for place in self.places]
        if self.default:
            lines.append(f"  absent: {self.default}")
        for product, default in self.products:
            lines.append(f"  absent under {product}: {default.text}" + (f". {default.note}" if default.note else ""))
            lines.append(f"    source: {default.source}")
            for case in default.cases:
                value = text_of(case.value, case.written)
                lines.append(f"    {HOWS[case.how]} {value}, where {case.text}" + (f". {case.note}" if case.note else ""))
                lines.append(f"      source: {case.source}")
        return lines


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the documentation says of a field; several meanings where one name stands for different things."""

    field: str
    """As it was asked for."""
    meanings: tuple[Meaning, ...]

    def __str__(self) -> str:
        return "\n\n".join("\n".join(meaning.lines()) for meaning in self.meanings)


def explain(field: str) -> Explanation:
    """What a field of a scenario means.

    Args:
        field: A path or the end of one, with the names of services and routes or without:
            `mesh.traffic.payment.retries`, `mesh.traffic.retries`, `retries.num_retries`, `num_retries`.

    Raises:
        UnknownFieldError: No field ends so.

    Returns:
        Its meanings; those that depend on the product first.
    """
    wanted = [part for part in field.replace("[", ".").replace("]", "").split(".") if part and not part.isdigit()]
    found = _find(wanted) or _find_without_names(wanted) or [one for one in _find(wanted[:-1]) if one.is_open]
    if not found:
        last = wanted[-1] if wanted else field
        known = {one.name for one in fields.fields()}
        if last in known:
            ends = sorted({_place(one) for one in fields.fields() if one.name == last})
            raise UnknownFieldError(f"no '{last}' at '{field}'; it may stand at {', '.join(ends[:4])}")
        raise UnknownFieldError(f"unknown field '{field}'{did_you_mean(last, known)}")
    groups: dict[tuple[object, ...], list[Field]] = {}
    for one in found:
        groups.setdefault((one.owner, one.name, default_field(one.path)), []).append(one)
    meanings: list[Meaning] = []
    for group in groups.values():
        meaning = _meaning(group)
        if meaning not in meanings:  # what all loads have in common is a field of each executor
            meanings.append(meaning)
    return Explanation(field, tuple(sorted(meanings, key=lambda meaning: -len(meaning.products))))


def _find(wanted: list[str]) -> list[Field]:
    if not wanted:
        return []
    if wanted[0] in SHORT_FORMS:
        inside = [
            one for place in SHORT_FORMS[wanted[0]] for one in fields.fields() if one.path == (*place.split("."), *wanted[1:])
        ]
        if inside:
            return inside
    matching = [one for one in fields.fields() if one.ends_with(wanted)]
    whole = [one for one in matching if len(one.path) == len(wanted)]
    return whole or matching


def _find_without_names(wanted: list[str]) -> list[Field]:
    """Fields whose path ends so once the names that a scenario gives itself are left out."""
    if not wanted:
        return []
    return [one for one in fields.fields() if [part for part in one.path if not part.startswith("<")][-len(wanted) :] == wanted]


def _meaning(group: list[Field]) -> Meaning:
    first = group[0]
    known = default_field(first.path)
    by_product = tuple(
        (product.name, product.fields[known[0]])
        for product in products()
        if known is not None and (known[1] or product.name == NO_PRODUCT) and known[0] in product.fields
    )
    return Meaning(
        name=first.name,
        doc=first.doc,
        type=first.type,
        choices=first.choices,
        places=tuple(dict.fromkeys(_place(one) for one in group)),
        default="" if by_product else first.default,
        products=by_product,
    )


def _place(field: Field) -> str:
    return ".".join(field.path)


def default_field(path: tuple[str, ...]) -> tuple[str, bool] | None:
    """Of a field's path: the path among the defaults, and whether it depends on the product (a client's own retries do not)."""
    for short, places in SHORT_FORMS.items():
        for place in places:
            parts = tuple(place.split("."))
            if path[: len(parts)] == parts and len(path) > len(parts):
                return ".".join((short, *path[len(parts) :])), True
    if "retries" in path:
        return ".".join(("traffic", *path[path.index("retries") :])), False
    return ".".join(path), True


@dataclass(frozen=True, slots=True)
class SettingText:
    """One setting of a policy, for people."""

    name: str
    type: str
    default: str
    """Empty where it has none and must be given."""
    doc: str

    @property
    def absent(self) -> str:
        """What happens where it is not given."""
        if self.default == "None":
            return "may be left out"
        return f"default {self.default}" if self.default else "required"


@dataclass(frozen=True, slots=True)
class PolicyText:
    """One policy, for people."""

    name: str
    summary: str
    """First sentence of its docstring."""
    settings: tuple[SettingText, ...]
    source: str
    """What the policy mirrors, on one line."""

    def lines(self) -> list[str]:
        """As plain text."""
        settings = [f"    {one.name}: {one.type}; {one.absent}. {one.doc}" for one in self.settings]
        return [f"  {self.name}: {self.summary}", *settings, *([f"    source: {self.source}"] if self.source else [])]


@dataclass(frozen=True, slots=True)
class PolicyFamily:
    """The policies that answer one question."""

    name: str
    summary: str
    policies: tuple[PolicyText, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {self.summary}", *(line for one in self.policies for line in one.lines())])


def policy_families() -> tuple[PolicyFamily, ...]:
    """All policies by family, in alphabetical order, from their docstrings."""
    return tuple(
        PolicyFamily(name, _family_summary(members), tuple(_policy(policy) for policy in members.values()))
        for name, members in registry.families().items()
        if members
    )


def _family_summary(members: dict[str, type[registry.Policy]]) -> str:
    one = next(iter(members.values()))
    interface = next(base for base in reversed(one.__mro__) if base.__dict__.get("family") == one.family)
    return registry.first_sentence(interface)


def _policy(policy: type[registry.Policy]) -> PolicyText:
    settings = tuple(
        SettingText(
            one.name,
            fields.type_text(one.annotation),
            _setting_default(one),
            " ".join(one.doc.split()),
        )
        for one in registry.settings(policy)
    )
    return PolicyText(policy.name, registry.first_sentence(policy), settings, _source(policy))


def _setting_default(setting: registry.Setting) -> str:
    if setting.default is registry.REQUIRED:
        return ""
    return str(None) if setting.default is None else fields.value_text(setting.default, setting.annotation)


def _source(policy: type) -> str:
    _, _, source = (inspect.getdoc(policy) or "").partition("Source:")
    return " ".join(source.split())
