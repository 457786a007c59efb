"""The reference engine: clients, proxies and services as tasks on SimPy's clock, one room for each, written to be read."""

from meshsim.engines.reference.engine import Progress, run

__all__ = ["Progress", "run"]
