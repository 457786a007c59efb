"""What is looked up for messages, and for calls that nobody waits for: each asks for something of its own, in each try the same."""

from __future__ import annotations

import pytest
from at_instants import at_instants

import meshsim as ms

READS = {"caches": {"c": {"keys": {"count": 100_000}}}, "script": [{"cached": "c", "script": [{"compute": "1ms"}]}]}
WAITS_NOT = {"call": "reader", "wait": False}


@pytest.fixture
def looked_up(tmp_path):
    """Hits and misses of one request."""

    def look(script, *, reader=None, **parts):
        services = {"shop": {"workers": 9, "script": script}, "reader": {**READS, **(reader or {})}, **parts.pop("services", {})}
        load = {"all": at_instants(tmp_path, [0], "shop")}
        caches = ms.load({"name": "content", "load": load, "services": services, "run": {"duration": "1s"}, **parts}).run().caches
        return int(caches["hits"].sum()), int(caches["misses"].sum())

    return look


@pytest.mark.parametrize(
    "script",
    [
        [{"publish": "q"}] * 3,
        [{"loop": 3, "script": [{"publish": "q"}]}],
        [{"loop": 3, "script": [{"publish": "q", "wait": False}]}],
    ],
)
def test_messages_of_one_request_look_up_a_key_each(looked_up, script):
    queues = {"q": {"publish_time": "1ms"}}

    assert looked_up(script, reader={"consumes": {"q": {}}}, queues=queues) == (0, 3)


def test_a_message_looks_up_the_same_key_in_each_delivery(looked_up):
    reader = {"consumes": {"q": {}}, "errors": "100%"}

    assert looked_up([{"publish": "q"}], reader=reader, queues={"q": {"max_deliveries": 3}}) == (2, 1)


def test_calls_that_nobody_waits_for_look_up_what_they_would_if_somebody_did(looked_up):
    services = {"middle": {"workers": 9, "script": [WAITS_NOT]}}

    assert looked_up([{"call": "middle"}] * 3, services=services) == (0, 3)


def test_what_is_loaded_again_in_the_background_is_what_was_asked_for(looked_up):
    kept = {"ttl": "1ms", "stale_while_revalidate": "10s"}
    services = {
        "middle": {"workers": 9, "script": [{"call": "keeper"}, {"compute": "5ms"}]},
        "keeper": {"workers": 9, "caches": {"kept": kept}, "script": [{"cached": "kept", "script": [{"call": "reader"}]}]},
    }

    assert looked_up([{"call": "middle"}] * 3, services=services) == (0, 4)  # one of them at `kept`
