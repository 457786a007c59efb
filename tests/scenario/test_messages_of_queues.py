"""What is said of mistakes about message queues, with its exact words."""

from __future__ import annotations

import pytest

import meshsim as ms
from meshsim.errors import ScenarioError

START = """\
name: shop
load: {all: {executor: constant-arrival-rate, rate: 5/s, requests: {shop: 1}}}
run: {duration: 1s}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "services: {shop: {script: [{publish: orders}]}}",
            "4:38: services.shop.script[0].publish: unknown queue 'orders'; write it under `queues`",
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{publish: order}]}}",
            "5:38: services.shop.script[0].publish: unknown queue 'order'; did you mean 'orders'?",
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{loop: 2, script: [{publish: order}]}]}}",
            "5:57: services.shop.script[0].script[0].publish: unknown queue 'order'; did you mean 'orders'?",
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{compute: 1ms}], consumes: {order: {}}}}",
            "5:56: services.shop.consumes.order: unknown queue 'order'; did you mean 'orders'?",
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {consumes: {orders: {}}}, other: {consumes: {orders: {}}}}",
            (
                "5:63: services.other.consumes.orders: shop consumes orders already, and a queue has one consumer; publish the messages to a"
                " queue for each"
            ),
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{compute: 1ms}], consumes: {orders: {operation: pack}}}}",
            "5:76: services.shop.consumes.orders.operation: shop has no operations; write 'shop'",
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{publish: orders}], consumes: {orders: {}}}}",
            "5:38: services.shop.script[0].publish: calls in a circle never end: shop -> shop",
        ),
        (
            "queues: {orders: {message_ttl: 1s, dead_letter: dead}}\nservices: {shop: {}}",
            "4:49: queues.orders.dead_letter: unknown queue 'dead' (one of: orders)",
        ),
        (
            "queues: {orders: {message_ttl: 1s, dead_letter: orders}}\nservices: {shop: {}}",
            "4:49: queues.orders.dead_letter: a queue cannot be its own; write another queue",
        ),
        (
            "queues: {orders: {dead_letter: dead}, dead: {}}\nservices: {shop: {}}",
            "4:32: queues.orders.dead_letter: nothing would ever go there; write `max_deliveries`, `message_ttl` or `max_length`",
        ),
        (
            "queues: {orders: {on_full: reject}}\nservices: {shop: {}}",
            "4:28: queues.orders.on_full: a queue without `max_length` is never full; write one",
        ),
        (
            "queues: {orders: {rebalance_time: 3s}}\nservices: {shop: {}}",
            "4:35: queues.orders.rebalance_time: only the partitions of a stream are rebalanced; write `partitions`",
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {cpu: {limits: 1}, consumes: {orders: {}}}}",
            (
                "5:37: services.shop.consumes: write a `prefetch` for orders: without `workers` nothing else says how much is done at once"
            ),
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{publish: orders, wait: false, optional: true}]}}",
            (
                "5:69: services.shop.script[0].optional: nobody waits for the acknowledgement, so nobody learns that there is none"
            ),
        ),
        (
            "queues: {orders: {}}\nservices: {shop: {script: [{publish: orders, optional: true, fallback: [{compute: 1ms}]}]}}",
            (
                "5:62: services.shop.script[0].fallback: an `optional` message never fails the step, so that this would never run; leave one of"
                " them out"
            ),
        ),
        (
            'services: {shop: {}}\nthresholds: {"lag{queue:orders}": [max<5]}',
            "5:14: thresholds.lag{queue:orders}: unknown queue 'orders'",
        ),
    ],
)  # fmt: skip
def test_its_words(tmp_path, text, message):
    file = tmp_path / "shop.yaml"
    file.write_text(START + text + "\n", encoding="utf-8")

    with pytest.raises(ScenarioError) as caught:
        ms.load(file)

    assert str(caught.value) == f"{file}:{message}"


@pytest.mark.parametrize("script", [[], [{"publish": "orders"}]])
def test_a_percentile_that_is_not_kept_crosses_its_threshold_and_says_why(script):
    scenario = {
        "name": "kept",
        "load": {"all": {"executor": "constant-arrival-rate", "rate": "5/s", "arrivals": "even", "requests": {"shop": 1}}},
        "queues": {"orders": {}},
        "services": {"shop": {"script": script}, "worker": {"script": [{"compute": "5ms"}], "consumes": {"orders": {}}}},
        "thresholds": {"message_time": ["p(42)<1s", "p(99)<1s", "avg<1s"], "lost_messages": ["count<1"]},
        "run": {"duration": "2s"},
    }
    said = [verdict.observed_text for verdict in ms.load(scenario).run().verdicts]

    assert said[0] == "of messages only p(50), p(75), p(90), p(95), p(99) and p(99.9) are kept"
    assert said[1] == ("5ms" if script else "no message consumed")
    assert said[3] == "0"
