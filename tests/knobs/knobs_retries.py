"""Knobs of timeouts, retries and hedges."""

from __future__ import annotations

from knob import Knob

B = "mesh.traffic.b"
RT = f"{B}.retries"

RETRIES = [
    Knob(
        "RetriesSection.back_off BackOffChoice.constant Constant.interval",
        "retries",
        f"{RT}.back_off.constant.interval",
        ("5ms", "50ms"),
        "back-off",
        "more",
        (f"{RT}={{num_retries: 2, retry_on: [5xx]}}",),
    ),
    *(
        Knob(
            f"BackOffChoice.{name} {owner}.base_interval",
            "retries",
            f"{RT}.back_off.{name}.base_interval",
            ("5ms", "50ms"),
            "back-off",
            "more",
            (f"{RT}={{num_retries: 2, retry_on: [5xx]}}", f"{RT}.back_off.{name}.max_interval=1s"),
        )
        for name, owner in (
            ("full_jitter", "FullJitter"),
            ("equal_jitter", "EqualJitter"),
            ("decorrelated_jitter", "DecorrelatedJitter"),
            ("exponential", "Exponential"),
        )
    ),
    *(
        Knob(
            f"{owner}.max_interval",
            "storm",
            f"{RT}.back_off.{name}.max_interval",
            ("20ms", "500ms"),
            "back-off",
            "more",
            (f"{RT}={{num_retries: 4, retry_on: [5xx]}}", f"{RT}.back_off.{name}.base_interval=20ms"),
        )
        for name, owner in (
            ("full_jitter", "FullJitter"),
            ("equal_jitter", "EqualJitter"),
            ("decorrelated_jitter", "DecorrelatedJitter"),
            ("exponential", "Exponential"),
        )
    ),
    Knob(
        "TrafficSection.retry_token_budget RetryTokenBudgetChoice.leaky_budget LeakyBudget.retry_ratio",
        "storm",
        f"{B}.retry_token_budget.leaky_budget.retry_ratio",
        ("0.1", "5"),
        "retries",
        "more",
        (f"{B}.retry_token_budget.leaky_budget.min_retries_per_second=0",),
    ),
    Knob(
        "LeakyBudget.min_retries_per_second",
        "storm",
        f"{B}.retry_token_budget.leaky_budget.min_retries_per_second",
        ("0", "50"),
        "retries",
        "more",
        (f"{B}.retry_token_budget.leaky_budget.retry_ratio=0.1",),
    ),
    Knob(
        "LeakyBudget.ttl",
        "faulty host",
        f"{B}.retry_token_budget.leaky_budget.ttl",
        ("1s", "60s"),
        "retries",
        "other",
        (
            f"{RT}={{num_retries: 2, retry_on: [5xx]}}",
            f"{B}.retry_token_budget.leaky_budget.retry_ratio=0.05",
            f"{B}.retry_token_budget.leaky_budget.min_retries_per_second=1",
        ),
    ),
    Knob(
        "RetryTokenBudgetChoice.retry_quota RetryQuota.capacity",
        "storm",
        f"{B}.retry_token_budget.retry_quota.capacity",
        ("20", "2000"),
        "retries",
    ),
    Knob(
        "RetryQuota.retry_cost",
        "storm",
        f"{B}.retry_token_budget.retry_quota.retry_cost",
        ("1", "20"),
        "retries",
        "less",
        (f"{B}.retry_token_budget.retry_quota.capacity=100",),
    ),
    Knob(
        "RetryQuota.timeout_retry_cost",
        "slow host",
        f"{B}.retry_token_budget.retry_quota.timeout_retry_cost",
        ("1", "50"),
        "retries",
        "less",
        (f"{B}.retry_token_budget.retry_quota.capacity=100", f"{RT}={{num_retries: 3, retry_on: [5xx], per_try_timeout: 10ms}}"),
    ),
    Knob(
        "RetryQuota.success_refund",
        "storm",
        f"{B}.retry_token_budget.retry_quota.success_refund",
        ("0", "20"),
        "retries",
        "more",
        (f"{B}.retry_token_budget.retry_quota.capacity=50",),
    ),
]

KNOBS = [*RETRIES]
