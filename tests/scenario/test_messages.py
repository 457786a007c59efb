"""Every message about a scenario, with its place: what a user meets who mistypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meshsim.errors import ScenarioError
from meshsim.scenario.load import load

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "name": "checkout",
    "load": "{users: {executor: constant-arrival-rate, rate: 10/s, requests: {cart: 1}}}",
    "services": "{cart: {script: [{compute: 5ms}]}}",
    "run": "{duration: 60s}",
}
"""Lines 1 to 4 of each file; what a test says comes in the place of a line or behind them."""


@pytest.fixture
def mistakes_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The messages about a file `a.yaml`, as text; none where it is right."""
    monkeypatch.chdir(tmp_path)

    def of(content: bytes | str | dict[str, str], *changes: str, **options: Any) -> list[str]:
        if isinstance(content, dict):
            content = "".join(f"{key}: {value}\n" for key, value in {**GOOD, **content}.items())
        (tmp_path / "a.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            load("a.yaml", set=changes, **options)
        except ScenarioError as error:
            return str(error).splitlines()
        return []

    return of


def test_a_good_file_has_no_mistakes(mistakes_of: Any) -> None:
    assert mistakes_of({}) == []


@pytest.mark.parametrize(
    "script", ["{loop: 100, script: [{loop: 1000, script: [{compute: 1us}]}]}", "{loop: 1000, script: [{compute: 1us}]}"]
)
def test_a_script_may_have_so_many_steps(mistakes_of: Any, script: str) -> None:
    assert mistakes_of({"services": f"{{cart: {{script: [{script}]}}}}"}) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("name: a b", "1:7: name: 'a b' is no name (letters, digits, '-', '_' and '.', 63 at most, the first a letter or digit)"),
        ("name: 5", "1:7: name: expected text, not 5"),
        ("nmae: x", "5:1: nmae: unknown key; did you mean 'name'?"),
        ("run: {duratoin: 60s}", "4:1: run.duration: is missing"),
        ("run: {duratoin: 60s}", "4:7: run.duratoin: unknown key; did you mean 'duration'?"),
        ("run:", "4:1: run: expected a mapping, not nothing"),
        ("run: 60s", "4:6: run: expected a mapping, not '60s'"),
        ("run: {duration: 60}", "4:17: run.duration: 60 has no unit; write '60ms' or '60s'"),
        ("run: {duration: soon}", "4:17: run.duration: 'soon' is not a duration (write '250ms', '1m30s' or '2h')"),
        ("run: {duration: 90000h}", "4:17: run.duration: '90000h' is longer than ten years"),
        ("run: {duration: 0s}", "4:17: run.duration: must be more than 0"),
        ("run: {duration: -5s}", "4:17: run.duration: '-5s' is not a duration (write '250ms', '1m30s' or '2h')"),
        ("run: {duration: [1]}", "4:7: run.duration: expected a duration such as '250ms', not a list"),
        ("run: {duration: }", "4:16: run.duration: expected a duration such as '250ms', not nothing"),
        ("run: {duration: 60s, warm_up: 60s}", "4:31: run.warm_up: must be shorter than the run's duration"),
        (
            "run: {duration: 60s, time_zero: noon}",
            "4:33: run.time_zero: 'noon' is no date and time such as '2023-10-31T23:59:50'",
        ),
        (
            "services: {cart: {replicas: 2, addresses: [a]}}",
            "3:32: services.cart.addresses: write one for each replica: there are 1, and `replicas` says 2",
        ),
        (
            "services: {cart: {replicas: 2, addresses: [a, a]}}",
            "3:32: services.cart.addresses: 'a' is there 2 times: the same name has the same hash",
        ),
        (
            "services: {cart: {addresses: ['']}}",
            "3:31: services.cart.addresses[0]: must not be empty: an empty text cannot be hashed",
        ),
        (
            "load: {u: {executor: constant-vus, vus: 1, requests: {cart: 1}, keys: {count: 3, names: [a]}}}",
            "2:82: load.u.keys.names: write one for each key: there are 1, and `count` says 3",
        ),
        (
            "load: {u: {executor: constant-vus, vus: 1, requests: {cart: 1}, keys: {names: [a, a]}}}",
            "2:72: load.u.keys.names: 'a' is there 2 times: the same name has the same hash",
        ),
        ("run: {duration: 60s, seed: -1}", "4:28: run.seed: must be at least 0"),
        ("run: {duration: 60s, seed: three}", "4:28: run.seed: expected a whole number, not 'three'"),
        ("run: {duration: 60s, seed: '3'}", "4:28: run.seed: expected a whole number, not '3'"),
        ("run: {duration: 60s, seed: 1.5}", "4:28: run.seed: expected a whole number, not 1.5"),
        ("run: {duration: 60s, seed: true}", "4:28: run.seed: expected a whole number, not true"),
        ("run: {duration: 60s, interval: 1us}", "4:32: run.interval: a run has 1,000,000 intervals at most; write a longer one"),
        ("run: {duration: 60s, records: some}", "4:31: run.records: unknown records 'some' (one of: all, none)"),
        ("run: {duration: 60s, records: {sampled: 10}}", "4:41: run.records.sampled: 10 has no unit; write '10%'"),
        ("run: {duration: 60s, records: {sampled: 110%}}", "4:41: run.records.sampled: '110%' is more than 100%"),
        ("defaults: isto-1.29", "5:11: defaults: unknown product 'isto-1.29'; did you mean 'istio-1.29'?"),
        ("deployment: gatway", "5:13: deployment: unknown deployment 'gatway'; did you mean 'gateway'?"),
        ("deployment: gateway", "5:13: deployment: gateway needs a `gateway:` with routes, and there is none"),
        ("load: {}", "2:1: load: must not be empty"),
        ("load: [1]", "2:1: load: expected a mapping, not a list"),
        ("load: {u: 5}", "2:11: load.u: expected a mapping, not 5"),
        (
            "load: {a b: {}}",
            "2:8: load.\"a b\": 'a b' is no name (letters, digits, '-', '_' and '.', 63 at most, the first a letter or digit)",
        ),
        (
            "load: {u: {requests: {cart: 1}}}",
            (
                "2:8: load.u.executor: is missing (one of: constant-arrival-rate, ramping-arrival-rate, constant-vus,"
                " ramping-vus, per-vu-iterations, shared-iterations, replay)"
            ),
        ),
        (
            "load: {u: {executor: constant-vs, requests: {cart: 1}}}",
            "2:22: load.u.executor: unknown executor 'constant-vs'; did you mean 'constant-vus'?",
        ),
        ("load: {u: {executor: constant-vus, requests: {cart: 1}}}", "2:8: load.u.vus: is missing"),
        ("load: {u: {executor: constant-vus, vus: 1, rate: 5/s, requests: {cart: 1}}}", "2:44: load.u.rate: unknown key"),
        ("load: {u: {executor: constant-vus, vus: 1, requests: {}}}", "2:44: load.u.requests: must not be empty"),
        ("load: {u: {executor: constant-vus, vus: 1, requests: {cart: 0}}}", "2:44: load.u.requests: needs a weight above 0"),
        ("load: {u: {executor: constant-vus, vus: 1, requests: {cart: -1}}}", "2:61: load.u.requests.cart: must be at least 0"),
        (
            "load: {u: {executor: constant-vus, vus: 1, requests: {crt: 1}}}",
            "2:55: load.u.requests.crt: unknown service 'crt'; did you mean 'cart'?",
        ),
        (
            "load: {u: {executor: constant-vus, vus: 1, requests: {cart/list: 1}}}",
            "2:55: load.u.requests.cart/list: cart has no operations; write 'cart'",
        ),
        (
            "load: {u: {executor: constant-vus, vus: 1, requests: {/cart: 1}}}",
            "2:55: load.u.requests./cart: '/cart' is a path, and there is no `gateway:` to route it; write a service",
        ),
        (
            "load: {u: {executor: constant-arrival-rate, rate: 256, requests: {cart: 1}}}",
            "2:51: load.u.rate: 256 has no unit; write '256/s'",
        ),
        (
            "load: {u: {executor: ramping-vus, stages: [{target: 1.5, duration: 1s}], requests: {cart: 1}}}",
            "2:53: load.u.stages[0].target: expected a whole number, not 1.5",
        ),
        (
            "load: {u: {executor: replay, file: arrivals.csv, unit: s, requests: {cart: 1}}}",
            "2:36: load.u.file: there is no file 'arrivals.csv' beside the scenario",
        ),
        (
            "load: {u: {executor: replay, file: a.yaml, unit: s, requests: {cart: 1}}}",
            "2:36: load.u.file: 'a.yaml' is none of .csv, .parquet, .npy, .npz",
        ),
        ("services: {cart: {wrokers: 3}}", "3:19: services.cart.wrokers: unknown key; did you mean 'workers'?"),
        ("services: {cart: {replicas: 0}}", "3:29: services.cart.replicas: must be at least 1"),
        ("services: {cart: {replicas: 20000}}", "3:29: services.cart.replicas: must be at most 10,000"),
        (
            "services: {cart: {replicas: 3, zones: {a: 1, b: 1}}}",
            "3:32: services.cart.zones: the zones have 2 replicas, and `replicas` says 3",
        ),
        ("services: {cart: {zone: a, zones: {a: 1}}}", "3:25: services.cart.zone: write either `zone` or `zones`"),
        (
            "services: {cart: {replicas: 2, load_balancing_weights: [1]}}",
            "3:32: services.cart.load_balancing_weights: 1 weights do not fit `replicas: 2`; write one for each replica",
        ),
        ("services: {cart: {async: yes}}", "3:26: services.cart.async: expected true or false, not 'yes'"),
        ("services: {cart: {errors: 0.2}}", "3:27: services.cart.errors: 0.2 has no unit; write '20%'"),
        ("services: {cart: {errors: {}}}", "3:19: services.cart.errors: write either `rate` or `replay`"),
        (
            "services: {cart: {protocol: grpc, errors: {rate: 1%, status: 503}}}",
            "3:54: services.cart.errors.status: cart speaks grpc; write `grpc_status`",
        ),
        (
            "services: {cart: {errors: {rate: 1%, grpc_status: internal}}}",
            "3:38: services.cart.errors.grpc_status: cart speaks http; write `status`",
        ),
        (
            "services: {cart: {script: [5]}}",
            (
                "3:28: services.cart.script[0]: expected `compute: time`, `call: service`, `transaction: pool`, `cached: cache`, `parallel: calls`,"
                " `loop: times`, `publish: queue`, or a list of calls made at once, not 5"
            ),
        ),
        (
            "services: {cart: {script: [{}]}}",
            (
                "3:28: services.cart.script[0]: a step is one of `compute: time`, `call: service`, `transaction: pool`, `cached: cache`,"
                " `parallel: calls`, `loop: times` and `publish: queue`"
            ),
        ),
        (
            "services: {cart: {script: [{compute: 1ms, call: cart}]}}",
            (
                "3:28: services.cart.script[0]: a step is one of `compute: time`, `call: service`, `transaction: pool`, `cached: cache`,"
                " `parallel: calls`, `loop: times` and `publish: queue`"
            ),
        ),
        (
            "services: {cart: {script: [[{compute: 1ms}]]}}",
            "3:29: services.cart.script[0][0]: only calls are made at once; each is `call: service`",
        ),
        (
            "services: {cart: {connection_pools: {orders: {}}, script: [{transaction: ordres, script: [{compute: 1ms}]}]}}",
            "3:74: services.cart.script[0].transaction: cart has no connection pool 'ordres'; did you mean 'orders'?",
        ),
        (
            "services: {cart: {script: [{transaction: orders, script: [{compute: 1ms}]}]}}",
            "3:42: services.cart.script[0].transaction: cart has no connection pool 'orders'; write it under `connection_pools`",
        ),
        ("services: {cart: {script: [{transaction: orders}]}}", "3:28: services.cart.script[0].script: is missing"),
        (
            (
                "services: {cart: {connection_pools: {a: {acquire_timeout: none}}, operations: {buy: {script: "
                "[{transaction: a, script: [{transaction: a, script: [{compute: 1ms}]}]}]}}, script: []}}"
            ),
            (
                "3:135: services.cart.operations.buy.script[0].script[0].transaction: requests that hold a may wait for each other's"
                " connections for ever; write an `acquire_timeout` for a"
            ),
        ),
        (
            (
                "services: {cart: {connection_pools: {orders: {}}, operations: {buy: {script: "
                "[{transaction: orders, script: [{call: card}]}]}}, script: []}}"
            ),
            "3:117: services.cart.operations.buy.script[0].script[0].call: unknown service 'card'; did you mean 'cart'?",
        ),
        (
            "services: {cart: {script: [{parallel: [{call: a}, {call: a, repeat: 2}], need: 4}]}, a: {}}",
            "3:80: services.cart.script[0].need: must be at most 3, the number of calls",
        ),
        (
            "services: {cart: {script: [[{call: cart, wait: false}]]}}",
            "3:48: services.cart.script[0][0].wait: has no place among calls made at once",
        ),
        (
            "services: {cart: {script: [{call: a, wait: false, optional: true}]}, a: {}}",
            "3:61: services.cart.script[0].optional: nobody waits for this call, so nobody learns how it ends",
        ),
        (
            "services: {cart: {script: [{call: a, optional: true, fallback: [{call: b}]}]}, a: {}, b: {}}",
            (
                "3:54: services.cart.script[0].fallback: an `optional` call never fails the step, so that this would never run; leave one of"
                " them out"
            ),
        ),
        (
            "services: {cart: {script: [{loop: 2, script: [{call: a, fallback: [{call: b}]}]}]}}",
            "3:75: services.cart.script[0].script[0].fallback[0].call: unknown service 'b' (one of: cart)",
        ),
        (
            "services: {cart: {script: [{loop: 1000, script: [{loop: 1000, script: [{call: b}]}]}]}, b: {}}",
            (
                "3:35: services.cart.script[0].loop: cart has 1,000,000 steps, with all that `loop` and `repeat` repeat; at most 100,000 are"
                " simulated"
            ),
        ),
        (
            (
                "services: {cart: {connection_pools: {a: {}}, operations: {buy: {script: [{transaction: a, script: [{loop: 1000, script: "
                "[{loop: 1000, script: [{loop: 1000, script: [{compute: 1us}]}]}]}]}]}}, script: []}}"
            ),
            (
                "3:107: services.cart.operations.buy.script[0].script[0].loop: cart/buy has 1,000,000,001 steps, with all that `loop` and"
                " `repeat` repeat; at most 100,000 are simulated"
            ),
        ),
        (
            (
                "services: {cart: {script: [{call: b, repeat: 1000, fallback: [{compute: 1ms}, {loop: 100, script: [{compute: 1ms}]}]}]},"
                " b: {}}"
            ),
            (
                "3:46: services.cart.script[0].repeat: cart has 102,000 steps, with all that `loop` and `repeat` repeat; at most 100,000 are"
                " simulated"
            ),
        ),
        (
            "services: {cart: {script: [{loop: 101, script: [{parallel: [{call: b, repeat: 1000}], need: 1}]}]}, b: {}}",
            (
                "3:35: services.cart.script[0].loop: cart has 101,101 steps, with all that `loop` and `repeat` repeat; at most 100,000 are"
                " simulated"
            ),
        ),
        (
            "services: {cart: {script: [{call: a, fallback: [{call: cart}]}]}, a: {}}",
            "3:56: services.cart.script[0].fallback[0].call: calls in a circle never end: cart -> cart",
        ),
        ("services: {cart: {script: [[]]}}", "3:28: services.cart.script[0]: must not be empty"),
        (
            "services: {cart: {script: [{compute: 5}]}}",
            "3:38: services.cart.script[0].compute: 5 has no unit; write '5ms' or '5s'",
        ),
        (
            "services: {cart: {script: [{compute: expnential}]}}",
            "3:38: services.cart.script[0].compute: unknown distribution 'expnential'; did you mean 'exponential'?",
        ),
        (
            "services: {cart: {script: [{compute: {expnential: {mean: 1s}}}]}}",
            "3:29: services.cart.script[0].compute: unknown distribution 'expnential'; did you mean 'exponential'?",
        ),
        (
            "services: {cart: {script: [{compute: {exponential: {}}}]}}",
            "3:39: services.cart.script[0].compute.exponential.mean: is missing",
        ),
        (
            "services: {cart: {script: [{compute: {replay: {file: t.npz, unit: m}}}]}}",
            "3:67: services.cart.script[0].compute.replay.unit: unknown unit 'm'; did you mean 'ms'?",
        ),
        (
            "services: {cart: {script: [{call: crt}]}}",
            "3:35: services.cart.script[0].call: unknown service 'crt'; did you mean 'cart'?",
        ),
        (
            "services: {cart: {script: [{call: cart}]}}",
            "3:35: services.cart.script[0].call: calls in a circle never end: cart -> cart",
        ),
        (
            "services: {cart: {script: [{call: b}]}, b: {script: [[{call: cart}]]}}",
            "3:35: services.cart.script[0].call: calls in a circle never end: b -> cart -> b",
        ),
        (
            "services: {cart: {script: [{call: b/lst}]}, b: {operations: {list: {}}}}",
            "3:35: services.cart.script[0].call: b has no operation 'lst'; did you mean 'list'?",
        ),
        (
            "services: {cart: {script: [{call: b}]}, b: {operations: {list: {}}}}",
            "3:35: services.cart.script[0].call: b has no script of its own; write one of its operations: 'b/list'",
        ),
        (
            "services: {cart: {script: [{call: b, repeat: 1000}]}, b: {script: [{call: c, repeat: 1000}]}, c: {}}",
            "3:35: services.cart.script[0].call: one request to cart leads to 1,001,000 calls; at most 100,000 are simulated",
        ),
        ("gateway: {}", "5:1: gateway.routes: is missing"),
        (
            "gateway: {routes: {r: {path: cart, to: cart}}}",
            "5:30: gateway.routes.r.path: 'cart' is no path; it begins with '/' and has no spaces, '?' or '#'",
        ),
        (
            "gateway: {routes: {r: {path: {exct: /}, to: cart}}}",
            "5:31: gateway.routes.r.path.exct: unknown key; did you mean 'exact'?",
        ),
        (
            "gateway: {routes: {r: {path: /, to: crt}}}",
            "5:37: gateway.routes.r.to: unknown service 'crt'; did you mean 'cart'?",
        ),
        (
            "gateway: {routes: {r: {path: /, to: {cart: 1, crt: 1}}}}",
            "5:47: gateway.routes.r.to.crt: unknown service 'crt'; did you mean 'cart'?",
        ),
        (
            "gateway: {routes: {crt: {path: /, to: cart}}}",
            "2:72: load.users.requests.cart: unknown route 'cart'; did you mean 'crt'?",
        ),
        (
            "gateway: {routes: {cart: {path: /, to: cart, timeout: never}}}",
            "5:55: gateway.routes.cart.timeout: 'never' is not a duration (write '250ms', '1m30s' or '2h')",
        ),
        (
            "gateway: {filters: [rate_limt], routes: {cart: {path: /, to: cart}}}",
            "5:21: gateway.filters[0]: unknown filter 'rate_limt'; did you mean 'rate_limit'?",
        ),
        (
            (
                "gateway: {filters: [rate_limit: {token_bucket: {max_tokens: 3, fill_interval: 1ms}}],"
                " routes: {cart: {path: /, to: cart}}}"
            ),
            (
                "5:79: gateway.filters[0].rate_limit.token_bucket.fill_interval:"
                " Envoy refuses a fill_interval below 50ms; write a larger one, with more tokens_per_fill"
            ),
        ),
        ("mesh: {traffic: {crt: {}}}", "5:18: mesh.traffic.crt: unknown service 'crt'; did you mean 'cart'?"),
        ("mesh: {inbound: {'*': {}}}", "5:18: mesh.inbound.*: unknown service '*' (one of: cart)"),
        (
            "mesh: {traffic: {cart: {load_balancer: leastrequest}}}",
            "5:40: mesh.traffic.cart.load_balancer: unknown load balancer 'leastrequest'; did you mean 'least_request'?",
        ),
        (
            "mesh: {traffic: {cart: {load_balancer: [random]}}}",
            (
                "5:25: mesh.traffic.cart.load_balancer: expected the name of a load balancer, or a mapping with that single key,"
                " not a list (one of: aperture, client_side_weighted_round_robin, deterministic_subsetting, least_reported_load,"
                " least_request, maglev, peak_ewma, random, ring_hash, round_robin)"
            ),
        ),
        (
            "mesh: {traffic: {cart: {load_balancer: {random: {}, round_robin: {}}}}}",
            (
                "5:25: mesh.traffic.cart.load_balancer: choose one load balancer, not 2"
                " (one of: aperture, client_side_weighted_round_robin, deterministic_subsetting, least_reported_load,"
                " least_request, maglev, peak_ewma, random, ring_hash, round_robin)"
            ),
        ),
        (
            "mesh: {traffic: {cart: {retries: {per_try_timeout: 600}}}}",
            "5:52: mesh.traffic.cart.retries.per_try_timeout: 600 has no unit; write '600ms' or '600s'",
        ),
        (
            "mesh: {traffic: {cart: {retries: {retry_on: 5x}}}}",
            "5:45: mesh.traffic.cart.retries.retry_on: unknown retry_on '5x'; did you mean '5xx'?",
        ),
        ("cost: {services: {crt: 1}}", "5:19: cost.services.crt: unknown service 'crt'; did you mean 'cart'?"),
        (
            "cost: {currency: EUR, replica_hour: 0}",
            (
                "5:1: cost: needs a price above 0: one of replica_hour, services, gateway_replica_hour, proxy_hour, proxy_core_hour,"
                " cross_zone_gib, million_requests"
            ),
        ),
        (
            "thresholds: {'cost{item:replicas}': ['per_hour<4']}",
            "5:14: thresholds.cost{item:replicas}: there are no prices; add a `cost` section, such as cost: {replica_hour: 0.05}",
        ),
        (
            "cost: {replica_hour: 1}\nthresholds: {'cost{item:replica}': ['per_hour<4']}",
            "6:14: thresholds.cost{item:replica}: unknown item 'replica'; did you mean 'replicas'?",
        ),
        (
            "faults: [{at: 1s, for: 1s, service: crt, slow: 2}]",
            "5:37: faults[0].service: unknown service 'crt'; did you mean 'cart'?",
        ),
        (
            "faults: [{at: 1s, for: 1s, service: cart}]",
            "5:10: faults[0]: write one of `slow: factor`, `errors: share`, `crash: true`, `unreachable: true` and `flush: cache`",
        ),
        (
            "faults: [{at: 1s, for: 1s, service: cart, crash: true, replicas: 2}]",
            "5:66: faults[0].replicas: cart has 1, not 2",
        ),
        ("thresholds: {latncy: []}", "5:14: thresholds.latncy: unknown metric 'latncy'; did you mean 'latency'?"),
        (
            "thresholds: {'latency{rout:cart}': []}",
            "5:14: thresholds.latency{rout:cart}: latency has no label 'rout'; did you mean 'route'?",
        ),
        (
            "thresholds: {'latency{route:crt}': []}",
            "5:14: thresholds.latency{route:crt}: unknown route 'crt'; did you mean 'cart'?",
        ),
        (
            "thresholds: {'latency{consumer:acme}': []}",
            "5:14: thresholds.latency{consumer:acme}: unknown consumer 'acme': no load has a `consumer`",
        ),
        (
            "thresholds: {'queue{service:(gateway)}': []}",
            "5:14: thresholds.queue{service:(gateway)}: unknown service '(gateway)' (one of: cart)",
        ),
        (
            "thresholds: {latency: [p(99)<800]}",
            "5:24: thresholds.latency[0]: 800 has no unit; write '800ms' or '800s'",
        ),
        ("thresholds: {latency: [p99<8ms]}", "5:24: thresholds.latency[0]: 'p99' is not k6's notation; write 'p(99)'"),
        ("thresholds: {errors: [rate<0.01]}", "5:23: thresholds.errors[0]: 0.01 has no unit; write '1%'"),
        ("network: {same_zon: 1ms}", "5:11: network.same_zon: unknown key; did you mean 'same_zone'?"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(mistakes_of: Any, line: str, message: str) -> None:
    key, _, value = line.partition(":")

    assert f"a.yaml:{message}" in mistakes_of({key: value.strip()})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "1:1: the file is empty; a scenario is a mapping that begins with `name:`"),
        ("# nothing\n", "1:1: the file is empty; a scenario is a mapping that begins with `name:`"),
        ("- name: x\n", "1:1: the file is a list; a scenario is a mapping that begins with `name:`"),
        ("just text", "1:1: the file is a single value; a scenario is a mapping that begins with `name:`"),
        (b"name: x\nrun: \xff\n", "2:6: not text in UTF-8 (byte 0xff)"),
        (b"\xff\xfen\x00a\x00", "1:1: not text in UTF-8 (byte 0xff)"),
        ("name: x\nrun: \0\n", "2:6: a character that is no text (U+0000)"),
        ('name: "\\ud800"\n', "1:7: a character that is no text (U+D800) in '\\ud800'"),
        ('name: "a\\e[31m"\n', "1:7: a character that is no text (U+001B) in 'a\\x1b[31m'"),
        ('name: x\n"a\\nb": 1\n', "2:1: a character that is no text (U+000A) in 'a\\nb'"),
        ("name: x\nname: y\n", "2:1: 'name' is here twice; first in line 1"),
        ("name: x\n\trun: y\n", "2:1: not YAML: a tab; YAML indents by spaces"),
        ("name: 'x\nrun: y\n", "1:7: the quote that begins here is never closed"),
        ("name: {a: 1\n", "2:1: not YAML: expected ',' or '}', but got '<stream end>'"),
        ("name: a: b\n", "1:8: not YAML: mapping values are not allowed here"),
        ('name: "\\U99999999"\n', "1:1: not YAML from here on (OverflowError)"),
        ("name: !!python/object:os.system x\n", "1:7: unknown tag '!!python/object:os.system'; leave it out"),
        ("name: !!binary aGk=\n", "1:7: unknown tag '!!binary'; leave it out"),
        ("name: !foo x\n", "1:7: unknown tag '!foo'; leave it out"),
        ("name: *x\n", "1:7: unknown anchor '*x'"),
        ("name: &x [*x]\n", "1:11: '*x' stands inside of what it repeats"),
        ("--- {name: x}\n--- {name: y}\n", "2:1: a second document begins here; a scenario is one"),
        ("? [a, b]\n: c\n", "1:3: a key must be text"),
        ("name: {<<: 3}\n", "1:8: '<<' merges a mapping or a list of them"),
        ("name: .nan\n", "1:7: '.nan' is no number that can be counted with"),
        ("name: 1e999\n", "1:7: 1e999 is too large"),
        (f"name: {'9' * 5000}\n", "1:7: a number of 5000 digits; no setting is that large or that precise"),
        (f"name: {'[' * 5000}\n", "1:57: nested more than 50 levels deep"),
        (f"name: [{'x,' * 100_001}]\n", "1:200004: more than 100,000 values; a scenario is smaller"),
    ],
)
def test_what_is_no_yaml_or_no_scenario_is_told_with_its_place(mistakes_of: Any, content: Any, message: str) -> None:
    assert f"a.yaml:{message}" in mistakes_of(content)


