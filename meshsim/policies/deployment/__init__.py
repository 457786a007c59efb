"""Deployments: how many pods of each version there are while one takes another's place, as in Kubernetes."""

from meshsim.policies.deployment.portion import Portion
from meshsim.policies.deployment.recreate import Recreate
from meshsim.policies.deployment.rolling_update import RollingUpdate
from meshsim.policies.deployment.rounds import rounds
from meshsim.policies.deployment.sets import ReplicaSet, Sizes
from meshsim.policies.deployment.strategy import Strategy

__all__ = ["Portion", "Recreate", "ReplicaSet", "RollingUpdate", "Sizes", "Strategy", "rounds"]
