"""Faults: what goes wrong, where and for how long."""

from __future__ import annotations

from typing import Annotated, Any, Self

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, Field, model_validator

from meshsim.scenario.sections.errors import Errors
from meshsim.scenario.sections.loads import PositiveDuration
from meshsim.scenario.sections.types import Duration, Name, Section, TimeDistribution
from meshsim.scenario.sections.wording import mistake
from meshsim.units import format_duration

GATEWAY = "(gateway)"
"""Whom a fault strikes that strikes the gateway's replicas; so the tables call them, and no service has such a name."""


def _mean_of_exponential(value: Any) -> Any:
    """A bare time as the mean of times without memory, which a mean time between failures is in the field's words."""
    return {"exponential": {"mean": value}} if isinstance(value, str | int | float) and not _is_a_policy(value) else value


def _is_a_policy(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


TimeByChance = Annotated[TimeDistribution, BeforeValidator(_mean_of_exponential)]


class FaultSection(Section):
    """Something that goes wrong for a time."""

    at: Duration | None = None
    """When it begins; with `mtbf`, the earliest time it may begin, 0s where absent."""
    for_: PositiveDuration | None = Field(default=None, alias="for")
    """How long it lasts; with `mtbf`, the span after `at` in which it may begin, up to the end of the load where absent."""
    mtbf: TimeByChance | None = None
    """Mean time between failures, where the fault comes and goes by chance: the time from the end of one to the start of the next. Drawn
    anew each time and for each replica, by seed and replication. A bare duration is the mean of exponential times."""
    mttr: TimeByChance | None = None
    """Mean time to repair: with `mtbf`, how long it lasts each time; a bare duration is the mean of exponential times."""
    together: bool = False
    """With `mtbf`, whether it strikes all replicas at the same times, as when they share a rack or a switch; where false, each by itself."""
    service: str | None = None
    """Whose instances it strikes, or `(gateway)` for the gateway's replicas; where only `zone` is written, all that is in the zone: the
    instances of all services and the gateway's replicas."""
    zone: Name | None = None
    """Only those in this zone."""
    subset: Name | None = None
    """Only those of this subset of the service."""
    replicas: Annotated[int, Ge(1), Le(10_000)] | None = None
    """How many of them, the first ones; all where absent."""
    instances: list[Annotated[int, Ge(0), Le(10_000)]] | None = None
    """Which of them, by number from 0; all where absent."""
    slow: Annotated[float, Gt(0), Le(1e6)] | None = None
    """Computations that begin take so many times as long; of the gateway's replicas all that holds their workers."""
    errors: Errors | None = None
    """So many more of its requests fail: a share of them with the service's own error after their work, or as this says. Not of the
    gateway, which has the filter `fault` for that; of a zone those of its services."""
    crash: bool = False
    """Requests in it are lost (UC), new ones refused (UF). A replica of the gateway comes back as a new process that remembers nothing."""
    unreachable: bool = False
    """Messages to it and from it are lost: callers wait until a timeout of theirs. Of a replica of the gateway those of its clients."""
    flush: Name | None = None
    """One of the service's `caches` is emptied, and keeps nothing while the fault lasts: a moment for a `FLUSHALL`, longer for a restart."""

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        effects = [self.slow is not None, self.errors is not None, self.crash, self.unreachable, self.flush is not None]
        if sum(effects) != 1:
            raise mistake("write one of `slow: factor`, `errors: share`, `crash: true`, `unreachable: true` and `flush: cache`")
        self._knows_when()
        if self.service is None and self.zone is None:
            raise mistake("needs a `service` or a `zone`")
        for name in ("subset", "replicas", "instances"):
            if self.service is None and getattr(self, name) is not None:
                raise mistake("goes with a `service`", name)
        if self.flush is not None and self.service is None:
            raise mistake("needs a `service`, whose cache it is", "flush")
        if self.replicas is not None and self.instances is not None:
            raise mistake("write either `replicas` or `instances`", "instances")
        if self.service == GATEWAY:
            self._fits_the_gateway()
        return self

    def _knows_when(self) -> None:
        """By a timetable, or by chance."""
        if self.mtbf is None:
            for name, what in (("mttr", self.mttr), ("together", self.together)):
                if what:
                    raise mistake("goes with `mtbf`", name)
            if self.at is None or self.for_ is None:
                raise mistake("is missing: a fault has `at` and `for`, or `mtbf` and `mttr`", "at" if self.at is None else "for")
            return
        if self.mttr is None:
            raise mistake("is missing: how long such a fault lasts", "mttr")
        for name, times in (("mtbf", self.mtbf), ("mttr", self.mttr)):
            if not times.chosen.build().mean_ns:
                raise mistake("must be more than 0 in the mean", name)

    def _fits_the_gateway(self) -> None:
        if self.errors is not None:
            raise mistake(
                "the gateway has no errors of its own; write its filter `fault: {abort: {http_status: 503, percentage: 10%}}`",
                "errors",
            )
        if self.flush is not None:
            raise mistake("the gateway has no `caches`; its filter `cache` has `purge`", "flush")
        if self.subset is not None:
            raise mistake("goes with a service; the gateway has no subsets", "subset")

    @property
    def begins_ns(self) -> int:
        """When it begins, or from when on it may."""
        return self.at or 0

    def ends_ns(self, run_ns: int) -> int:
        """When it ends, or the last one that comes by chance may begin.

        Args:
            run_ns: When the load ends.
        """
        return run_ns if self.for_ is None else self.begins_ns + self.for_

    @property
    def when(self) -> str:
        """When, for people: `from 10s for 5s`, `by chance`."""
        if self.mtbf is None:
            return f"from {format_duration(self.begins_ns)} for {format_duration(self.for_ or 0)}"
        return "by chance"

    def strikes(self, service: str) -> bool:
        """Whether it may strike a service, or `(gateway)`; whether any of its replicas are in the zone is another matter."""
        return self.service in {None, service}

    @property
    def words(self) -> str:
        """Whom it strikes and how, for people: `2 of payment 5x slower`."""
        whom = self.service or ("everything" if self.errors is None else "all services")
        if self.service == GATEWAY:
            whom = "the gateway"
        if self.subset is not None:
            whom = f"{whom} ({self.subset})"
        if self.replicas is not None:
            whom = f"{self.replicas} of {whom}"
        if self.instances is not None:
            whom = f"{whom}/{','.join(map(str, self.instances))}"
        if self.zone is not None:
            whom = f"{whom} in {self.zone}"
        if self.slow is not None:
            return f"{whom} {self.slow:g}x slower"
        if self.errors is not None:
            share = "errors by a table" if self.errors.rate is None else f"{self.errors.rate * 100:g} % errors"
            return f"{whom} {share}{'' if self.errors.latency is None else ' at once'}"
        if self.flush is not None:
            return f"{self.flush} of {whom} empty"
        return f"{whom} {'down' if self.crash else 'unreachable'}"