def test_aliases_cannot_repeat_without_bound(mistakes_of: Any) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))

    assert mistakes_of(f"l0: &l0 [x]\n{levels}") == [
        "a.yaml:6:25: aliases repeat more than 100,000 values; a scenario is smaller"
    ]


def test_a_file_of_many_megabytes_is_not_read(mistakes_of: Any) -> None:
    assert mistakes_of(b"#" * 5_000_001) == ["a.yaml:1:1: the file has 5,000,001 bytes; a scenario has 5,000,000 at most"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(mistakes_of: Any) -> None:
    found = mistakes_of({"name": "5", "services": "{crt: {wrokers: 1, script: [{call: b}]}}", "run": "{duration: 60, seed: x}"})

    assert found == [
        "a.yaml:1:7: name: expected text, not 5",
        "a.yaml:2:72: load.users.requests.cart: unknown service 'cart'; did you mean 'crt'?",
        "a.yaml:3:18: services.crt.wrokers: unknown key; did you mean 'workers'?",
        "a.yaml:3:46: services.crt.script[0].call: unknown service 'b' (one of: crt)",
        "a.yaml:4:17: run.duration: 60 has no unit; write '60ms' or '60s'",
        "a.yaml:4:27: run.seed: expected a whole number, not 'x'",
    ]


def test_no_word_of_pydantic_reaches_the_user(mistakes_of: Any) -> None:
    wrong = ["5", "-1", "1.5", "x", "[1]", "{x: 1}", "true", "''", "[]", "{}", "~"]
    for key in (
        "name",
        "load",
        "gateway",
        "mesh",
        "services",
        "network",
        "faults",
        "variants",
        "run",
        "thresholds",
        "deployment",
    ):
        for value in wrong:
            for message in mistakes_of({key: value}):
                assert not any(word in message for word in ("Input", "input", "valid ", "pydantic", "Field", "extra_", "_type"))


def test_a_file_that_is_not_there_is_told_with_the_nearest(mistakes_of: Any, tmp_path: Path) -> None:
    assert mistakes_of({}) == []
    with pytest.raises(ScenarioError, match=r"^aa\.yaml: there is no such file; did you mean 'a\.yaml'\?$"):
        load("aa.yaml")
    with pytest.raises(ScenarioError, match="is a folder, not a scenario"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load("a\0b")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("ip", "key: unknown key 'ip' (one of: address, consumer, content, credential, none, route)"),
        ("5", "key: expected one of none, consumer, route, address, credential, content, not 5"),
        ("{a: 1}", "key: expected one of none, consumer, route, address, credential, content, not a mapping"),
        ("[route, cosumer]", "key[1]: unknown key 'cosumer'; did you mean 'consumer'?"),
    ],
)
def test_one_word_or_a_list_of_them_is_told_once(mistakes_of: Any, key: str, message: str) -> None:
    limit = f"{{token_bucket: {{max_tokens: 1, fill_interval: 1s}}, key: {key}}}"

    (mistake,) = mistakes_of({"gateway": f"{{filters: [rate_limit: {limit}], routes: {{cart: {{path: /, to: cart}}}}}}"})
    assert mistake.endswith(f"gateway.filters[0].rate_limit.{message}")


