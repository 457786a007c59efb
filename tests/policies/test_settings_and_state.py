"""Settings and state are two things: what `@policy` makes never changes, and what `build` gives is a plain object of its own."""

from __future__ import annotations

import dataclasses

import pytest

from meshsim.own_policies import State
from meshsim.policies.admission import FixedWindow, TokenBucket
from meshsim.policies.concurrency import Fixed
from meshsim.policies.filters import AuthorizationRule, RateLimitRule, Surroundings
from meshsim.policies.load_balancing import Endpoint, Random
from meshsim.policies.load_balancing.hashing import Hashing
from meshsim.policies.queueing import Waiting
from meshsim.randomness import Draw
from meshsim.registry import SettingError, families, values

OWN = [
    cls
    for family, members in families().items()
    for cls in members.values()
    if cls.__module__.startswith("meshsim.") and family != "distribution"
]
EACH = pytest.mark.parametrize("cls", OWN, ids=lambda cls: f"{cls.family}: {cls.name}")
BUCKET = TokenBucket(max_tokens=7, fill_interval="100ms")
NEEDED = {
    "token_bucket": {"max_tokens": 7, "fill_interval": "100ms"},
    "stepped_token_bucket": {"max_tokens": 7, "fill_interval": "100ms"},
    "gcra": {"count": 3, "period": "100ms"},
    "leaky_bucket": {"rate": "30/s"},
    "fixed_window": {"requests": 7, "window": "200ms"},
    "sliding_window_log": {"requests": 7, "window": "200ms"},
    "sliding_window_counter": {"requests": 7, "window": "200ms"},
    "quota": {"requests": 7, "period": "day"},
    "authorization_rule": {"action": "allow"},
    "rate_limit_rule": {"limit": BUCKET},
    "authorization": {"rules": (AuthorizationRule(action="allow"),)},
    "rate_limit": {"token_bucket": BUCKET},
    "global_rate_limit": {"service": "limits", "rules": (RateLimitRule(limit=FixedWindow(requests=7, window="1s")),)},
    "buffer": {"max_request_bytes": "1KiB"},
    "cache": {"ttl": "1s"},
    "ext_authz": {"service": "auth"},
    "oauth2_introspection": {"service": "auth"},
    "limit_concurrency": {"limit": Fixed()},
    "fault": {"abort": {"http_status": 503, "percentage": 0.5}},
    "deterministic_subsetting": {"load_balancer": Random()},
    "slow_start": {"slow_start_window": "30s"},
    "max_wait": {"limit": "10ms"},
    "adaptive_lifo": {"switch_threshold": 2},
    "transform": {"request_time": "1ms"},
    "locality_distribute": {"distribute": {"a": {"a": 100}}},
    "locality_weighted": {"weights": {"a": 1}},
}
"""Settings that have no default."""

ENDPOINTS = [Endpoint(index=0), Endpoint(index=1)]


def settings_of(cls):
    made = cls(**NEEDED.get(cls.name, {}))
    made.check()
    return made


def built(settings):
    context = {
        "filter": {"around": Surroundings()},
        "authorization_rule": {"around": Surroundings()},
        "rate_limit_rule": {"around": Surroundings()},
        "load_balancer": {"endpoints": ENDPOINTS, "draw": Draw().at(1, 1)},
        "edge_balancer": {"replicas": 2, "seed": 1},
        "failure_accrual": {"hosts": 2},
        "outlier_detection": {"hosts": 2},
        "locality": {"zones": ("a", "b")},
    }
    return settings.build(**context.get(settings.family, {}))


def mutable_parts(state):
    """What of a state could be changed: lists, dictionaries and objects of its own, by name."""
    names = {slot for one in type(state).__mro__ for slot in getattr(one, "__slots__", ())} | set(getattr(state, "__dict__", ()))
    return {name: value for name in names if isinstance(value := getattr(state, name, None), list | dict | set) and value}


@EACH
def test_settings_never_change(cls):
    settings = settings_of(cls)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.anything = 1


