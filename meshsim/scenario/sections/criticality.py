"""How important requests are: four classes, for whoever sheds load or serves the more important first."""

from __future__ import annotations

from typing import Literal, get_args

Criticality = Literal["critical_plus", "critical", "sheddable_plus", "sheddable"]
CRITICALITIES: tuple[str, ...] = get_args(Criticality)
"""The most important first. Source: Beyer et al., "Site Reliability Engineering", chapter 21, "Criticality"."""