def test_a_list_that_may_be_absent_is_told_to_be_a_list(mistakes_of: Any) -> None:
    gateway = "{filters: [cache: {ttl: 1s, routes: cart}], routes: {cart: {path: /, to: cart}}}"

    assert mistakes_of({"gateway": gateway}) == ["a.yaml:5:46: gateway.filters[0].cache.routes: expected a list, not 'cart'"]


CIRCLE = {
    "services": "{cart: {script: [{call: auth}]}, auth: {operations: {check: {script: [{compute: 1ms}]}}, script: []}}",
    "deployment": "mesh",
}


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (
            "{inbound: {auth: {filters: [{ext_authz: {service: auth/check}}]}}}",
            "6:57: mesh.inbound.auth.filters[0].ext_authz.service: calls, with what filters ask, in a circle never end: auth/check -> auth/check",
        ),
        (
            "{inbound: {auth: {filters: [api_key, {oauth2_introspection: {service: cart}}]}}}",
            "3:35: services.cart.script[0].call: calls, with what filters ask, in a circle never end: auth -> cart -> auth",
        ),
        (
            "{mode: ambient, waypoints: {services: {auth: {}}}, inbound: {auth: {filters: [{ext_authz: {service: cart}}]}}}",
            "6:107: mesh.inbound.auth.filters[0].ext_authz.service: calls, with what filters ask, in a circle never end: cart -> cart",
        ),
    ],
)
def test_filters_that_ask_in_a_circle_are_told(mistakes_of: Any, mesh: str, message: str) -> None:
    """A question passes the filters before whom it asks, and these would ask again."""
    assert f"a.yaml:{message}" in mistakes_of({**CIRCLE, "mesh": mesh})


