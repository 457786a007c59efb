"""What `meshsim check` says of connection pools."""

from __future__ import annotations

from typing import Any

from advised import warnings_of

PATH = "services.checkout.connection_pools.orders"


def of_checkout(size: int, **rest: Any) -> list[str]:
    """10/s that hold a connection for 5 ms of computing and the 24 ms of a call."""
    script = [{"compute": "5ms"}, {"transaction": "orders", "script": [{"compute": "5ms"}, {"call": "payment"}]}]
    pools = {"orders": {"maximum_pool_size": size}}
    return warnings_of({"services": {"checkout": {"connection_pools": pools, "script": script, **rest}}})


def test_a_pool_that_is_asked_for_more_than_it_has() -> None:
    load = {"load": {"shoppers": {"rate": "1000/s"}}}
    script = [{"transaction": "orders", "script": [{"compute": "1ms"}, {"call": "payment"}]}]
    checkout: dict[str, Any] = {"connection_pools": {"orders": {"maximum_pool_size": 1}}, "script": script}
    found = warnings_of({**load, "services": {"checkout": checkout, "payment": {"workers": 9}, "frontend": {"workers": 99}}})

    assert found == [
        (
            f"{PATH}.maximum_pool_size: checkout is asked for 100/s transactions x 25ms = 2.5 connections in use, and has 2 (2 replicas x"
            " 1 connection): requests queue for connections until acquire_timeout; give it 2 in each replica, shorten the transactions, or"
            " reduce the load"
        )
    ]
    for timeout, consequence in (
        ("none", "queue for connections, more and more of them"),
        ("0s", "that find no connection fail"),
    ):
        checkout["connection_pools"]["orders"]["acquire_timeout"] = timeout
        (one,) = warnings_of({**load, "services": {"checkout": checkout, "payment": {"workers": 9}, "frontend": {"workers": 99}}})
        assert f": requests {consequence}; give it 2" in one


def test_one_that_has_enough_is_not_spoken_of() -> None:
    assert of_checkout(1) == []


def test_a_pool_that_nothing_takes_from() -> None:
    found = of_checkout(1, connection_pools={"orders": {}, "spare": {}})

    assert found == [
        "services.checkout.connection_pools.spare: no `transaction` of the service takes from it, so it does nothing"
    ]


def test_a_transaction_in_a_loop_counts_as_often_as_that_turns() -> None:
    """10/s x 2 x 10 x 5 ms are 1 connection, all that there is."""
    transaction = {"transaction": "orders", "script": [{"compute": "5ms"}]}
    script: list[dict[str, Any]] = [{"loop": 2, "script": [{"loop": 10, "script": [transaction]}]}]
    pools = {"orders": {"maximum_pool_size": 1}}

    def found(turns: int) -> list[str]:
        script[0]["loop"] = turns
        return warnings_of(
            {"services": {"checkout": {"replicas": 1, "workers": 40, "connection_pools": pools, "script": script}}}
        )

    assert [one for one in found(2) if "checkout is asked for 200/s transactions x 5ms = 1 connections in use, and has 1 " in one]
    assert [one for one in found(1) if "transactions" in one] == []


def test_a_transaction_in_a_fallback_is_only_there_where_calls_fail() -> None:
    transaction = {"transaction": "orders", "script": [{"compute": "500ms"}]}
    script = [{"call": "payment", "fallback": [{"loop": 2, "script": [transaction]}]}]

    assert of_checkout(1, script=script) == []
