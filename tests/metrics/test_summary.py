"""To JSON and back, and as frames."""

from __future__ import annotations

import json

import pytest
from made_up import SECOND, plan, shop, summary_of

from meshsim.metrics.summary import Summary


def test_a_summary_survives_json() -> None:
    summary = shop()
    text = json.dumps(summary.to_dict(), allow_nan=False)

    assert Summary.from_dict(json.loads(text)) == summary


def test_a_summary_of_nothing_survives_json_as_nulls() -> None:
    summary = summary_of(plan(), simulated_ns=SECOND)
    content = json.loads(json.dumps(summary.to_dict(), allow_nan=False))

    assert content["total"]["latency"]["p99_s"] is None
    assert Summary.from_dict(content) == summary


def test_the_same_records_give_the_same_json() -> None:
    assert json.dumps(shop().to_dict()) == json.dumps(shop().to_dict())


def test_frames_have_a_row_for_each_route_and_service() -> None:
    summary = shop()
    routes, services = summary.routes_frame(), summary.services_frame()

    assert list(routes.index) == ["browse", "checkout", "recommendations-for-signed-in-customers"]
    assert routes.loc["checkout", "latency_p99_s"] == summary.routes[1].latency.p99_s
    assert routes["requests"].sum() == summary.total.requests
    assert services.loc["payment", "retry_amplification"] == summary.services[4].retry_amplification
    assert all(str(kind) in {"int64", "float64"} for kind in [*routes.dtypes, *services.dtypes])


def test_a_summary_from_json_knows_the_quantiles_that_it_keeps_and_says_which_it_does_not() -> None:
    summary = shop()
    read = Summary.from_dict(summary.to_dict())

    assert read.total.latency.quantile_s(0.999) == summary.total.latency.quantile_s(0.999)
    with pytest.raises(LookupError, match=r"no p97\.5"):
        read.total.latency.quantile_s(0.975)


def test_requests_of_the_routes_and_of_the_loads_add_up_to_all() -> None:
    summary = shop()

    assert sum(one.requests for one in summary.routes) == summary.total.requests
    assert sum(one.requests for one in summary.sources) == summary.total.requests
    assert sum(one.requests for one in summary.flows) == summary.total.requests
    assert sum(cause.count for cause in summary.total.causes) == summary.total.failures
