"""Knobs of filters."""

from __future__ import annotations

from knob import Knob

GF = "gateway.filters"


def filters(text: str) -> str:
    """The gateway's filters as one value."""
    return f"[{{{text}}}]"


def bucket(tokens: int, fill: int, interval: str, more: str = "") -> str:
    return filters(
        f"rate_limit: {{token_bucket: {{max_tokens: {tokens}, tokens_per_fill: {fill}, fill_interval: {interval}}}{more}}}"
    )


def adaptive(setting: str) -> str:
    return filters(f"adaptive_concurrency: {{concurrency_update_interval: 50ms, min_rtt_request_count: 5, {setting}}}")


def admission(setting: str) -> str:
    return filters(f"admission_control: {{sampling_window: 1s, {setting}}}")


def fault(text: str) -> str:
    return filters(f"fault: {{{text}}}")


FILTERS = [
    Knob(
        "ConstantArrivalRate.consumer RateLimit.key",
        "two consumers",
        GF,
        (bucket(20, 20, "1s"), bucket(20, 20, "1s", ", key: consumer")),
        "failures",
        "less",
    ),
    Knob(
        "GatewaySection.filters FilterChoice.rate_limit RateLimit.token_bucket TokenBucket.max_tokens",
        "chain",
        GF,
        (bucket(10, 50, "1s"), bucket(90, 50, "1s")),
        "failures",
        "less",
    ),
    Knob("TokenBucket.tokens_per_fill", "chain", GF, (bucket(10, 20, "1s"), bucket(10, 100, "1s")), "failures", "less"),
    Knob("TokenBucket.fill_interval", "chain", GF, (bucket(10, 20, "1s"), bucket(10, 20, "200ms")), "failures", "less"),
    Knob(
        "FilterChoice.limit_concurrency LimitConcurrency.limit",
        "busy",
        GF,
        (filters("limit_concurrency: {limit: {fixed: {limit: 2}}}"), filters("limit_concurrency: {limit: {fixed: {limit: 50}}}")),
        "failures",
        "other",
    ),
    Knob(
        "FilterChoice.fault Fault.abort Abort.percentage",
        "chain",
        GF,
        (fault("abort: {http_status: 503, percentage: 5%}"), fault("abort: {http_status: 503, percentage: 50%}")),
        "failures",
    ),
    Knob(
        "Fault.delay Delay.fixed_delay",
        "chain",
        GF,
        (fault("delay: {fixed_delay: 5ms, percentage: 50%}"), fault("delay: {fixed_delay: 50ms, percentage: 50%}")),
        "mean",
    ),
    Knob(
        "Fault.max_active_faults",
        "chain",
        GF,
        (
            fault("delay: {fixed_delay: 50ms, percentage: 90%}, max_active_faults: 1"),
            fault("delay: {fixed_delay: 50ms, percentage: 90%}, max_active_faults: 100"),
        ),
        "mean",
    ),
    Knob(
        "FilterChoice.admission_control AdmissionControl.sr_threshold",
        "errors",
        GF,
        (admission("sr_threshold: 50%"), admission("sr_threshold: 99%")),
        "limited at filter",
    ),
    Knob(
        "AdmissionControl.sampling_window",
        "faulty host",
        GF,
        (filters("admission_control: {sampling_window: 1s}"), filters("admission_control: {sampling_window: 60s}")),
        "limited at filter",
        "other",
    ),
    Knob(
        "AdmissionControl.aggression", "errors", GF, (admission("aggression: 1"), admission("aggression: 4")), "limited at filter"
    ),
    Knob(
        "AdmissionControl.rps_threshold",
        "errors",
        GF,
        (admission("rps_threshold: 1/s"), admission("rps_threshold: 9999/s")),
        "limited at filter",
        "less",
    ),
    Knob(
        "AdmissionControl.max_rejection_probability",
        "errors",
        GF,
        (admission("max_rejection_probability: 5%"), admission("max_rejection_probability: 100%")),
        "limited at filter",
        "more",
        ("services.b.errors=60%",),
    ),
    Knob(
        "FilterChoice.adaptive_concurrency AdaptiveConcurrency.max_concurrency_limit",
        "busy",
        GF,
        (adaptive("max_concurrency_limit: 3"), adaptive("max_concurrency_limit: 1000")),
        "limited at filter",
        "less",
    ),
    Knob(
        "AdaptiveConcurrency.min_concurrency",
        "busy",
        GF,
        (adaptive("min_concurrency: 1"), adaptive("min_concurrency: 50")),
        "limited at filter",
        "less",
    ),
    Knob(
        "AdaptiveConcurrency.sample_aggregate_percentile",
        "busy",
        GF,
        (adaptive("sample_aggregate_percentile: 5%"), adaptive("sample_aggregate_percentile: 99%")),
        "limited at filter",
        "other",
    ),
    Knob(
        "AdaptiveConcurrency.concurrency_update_interval",
        "busy",
        GF,
        (
            filters("adaptive_concurrency: {concurrency_update_interval: 20ms, min_rtt_request_count: 5}"),
            filters("adaptive_concurrency: {concurrency_update_interval: 2s, min_rtt_request_count: 5}"),
        ),
        "limited at filter",
        "other",
    ),
    Knob(
        "AdaptiveConcurrency.min_rtt_interval",
        "busy",
        GF,
        (adaptive("min_rtt_interval: 300ms"), adaptive("min_rtt_interval: 60s")),
        "limited at filter",
        "other",
    ),
    Knob(
        "AdaptiveConcurrency.min_rtt_request_count",
        "busy",
        GF,
        (
            filters("adaptive_concurrency: {concurrency_update_interval: 50ms, min_rtt_request_count: 3}"),
            filters("adaptive_concurrency: {concurrency_update_interval: 50ms, min_rtt_request_count: 200}"),
        ),
        "limited at filter",
        "other",
    ),
    Knob(
        "AdaptiveConcurrency.jitter",
        "busy",
        GF,
        (adaptive("min_rtt_interval: 300ms, jitter: 0%"), adaptive("min_rtt_interval: 300ms, jitter: 100%")),
        "limited at filter",
        "other",
    ),
    Knob(
        "AdaptiveConcurrency.buffer", "busy", GF, (adaptive("buffer: 0%"), adaptive("buffer: 100%")), "limited at filter", "other"
    ),
]

KNOBS = [*FILTERS]
