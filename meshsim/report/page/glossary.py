"""What the words and abbreviations of the report mean, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import MEANINGS
from meshsim.report.page.wording import confidence

if TYPE_CHECKING:
    from meshsim.experiments.comparison import Comparison


def words(comparison: Comparison) -> list[tuple[str, str]]:
    """Each word with its meaning, in the order of the alphabet."""
    found = {
        "attempt, try": "one sending of a call to a service; a call that is retried has several",
        "baseline": "the variant that the others are compared with: the first",
        "busy, utilisation": "share of the workers that are held, also while they wait for a call; of the CPU that is used where there are none",
        "goodput": "requests that ended well, in each second",
        f"interval ({confidence(comparison)})": (
            f"from a lower to an upper end: of 100 intervals made in this way, about {comparison.confidence * 100:.0f} contain the "
            "true value. The table says how each was made"
        ),
        "latency": "from the first sending to the last answer, as the client saw it, failures included",
        "noise": "what differs from one replication to the next by chance alone",
        "p50, p90, p99, p99.9": "percentiles: 99 of 100 requests are at most as slow as the p99",
        "paired difference": (
            "variant less baseline in the same replication, where both meet the same requests with the same service times, so that "
            "luck is taken out of the difference"
        ),
        "points": "percentage points: from 4 % to 5 % is 1 point, or +25 %",
        "replication": "the whole run again with other draws: other arrivals, other service times",
        "retry amplification, attempts for each call": "attempts that were sent, for each call: 1 without retries",
        "warm-up": "the beginning of the run, which is left out of all figures",
        "wasted work": "computing whose answer nobody waited for any more",
    }
    if any("MSER" in note for note in comparison.notes):
        found["MSER-5"] = (
            "marginal standard error rule: finds where the figures have settled, on means of 5 intervals (White, 1997)"
        )
    found |= {f"flag {flag}": meaning for flag, meaning in _flags(comparison)}
    return sorted(found.items(), key=lambda pair: pair[0].lower())


def _flags(comparison: Comparison) -> list[tuple[str, str]]:
    """The response flags that occur, with what they mean: Envoy's in upper case, the services' own in lower case."""
    texts = [*comparison.errors["flag"].unique(), *comparison.spans["response_flags"].unique()]
    seen = {word for text in texts for word in str(text).split(",")}
    return [(flag, meaning) for flag, meaning in MEANINGS.items() if flag in seen]
