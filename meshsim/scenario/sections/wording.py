"""What pydantic finds wrong, in the words of a scenario's author."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from meshsim.errors import did_you_mean
from meshsim.scenario.files.nodes import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
PATH_PATTERN = r"^/[^\s?#]*$"
UNKNOWN_KEY = "unknown_key"
MISSING = "absent"

_OURS = frozenset({"mistake", UNKNOWN_KEY, MISSING})
_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "string": "text",
    "path": "the name of a file",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}
_PATTERNS = {
    NAME_PATTERN: "is no name (letters, digits, '-', '_' and '.', 63 at most, the first a letter or digit)",
    PATH_PATTERN: "is no path; it begins with '/' and has no spaces, '?' or '#'",
}
_BOUNDS = {
    "greater_than": ("must be more than", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than": ("must be less than", "lt"),
    "less_than_equal": ("must be at most", "le"),
}


def mistake(message: str, field: str | None = None) -> PydanticCustomError:
    """What a validator raises.

    Args:
        message: What is wrong, and what would be right.
        field: The key inside of what is validated that is wrong; None for the whole.
    """
    return _custom("mistake", message, {"field": field} if field else {})


def in_our_words(error: ValidationError, known: Iterable[str]) -> ValidationError:
    """The same errors, none of them in pydantic's words.

    Args:
        error: Of one section, those of the sections in it translated already.
        known: The keys that the section has.
    """
    keys = list(known)
    details = [
        InitErrorDetails(type=_translated(one, keys), loc=one["loc"], input=one["input"])
        for one in error.errors(include_url=False)
    ]
    return ValidationError.from_exception_data(error.title, details)


def _translated(error: ErrorDetails, keys: list[str]) -> PydanticCustomError:
    if error["type"] in _OURS:
        return _custom(error["type"], error["msg"], error.get("ctx", {}))
    if error["type"] == "extra_forbidden":
        return _custom(UNKNOWN_KEY, f"unknown key{did_you_mean(str(error['loc'][-1]), keys)}", {})
    if error["type"] == "missing":
        return _custom(MISSING, "is missing", {})
    return _custom("mistake", _wrong_value(error), {})


def _wrong_value(error: ErrorDetails) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{words} {context[bound]:,.12g}"
    if kind == "literal_error":
        field = next((part for part in reversed(error["loc"]) if isinstance(part, str) and not part.startswith("<")), "value")
        return _unknown_word(field, value, re.findall(r"'([^']*)'", context["expected"]))
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} {_PATTERNS.get(context['pattern'], 'is not written as it should be')}"
    if kind == "too_short":
        return "must not be empty" if context["min_length"] == 1 else f"needs {context['min_length']} entries"
    if kind == "too_long":
        return f"has {context['actual_length']:,} entries; at most {context['max_length']:,} are taken"
    expected = _EXPECTED.get(kind.partition("_")[0])
    return f"expected {expected}, not {shown(value)}" if expected else f"{shown(value)} cannot stand here"


def _unknown_word(field: str, value: Any, known: list[str]) -> str:
    if not isinstance(value, str):
        return f"expected one of {', '.join(known)}, not {shown(value)}"
    hint = did_you_mean(value, known) or f" (one of: {', '.join(known)})"
    return f"unknown {field} {shown(value)}{hint}"


def _custom(kind: str, message: str, context: dict[str, Any]) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {**context, "message": message})
