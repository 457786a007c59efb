"""What the documentation of a scenario's fields says, read from the source when somebody asks for it.

Reading a scenario needs none of it, and finding it takes longer than all else that reading does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim import registry
from meshsim.scenario.sections.types import Choice, Section

if TYPE_CHECKING:
    from pydantic import BaseModel


@registry.cached_by_class
def descriptions(section: type[BaseModel]) -> dict[str, str]:
    """The documentation of each field of a section, by name; of a choice, what each policy does."""
    if issubclass(section, Choice):
        policies = registry.families()[section.family]
        return {name: registry.first_sentence(policies[name]) for name in section.model_fields}
    source = section.documented_in if issubclass(section, Section) else None
    found = registry.field_docs(source or section)
    return {name: info.description or found.get(name, "") for name, info in section.model_fields.items()}
