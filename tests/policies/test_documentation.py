"""Every policy says what it does, whose idea that is, and what each of its settings means."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import meshsim.policies
from meshsim.policies.retry import RetryBudget, RetryPolicy
from meshsim.registry import families, first_sentence, settings, snake_case

OWN = {cls for members in families().values() for cls in members.values() if cls.__module__.startswith("meshsim.policies.")}
POLICIES = pytest.mark.parametrize("cls", sorted(OWN, key=lambda cls: cls.__name__), ids=lambda cls: f"{cls.family}-{cls.name}")


def test_these_are_the_policies():
    own = {family: {name for name, cls in members.items() if cls in OWN} for family, members in families().items()}

    assert {family: names for family, names in own.items() if names} == {
        "admission": {
            "fixed_window",
            "gcra",
            "leaky_bucket",
            "quota",
            "sliding_window_counter",
            "sliding_window_log",
            "stepped_token_bucket",
            "token_bucket",
        },
        "authorization_rule": {"authorization_rule"},
        "back_off": {"constant", "decorrelated_jitter", "equal_jitter", "exponential", "full_jitter"},
        "circuit_breaker": {"circuit_breaker"},
        "client_throttling": {"client_throttling"},
        "concurrency_limit": {"aimd", "fixed", "gradient2", "vegas"},
        "edge_balancer": {"dns_round_robin", "least_connections", "random_replica", "source_hash", "take_turns"},
        "failure_accrual": {"consecutive", "success_rate"},
        "filter": {
            "adaptive_concurrency",
            "admission_control",
            "api_key",
            "authorization",
            "basic_auth",
            "buffer",
            "cache",
            "compress",
            "ext_authz",
            "fault",
            "global_rate_limit",
            "jwt_auth",
            "limit_concurrency",
            "oauth2_introspection",
            "rate_limit",
            "shed_by_criticality",
            "transcode",
            "transform",
        },
        "load_balancer": {
            "aperture",
            "client_side_weighted_round_robin",
            "deterministic_subsetting",
            "least_reported_load",
            "least_request",
            "maglev",
            "peak_ewma",
            "random",
            "ring_hash",
            "round_robin",
        },
        "load_shedding": {"codel", "controlled_delay", "max_wait"},
        "locality": {"ignore_zones", "locality_distribute", "locality_failover", "locality_weighted", "zone_aware"},
        "outlier_detection": {"outlier_detection"},
        "queue_discipline": {"adaptive_lifo", "earliest_deadline_first", "fair", "fifo", "lifo", "priority"},
        "rate_limit_rule": {"rate_limit_rule"},
        "retry_token_budget": {"leaky_budget", "retry_quota"},
        "slow_start": {"slow_start"},
    }


@POLICIES
def test_a_policy_is_called_as_its_file_and_its_class(cls):
    path = Path(inspect.getsourcefile(cls))

    assert cls.name == path.stem == snake_case(cls.__name__)
    assert path.is_relative_to(Path(meshsim.policies.__file__).parent)


@POLICIES
def test_a_policy_is_the_only_one_in_its_file(cls):
    module = inspect.getmodule(cls)

    assert [other for other in OWN if inspect.getmodule(other) is module] == [cls]


@pytest.mark.parametrize("cls", [*sorted(OWN, key=lambda cls: cls.__name__), RetryBudget, RetryPolicy])
def test_a_policy_says_in_one_sentence_what_it_does_and_names_its_source(cls):
    assert first_sentence(cls).endswith(".")
    assert "\nSource: " in inspect.getdoc(cls)


@POLICIES
def test_every_setting_is_documented(cls):
    for setting in settings(cls):
        assert setting.doc.endswith("."), f"{cls.name}.{setting.name}"


def test_these_are_all_the_settings_each_of_which_some_test_here_changes():
    """A new setting belongs into this list together with a test in which it changes a result."""
    assert {f"{cls.family}: {cls.name}": [setting.name for setting in settings(cls)] for cls in OWN} == {
        "admission: fixed_window": ["requests", "window"],
        "admission: gcra": ["max_burst", "count", "period"],
        "admission: leaky_bucket": ["rate", "burst", "delay", "nodelay"],
        "admission: quota": ["requests", "period", "offset", "time_zero"],
        "admission: sliding_window_counter": ["requests", "window", "count_refused"],
        "admission: sliding_window_log": ["requests", "window"],
        "admission: stepped_token_bucket": ["max_tokens", "tokens_per_fill", "fill_interval"],
        "admission: token_bucket": ["max_tokens", "tokens_per_fill", "fill_interval"],
        "authorization_rule: authorization_rule": ["action", "routes", "consumers", "shadow"],
        "back_off: constant": ["interval"],
        "back_off: decorrelated_jitter": ["base_interval", "max_interval"],
        "back_off: equal_jitter": ["base_interval", "max_interval"],
        "back_off: exponential": ["base_interval", "max_interval"],
        "back_off: full_jitter": ["base_interval", "max_interval"],
        "circuit_breaker: circuit_breaker": [
            "sliding_window_type",
            "sliding_window_size",
            "minimum_number_of_calls",
            "failure_rate_threshold",
            "slow_call_rate_threshold",
            "slow_call_duration_threshold",
            "wait_duration_in_open_state",
            "permitted_number_of_calls_in_half_open_state",
            "max_wait_duration_in_half_open_state",
        ],
        "client_throttling: client_throttling": ["k", "window"],
        "concurrency_limit: aimd": ["initial_limit", "min_limit", "max_limit", "backoff_ratio", "timeout"],
        "concurrency_limit: fixed": ["limit"],
        "concurrency_limit: gradient2": [
            "initial_limit",
            "min_limit",
            "max_limit",
            "queue_size",
            "rtt_tolerance",
            "long_window",
            "smoothing",
        ],
        "concurrency_limit: vegas": ["initial_limit", "max_limit", "smoothing", "probe_multiplier"],
        "edge_balancer: dns_round_robin": ["ttl"],
        "edge_balancer: least_connections": [],
        "edge_balancer: random_replica": [],
        "edge_balancer: source_hash": [],
        "edge_balancer: take_turns": [],
        "failure_accrual: consecutive": ["max_failures", "min_penalty", "max_penalty", "jitter_ratio"],
        "failure_accrual: success_rate": [
            "success_rate_threshold",
            "window",
            "min_requests",
            "max_failures",
            "min_penalty",
            "max_penalty",
            "jitter_ratio",
        ],
        "filter: adaptive_concurrency": [
            "sample_aggregate_percentile",
            "max_concurrency_limit",
            "concurrency_update_interval",
            "min_rtt_interval",
            "min_rtt_request_count",
            "jitter",
            "min_concurrency",
            "buffer",
        ],
        "filter: admission_control": [
            "sampling_window",
            "sr_threshold",
            "aggression",
            "rps_threshold",
            "max_rejection_probability",
        ],
        "filter: api_key": ["routes", "verify_time"],
        "filter: authorization": ["rules", "default"],
        "filter: basic_auth": ["routes", "algorithm", "bcrypt_cost", "verify_time", "cache_size"],
        "filter: buffer": ["max_request_bytes"],
        "filter: cache": [
            "ttl",
            "jitter",
            "key",
            "routes",
            "writes",
            "capacity",
            "eviction",
            "inactive",
            "hit_time",
            "negative_ttl",
            "negative_statuses",
            "coalesce",
            "lock_timeout",
            "lock_age",
            "lock_poll",
            "stale_while_revalidate",
            "background_update",
            "stale_if_error",
            "purge",
        ],
        "filter: compress": ["algorithm", "level", "time_per_kib", "ratio", "min_content_length"],
        "filter: ext_authz": [
            "service",
            "routes",
            "timeout",
            "failure_mode_allow",
            "status_on_error",
            "status",
            "filter_enabled",
        ],
        "filter: fault": ["delay", "abort", "max_active_faults"],
        "filter: global_rate_limit": [
            "service",
            "rules",
            "timeout",
            "failure_mode_deny",
            "status_on_error",
            "status",
            "headers",
            "near_cache",
            "sync_interval",
        ],
        "filter: jwt_auth": [
            "routes",
            "algorithm",
            "verify_time",
            "allow_missing",
            "service",
            "timeout",
            "cache_duration",
            "async_fetch",
            "coalesce",
            "refetch_cooldown",
            "cache_size",
            "rotations",
            "publish_ahead",
            "token_lifetime",
        ],
        "filter: limit_concurrency": ["limit"],
        "filter: oauth2_introspection": [
            "service",
            "routes",
            "timeout",
            "ttl",
            "negative_ttl",
            "size",
            "coalesce",
            "stale_if_error",
            "failure_mode_allow",
            "status",
            "status_on_error",
        ],
        "filter: rate_limit": ["token_bucket", "key", "rules", "consume", "status", "headers", "time"],
        "filter: shed_by_criticality": ["critical_plus", "critical", "sheddable_plus", "sheddable", "interval", "decay"],
        "filter: transcode": [
            "request_time",
            "request_time_per_kib",
            "response_time",
            "response_time_per_kib",
            "ratio",
            "max_request_body_size",
        ],
        "filter: transform": ["request_time", "request_time_per_kib", "response_time", "response_time_per_kib"],
        "load_balancer: aperture": ["min_aperture"],
        "load_balancer: client_side_weighted_round_robin": [
            "report_interval",
            "report_phase",
            "blackout_period",
            "weight_expiration_period",
            "weight_update_period",
            "error_utilization_penalty",
        ],
        "load_balancer: deterministic_subsetting": ["subset_size", "load_balancer"],
        "load_balancer: least_reported_load": ["report_interval", "report_phase", "choice_count"],
        "load_balancer: least_request": ["choice_count", "selection_method", "active_request_bias", "slow_start"],
        "load_balancer: maglev": ["table_size", "hash_balance_factor", "use_hostname_for_hashing"],
        "load_balancer: peak_ewma": ["decay", "default_rtt", "penalty", "choice_count"],
        "load_balancer: random": [],
        "load_balancer: ring_hash": ["minimum_ring_size", "maximum_ring_size", "hash_balance_factor", "use_hostname_for_hashing"],
        "load_balancer: round_robin": ["slow_start"],
        "load_shedding: codel": ["target", "interval"],
        "load_shedding: controlled_delay": ["target", "interval"],
        "load_shedding: max_wait": ["limit"],
        "locality: ignore_zones": [],
        "locality: locality_distribute": ["distribute"],
        "locality: locality_failover": ["failover"],
        "locality: locality_weighted": ["weights"],
        "locality: zone_aware": ["min_cluster_size", "routing_enabled"],
        "queue_discipline: adaptive_lifo": ["switch_threshold"],
        "queue_discipline: earliest_deadline_first": [],
        "queue_discipline: fair": ["push_out"],
        "queue_discipline: fifo": [],
        "queue_discipline: lifo": [],
        "queue_discipline: priority": ["push_out"],
        "outlier_detection: outlier_detection": [
            "consecutive_5xx",
            "consecutive_gateway_failure",
            "consecutive_local_origin_failure",
            "split_external_local_origin_errors",
            "interval",
            "phase",
            "base_ejection_time",
            "max_ejection_time",
            "max_ejection_time_jitter",
            "max_ejection_percent",
            "always_eject_one_host",
            "successful_active_health_check_uneject_host",
            "enforcing_consecutive_5xx",
            "enforcing_consecutive_gateway_failure",
            "enforcing_consecutive_local_origin_failure",
            "enforcing_success_rate",
            "success_rate_minimum_hosts",
            "success_rate_request_volume",
            "success_rate_stdev_factor",
            "enforcing_local_origin_success_rate",
            "enforcing_failure_percentage",
            "enforcing_failure_percentage_local_origin",
            "failure_percentage_threshold",
            "failure_percentage_minimum_hosts",
            "failure_percentage_request_volume",
        ],
        "rate_limit_rule: rate_limit_rule": ["limit", "key", "routes", "consumers", "shadow", "cost"],
        "retry_token_budget: leaky_budget": ["ttl", "min_retries_per_second", "retry_ratio"],
        "retry_token_budget: retry_quota": ["capacity", "retry_cost", "timeout_retry_cost", "success_refund"],
        "slow_start: slow_start": ["slow_start_window", "aggression", "min_weight_percent"],
    }
