"""The table of docs/validation.md: `python docs/studies/validation.py FOLDER`, with the measurements in FOLDER; a quarter of an hour, two cores.

It runs every case of tests/validation and writes the table into the page, between its two marks. What is outside of the noise, and why, is
in tests/validation/compare.py, and a test holds both to each other.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "validation"))

from compare import OUTSIDE, Comparison, compare  # noqa: E402 — found beside the tests
from measured_cases import ALL  # noqa: E402

PAGE = ROOT / "docs" / "validation.md"
BEGIN, END = "<!-- table: docs/studies/validation.py -->", "<!-- end of the table -->"
HEAD = "| case | class | success % | attempts | mean ms | p50 | p90 | p95 | p99 | largest part of the noise used up | |"


def row(name: str, found: Comparison) -> str:
    """A case: each figure measured and simulated."""
    real, model = found.real, found.model
    pairs = [
        f"{real.success:.2f} → {model.success:.2f}",
        f"{real.attempts:.3f} → {model.attempts:.3f}",
        *(
            f"{real.latency[each]:.{_digits(real.latency[each])}f} → {model.latency[each]:.{_digits(real.latency[each])}f}"
            for each in real.latency
        ),
    ]
    worst = max(
        (each for each in found.deviations if each.allowed), key=lambda each: abs(each.simulated - each.measured) / each.allowed
    )
    used = f"{abs(worst.simulated - worst.measured) / worst.allowed:.0%} ({worst.figure})"
    verdict = "**outside**: " + ", ".join(each.figure for each in found.outside) if found.outside else "inside"
    return f"| `{name}` | {found.kind} | {' | '.join(pairs)} | {used} | {verdict} |"


def _digits(ms: float) -> int:
    return 2 if ms < 10 else 1


def page(rows: dict[str, Comparison]) -> str:
    """The page with the table made anew."""
    inside = sum(not found.outside for found in rows.values())
    lines = [
        BEGIN,
        "",
        f"{inside} of {len(rows)} cases lie wholly inside the noise. Left of each arrow is what was measured.",
        "",
        HEAD,
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(row(name, found) for name, found in rows.items()),
        "",
        *(["Outside, and why:", "", *(f"- `{name}`: {why}" for name, why in OUTSIDE.items()), ""] if OUTSIDE else []),
        END,
    ]
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return before + "\n".join(lines) + after


if __name__ == "__main__":
    PAGE.write_text(page({name: compare(Path(sys.argv[1]), name) for name in ALL}), encoding="utf-8")
