"""Token bucket that is filled by a timer."""

from __future__ import annotations

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_MS, NS_PER_S, Duration, PositiveCount


@policy
class SteppedTokenBucket(Admission):
    """Admit while there is a token; `tokens_per_fill` come back all at once at the end of each `fill_interval`.

    What Envoy's documentation describes and its older versions do. The timer starts with the proxy, so that each proxy has its fills at
    instants of its own (at time zero with `run.cold_start`). Against
    the continuous refill it lets bursts through after each fill, and admits less of an even load, since nothing has come back of an
    interval that has not ended: 2,050 and not 2,099 of 3,000 at 150/s against 100/s in 20 s.

    Source: Envoy, source/extensions/filters/common/local_ratelimit/local_ratelimit_impl.cc, TimerTokenBucket (the only one before
    the runtime feature no_timer_based_rate_limit_token_bucket); api/envoy/type/v3/token_bucket.proto.
    """

    max_tokens: PositiveCount
    """Size of the bucket: the largest burst."""
    tokens_per_fill: PositiveCount = 1
    """Tokens that come back at each fill."""
    fill_interval: Duration
    """Between two fills; at least 50ms, as Envoy demands."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        if self.fill_interval < 50 * NS_PER_MS:
            raise SettingError("fill_interval", "Envoy refuses a fill_interval below 50ms")

    def build(self, born_ns: int = 0, **_: object) -> SteppedTokenBucketState:
        """A full bucket."""
        return SteppedTokenBucketState(self, born_ns)

    def limit(self) -> int:
        """Size of the bucket."""
        return self.max_tokens

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.tokens_per_fill * NS_PER_S / self.fill_interval


class SteppedTokenBucketState(AdmissionState):
    """What is in the bucket."""

    __slots__ = ("_fills", "_since_ns", "_tokens", "fill_interval", "max_tokens", "tokens_per_fill")

    def __init__(self, settings: SteppedTokenBucket, born_ns: int) -> None:
        """A full bucket."""
        self.max_tokens = settings.max_tokens
        self.tokens_per_fill = settings.tokens_per_fill
        self.fill_interval = settings.fill_interval
        self._since_ns: int = -born_ns % settings.fill_interval
        """How long before time zero a fill was."""
        self._tokens = settings.max_tokens
        self._fills = 0

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Take the tokens if they are there."""
        tokens = self.remaining(now_ns)
        self._fills = (now_ns + self._since_ns) // self.fill_interval
        is_enough = tokens >= cost
        self._tokens = tokens - cost if is_enough else tokens
        return is_enough

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until the fill that brings the last of the tokens."""
        if cost > self.max_tokens:
            return NEVER
        missing = cost - self.remaining(now_ns)
        if missing <= 0:
            return 0
        fills = -(-missing // self.tokens_per_fill)
        return fills * self.fill_interval - (now_ns + self._since_ns) % self.fill_interval

    def remaining(self, now_ns: int) -> int:
        """Tokens in the bucket."""
        fills = (now_ns + self._since_ns) // self.fill_interval - self._fills
        return min(self.max_tokens, self._tokens + fills * self.tokens_per_fill) if fills else self._tokens
