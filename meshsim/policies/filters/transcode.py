"""Translation of JSON over HTTP to gRPC and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from meshsim.flags import Flag
from meshsim.policies.filters.filter import Decision, Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, Size

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

Ratio = Annotated[float, Ge(0.1), Le(1000)]
TOO_LARGE = Verdict(413, int(Flag.too_large), decision=Decision.LIMITED)
BYTES_PER_KIB = 1024


@policy
class Transcode(Filter):
    """Hold a worker for translating requests from JSON to gRPC and answers back, so that behind it bodies are smaller.

    The whole body of a request and of an answer is kept before it is translated: JSON cannot begin before the protobuf is complete.
    Clients send and get JSON; only the side of the service sees `ratio` times fewer bytes. A request whose JSON is larger than
    `max_request_body_size` is answered with 413; no answer is too large here, where Envoy's would become a 500. No product publishes
    what a KiB costs: measure it.

    Source: Envoy 1.40, source/extensions/filters/http/grpc_json_transcoder/json_transcoder_filter.cc.
    """

    works_on_answers: ClassVar[bool] = True

    request_time: Duration = 0
    """For each request, whatever its size."""
    request_time_per_kib: Duration = 0
    """For each KiB of JSON in a request, in addition."""
    response_time: Duration = 0
    """For each answer, whatever its size."""
    response_time_per_kib: Duration = 0
    """For each KiB of protobuf in an answer, in addition."""
    ratio: Ratio = 1.0
    """KiB of JSON for one of protobuf."""
    max_request_body_size: Size = 2**20
    """The largest JSON that is translated; 1MiB where absent, Envoy's limit for a connection's buffers."""

    def check(self) -> None:
        """Raise `SettingError` where nothing could pass."""
        if self.max_request_body_size <= 0:
            raise SettingError("max_request_body_size", "must be larger than 0B")

    def build(self, **_: object) -> TranscodeState:
        """No state."""
        return TranscodeState(self)


class TranscodeState(FilterState):
    """It remembers nothing but what translation costs."""

    delays = True
    draws = False
    works_on_answers = True

    def __init__(self, settings: Transcode) -> None:
        """No state."""
        self.request_time = settings.request_time
        self.request_time_per_kib = settings.request_time_per_kib
        self.response_time = settings.response_time
        self.response_time_per_kib = settings.response_time_per_kib
        self.ratio = settings.ratio
        self.max_request_body_size = settings.max_request_body_size

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """Go on, after the work for its size; or 413."""
        if asked.kib * BYTES_PER_KIB > self.max_request_body_size:
            return TOO_LARGE
        return Verdict(work_ns=self.request_time + round(self.request_time_per_kib * asked.kib))

    def answer_work_ns(self, asked: Asked, status: int, kib: float) -> int:  # noqa: ARG002
        """The work for an answer of this size in protobuf."""
        return self.response_time + round(self.response_time_per_kib * kib) if status else 0

    def request_kib(self, kib: float) -> float:
        """What the service gets of a request whose JSON is of this size."""
        return kib / self.ratio

    def answer_kib(self, kib: float) -> float:
        """What the client gets of an answer whose protobuf is of this size."""
        return kib * self.ratio