@pytest.mark.parametrize(
    ("deployment", "mesh"),
    [
        ("mesh", "{inbound: {cart: {filters: [{ext_authz: {service: auth}}]}}}"),
        ("none", "{inbound: {auth: {filters: [{ext_authz: {service: auth}}]}}}"),
        (
            "mesh",
            "{mode: ambient, waypoints: {services: {auth: {}}}, inbound: {auth: {filters: [{ext_authz: {service: auth}}]}}}",
        ),
    ],
)
def test_filters_that_ask_elsewhere_or_do_not_act_are_no_circle(mistakes_of: Any, deployment: str, mesh: str) -> None:
    assert mistakes_of({**CIRCLE, "deployment": deployment, "mesh": mesh}) == []


@pytest.mark.parametrize(
    ("autoscaling", "message"),
    [
        ("{}", "max_replicas: is missing"),
        ("{max_replicas: 0}", "max_replicas: must be at least 1"),
        ("{max_replicas: 2, min_replicas: 3}", "max_replicas: must be at least `min_replicas`"),
        ("{max_replicas: 2, metrics: []}", "metrics: must not be empty"),
        ("{max_replicas: 2, metrics: [cpu]}", "metrics[0]: expected `resource`, `pods` or `object`, as a mapping, not 'cpu'"),
        (
            "{max_replicas: 2, metrics: [{pods: {metric: queued, target: {average_value: 1}}, object: {}}]}",
            "metrics[0]: a metric is one of `resource`, `pods` and `object`",
        ),
        (
            "{max_replicas: 2, metrics: [{resource: {name: memory, target: {average_value: 1}}}]}",
            "metrics[0].resource.name: unknown name 'memory' (one of: cpu)",
        ),
        (
            "{max_replicas: 2, metrics: [{resource: {name: cpu, target: {}}}]}",
            "metrics[0].resource.target: write one of `average_utilization` and `average_value`",
        ),
        (
            "{max_replicas: 2, metrics: [{object: {metric: queued, target: {value: 1, average_value: 1}}}]}",
            "metrics[0].object.target: write one of `value` and `average_value`",
        ),
        (
            "{max_replicas: 2, metrics: [{resource: {name: cpu, target: {average_utilization: 0.5%}}}]}",
            "metrics[0].resource.target.average_utilization: Kubernetes takes whole percent, from 1% on",
        ),
        (
            "{max_replicas: 2, behavior: {scale_up: {policies: [{type: Pods, value: 1, period: 31m}]}}}",
            "behavior.scale_up.policies[0].period: must be more than 0 and at most 30m, as in Kubernetes",
        ),
        (
            "{max_replicas: 2, behavior: {scale_down: {stabilization_window: 2h}}}",
            "behavior.scale_down.stabilization_window: must be at most 1h, as in Kubernetes",
        ),
    ],
)
def test_what_is_wrong_with_autoscaling_is_said(mistakes_of: Any, autoscaling: str, message: str) -> None:
    cart = "{cart: {script: [{compute: 5ms}], autoscaling: AUTOSCALING}}".replace("AUTOSCALING", autoscaling)

    said = [one.partition(": ")[2] for one in mistakes_of({"services": cart})]

    assert said == [f"services.cart.autoscaling.{message}"]


