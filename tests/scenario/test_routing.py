"""Which route a request meets, and what a user is told who writes routes, loads or the edge wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import meshsim as ms
from meshsim.errors import ScenarioError
from meshsim.scenario.flow.routing import Asked, is_path, meet
from meshsim.scenario.load import load
from meshsim.scenario.sections.routes import RouteSection

if TYPE_CHECKING:
    from pathlib import Path

ANY = {"path": "/"}


def met(
    routes: dict[str, dict[str, Any]], path: str = "/cart", method: str = "GET", consumer: str = "", **headers: str
) -> str | None:
    """The route that a request meets."""
    made = {name: RouteSection.model_validate({"to": "somewhere", **route}) for name, route in routes.items()}
    return meet(Asked(method, path, headers, consumer), made.items())


class TestPaths:
    @pytest.mark.parametrize(
        ("prefix", "path", "is_met"),
        [
            ("/cart", "/cart", True),
            ("/cart", "/cart/", True),
            ("/cart", "/cart/7/items", True),
            ("/cart", "/carts", False),
            ("/cart", "/car", False),
            ("/cart", "/my/cart", False),
            ("/cart", "/Cart", False),
            ("/cart/", "/cart", True),
            ("/cart/", "/cart/7", True),
            ("/", "/", True),
            ("/", "/anything/at/all", True),
        ],
    )
    def test_a_prefix_is_met_by_whole_segments(self, prefix, path, is_met):
        assert met({"one": {"path": prefix}}, path) == ("one" if is_met else None)

    @pytest.mark.parametrize(("path", "is_met"), [("/cart", True), ("/cart/", False), ("/cart/7", False), ("/", False)])
    def test_an_exact_path_is_met_by_itself_alone(self, path, is_met):
        assert met({"one": {"path": {"exact": "/cart"}}}, path) == ("one" if is_met else None)

    @pytest.mark.parametrize(
        ("regex", "path", "is_met"),
        [
            ("/item/[0-9]+", "/item/17", True),
            ("/item/[0-9]+", "/item/17/price", False),
            ("/item/[0-9]+", "/old/item/17", False),
            ("/item/.*", "/item/17/price", True),
            ("/a|/b", "/b", True),
            ("/a|/b", "/b/", False),
        ],
    )
    def test_a_regular_expression_must_match_the_whole_path(self, regex, path, is_met):
        """Envoy's safe_regex does so; those who know `grep` expect a part to do."""
        assert met({"one": {"path": {"regex": regex}}}, path) == ("one" if is_met else None)

    def test_without_any_route_that_fits_there_is_none(self):
        assert met({"a": {"path": "/a"}, "b": {"path": {"exact": "/b"}}}) is None
        assert met({}) is None


