"""Rewriting of requests and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from meshsim.policies.filters.filter import Filter, FilterState, Verdict
from meshsim.registry import SettingError, policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class Transform(Filter):
    """Hold a worker for rewriting requests and answers, for the longer the larger they are.

    Headers cost the same for every request (`request_time`); bodies are parsed and written anew, so that they cost by size. What
    people forget: the answer's share is paid by the same workers, so that slow answers rewritten at a busy gateway wait twice. Where
    the caller has left nothing is rewritten. No default costs anything: measure it.

    Source: Kong 3.x, kong/plugins/request-transformer and response-transformer (a body is parsed and encoded as a whole); Envoy 1.40,
    source/extensions/filters/http/lua and ext_proc, which run on the worker's thread.
    """

    works_on_answers: ClassVar[bool] = True

    request_time: Duration = 0
    """For each request, whatever its size."""
    request_time_per_kib: Duration = 0
    """For each KiB of a request's body, in addition."""
    response_time: Duration = 0
    """For each answer, whatever its size."""
    response_time_per_kib: Duration = 0
    """For each KiB of an answer's body, in addition."""

    def check(self) -> None:
        """Raise `SettingError` where it would do nothing."""
        if not (self.request_time or self.request_time_per_kib or self.response_time or self.response_time_per_kib):
            raise SettingError("request_time", "write what a request or an answer costs: the filter does nothing without")

    def build(self, **_: object) -> TransformState:
        """No state."""
        return TransformState(self)


class TransformState(FilterState):
    """It remembers nothing but what rewriting costs."""

    delays = True
    draws = False
    works_on_answers = True

    def __init__(self, settings: Transform) -> None:
        """No state."""
        self.request_time = settings.request_time
        self.request_time_per_kib = settings.request_time_per_kib
        self.response_time = settings.response_time
        self.response_time_per_kib = settings.response_time_per_kib
        self._fixed = Verdict(work_ns=settings.request_time)

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """Go on, after the work for its size."""
        if not self.request_time_per_kib:
            return self._fixed
        return Verdict(work_ns=self.request_time + round(self.request_time_per_kib * asked.kib))

    def answer_work_ns(self, asked: Asked, status: int, kib: float) -> int:  # noqa: ARG002
        """The work for the answer's size."""
        return self.response_time + round(self.response_time_per_kib * kib) if status else 0
