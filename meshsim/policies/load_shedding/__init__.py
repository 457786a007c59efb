"""Load shedding: who is dropped out of an instance's queue."""

from meshsim.policies.load_shedding.codel import Codel
from meshsim.policies.load_shedding.controlled_delay import ControlledDelay
from meshsim.policies.load_shedding.max_wait import MaxWait
from meshsim.policies.load_shedding.shedding import NO_LIMIT, LoadShedding, LoadSheddingState

__all__ = ["NO_LIMIT", "Codel", "ControlledDelay", "LoadShedding", "LoadSheddingState", "MaxWait"]
