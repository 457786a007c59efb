"""Timeouts that may be switched off."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from meshsim.scenario.sections.types import Duration


def _kind_of_timeout(value: object) -> str:
    return "<none>" if value == "none" else "<duration>"


Timeout = Annotated[
    Annotated[Duration, Tag("<duration>")] | Annotated[Literal["none"], Tag("<none>")], Discriminator(_kind_of_timeout)
]
"""A duration, or `none` for no timeout where the product would have one."""
