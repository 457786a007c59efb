"""Token bucket: a rate with a burst."""

from __future__ import annotations

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_MS, NS_PER_S, Duration, PositiveCount


@policy
class TokenBucket(Admission):
    """Admit while there is a token; tokens come back continuously at `tokens_per_fill` per `fill_interval`.

    Envoy's names suggest steps, and older versions stepped: since its AtomicTokenBucket the refill is continuous, so that 150/s
    in even steps against 100/s gives two of three admitted and not bursts at each fill. The bucket starts full. Counted in
    whole numbers (token x fill_interval), so there is no rounding.

    Source: Envoy 1.40, source/extensions/filters/common/local_ratelimit/local_ratelimit_impl.cc; measured on Envoy 1.40.
    """

    max_tokens: PositiveCount
    """Size of the bucket: the largest burst."""
    tokens_per_fill: PositiveCount = 1
    """Tokens that come back in one `fill_interval`; 1 where absent, as in Envoy, which surprises many."""
    fill_interval: Duration
    """Time in which `tokens_per_fill` come back; at least 50ms, as Envoy demands."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        if self.fill_interval < 50 * NS_PER_MS:
            raise SettingError(
                "fill_interval",
                "Envoy refuses a fill_interval below 50ms; write a larger one, with more tokens_per_fill",
            )

    def build(self, **_: object) -> TokenBucketState:
        """A full bucket at time zero."""
        return TokenBucketState(self)

    def limit(self) -> int:
        """Size of the bucket."""
        return self.max_tokens

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.tokens_per_fill * NS_PER_S / self.fill_interval


class TokenBucketState(AdmissionState):
    """What is in the bucket."""

    __slots__ = ("_filled_ns", "_full", "_level", "fill_interval", "max_tokens", "tokens_per_fill")

    def __init__(self, settings: TokenBucket) -> None:
        """A full bucket at time zero."""
        self.max_tokens = settings.max_tokens
        self.tokens_per_fill = settings.tokens_per_fill
        self.fill_interval = settings.fill_interval
        self._full = self._level = settings.max_tokens * settings.fill_interval
        self._filled_ns = 0

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Take the tokens if they are there."""
        level = self._level + (now_ns - self._filled_ns) * self.tokens_per_fill
        if level > self._full:  # noqa: PLR1730 — `min` is a call more, for every request
            level = self._full
        self._filled_ns = now_ns
        wanted = self.fill_interval * cost
        if level < wanted:
            self._level = level
            return False
        self._level = level - wanted
        return True

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until the tokens have come back."""
        if cost > self.max_tokens:
            return NEVER
        missing = self.fill_interval * cost - self._level_at(now_ns)
        return -(-missing // self.tokens_per_fill) if missing > 0 else 0

    def remaining(self, now_ns: int) -> int:
        """Whole tokens in the bucket."""
        return self._level_at(now_ns) // self.fill_interval

    def tokens(self, now_ns: int) -> float:
        """Tokens in the bucket at `now_ns`, parts of one included."""
        return self._level_at(now_ns) / self.fill_interval

    def _level_at(self, now_ns: int) -> int:
        return min(self._full, self._level + (now_ns - self._filled_ns) * self.tokens_per_fill)
