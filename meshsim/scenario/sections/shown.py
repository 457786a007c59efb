"""What the requests of a load ask for, and what they show."""

from __future__ import annotations

from typing import Annotated, Any, Self

from annotated_types import Ge, Le
from pydantic import Field, model_validator

from meshsim.scenario.sections.hashed import HashedText, different_texts
from meshsim.scenario.sections.types import Section, Share
from meshsim.scenario.sections.wording import mistake


class PopularitySection(Section):
    """Things of which some are asked for more often than others."""

    count: Annotated[int, Ge(1), Le(100_000)]
    """How many there are."""
    zipf: Annotated[float, Ge(0), Le(10)] = 0.0
    """Exponent of Zipf's law: the n-th is asked for in proportion to 1 / n^zipf; 0 for all alike."""


class KeysSection(PopularitySection):
    """Things that requests ask for."""

    names: Annotated[list[HashedText], Field(min_length=1, max_length=100_000)] | None = None
    """What they are called, for `hash_on: key`: their hashes are Envoy's of these texts, and `count` is how many there are. The hashes of
    keys without a name are drawn, other ones in each replication."""

    @model_validator(mode="before")
    @classmethod
    def _count_names(cls, value: Any) -> Any:
        if isinstance(value, dict) and "count" not in value and isinstance(value.get("names"), list) and value["names"]:
            return {**value, "count": len(value["names"])}
        return value

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        if self.names is not None:
            if len(self.names) != self.count:
                raise mistake(f"write one for each key: there are {len(self.names):,}, and `count` says {self.count:,}", "names")
            different_texts(self.names, "names")
        return self


class CredentialsSection(Section):
    """The API keys or tokens that requests bring."""

    valid: Share = 1.0
    """Requests with a good one."""
    missing: Share = 0.0
    """Requests without any; the rest have a bad one."""
    count: Annotated[int, Ge(1), Le(1_000_000)] = 1
    """Different good ones, each as often as the others (a virtual user keeps its own); there are as many bad ones."""

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if self.valid + self.missing > 1 + 1e-9:
            raise mistake(
                f"{100 * self.valid:.12g}% with a good one and {100 * self.missing:.12g}% without any are more than all",
                "missing",
            )
        return self
