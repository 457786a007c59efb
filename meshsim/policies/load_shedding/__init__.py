"""Load shedding: who is dropped at the head of an instance's queue."""

from meshsim.policies.load_shedding.codel import Codel
from meshsim.policies.load_shedding.max_wait import MaxWait
from meshsim.policies.load_shedding.shedding import LoadShedding, LoadSheddingState

__all__ = ["Codel", "LoadShedding", "LoadSheddingState", "MaxWait"]
