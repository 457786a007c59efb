"""What outlier detection knows of one host."""

from __future__ import annotations


class HostRecord:
    """Counters of one host, and its ejections."""

    __slots__ = (
        "consecutive_5xx", "consecutive_gateway", "consecutive_local", "ejected_ns", "is_ejected", "is_member", "jitter_ns",
        "local_requests", "local_successes", "multiplier", "requests", "successes", "uneject_ns",
    )  # fmt: skip

    def __init__(self) -> None:
        self.is_member = True
        self.clear()

    def clear(self) -> None:
        """Nothing is known of it."""
        self.is_ejected = False
        self.ejected_ns = 0
        self.uneject_ns = -(1 << 62)
        """When it last came back."""
        self.multiplier = 0
        """How many base times it stays out at the next ejection, less one."""
        self.jitter_ns = 0
        self.requests = self.successes = self.local_requests = self.local_successes = 0
        self.clear_rows()

    def clear_rows(self) -> None:
        """Begin to count failures in a row anew."""
        self.consecutive_5xx = self.consecutive_gateway = self.consecutive_local = 0
