"""Keys of what shapes the arrivals of open loads, and of replayed ones."""

from __future__ import annotations

from typing import Any

import keys_measures as measure
from keys_load import OPEN, change, world
from rows import Row

SWING = {"amplitude": "50%", "period": "2s"}


def bursts(intensity: float = 0, lasts: str = "90ms", **more: Any) -> dict[str, Any]:
    """A change of the load: a first state like this, and a second one of 10 ms."""
    states = [{"intensity": intensity, "lasts": lasts}, {"intensity": 1, "lasts": "10ms"}]
    return change(bursts={"states": states, **more})


def swinging(**more: str) -> dict[str, Any]:
    """A change of the load: a rate that swings once in the run."""
    return change(sinusoid={**SWING, **more})


def rows() -> list[Row]:
    """All rows of shapes."""
    steady, replay = world("ConstantArrivalRate"), world("Replay")
    return [
        *(Row(f"{name}.sinusoid", world(name), {}, swinging(), measure.uneven_gaps, "more") for name in OPEN),
        *(Row(f"{name}.bursts", world(name), {}, bursts(), measure.uneven_gaps, "more") for name in OPEN),
        Row(
            "SinusoidSection.amplitude", steady, swinging(amplitude="10%"), swinging(amplitude="90%"), measure.uneven_gaps, "more"
        ),
        Row("SinusoidSection.period", steady, swinging(period="4s"), swinging(period="8s"), measure.asked, "more"),
        Row("SinusoidSection.peak", steady, swinging(peak="0s"), swinging(peak="1500ms"), measure.mean_start, "more"),
        Row("BurstsSection.states", steady, bursts(1), bursts(0), measure.uneven_gaps, "more"),
        Row("BurstsSection.sources", steady, bursts(), bursts(sources=1000), measure.uneven_gaps, "less"),
        Row("BurstState.intensity", steady, bursts(0.9), bursts(0.1), measure.uneven_gaps, "more"),
        Row("BurstState.lasts", steady, bursts(lasts="10ms"), bursts(lasts="400ms"), measure.uneven_gaps, "more"),
        Row("Replay.stretch", replay, {}, change(stretch=2), measure.last_start, "more"),
        Row("Replay.scale", replay, {}, change(scale=3), measure.asked, "more"),
    ]


ROWS = rows()
