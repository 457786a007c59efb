"""When faults by chance come, in one replication.

Each is an alternating renewal process: up for a time to failure, down for a time to repair, both drawn anew each time. In the long run
it is up for the share E[up] / (E[up] + E[down]) of the time, whatever the distributions. It starts up.

They are drawn before the run begins and do not hang on anything that happens in it: variants that differ in a policy only meet the
same failures at the same times, and all that looks at faults of a plan (the state before them, recovery) sees them as it sees those of
a timetable.

Source: Trivedi, Probability and Statistics with Reliability, Queuing and Computer Science Applications, 2nd edition 2002, section 6.6
(availability of an alternating renewal process).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshsim.randomness import FAULT, call_key, root_key, stream, uniform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshsim.distributions import Distribution
    from meshsim.plan.plan import Breakdowns, Fault, Plan


def drawn(plan: Plan, seed: int, replication: int) -> Plan:
    """The plan with the faults by chance among the others, each with its times in this replication; itself where it has none."""
    if not plan.breakdowns:
        return plan
    came = [fault for one in plan.breakdowns for fault in _faults(one, seed, replication)]
    in_order = sorted(came, key=lambda fault: (fault.from_ns, fault.number, fault.service, fault.instances))
    return replace(plan, faults=(*plan.faults, *in_order), breakdowns=())


def _faults(breakdowns: Breakdowns, seed: int, replication: int) -> Iterator[Fault]:
    fault = breakdowns.fault
    key = root_key(seed, replication, stream(f"fault {fault.number}"))
    if breakdowns.is_together:
        of_each = [(key, fault.instances)]
    else:
        own = call_key(key, breakdowns.stream)
        of_each = [(call_key(own, instance), (instance,)) for instance in fault.instances]
    for one, instances in of_each:
        for from_ns, until_ns in spans(one, fault.from_ns, fault.until_ns, breakdowns.time_to_failure, breakdowns.time_to_repair):
            yield replace(fault, from_ns=from_ns, until_ns=until_ns, instances=instances)


def spans(
    key: int, from_ns: int, until_ns: int, time_to_failure: Distribution, time_to_repair: Distribution
) -> Iterator[tuple[int, int]]:
    """From when to when something is down.

    Args:
        key: Of what is drawn.
        from_ns: When it is up for certain.
        until_ns: No failure comes at this time or later; the last repair may.
        time_to_failure: From there, and from the end of each repair.
        time_to_repair: From each failure.
    """
    now_ns, number = from_ns, 0
    while True:
        now_ns += max(1, round(time_to_failure.quantile(uniform(key, FAULT, number))))
        if now_ns >= until_ns:
            return
        down_ns = max(1, round(time_to_repair.quantile(uniform(key, FAULT, number + 1))))
        yield now_ns, now_ns + down_ns
        now_ns, number = now_ns + down_ns, number + 2
