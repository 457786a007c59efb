"""Texts that load balancers hash: addresses and keys."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from meshsim.scenario.sections.wording import mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

HashedText = Annotated[str, Field(min_length=1, max_length=1000)]


def different_texts(texts: Sequence[str], field: str) -> None:
    """Raise a mistake where a text is there twice: two with one hash are one to a load balancer."""
    text, times = Counter(texts).most_common(1)[0]
    if times > 1:
        raise mistake(f"{text!r} is there {times:,} times, and what has one name has one hash", field)
