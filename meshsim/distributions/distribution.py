"""What every distribution answers."""

from __future__ import annotations

from meshsim.registry import Policy, SettingError, family


@family("distribution")
class Distribution(Policy):
    """How long something takes. `build()` works out the parameters once; after it an instance never changes."""

    def quantile(self, u: float) -> float:
        """The time, in nanoseconds, that a variate stays below with probability `u`; ask after `build()`.

        Args:
            u: Strictly between 0 and 1. `randomness.uniform` gives odd multiples of 2^-53, for which 1 - u is exact; of other
                numbers, those below 1e-9 lose digits in the distributions that need it.

        Returns:
            Finite, 0 or more, at most ten years, and not less for a greater `u`; only a mixture is not in order.
        """
        raise NotImplementedError

    @property
    def mean_ns(self) -> float:
        """Mean in nanoseconds, before or after `build()`."""
        raise NotImplementedError

    def require_positive(self, *names: str) -> None:
        """Raise `SettingError` for the first of these settings that is 0; those that are not given are let pass."""
        for name in names:
            if (value := getattr(self, name)) is not None and value <= 0:
                raise SettingError(name, f"{name} must be more than 0")
