"""The gateway's routes: what they match, and where their requests go."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from meshsim.scenario.expressions import ExpressionError, refuse_unless_an_expression
from meshsim.scenario.sections.resilience import HedgeSection, MirrorSection
from meshsim.scenario.sections.timeouts import Timeout
from meshsim.scenario.sections.traffic import RetriesSection
from meshsim.scenario.sections.types import Duration, Name, Section, Share, Size, Weights
from meshsim.scenario.sections.wording import PATH_PATTERN, mistake
from meshsim.units import NS_PER_MS

UrlPath = Annotated[str, StringConstraints(pattern=PATH_PATTERN, max_length=2000)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"]
PositiveDuration = Annotated[Duration, Gt(0)]


def _some_expression(text: str) -> str:
    try:
        refuse_unless_an_expression(text)
    except ExpressionError as error:
        raise mistake(f"is no regular expression of RE2's, which Envoy takes: {error}") from None
    return text


class PathSection(Section):
    """A path that must be met exactly, or a regular expression that it must match as a whole."""

    exact: UrlPath | None = None
    """The path."""
    regex: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_some_expression)] | None = None
    """The expression, as `/item/[0-9]+`, in RE2's syntax, as in Envoy: no back-references and no look-around."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.exact is None) == (self.regex is None):
            raise mistake("write either `exact` or `regex`")
        return self

    def __str__(self) -> str:
        return self.exact if self.exact is not None else f"{self.regex} (regex)"


class CanaryStep(Section):
    """A stretch of time in which the new version has a share of the requests."""

    weight: Share
    """Its share of the requests."""
    pause: PositiveDuration
    """How long until the next step."""


class CanaryAnalysis(Section):
    """What is looked at while the new version has a share: Flagger's two metrics."""

    interval: PositiveDuration = 60_000_000_000
    """Time between two checks; each looks at the requests to the new version that ended since the last."""
    min_success_rate: Share | None = None
    """Share of its answers that are not 5xx below which a check fails; not looked at where absent."""
    max_p99: PositiveDuration | None = None
    """Its 99th percentile above which a check fails; not looked at where absent."""
    min_requests: Annotated[int, Ge(1), Le(1_000_000_000)] = 1
    """Requests since the last check below which that says nothing."""
    threshold: Annotated[int, Ge(1), Le(1000)] = 5
    """Failed checks after which all requests go back to the old version."""
    hold: bool = False
    """Whether the next step waits until a check succeeds, as in Flagger; in Argo Rollouts steps go on by the clock."""

    @model_validator(mode="after")
    def _some_metric(self) -> Self:
        if self.min_success_rate is None and self.max_p99 is None:
            raise mistake("write `min_success_rate`, `max_p99` or both: it looks at nothing without")
        if self.interval < NS_PER_MS:
            raise mistake("must be 1ms or longer", "interval")
        return self


class CanarySection(Section):
    """A new version that gets more of a route's requests step by step, as Argo Rollouts and Flagger do it.

    Before it begins the route's own weights hold. A step's weight is the new version's share; the others keep their proportions. After
    the last step it has all requests, unless the analysis has taken it back before: then it has none any more.
    """

    to: str
    """The new version: one of the route's destinations."""
    start: Duration = 0
    """When the first step begins."""
    steps: Annotated[list[CanaryStep], Field(min_length=1)]
    """One after the other."""
    analysis: CanaryAnalysis | None = None
    """When it is taken back; never where absent."""


class SessionPersistenceSection(Section):
    """Who comes back to the instance that has answered, by a cookie, as the Gateway API's sessionPersistence.

    The first try of a request goes to the instance of its session, past the load balancer and past the route's weights (those of 0
    too), as long as it is listed and healthy; a retry is balanced. Who answers instead has the session from then on. Each route has
    sessions of its own; the gateway's replicas share them.
    """

    of: Literal["user", "consumer", "address"] = "user"
    """Who holds a cookie: a virtual user, all clients of a consumer, or those of an address."""
    absolute_timeout: PositiveDuration | None = None
    """How long a cookie holds after it was set; for good where absent."""
    strict: bool = False
    """Answer 503 with flag UH where the instance of a session cannot be used, as in Envoy; another one serves it where false."""


class AggregateCall(Section):
    """One of the calls that an answer is put together from."""

    call: str
    """The service, or `service/operation`."""
    optional: bool = False
    """Whether the answer goes out without its part where the call fails."""
    timeout: Timeout | None = None
    """Time for this call; the route's where absent."""


def _kind_of_path(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict | PathSection) else "<prefix>"


def _kind_of_destination(value: Any) -> str:
    return "<weights>" if isinstance(value, dict) else "<service>"


class RouteSection(Section):
    """Where the gateway sends the requests for a path."""

    path: Annotated[Annotated[UrlPath, Tag("<prefix>")] | Annotated[PathSection, Tag("<mapping>")], Discriminator(_kind_of_path)]
    """A prefix by segments (`/cart` meets `/cart` and `/cart/7`, not `/carts`), `{exact: /cart}` or `{regex: /item/[0-9]+}`.

    The exact one wins, then the regular expression, then the prefix; the longer before the shorter; then a route with `methods`, then
    more `headers`, then `consumers`, then the first name.
    """
    methods: list[Method] = Field(default_factory=list)
    """Only these; all where absent."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Only requests of loads that have all of these headers."""
    consumers: list[Name] = Field(default_factory=list)
    """Only theirs; everybody's where absent."""
    to: Annotated[Annotated[str, Tag("<service>")] | Annotated[Weights, Tag("<weights>")], Discriminator(_kind_of_destination)]
    """A service, `service/operation`, or several by weight."""
    cluster_per: Literal["service", "rule", "backend"] | None = None
    """What Envoy's clusters are for it, with their connections, circuit breakers and ejections. `service`: each destination is one that all
    routes share. `rule`: one of its own, whose destinations are localities: where the hosts of one are out, the others get its requests.
    `backend`: each destination is one of its own. Requests are drawn among destinations unless it is `rule`."""
    sticky: Literal["user", "consumer", "address"] | None = None
    """Who stays with one of several destinations while the weights stay; each request is drawn for itself where absent."""
    session_persistence: SessionPersistenceSection | None = None
    """Who comes back to the instance that has answered; nobody where absent."""
    canary: CanarySection | None = None
    """Weights that change by a schedule."""
    fallback: str | None = None
    """Where a request goes once more when its answer was a 5xx or none, after all retries."""
    aggregate: list[AggregateCall] = Field(default_factory=list)
    """Further calls, in parallel with the one to `to`; their answers are merged into one."""
    max_body: Annotated[Size, Ge(1)] | None = None
    """Requests with a larger body are answered 413; no limit where absent."""
    timeout: Timeout | None = None
    """Time for a request with all its tries and waits; then 504 with flag UT."""
    idle_timeout: Timeout | None = None
    """Time without a byte on a request: 504 with flag SI; none where absent."""
    retries: RetriesSection | None = None
    """When a failed try is followed by another."""
    hedge_policy: HedgeSection | None = None
    """A further try while one is still on its way."""
    mirror: MirrorSection | None = None
    """Send copies elsewhere."""

    @property
    def destinations(self) -> dict[str, float]:
        """Its destinations with their weights."""
        return {self.to: 1.0} if isinstance(self.to, str) else self.to
