"""Texts that load balancers hash: addresses and keys."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from meshsim.scenario.sections.wording import mistake

if TYPE_CHECKING:
    from collections.abc import Sequence


def _has_a_hash(text: str) -> str:
    if not text:
        raise mistake("must not be empty: an empty text cannot be hashed")
    return text


HashedText = Annotated[str, AfterValidator(_has_a_hash)]


def different_texts(texts: Sequence[str], field: str) -> None:
    """Raise a mistake where a text is there twice: two with one hash are one to a load balancer."""
    text, times = Counter(texts).most_common(1)[0]
    if times > 1:
        raise mistake(f"{text!r} is there {times:,} times: the same name has the same hash", field)
