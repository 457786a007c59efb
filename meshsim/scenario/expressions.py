"""Regular expressions of paths, matched as Envoy matches them: by RE2, in time that grows with the path and never beyond.

A scenario is a file of somebody else's. An expression that goes back over what it has matched (`(a+)+$`) keeps Python's own
matcher busy for longer than anybody waits; RE2 has no such expressions, and refuses what it cannot match in linear time
(back-references, look-around).

Source: Envoy, source/common/common/regex.h (CompiledGoogleReMatcher::match: RE2::FullMatch), regex.cc (made with RE2::Quiet); google/re2,
doc/syntax.txt.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2


class ExpressionError(ValueError):
    """What RE2 does not take, and why."""


def refuse_unless_an_expression(text: str) -> None:
    """Raise `ExpressionError` where RE2 does not take it."""
    _compiled(text)


def matches(expression: str, path: str) -> bool:
    """Whether an expression matches the whole of a path."""
    return _compiled(expression).fullmatch(path) is not None


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        raise ExpressionError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
