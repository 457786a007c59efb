"""How large an operation's answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.randomness import ANSWER_SIZE, uniform

if TYPE_CHECKING:
    from meshsim.plan import Operation


def answer_kib(operation: Operation, key: int) -> float:
    """Size of an operation's answer to the call with this key, in KiB."""
    spread = operation.response_spread
    return operation.response_kib if spread is None else spread.quantile(uniform(key, ANSWER_SIZE)) / 1024
