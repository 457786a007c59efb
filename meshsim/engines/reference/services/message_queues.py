"""All message queues of a plan, and who publishes to them and consumes them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from meshsim.engines.reference.services.message_queue import MessageQueue
from meshsim.engines.reference.services.message_stream import MessageStream
from meshsim.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshsim.engines.reference.services.instance import Instance
    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Plan


def message_queues_of(
    clock: Clock, refusals: Refusals, plan: Plan, instances: tuple[tuple[Instance, ...], ...]
) -> tuple[MessageQueue, ...]:
    """The queues in the order of the plan, known to all instances; consumers tell them when they come and go."""
    made = tuple(
        (MessageStream if queue.partitions else MessageQueue)(clock, refusals, queue, number, plan.duration_ns)
        for number, queue in enumerate(plan.queues)
    )
    consumed: dict[int, list[MessageQueue]] = {}
    for queue in made:
        if queue.plan.dead_letter != NONE:
            queue.dead_letters = made[queue.plan.dead_letter]
        if queue.plan.service != NONE:
            queue.connect(instances[queue.plan.service])
            consumed.setdefault(queue.plan.service, []).append(queue)
    for number, service in enumerate(instances):
        for instance in service:
            instance.queues = made
            if number in consumed:
                instance.on_change = partial(_look, consumed[number])
    return made


def _look(queues: Sequence[MessageQueue]) -> None:
    for queue in queues:
        queue.look()
