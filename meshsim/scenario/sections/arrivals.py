"""What shapes the rate of open loads: how requests are spaced, a rate that swings, and bursts."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import Field, model_validator

from meshsim.scenario.sections.types import Duration, Section, Share, TimeDistribution
from meshsim.scenario.sections.wording import mistake
from meshsim.units import NS_PER_MS

Spacing = Literal["even", "poisson"]


class SinusoidSection(Section):
    """A rate that swings around the load's own."""

    amplitude: Share
    """How far the rate goes up and down: at 60% from 0.4 to 1.6 times the load's own."""
    period: Duration
    """From one peak to the next: 24h for a day."""
    peak: Duration = 0
    """When one of the peaks is, from the start of the run."""

    @model_validator(mode="after")
    def _swings_slowly(self) -> Self:
        if self.period < NS_PER_MS:
            raise mistake("must be 1ms or more", "period")
        return self


class BurstState(Section):
    """A state that a source stays in for a while."""

    intensity: Annotated[float, Ge(0), Le(1_000_000)]
    """How busy it is then, in comparison with the other states; 0 for silence."""
    lasts: TimeDistribution
    """How long each time. With `exponential` in all states and `arrivals: poisson` the load is a Markov-modulated Poisson process (MMPP)."""

    @model_validator(mode="after")
    def _lasts_a_while(self) -> Self:
        if self.lasts.chosen.build().mean_ns < NS_PER_MS:
            raise mistake("must be 1ms or more in the mean", "lasts")
        return self


class BurstsSection(Section):
    """A rate that goes up and down by chance; the load's own rate is its mean."""

    states: Annotated[list[BurstState], Field(min_length=2, max_length=100)]
    """One after the other, and after the last the first again."""
    sources: Annotated[int, Gt(0), Le(100_000)] = 1
    """How many sources go through the states, each at its own time; the load is all of them together. Many with states of a heavy tail
    (`pareto` with an `alpha` below 2) are self-similar traffic."""

    @model_validator(mode="after")
    def _not_silent(self) -> Self:
        if not any(state.intensity for state in self.states):
            raise mistake("one state at least needs an intensity above 0", "states")
        return self
