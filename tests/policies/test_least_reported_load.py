"""Least reported load: a report is old, and the herd follows it."""

from __future__ import annotations

from heapq import heappop, heappush

from meshsim.policies.load_balancing import NO_HASH, Endpoint, LeastReportedLoad, Random
from meshsim.portable import ln
from meshsim.randomness import ARRIVAL, LOAD_BALANCER, SERVICE_TIME, Draw, uniform

SERVERS, REQUESTS = 20, 40_000


def mean_stay(policy, report_every):
    """Mean time in the system of M/M/1 servers at 80 %, in mean service times, where loads are reported at intervals to all callers."""
    hosts = [Endpoint(index=index) for index in range(SERVERS)]
    draw = Draw()
    balancer = policy.build(endpoints=hosts, draw=draw.at(0, 0))
    free_at, ends = [0.0] * SERVERS, []
    now = total = next_report = 0.0
    for number in range(REQUESTS):
        now -= ln(uniform(number, ARRIVAL)) / (0.8 * SERVERS)
        while next_report <= now:
            while ends and ends[0][0] <= next_report:
                hosts[heappop(ends)[1]].in_flight -= 1
            for host in hosts:
                host.reported_in_flight = host.in_flight
            next_report += report_every
        host = hosts[balancer.pick(hosts, draw.at(number, LOAD_BALANCER), 0, NO_HASH)]
        host.in_flight += 1
        free_at[host.index] = max(now, free_at[host.index]) - ln(uniform(number, SERVICE_TIME))
        total += free_at[host.index] - now
        heappush(ends, (free_at[host.index], host.index))
    return total / REQUESTS


def test_fresh_reports_the_more_choices_the_better_and_old_ones_the_herd_is_worse_than_chance():
    """Mitzenmacher 2000: two choices beat chance while reports are younger than several service times; the least of all soon does not.

    Random M/M/1 at 80 %: 5. The same requests for all; with 40,000 the differences below are of many standard errors.
    """
    chance = mean_stay(Random(), 1.0)
    two, herd = LeastReportedLoad(), LeastReportedLoad(choice_count=3 * SERVERS)
    fresh = 0.05

    assert 4.0 < chance < 6.0
    assert mean_stay(herd, fresh) < mean_stay(two, fresh) < 0.7 * chance
    assert mean_stay(two, 8.0) < 0.8 * chance
    assert mean_stay(herd, 8.0) > 1.5 * chance