@EACH
def test_a_state_is_a_plain_object_of_its_familys_interface(cls):
    state = built(settings_of(cls))

    assert isinstance(state, cls.interface)
    assert isinstance(state, State)
    assert not dataclasses.is_dataclass(state)
    assert type(state) is not cls


SHARED = ("_hashes", "_positions", "_shared")
"""The table of a hash, which nobody changes: all views of the same hosts look up in one."""


@EACH
def test_each_that_is_built_has_a_state_of_its_own(cls):
    settings = settings_of(cls)
    one, other = built(settings), built(settings)

    assert one is not other
    given = {id(value) for value in values(settings).values()}
    others = mutable_parts(other)
    for name, value in mutable_parts(one).items():
        is_shared = name in SHARED and issubclass(cls, Hashing)
        assert value is not others[name] or id(value) in given or is_shared, name


def admit_and_end(state, now_ns, number, draw):  # noqa: ARG001
    if state.admit(now_ns):
        state.done(now_ns, 3_000_000, number % 3 == 0)


USES = {
    "admission": lambda state, now_ns, *_: (state.admit(now_ns), state.wait_ns(now_ns, 2)),
    "load_balancer": lambda state, now_ns, number, draw: (
        state.pick(ENDPOINTS, draw, now_ns, number),
        state.done(ENDPOINTS[number % 2], now_ns, 3_000_000, is_failure=False),
        state.update(ENDPOINTS, draw),
    ),
    "circuit_breaker": admit_and_end,
    "concurrency_limit": admit_and_end,
    "client_throttling": lambda state, now_ns, _, draw: (state.admit(now_ns, draw), state.done(now_ns, is_accepted=False)),
    "edge_balancer": lambda state, now_ns, number, draw: state.pick([0, 1], [True, True], number, now_ns, draw),
    "failure_accrual": lambda state, now_ns, number, draw: state.record(number % 2, now_ns, 503, -1, 0, draw),
    "outlier_detection": lambda state, now_ns, number, draw: state.record(number % 2, now_ns, 503, -1, 0, draw),
    "queue_discipline": lambda state, now_ns, number, _: (
        state.push(Waiting(now_ns, number % 4, number % 3)),
        state.push_out(Waiting(now_ns)),
        state.pop(now_ns) if number % 2 else None,
    ),
    "load_shedding": lambda state, now_ns, *_: (state.enter(now_ns, 3), state.drop(now_ns, 60_000_000, 3)),
    "retry_token_budget": lambda state, now_ns, *_: (state.deposit(now_ns), state.withdraw(now_ns, is_timeout=False)),
    "back_off": lambda state, _, number, draw: state.wait_ns(number + 1, 0, draw),
}
"""What an engine asks, by family."""


def use(family, state):
    """Ask often enough that it has something to remember."""
    draw = Draw()
    for number in range(300):
        if family in USES:
            USES[family](state, number * 5_000_000, number, draw.at(number, 1))


@EACH
def test_use_leaves_settings_as_they_were_and_is_not_seen_by_the_next(cls):
    settings = settings_of(cls)
    before = repr(values(settings))
    fresh = repr(mutable_parts(built(settings)))
    use(cls.family, built(settings))

    assert repr(values(settings)) == before
    if cls.family not in ("filter", "authorization_rule", "rate_limit_rule", "outlier_detection", "failure_accrual"):
        assert repr(mutable_parts(built(settings))) == fresh


@pytest.mark.parametrize("cls", [cls for cls in OWN if cls.family == "filter"], ids=lambda cls: cls.name)
def test_a_filter_says_once_whether_it_works_on_answers(cls):
    assert built(settings_of(cls)).works_on_answers == cls.works_on_answers


def test_a_setting_given_as_text_is_read_although_settings_do_not_change():
    assert BUCKET.fill_interval == 100_000_000


def test_what_must_not_be_built_says_so():
    with pytest.raises(SettingError, match="there is no 'nowhere'"):
        AuthorizationRule(action="allow", routes=("nowhere",)).build(around=Surroundings())
