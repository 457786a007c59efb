"""Which of the gateway's routes a request meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshsim.scenario import expressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshsim.scenario.sections.loads import LoadSection
    from meshsim.scenario.sections.routes import RouteSection

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
READING = frozenset({"GET", "HEAD"})
PREFIX, REGEX, EXACT = range(3)
"""Kinds of paths, the more specific the higher."""


class Asked(NamedTuple):
    """What routes look at in a request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    consumer: str
    """Empty where the load names none."""


class Rank(NamedTuple):
    """How specific the route is that a request meets; the highest wins."""

    kind: int
    length: int
    """Characters of the path."""
    has_method: bool
    headers: int
    consumers: bool


def asked(target: str, load: LoadSection) -> Asked:
    """A request of a load: `/cart` is a GET, `POST /cart` says its method; routes do not see what follows a `?`."""
    method, _, url = target.rpartition(" ")
    path, _, _ = url.partition("?")
    headers = {name.lower(): value for name, value in load.headers.items()}
    return Asked(method or "GET", path, headers, load.consumer or "")


def is_path(target: str) -> bool:
    """Whether what a load asks for is a path, with or without a method, and not the name of a route."""
    method, _, path = target.rpartition(" ")
    return path.startswith("/") and (not method or method in METHODS)


def meet(request: Asked, routes: Iterable[tuple[str, RouteSection]]) -> str | None:
    """Name of the route that a request meets, None for none.

    The exact path wins, then the regular expression, then the prefix, the longer before the shorter; among those a route with a method,
    then the one with more headers, then one for certain consumers; then the first name in alphabetical order.

    Source: Kubernetes Gateway API v1, HTTPRouteRule.matches (exact, longest prefix, method, most headers, then age and name);
    Envoy Gateway, internal/gatewayapi/sort.go, for regular expressions, which the API leaves to the product. Consumers are Kong's.
    """
    found = [(rank, name) for name, route in sorted(routes) if (rank := _rank(request, route)) is not None]
    best = max((rank for rank, _ in found), default=None)
    return next((name for rank, name in found if rank == best), None)


def only_writes(route: RouteSection) -> bool:
    """Whether a route takes no GET and no HEAD: what who asks for it by its name must send."""
    return bool(route.methods) and not READING.intersection(route.methods)


def _rank(request: Asked, route: RouteSection) -> Rank | None:
    """How specific a route is for a request; None where they do not meet."""
    path = _path_rank(request.path, route)
    if path is None or (route.methods and request.method not in route.methods):
        return None
    if any(request.headers.get(name.lower()) != value for name, value in route.headers.items()):
        return None
    if route.consumers and request.consumer not in route.consumers:
        return None
    return Rank(*path, bool(route.methods), len(route.headers), bool(route.consumers))


def _path_rank(path: str, route: RouteSection) -> tuple[int, int] | None:
    wanted = route.path
    if isinstance(wanted, str):
        prefix = wanted.rstrip("/")
        return (PREFIX, len(prefix)) if path == prefix or path.startswith(f"{prefix}/") else None
    if wanted.exact is not None:
        return (EXACT, len(path)) if path == wanted.exact else None
    assert wanted.regex is not None  # noqa: S101 — the section has one of them
    return (REGEX, len(wanted.regex)) if expressions.matches(wanted.regex, path) else None
