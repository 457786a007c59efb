"""Notes for `meshsim check`: what is well to know, and nobody need mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.scenario.advice import hanging, spacing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.errors import Mistake
    from meshsim.scenario.advice.remark import Remark
    from meshsim.scenario.load import Places
    from meshsim.scenario.sections.model import Scenario

SOURCES = (hanging.remarks, spacing.remarks)


def notes(scenario: Scenario, places: Places) -> list[Mistake]:
    """Each note at the setting that it is about, in the order of the file.

    Args:
        scenario: One variant, validated.
        places: Where its settings stand.
    """
    return sorted(dict.fromkeys(places.mistake(remark.path, remark.message) for remark in remarks(scenario)))


def remarks(scenario: Scenario) -> Iterator[Remark]:
    """The same before it is known where they stand."""
    for source in SOURCES:
        yield from source(scenario)