MISSING_REQUEST = "cpu: missing request for cpu (as Kubernetes says): the autoscaler's utilization is a share of it; write `requests` or `limits`"


@pytest.mark.parametrize(
    ("cart", "message"),
    [
        ("{cpu: {}}", "cpu: write `limits`, or `node_cores`: without either, computations do not share anything"),
        ("{cpu: {requests: 1}}", "cpu: write `limits`, or `node_cores`: without either, computations do not share anything"),
        ("{cpu: {limits: 1Gi}}", "cpu.limits: expected cores such as 2, 1.5 or 500m, not '1Gi'"),
        ("{cpu: {limits: true}}", "cpu.limits: expected cores such as 2, 1.5 or 500m, not true"),
        ("{cpu: {limits: -1}}", "cpu.limits: expected cores such as 2, 1.5 or 500m, not -1"),
        ("{cpu: {limits: 0.0005}}", "cpu.limits: must be whole thousandths of a core, as in Kubernetes, such as 250m"),
        ("{cpu: {limits: 0}}", "cpu.limits: must be from 1m to 1000 cores"),
        ("{cpu: {limits: 2000}}", "cpu.limits: must be from 1m to 1000 cores"),
        ("{cpu: {requests: 2, limits: 1500m}}", "cpu.requests: must be at most `limits`, as in Kubernetes"),
        ("{cpu: {node_cores: 2, cfs_burst: 1ms}}", "cpu.cfs_burst: needs `limits`: without them there is no quota"),
        (
            "{cpu: {node_cores: 2, cfs_quota_period: 50ms}}",
            "cpu.cfs_quota_period: needs `limits`: without them there is no quota",
        ),
        (
            "{cpu: {limits: 500m, cfs_burst: 51ms}}",
            "cpu.cfs_burst: must be at most the quota, which is `limits` times `cfs_quota_period`, as in Linux",
        ),
        ("{cpu: {limits: 1, cfs_quota_period: 2s}}", "cpu.cfs_quota_period: must be from 1ms to 1s, as in kubelet"),
        (
            "{cpu: {limits: 1}, queue: {limit: 5}}",
            "queue: needs `workers`: with `cpu` and without them every request begins as soon as it comes",
        ),
        (
            "{cpu: {limits: 1}, autoscaling: {max_replicas: 2, metrics: [{pods: {metric: queued, target: {average_value: 1}}}]}}",
            "autoscaling: `queued` needs `workers`: with `cpu` and without them nobody waits in a queue; write `in_flight`",
        ),
        (
            "{cpu: {limits: 1}, async: true}",
            "async: needs `workers`: with `cpu` and without them every request begins as soon as it comes",
        ),
        (
            "{cpu: {node_cores: 1}, autoscaling: {max_replicas: 3}}",
            MISSING_REQUEST,
        ),
    ],
)
def test_what_is_wrong_with_cpu_is_said(mistakes_of: Any, cart: str, message: str) -> None:
    said = [one.partition(": ")[2] for one in mistakes_of({"services": f"{{cart: {cart}}}"})]

    assert said == [f"services.cart.{message}"]


