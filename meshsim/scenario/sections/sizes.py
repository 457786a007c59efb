"""Sizes of bodies and answers: all alike, or spread."""

from __future__ import annotations

from typing import Annotated, Any, Self

from annotated_types import Ge
from pydantic import Discriminator, Tag, model_validator

from meshsim.distributions import Distribution, Lognormal
from meshsim.scenario.sections.types import Section, Size
from meshsim.scenario.sections.wording import mistake


class SizeSpread(Section):
    """Sizes that differ: lognormal, as sizes of files and answers are."""

    p50: Annotated[Size, Ge(1)]
    """Median."""
    p99: Annotated[Size, Ge(1)]
    """99th percentile, more than the median."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.p99 <= self.p50:
            raise mistake("must be more than p50", "p99")
        return self


def _kind_of_size(value: Any) -> str:
    return "<spread>" if isinstance(value, dict | SizeSpread) else "<size>"


Sizes = Annotated[Annotated[Size, Tag("<size>")] | Annotated[SizeSpread, Tag("<spread>")], Discriminator(_kind_of_size)]
"""A size such as `4KiB`, or sizes that differ."""


def spread_of(size: int | SizeSpread | None) -> Distribution | None:
    """The distribution of sizes that differ, in bytes; None where they do not."""
    return Lognormal(p50=size.p50, p99=size.p99).build() if isinstance(size, SizeSpread) else None


def mean_kib(size: int | SizeSpread | None) -> float:
    """Mean size in KiB; 0 where there is none."""
    spread = spread_of(size)
    bytes_: float = (size or 0) if not isinstance(size, SizeSpread) else 0.0
    return (bytes_ if spread is None else spread.mean_ns) / 1024
