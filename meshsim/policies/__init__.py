"""Policies: one family a folder, one policy a file, each a pure answer to one question.

No SimPy, no pandas, no pydantic and no clock in here: time comes in as `now_ns`, chance as a `draw`, so that a test calls
a policy plainly and a second engine can run the very same code.
"""

from meshsim.policies import (
    admission,
    circuit_breaking,
    concurrency,
    edge,
    failure_accrual,
    filters,
    load_balancing,
    load_shedding,
    locality,
    outlier_detection,
    queueing,
    retry,
    throttling,
)

__all__ = [
    "admission",
    "circuit_breaking",
    "concurrency",
    "edge",
    "failure_accrual",
    "filters",
    "load_balancing",
    "load_shedding",
    "locality",
    "outlier_detection",
    "queueing",
    "retry",
    "throttling",
]