def test_an_autoscaler_by_cores_or_by_requests_in_flight_needs_no_request_for_cpu(mistakes_of: Any) -> None:
    by_cores = "{resource: {name: cpu, target: {average_value: 0.5}}}"
    by_load = "{pods: {metric: in_flight, target: {average_value: 2}}}"

    assert (
        mistakes_of(
            {
                "services": f"{{cart: {{cpu: {{node_cores: 1}}, autoscaling: {{max_replicas: 3, metrics: [{by_cores}, {by_load}]}}}}}}"
            }
        )
        == []
    )


@pytest.mark.parametrize(
    ("cart", "message"),
    [
        (
            "{strategy: {rolling_update: {max_surge: 1.5}}}",
            "strategy.rolling_update.max_surge: expected pods such as 1, or whole percent of the replicas such as 25%, not 1.5",
        ),
        (
            "{strategy: {rolling_update: {max_surge: true}}}",
            "strategy.rolling_update.max_surge: expected pods such as 1, or whole percent of the replicas such as 25%, not true",
        ),
        ("{strategy: {rolling_update: {max_surge: -1}}}", "strategy.rolling_update.max_surge: must be from 0 to 10,000 pods"),
        ("{strategy: {rolling_update: {max_unavailable: 101%}}}", "strategy.rolling_update.max_unavailable: must be at most 100%, as in Kubernetes"),
        (
            "{strategy: {rolling_update: {max_unavailable: 0, max_surge: 0%}}}",
            "strategy.rolling_update.max_unavailable: may not be 0 when `max_surge` is 0, as in Kubernetes: nothing could ever change",
        ),
        (
            "{strategy: {type: Recreate, rolling_update: {max_surge: 1}}}",
            "strategy.rolling_update: may not be written with `type: Recreate`, as in Kubernetes",
        ),
        ("{rollouts: [{at: 1s, undo: true}]}", "rollouts: there is no version before the first one"),
        (
            "{rollouts: [{at: 1s}, {at: 2s, undo: true, slow: 2}]}",
            "rollouts[1].slow: goes with a new version, and `undo` goes back to the one before",
        ),
        (
            "{rollouts: [{at: 1s, ready: false, startup_time: 1s}]}",
            "rollouts[0].startup_time: a version that never becomes ready has none",
        ),
        (
            "{rollouts: [{at: 1s}], restarts: [{at: 2s}]}",
            "restarts: write either `restarts` or `rollouts`: a rollout without further keys restarts all pods",
        ),
        (
            "{rollouts: [{at: 1s}], replicas: 2, subsets: {v1: 1, v2: 1}}",
            "rollouts: a service with `subsets` is several Deployments; write it without them, or as several services",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_rollouts_is_said(mistakes_of: Any, cart: str, message: str) -> None:
    said = [one.partition(": ")[2] for one in mistakes_of({"services": f"{{cart: {cart}}}"})]

    assert said == [f"services.cart.{message}"]


def test_a_schedule_and_an_autoscaler_do_not_go_together(mistakes_of: Any) -> None:
    cart = "{cart: {scale: [{at: 1s, replicas: 2}], autoscaling: {max_replicas: 3}}}"

    assert mistakes_of({"services": cart}) == [
        "a.yaml:3:19: services.cart.scale: write either `scale` or `autoscaling`: an autoscaler would undo each step"
    ]


def test_a_rate_needs_two_samples_in_its_window(mistakes_of: Any) -> None:
    assert mistakes_of({"autoscaler": "{rate_window: 30s}"}) == [
        "a.yaml:5:27: autoscaler.rate_window: must be at least `scrape_interval`, or there are never two samples in it"
    ]