class TestPrecedence:
    """Names are such that the alphabet would have it the other way round."""

    def test_the_exact_path_comes_before_a_longer_expression_and_a_prefix(self):
        routes = {"z": {"path": {"exact": "/cart"}}, "a": {"path": {"regex": "/(cart|basket|bag)"}}, "b": {"path": "/cart"}}
        assert met(routes) == "z"

    def test_an_expression_comes_before_a_longer_prefix(self):
        routes = {"z": {"path": {"regex": "/.*"}}, "a": {"path": "/cart/items"}}
        assert met(routes, "/cart/items/7") == "z"

    def test_of_expressions_the_longer_comes_first(self):
        routes = {"z": {"path": {"regex": "/cart/[0-9]+"}}, "a": {"path": {"regex": "/cart/.*"}}}
        assert met(routes, "/cart/7") == "z"

    def test_of_prefixes_the_longest_comes_first(self):
        routes = {"a": {"path": "/"}, "b": {"path": "/cart"}, "z": {"path": "/cart/items"}}
        assert met(routes, "/cart/items/7") == "z"
        assert met(routes, "/cart/7") == "b"
        assert met(routes, "/") == "a"

    def test_a_slash_at_the_end_makes_no_prefix_longer(self):
        """Gateway API: `/abc` and `/abc/` are the same prefix, so the name decides."""
        assert met({"z": {"path": "/cart/"}, "a": {"path": "/cart"}}, "/cart/7") == "a"

    def test_the_length_of_the_path_comes_before_the_method(self):
        assert met({"z": {"path": "/cart"}, "a": {**ANY, "methods": ["GET"]}}) == "z"

    def test_a_method_comes_before_headers(self):
        routes = {"z": {**ANY, "methods": ["GET"]}, "a": {**ANY, "headers": {"x": "1", "y": "2"}}}
        assert met(routes, x="1", y="2") == "z"

    def test_more_headers_come_before_fewer(self):
        routes = {"z": {**ANY, "headers": {"x": "1", "y": "2"}}, "a": {**ANY, "headers": {"x": "1"}}}
        assert met(routes, x="1", y="2") == "z"
        assert met(routes, x="1") == "a"

    def test_headers_come_before_consumers(self):
        routes = {"z": {**ANY, "headers": {"x": "1"}}, "a": {**ANY, "consumers": ["gold"]}}
        assert met(routes, consumer="gold", x="1") == "z"

    def test_consumers_come_before_everybody(self):
        routes = {"z": {**ANY, "consumers": ["gold"]}, "a": ANY}
        assert met(routes, consumer="gold") == "z"
        assert met(routes, consumer="silver") == met(routes) == "a"

    def test_a_list_of_methods_counts_as_one_however_long(self):
        assert met({"z": {**ANY, "methods": ["GET", "HEAD", "POST"]}, "a": {**ANY, "methods": ["GET"]}}) == "a"

    def test_at_last_the_first_name_wins_whatever_the_order_in_the_file(self):
        assert met({"b": ANY, "a": ANY}) == met({"a": ANY, "b": ANY}) == "a"


class TestConditions:
    def test_a_route_for_other_methods_is_passed_over(self):
        routes = {"write": {"path": "/cart", "methods": ["POST", "PUT"]}, "rest": ANY}
        assert [met(routes, method=method) for method in ("GET", "POST", "PUT", "DELETE")] == ["rest", "write", "write", "rest"]

    def test_the_exact_path_with_the_wrong_method_gives_way_to_a_prefix(self):
        assert met({"exact": {"path": {"exact": "/cart"}, "methods": ["POST"]}, "prefix": {"path": "/cart"}}) == "prefix"

    def test_all_headers_must_be_there_with_their_values(self):
        routes = {"beta": {**ANY, "headers": {"x-group": "beta", "x-eu": "1"}}}
        assert met(routes, **{"x-group": "beta", "x-eu": "1", "other": "0"}) == "beta"
        assert met(routes, **{"x-group": "beta"}) is None
        assert met(routes, **{"x-group": "alpha", "x-eu": "1"}) is None
        assert met(routes, **{"x-group": "Beta", "x-eu": "1"}) is None

    def test_names_of_headers_have_no_case(self):
        assert met({"one": {**ANY, "headers": {"X-Group": "beta"}}}, **{"x-group": "beta"}) == "one"

    def test_who_names_no_consumer_is_none(self):
        assert met({"one": {**ANY, "consumers": ["gold"]}}) is None


@pytest.mark.parametrize(
    ("target", "answer"),
    [("/", True), ("/cart", True), ("GET /cart", True), ("POST /", True), ("post /cart", False), ("FETCH /cart", False),
     ("cart", False), ("cart/list", False), ("POST cart", False)],
)  # fmt: skip
def test_what_is_a_path(target, answer):
    assert is_path(target) is answer


