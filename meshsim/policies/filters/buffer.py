"""A limit on the size of request bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Size

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

TOO_LARGE = Verdict(413, int(Flag.too_large), decision=Decision.LIMITED)
BYTES_PER_KIB = 1024


@policy
class Buffer(Filter):
    """Answer 413 to a request whose body is larger than the buffer.

    A body of just the limit passes. Requests without a body never meet it. It limits requests only: an answer that is too large to be
    kept becomes a 500 elsewhere. Envoy's access log shows no flag, only "request_payload_too_large".

    Source: Envoy 1.40, source/extensions/filters/http/buffer/buffer_filter.cc, which sets the buffer limit whose overflow the
    connection manager answers (source/common/http/filter_manager.cc).
    """

    max_request_bytes: Size
    """The largest body that passes."""

    def check(self) -> None:
        """Raise `SettingError` where Envoy would refuse the settings."""
        if self.max_request_bytes <= 0:
            raise SettingError("max_request_bytes", "must be larger than 0B")

    def build(self, **_: object) -> BufferState:
        """No state."""
        return BufferState(self)


class BufferState(FilterState):
    """It remembers nothing but the limit."""

    draws = False

    def __init__(self, settings: Buffer) -> None:
        """No state."""
        self.max_request_bytes = settings.max_request_bytes

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 413."""
        return TOO_LARGE if asked.kib * BYTES_PER_KIB > self.max_request_bytes else PASS
