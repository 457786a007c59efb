"""Requests at given instants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def at_instants(folder: Path, times_ms: Iterable[float], service: str, **more: Any) -> dict[str, Any]:
    """A load that asks a service at these instants, in ms; its file is written into the folder."""
    file = folder / "times.csv"
    file.write_text("at\n" + "".join(f"{time}\n" for time in times_ms), encoding="utf-8")
    return {"executor": "replay", "file": str(file), "unit": "ms", "requests": {service: 1}, **more}
