"""Slow start: how the share of a new endpoint grows."""

from __future__ import annotations

import pytest
from scripted import Scripted, endpoints

from meshsim.policies.load_balancing import NO_HASH, Endpoint, LeastRequest, RoundRobin, SlowStart
from meshsim.registry import SettingError
from meshsim.units import NS_PER_S


def factor(age_s, **settings):
    (endpoint,) = endpoints([0])
    endpoint.healthy_since_ns = 100 * NS_PER_S
    return SlowStart(slow_start_window="30s", **settings).build().factor(endpoint, (100 + age_s) * NS_PER_S)


def test_the_weight_grows_in_a_straight_line_from_a_tenth_to_all():
    assert [factor(age) for age in (0, 3, 15, 30, 60)] == pytest.approx([0.1, 0.1, 0.5, 1, 1])


def test_more_aggression_grows_faster_at_first():
    assert factor(7.5) == pytest.approx(0.25)
    assert factor(7.5, aggression=2.0) == pytest.approx(0.5)


def test_the_least_weight_is_a_setting():
    assert factor(0, min_weight_percent=0.4) == pytest.approx(0.4)


def test_whoever_was_there_from_the_start_is_not_new():
    (endpoint,) = endpoints([0])
    assert SlowStart(slow_start_window="30s").build().factor(endpoint, 0) == 1.0


def test_who_is_not_well_and_is_asked_all_the_same_has_its_full_weight():
    """In a panic: Envoy looks at slow start of healthy hosts only (applySlowStartFactor)."""

    class Ill(Endpoint):
        is_well = False

    endpoint = Ill(1.0, 0)
    endpoint.healthy_since_ns = 100 * NS_PER_S
    assert SlowStart(slow_start_window="30s").build().factor(endpoint, 101 * NS_PER_S) == 1.0


@pytest.mark.parametrize("policy", [RoundRobin, LeastRequest])
def test_shares_of_a_new_host_are_those_of_a_real_envoy(policy):
    """Measured in windows of 5 s, 250 requests/s, four hosts of which one is new: 3.5, 7.7, 12.1, 16.3, 19.9, 23.4, 25.0 %."""
    hosts = endpoints([0] * 4)
    built = policy(slow_start=SlowStart(slow_start_window="30s")).build(endpoints=hosts[:3], draw=Scripted(0, 0))
    hosts[3].healthy_since_ns = 0
    for index, host in enumerate(hosts):
        host.index = index
    built.update(hosts, Scripted(0))
    from meshsim.randomness import Draw  # noqa: PLC0415 — least request draws once slow start is over

    grown, draw = [], Draw().at(3, 9)
    for window in range(7):
        picks = [built.pick(hosts, draw, round((window * 5 + step / 250) * NS_PER_S), NO_HASH) for step in range(1250)]
        grown.append(picks.count(3) / len(picks))

    assert grown == pytest.approx([0.035, 0.077, 0.121, 0.163, 0.199, 0.234, 0.250], abs=0.02)


def test_a_window_without_length_is_an_error():
    with pytest.raises(SettingError):
        SlowStart(slow_start_window=0).check()
