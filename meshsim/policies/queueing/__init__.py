"""Queueing: who of those that wait at an instance gets the next free worker."""

from meshsim.policies.queueing.adaptive_lifo import AdaptiveLifo
from meshsim.policies.queueing.discipline import QueueDiscipline, QueueDisciplineState, Waiting
from meshsim.policies.queueing.earliest_deadline_first import EarliestDeadlineFirst
from meshsim.policies.queueing.fair import Fair
from meshsim.policies.queueing.fifo import Fifo
from meshsim.policies.queueing.lifo import Lifo
from meshsim.policies.queueing.priority import Priority

__all__ = [
    "AdaptiveLifo",
    "EarliestDeadlineFirst",
    "Fair",
    "Fifo",
    "Lifo",
    "Priority",
    "QueueDiscipline",
    "QueueDisciplineState",
    "Waiting",
]
