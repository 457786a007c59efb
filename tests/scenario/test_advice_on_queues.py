"""What `meshsim check` says of queue disciplines."""

from __future__ import annotations

from typing import Any

from advised import warnings_of

PATH = "services.payment.queue.discipline"


def of_payment(queue: dict[str, Any], **rest: Any) -> list[str]:
    return warnings_of({"services": {"payment": {"queue": queue}}, **rest})


def shoppers(**settings: Any) -> dict[str, Any]:
    return {"load": {"shoppers": settings}}


def test_a_priority_of_one_class_is_fifo() -> None:
    assert of_payment({"discipline": "priority"}) == [
        f"{PATH}: all requests are critical, so this is fifo; give a load or a route another criticality"
    ]
    of_route = {"gateway": {"routes": {"browse": {"criticality": "sheddable"}}}}
    assert of_payment({"discipline": "priority"}, **of_route) == []


def test_push_out_needs_a_limit() -> None:
    of_route = {"gateway": {"routes": {"browse": {"criticality": "sheddable"}}}}
    pushing = {"discipline": {"priority": {"push_out": True}}}

    assert of_payment(pushing, **of_route) == [
        f"{PATH}.priority.push_out: the queue has no limit, so it is never full and push_out does nothing; write queue.limit"
    ]
    assert of_payment({**pushing, "limit": 5}, **of_route) == []


def test_fair_needs_consumers_that_differ() -> None:
    said = [f"{PATH}: all loads have the same consumer or none, so this is fifo; give loads different consumers"]
    bots = {
        "executor": "constant-arrival-rate",
        "arrivals": "poisson",
        "rate": "1/s",
        "requests": {"checkout": 1},
        "timeout": "5s",
    }

    assert of_payment({"discipline": "fair"}) == said
    assert of_payment({"discipline": "fair"}, **shoppers(consumer="web")) == said
    assert of_payment({"discipline": "fair"}, load={"shoppers": {"consumer": "web"}, "bots": bots}) == []


def test_a_deadline_comes_from_a_timeout_around_the_call_or_from_a_caller_that_passes_its_own_on() -> None:
    queue, none = {"discipline": "earliest_deadline_first"}, {"mesh": {"traffic": {"payment": None}}}

    assert of_payment(queue) == []
    (warning,) = of_payment(queue, **none)
    assert warning == (
        f"{PATH}: no call to payment has a deadline, so this is fifo; set a timeout on the calls to it, or deadline_propagation on callers"
        " whose own callers have one"
    )
    passed_on = {"payment": {"queue": queue}, "checkout": {"deadline_propagation": True}}
    assert warnings_of({"services": passed_on, **none}) == []