def scenario(**parts: Any) -> dict[str, Any]:
    """A load with a consumer and headers, and two services behind a gateway."""
    return {
        "name": "routes",
        "deployment": "gateway",
        "load": {
            "clients": {
                "executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "10/s", "requests": {"/cart": 1},
                "consumer": "gold", **parts.pop("load", {}),
            }
        },
        "gateway": {"routes": {"cart": {"path": "/cart", "to": "a", **parts.pop("route", {})}}, **parts.pop("gateway", {})},
        "services": {"a": {"script": [{"compute": "1ms"}]}, "b": {"script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
        **parts,
    }  # fmt: skip


class TestFromAScenario:
    """What a load asks for is matched once, when the plan is made."""

    def asked_for(self, requests: dict[str, float], routes: dict[str, Any], **settings: Any) -> dict[str, float]:
        """The share of each route; `-` for none."""
        written = scenario(load={"requests": requests, **settings})
        written["gateway"]["routes"] = {name: {"to": "a", **route} for name, route in routes.items()}
        plan = ms.load(written).plan
        source, shares, before = plan.sources[0], {}, 0.0
        for route, bound in zip(source.routes, source.shares, strict=True):
            shares["-" if route < 0 else plan.names.routes[route]] = pytest.approx(bound - before)
            before = bound
        return shares

    def test_methods_paths_and_names_of_routes(self):
        routes = {"read": {"path": "/cart"}, "write": {"path": "/cart", "methods": ["POST"]}, "root": {"path": {"exact": "/"}}}

        shares = self.asked_for({"/cart": 1, "POST /cart": 2, "GET /": 1, "/nowhere": 4, "write": 2}, routes)
        assert shares == {"-": 0.4, "read": 0.1, "root": 0.1, "write": 0.4}

    def test_a_query_is_no_part_of_the_path(self):
        """As in Envoy (RouteMatch), in the Gateway API, Kong and NGINX."""
        routes = {"exact": {"path": {"exact": "/cart"}}, "item": {"path": {"regex": "/item/[0-9]+"}}, "root": {"path": "/"}}

        shares = self.asked_for({"/cart?page=/2": 1, "POST /item/7?full": 2, "/?": 1}, routes)
        assert shares == {"exact": 0.25, "item": 0.5, "root": 0.25}

    def test_headers_of_the_load_have_no_case(self):
        routes = {"all": {"path": "/"}, "beta": {"path": "/", "headers": {"x-GROUP": "beta"}}}

        assert self.asked_for({"/cart": 1}, routes, headers={"X-Group": "beta"}) == {"beta": 1.0}
        assert self.asked_for({"/cart": 1}, routes, headers={"X-Group": "alpha"}) == {"all": 1.0}
        assert self.asked_for({"/cart": 1}, routes) == {"all": 1.0}

    def test_the_consumer_of_the_load(self):
        routes = {"all": {"path": "/"}, "gold": {"path": "/", "consumers": ["gold"]}}

        assert self.asked_for({"/cart": 1}, routes, consumer="gold") == {"gold": 1.0}

    def test_a_route_asked_for_by_name_is_met_whatever_it_matches(self):
        assert self.asked_for({"one": 1}, {"one": {"path": {"exact": "/x"}, "methods": ["PUT"]}}) == {"one": 1.0}


class TestWrites:
    """Which requests are neither GET nor HEAD: caches pass them by."""

    def asks(self, requests: dict[str, float], **routes: dict[str, Any]) -> set[tuple[str | None, bool]]:
        written = scenario(load={"requests": requests})
        written["gateway"]["routes"] = {name: {"to": "a", **route} for name, route in routes.items()}
        plan = ms.load(written).plan
        (source,) = plan.sources
        return {
            (plan.names.routes[route] if route >= 0 else None, is_write)
            for route, is_write in zip(source.routes, source.writes, strict=True)
        }

    def test_a_path_has_the_method_that_stands_before_it(self):
        routes = {"cart": {"path": "/cart"}, "orders": {"path": "/orders"}}
        asked = {"/cart": 1, "HEAD /cart/1": 1, "POST /cart": 1, "PUT /cart/2": 1, "DELETE /orders/7": 1, "PATCH /none": 1}
        assert self.asks(asked, **routes) == {("cart", False), ("cart", True), ("orders", True), (None, True)}

    def test_a_route_by_its_name_is_asked_with_a_method_that_it_takes(self):
        routes = {"write": {**ANY, "methods": ["POST", "PUT"]}, "both": {**ANY, "methods": ["POST", "HEAD"]}, "all": ANY}
        assert self.asks({"write": 1, "both": 1, "all": 1}, **routes) == {("write", True), ("both", False), ("all", False)}

    def test_one_route_for_both_has_the_share_of_each(self):
        written = scenario(load={"requests": {"/cart": 3, "POST /cart": 1}})
        written["gateway"]["routes"] = {"cart": {"path": "/cart", "to": "a"}}
        (source,) = ms.load(written).plan.sources

        assert (source.routes, source.writes, source.shares) == ((0, 0), (False, True), (0.75, 1.0))


LINES = {
    "name": "shop",
    "deployment": "gateway",
    "load": "{users: {executor: constant-arrival-rate, rate: 10/s, requests: {cart: 1}, consumer: gold}}",
    "services": "{a: {script: [{compute: 5ms}]}, b: {script: [{compute: 5ms}]}}",
    "gateway": "{routes: {cart: {path: /cart, to: a}}}",
    "run": "{duration: 60s}",
}
"""Lines 1 to 6 of each file."""


@pytest.fixture
def mistakes_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The messages about a file `a.yaml` with one other line, as text."""
    monkeypatch.chdir(tmp_path)

    def of(key: str, value: str) -> list[str]:
        content = "".join(f"{name}: {line}\n" for name, line in {**LINES, key: value}.items())
        (tmp_path / "a.yaml").write_text(content)
        try:
            load("a.yaml")
        except ScenarioError as error:
            return str(error).splitlines()
        return []

    return of


def test_a_good_file_has_no_mistakes(mistakes_of):
    assert mistakes_of("name", "shop") == []


def route(text):
    return f"{{routes: {{cart: {{path: /cart, {text}}}}}}}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "path: '/cart?page=1', to: a",
            "5:33: gateway.routes.cart.path: '/cart?page=1' is no path; it begins with '/' and has no spaces, '?' or '#'",
        ),
        (
            "path: cart, to: a",
            "5:33: gateway.routes.cart.path: 'cart' is no path; it begins with '/' and has no spaces, '?' or '#'",
        ),
        (
            "path: {exact: /cart, regex: /cart}, to: a",
            "5:27: gateway.routes.cart.path: write either `exact` or `regex`",
        ),
        (
            "path: {}, to: a",
            "5:27: gateway.routes.cart.path: write either `exact` or `regex`",
        ),
        (
            "path: {prefix: /cart}, to: a",
            "5:34: gateway.routes.cart.path.prefix: unknown key (one of: exact, regex)",
        ),
        (
            "path: {exact: cart}, to: a",
            "5:41: gateway.routes.cart.path.exact: 'cart' is no path; it begins with '/' and has no spaces, '?' or '#'",
        ),
        (
            "path: {regex: '/item/[0-9'}, to: a",
            "5:41: gateway.routes.cart.path.regex: is no regular expression of RE2's, which Envoy takes: missing ]: [0-9",
        ),
        (
            "path: {regex: ''}, to: a",
            "5:41: gateway.routes.cart.path.regex: expected text, not ''",
        ),
        (
            "path: [/cart], to: a",
            "5:27: gateway.routes.cart.path: expected text, not a list",
        ),
        (
            "path: /cart, to: a, methods: [get]",
            "5:57: gateway.routes.cart.methods[0]: unknown methods 'get'; did you mean 'GET'?",
        ),
        (
            "path: /cart, to: a, methods: GET",
            "5:56: gateway.routes.cart.methods: expected a list, not 'GET'",
        ),
        (
            "path: /cart, to: a, methods: [FETCH]",
            "5:57: gateway.routes.cart.methods[0]: unknown methods 'FETCH'; did you mean 'PATCH'?",
        ),
        (
            "path: /cart, to: a, headers: [x]",
            "5:47: gateway.routes.cart.headers: expected a mapping, not a list",
        ),
        (
            "path: /cart, to: a, headers: {x: 1}",
            "5:60: gateway.routes.cart.headers.x: expected text, not 1",
        ),
        (
            "path: /cart, to: a, consumers: [goold]",
            "5:59: gateway.routes.cart.consumers[0]: no load has the consumer 'goold'; did you mean 'gold'?",
        ),
        (
            "path: /cart, to: c",
            "5:44: gateway.routes.cart.to: unknown service 'c' (one of: a, b)",
        ),
        (
            "path: /cart, to: {a: 1, c: 1}",
            "5:51: gateway.routes.cart.to.c: unknown service 'c' (one of: a, b)",
        ),
        (
            "path: /cart, to: {a: 0, b: 0}",
            "5:40: gateway.routes.cart.to: needs a weight above 0",
        ),
        (
            "path: /cart, to: {a: 1, b: 1}, sticky: cookie",
            "5:66: gateway.routes.cart.sticky: unknown sticky 'cookie' (one of: address, consumer, user)",
        ),
        (
            "path: /cart, to: a, fallback: c",
            "5:57: gateway.routes.cart.fallback: unknown service 'c' (one of: a, b)",
        ),
        (
            "path: /cart, to: a, fallback: a",
            "5:57: gateway.routes.cart.fallback: is where all requests go anyway; write another destination, or `retries`",
        ),
        (
            "path: /cart, to: a, fallback: a/list",
            "5:57: gateway.routes.cart.fallback: a has no operations; write 'a'",
        ),
        (
            "path: /cart, to: a, aggregate: [{call: c}]",
            "5:66: gateway.routes.cart.aggregate[0].call: unknown service 'c' (one of: a, b)",
        ),
        (
            "path: /cart, to: a, aggregate: [b]",
            "5:59: gateway.routes.cart.aggregate[0]: expected a mapping, not 'b'",
        ),
        (
            "path: /cart, to: a, aggregate: [{optional: true}]",
            "5:59: gateway.routes.cart.aggregate[0].call: is missing",
        ),
        (
            "path: /cart, to: a, aggregate: [{call: b, timeout: 5}]",
            "5:78: gateway.routes.cart.aggregate[0].timeout: 5 has no unit; write '5ms' or '5s'",
        ),
        (
            "path: /cart, to: a, max_body: 0B",
            "5:57: gateway.routes.cart.max_body: must be at least 1",
        ),
        (
            "path: /cart, to: a, max_body: 100",
            "5:57: gateway.routes.cart.max_body: 100 has no unit; write '100KiB' or '100B'",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: c, steps: [{weight: 5%, pause: 1s}]}",
            "5:71: gateway.routes.cart.canary.to: is none of several destinations of this route (one of: a, b); write it under `to`, with weight 0",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: []}",
            "5:74: gateway.routes.cart.canary.steps: must not be empty",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b}",
            "5:58: gateway.routes.cart.canary.steps: is missing",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 0.05, pause: 1s}]}",
            "5:91: gateway.routes.cart.canary.steps[0].weight: 0.05 has no unit; write '5%'",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 105%, pause: 1s}]}",
            "5:91: gateway.routes.cart.canary.steps[0].weight: '105%' is more than 100%",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 0s}]}",
            "5:102: gateway.routes.cart.canary.steps[0].pause: must be more than 0",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {}}",
            "5:108: gateway.routes.cart.canary.analysis: write `min_success_rate`, `max_p99` or both: it looks at nothing without",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {min_success_rate: 99%, interval: 0s}}",
            "5:152: gateway.routes.cart.canary.analysis.interval: must be more than 0",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {min_success_rate: 0.99}}",
            "5:137: gateway.routes.cart.canary.analysis.min_success_rate: 0.99 has no unit; write '99%'",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {max_p99: 0s}}",
            "5:128: gateway.routes.cart.canary.analysis.max_p99: must be more than 0",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {max_p99: 1s, threshold: 0}}",
            "5:143: gateway.routes.cart.canary.analysis.threshold: must be at least 1",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {max_p99: 1s, min_requests: 0}}",
            "5:146: gateway.routes.cart.canary.analysis.min_requests: must be at least 1",
        ),
        (
            "path: /cart, to: {a: 1, b: 0}, canary: {to: b, steps: [{weight: 5%, pause: 1s}], analysis: {max_p99: 1s, trheshold: 2}}",
            "5:132: gateway.routes.cart.canary.analysis.trheshold: unknown key; did you mean 'threshold'?",
        ),
    ],
)
def test_a_wrong_route_is_told_with_its_place(mistakes_of, line, message):
    assert f"a.yaml:{message}" in mistakes_of("gateway", f"{{routes: {{cart: {{{line}}}}}}}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "balancer: lest_connections",
            "5:59: gateway.balancer: unknown edge balancer 'lest_connections'; did you mean 'least_connections'?",
        ),
        (
            "balancer: {dns_round_robin: {ttl: 5}}",
            "5:83: gateway.balancer.dns_round_robin.ttl: 5 has no unit; write '5ms' or '5s'",
        ),
        (
            "balancer: round_robin",
            "5:59: gateway.balancer: unknown edge balancer 'round_robin'; did you mean 'dns_round_robin'?",
        ),
        (
            "tls: true",
            "5:54: gateway.tls: expected a mapping, not true",
        ),
        (
            "tls: {round_trips: 11}",
            "5:68: gateway.tls.round_trips: must be at most 10",
        ),
        (
            "tls: {handshake_time: 1}",
            "5:71: gateway.tls.handshake_time: 1 has no unit; write '1ms' or '1s'",
        ),
        (
            "max_connections: 0",
            "5:66: gateway.max_connections: must be at least 1",
        ),
        (
            "idle_timeout: 60",
            "5:63: gateway.idle_timeout: 60 has no unit; write '60ms' or '60s'",
        ),
        (
            "drain_time: none",
            "5:61: gateway.drain_time: 'none' is not a duration (write '250ms', '1m30s' or '2h')",
        ),
        (
            "startup_time: 5",
            "5:63: gateway.startup_time: 5 has no unit; write '5ms' or '5s'",
        ),
        (
            "restarts: [{batch: 1}]",
            "5:60: gateway.restarts[0].at: is missing",
        ),
        (
            "restarts: [{at: 1s, batch: 0}]",
            "5:76: gateway.restarts[0].batch: must be at least 1",
        ),
        (
            "restarts: 1s",
            "5:59: gateway.restarts: expected a list, not '1s'",
        ),
        (
            "filters: [cache]",
            "5:59: gateway.filters[0].cache.ttl: is missing",
        ),
        (
            "filters: [{cache: {ttl: 1s, routes: [crt]}}]",
            "5:86: gateway.filters[0].cache.routes[0]: unknown route 'crt'; did you mean 'cart'?",
        ),
        (
            "filters: [{global_rate_limit: {service: c, rules: [{limit: {fixed_window: {limit: 1}}}]}}]",
            "5:89: gateway.filters[0].global_rate_limit.service: unknown service 'c' (one of: a, b)",
        ),
    ],
)
def test_a_wrong_edge_is_told_with_its_place(mistakes_of, line, message):
    assert f"a.yaml:{message}" in mistakes_of("gateway", f"{{routes: {{cart: {{path: /cart, to: a}}}}, {line}}}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "requests: {crat: 1}",
            "3:72: load.users.requests.crat: unknown route 'crat'; did you mean 'cart'?",
        ),
        (
            "requests: {post /cart: 1}",
            "3:72: load.users.requests.\"post /cart\": unknown method 'post'; did you mean 'POST'?",
        ),
        (
            "requests: {cart: 1}, addresses: 0",
            "3:93: load.users.addresses: must be at least 1",
        ),
        (
            "requests: {cart: 1}, addresses: many",
            "3:93: load.users.addresses: expected a whole number, not 'many'",
        ),
        (
            "requests: {cart: 1}, credentials: {valid: 80%, missing: 30%}",
            "3:117: load.users.credentials.missing: 80% with a good one and 30% without any are more than all",
        ),
        (
            "requests: {cart: 1}, credentials: {missing: 10%}",
            "3:105: load.users.credentials.missing: 100% with a good one and 10% without any are more than all",
        ),
        (
            "requests: {cart: 1}, credentials: {valid: 0.8}",
            "3:103: load.users.credentials.valid: 0.8 has no unit; write '80%'",
        ),
        (
            "requests: {cart: 1}, credentials: {valid: 80%, count: 0}",
            "3:115: load.users.credentials.count: must be at least 1",
        ),
        (
            "requests: {cart: 1}, credentials: {bad: 10%}",
            "3:96: load.users.credentials.bad: unknown key (one of: count, missing, valid)",
        ),
        (
            "requests: {cart: 1}, criticality: important",
            "3:95: load.users.criticality: unknown criticality 'important' (one of: critical, critical_plus, sheddable, sheddable_plus)",
        ),
        (
            "requests: {cart: 1}, requests_per_connection: -1",
            "3:107: load.users.requests_per_connection: must be at least 0",
        ),
        (
            "requests: {cart: 1}, bandwidth: 0B",
            "3:93: load.users.bandwidth: must be at least 1",
        ),
        (
            "requests: {cart: 1}, bandwidth: 1000",
            "3:93: load.users.bandwidth: 1000 has no unit; write '1000KiB' or '1000B'",
        ),
        (
            "requests: {cart: 1}, body: 5",
            "3:88: load.users.body: 5 has no unit; write '5KiB' or '5B'",
        ),
        (
            "requests: {cart: 1}, body: {p50: 4KiB}",
            "3:82: load.users.body.p99: is missing",
        ),
        (
            "requests: {cart: 1}, body: {p50: 4KiB, p99: 1KiB}",
            "3:105: load.users.body.p99: must be more than p50",
        ),
        (
            "requests: {cart: 1}, headers: {x: [1]}",
            "3:92: load.users.headers.x: expected text, not a list",
        ),
        (
            "requests: {cart: 1}, keys: {count: 0}",
            "3:96: load.users.keys.count: must be at least 1",
        ),
    ],
)
def test_a_wrong_load_is_told_with_its_place(mistakes_of, line, message):
    assert f"a.yaml:{message}" in mistakes_of("load", f"{{users: {{executor: constant-arrival-rate, rate: 10/s, {line}}}}}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "path: /cart, to: a, canary: {to: a, steps: [{weight: 5%, pause: 1s}]}",
            "5:60: gateway.routes.cart.canary.to: is none of several destinations of this route; write both versions under `to`",
        ),
        (
            "path: /cart, to: {a: 0, b: 1}, canary: {to: b, steps: [{weight: 5%, pause: 1s}]}",
            "5:71: gateway.routes.cart.canary.to: has all the weight under `to`; there is no old version to get the rest",
        ),
        (
            "path: '/my cart', to: a",
            "5:33: gateway.routes.cart.path: '/my cart' is no path; it begins with '/' and has no spaces, '?' or '#'",
        ),
    ],
)
def test_a_canary_needs_somebody_beside_it(mistakes_of, line, message):
    assert f"a.yaml:{message}" in mistakes_of("gateway", f"{{routes: {{cart: {{{line}}}}}}}")
