"""What filters decided over a run: counts, and fairness among consumers."""

from __future__ import annotations

from dataclasses import replace

import made_up
import numpy as np
import pytest

from meshsim.metrics.policies.decisions import Decisions
from meshsim.policies.filters import Buffer, Decision, Fault

ADMITTED, LIMITED, DENIED, DELAYED, HIT = (
    int(one) for one in (Decision.ADMITTED, Decision.LIMITED, Decision.DENIED, Decision.DELAYED, Decision.HIT)
)
GATEWAY = {"kind": 0, "service": -1}


def decisions_of(*chunks):
    plan = made_up.plan(services=("cart", "payment"))
    filters = (Buffer(max_request_bytes=1024), Fault())
    services = (replace(plan.services[0]), replace(plan.services[1], inbound=filters))
    made = replace(plan, gateway=replace(plan.gateway, filters=filters), services=services)
    sink = Decisions(made)
    for chunk in chunks:
        sink.take("decisions", chunk)
    return sink.summaries()


def rows(*rows, **place):
    """A chunk of (filter, decision, consumer, requests)."""
    columns = {
        name: np.asarray(column)
        for name, column in zip(("filter_number", "decision", "consumer", "requests"), zip(*rows, strict=True), strict=True)
    }
    return made_up.chunk("decisions", **{**GATEWAY, **place}, **columns)


def test_counts_are_added_over_chunks_instants_and_consumers():
    (one,) = decisions_of(
        rows((0, ADMITTED, 0, 5), (0, LIMITED, 0, 2), (0, ADMITTED, 1, 7)), rows((0, ADMITTED, 0, 1), (0, HIT, 1, 4))
    )
    assert one.counts == {"admitted": 13, "limited": 2, "hit": 4}
    assert (one.place, one.filter, one.number) == ("gateway", "buffer", 0)


def test_filters_and_places_are_told_apart():
    found = decisions_of(
        rows((1, ADMITTED, 0, 5)),
        rows((0, DENIED, 0, 3)),
        rows((1, LIMITED, 0, 9), kind=1, service=1),
        rows((1, HIT, 0, 1), kind=3, service=1),
    )
    assert [(one.place, one.number, one.counts) for one in found] == [
        ("gateway", 0, {"denied": 3}),
        ("gateway", 1, {"admitted": 5}),
        ("sidecar of payment", 1, {"limited": 9}),
        (found[3].place, 1, {"hit": 1}),
    ]
    assert found[3].place != found[2].place


def test_nothing_decided_is_no_filter():
    assert decisions_of() == ()


def test_other_tables_are_no_business_of_it():
    sink = Decisions(made_up.plan())
    sink.take("requests", made_up.requests(request=np.arange(3)))
    assert sink.summaries() == ()


@pytest.mark.parametrize(
    ("shares", "fairness"),
    [((1.0, 1.0), 1.0), ((0.5, 0.5, 0.5), 1.0), ((1.0, 0.0), 0.5), ((1.0, 0.0, 0.0, 0.0), 0.25), ((0.6, 0.3), 0.81 / 0.9)],
)
def test_fairness_is_jains_index_of_the_shares_let_pass(shares, fairness):
    """Whatever each of them asks for: the shares are of 10, 20, 30 ... requests."""
    told = []
    for consumer, share in enumerate(shares):
        asked = 10 * (consumer + 1)
        told += [(0, ADMITTED, consumer, round(asked * share)), (0, LIMITED, consumer, asked - round(asked * share))]
    (one,) = decisions_of(rows(*told))
    assert one.fairness == pytest.approx(fairness)


@pytest.mark.parametrize(("decision", "is_passed"), [(DELAYED, True), (HIT, True), (LIMITED, False), (DENIED, False)])
def test_what_counts_as_passed(decision, is_passed):
    (one,) = decisions_of(rows((0, ADMITTED, 0, 10), (0, decision, 1, 10)))
    assert one.fairness == (1.0 if is_passed else 0.5)


def test_one_consumer_has_nobody_to_be_compared_with():
    (one,) = decisions_of(rows((0, ADMITTED, 0, 10), (0, LIMITED, 0, 10)))
    assert one.fairness is None


def test_where_nobody_gets_anything_there_is_no_share_to_compare():
    (one,) = decisions_of(rows((0, LIMITED, 0, 10), (0, LIMITED, 1, 10)))
    assert one.fairness is None


def test_thousands_of_consumers_are_told_apart():
    """Consumer 4,095 with the next decision has the code of consumer -1 where codes are of 4,096 each."""
    many = 5000
    told = [(0, ADMITTED, consumer, 1) for consumer in range(many)] + [(0, DELAYED, consumer, 10) for consumer in range(many)]
    (one,) = decisions_of(rows(*told))
    assert one.counts == {"admitted": many, "delayed": 10 * many}
