"""The reference engine: the model of DESIGN section 3 as SimPy processes, written to be read."""

from meshsim.engines.reference.engine import Progress, run

__all__ = ["Progress", "run"]
