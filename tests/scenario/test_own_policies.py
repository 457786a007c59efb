"""A user's own policy that is wrong: he reads where, what came and what would be right, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

import meshsim as ms
from meshsim.own_policies import PolicyError
from meshsim.policies.admission import Admission, AdmissionState
from meshsim.policies.circuit_breaking.circuit_breaker import Breaker, BreakerState
from meshsim.policies.concurrency import ConcurrencyLimit, ConcurrencyLimitState
from meshsim.policies.edge import EdgeBalancer, EdgeBalancerState
from meshsim.policies.failure_accrual import FailureAccrual, FailureAccrualState
from meshsim.policies.filters import Filter, FilterState, Surroundings
from meshsim.policies.load_balancing import Endpoint, LoadBalancer, LoadBalancerState, RoundRobin
from meshsim.policies.load_balancing.slow_start import Warming, WarmingState
from meshsim.policies.load_shedding import LoadShedding, LoadSheddingState
from meshsim.policies.locality import Locality, LocalityState
from meshsim.policies.outlier_detection import HostEjection, HostEjectionState
from meshsim.policies.queueing import QueueDiscipline, QueueDisciplineState, Waiting
from meshsim.policies.retry import BackOff, BackOffState, RetryTokenBudget, RetryTokenBudgetState
from meshsim.policies.throttling.client_throttling import Throttling, ThrottlingState
from meshsim.registry import _FAMILIES
from meshsim.scenario.sections.types import _CHOICES

HOSTS = [Endpoint(index=0), Endpoint(index=1)]
YES_OR_NO = "True or False"
QUESTIONS = [
    (Admission, AdmissionState, "admit", (0,), 7, YES_OR_NO),
    (Admission, AdmissionState, "wait_ns", (0,), -2, "a whole number, -1 or more for no"),
    (Admission, AdmissionState, "retry_after_ns", (0,), 1.5, "a whole number, -1 or more for never"),
    (Breaker, BreakerState, "admit", (0,), None, YES_OR_NO),
    (ConcurrencyLimit, ConcurrencyLimitState, "admit", (0,), "no", YES_OR_NO),
    (
        EdgeBalancer,
        EdgeBalancerState,
        "pick",
        ([0, 0], [True, True], 1, 0, None),
        2,
        "a position in `is_ready`, from 0 to 1, or -1 for nobody",
    ),
    (FailureAccrual, FailureAccrualState, "record", (0, 0, 503, -1, 0, None), None, YES_OR_NO),
    (Filter, FilterState, "judge", (0, None, None), 429, "one of type Verdict"),
    (LoadBalancer, LoadBalancerState, "pick", (HOSTS, None, 0, -1), 2, "a position in `endpoints`, from 0 to 1"),
    (LoadBalancer, LoadBalancerState, "pick", (HOSTS, None, 0, -1), -1, "a position in `endpoints`, from 0 to 1"),
    (LoadBalancer, LoadBalancerState, "pick", (HOSTS, None, 0, -1), 1.0, "a position in `endpoints`, from 0 to 1"),
    (LoadBalancer, LoadBalancerState, "pick", (HOSTS, None, 0, -1), None, "a position in `endpoints`, from 0 to 1"),
    (LoadShedding, LoadSheddingState, "enter", (0, 3), 0.5, "a whole number, -1 or more for no limit"),
    (LoadShedding, LoadSheddingState, "drop", (0, 0, 0), None, YES_OR_NO),
    (QueueDiscipline, QueueDisciplineState, "pop", (0,), None, "a request that waits"),
    (QueueDiscipline, QueueDisciplineState, "push_out", (Waiting(),), 0, "a request that waits and is new, or None"),
    (Locality, LocalityState, "arrange", ([], 0, [1], 0.5, 1.4, None), [[0]], "one of type Arrangement"),
    (HostEjection, HostEjectionState, "record", (0, 0, 503, -1, 0, None), None, YES_OR_NO),
    (RetryTokenBudget, RetryTokenBudgetState, "withdraw", (0, False), None, YES_OR_NO),
    (BackOff, BackOffState, "wait_ns", (1, 0, None), 0.5, "a whole number, 0 or more"),
    (Throttling, ThrottlingState, "admit", (0, None), None, YES_OR_NO),
    (Warming, WarmingState, "factor", (HOSTS[0], 0), "half", "one of type float or int"),
]


@pytest.fixture(autouse=True)
def _nothing_stays():
    kept = {family: dict(members) for family, members in _FAMILIES.items()}
    yield
    for family, members in kept.items():
        _FAMILIES[family].clear()
        _FAMILIES[family].update(members)
    for family, choice in _CHOICES.items():
        for name in set(choice.__pydantic_fields__) - set(_FAMILIES[family]):
            del choice.__pydantic_fields__[name]


def mine(base, interface, **methods):
    """A policy of one's own whose state has these methods."""

    state = type("MineState", (interface,), {"__module__": __name__, "__init__": lambda *_: None, **methods})

    def build(self, **_):  # noqa: ARG001
        return state()

    return ms.policy(type("Mine", (base,), {"__module__": __name__, "__doc__": "Mine.", "build": build}))()


@pytest.mark.parametrize(("base", "interface", "name", "asked", "answer", "wanted"), QUESTIONS)
def test_a_wrong_answer_is_told_with_its_place_and_what_would_be_right(base, interface, name, asked, answer, wanted):
    def question(self, *_):  # noqa: ARG001
        return answer

    question.__name__ = name
    line = question.__code__.co_firstlineno
    state = mine(base, interface, **{name: question}).build()

    with pytest.raises(PolicyError) as error:
        getattr(state, name)(*asked)
    assert str(error.value) == f"{__file__}:{line}: MineState.{name} gave {answer!r}; it must give {wanted}"


def test_arguments_may_have_other_names():
    class Last(LoadBalancerState):
        def pick(self, hosts, chance, now, key):  # noqa: ARG002
            return len(hosts)

    with pytest.raises(PolicyError, match="gave 2; it must give a position in `endpoints`, from 0 to 1"):
        Last().pick(HOSTS, None, 0, -1)


def test_an_exception_is_told_with_the_line_that_raised_it_and_the_original_behind_it():
    class Divides(LoadBalancerState):
        def pick(self, endpoints, draw, now_ns, hash_key):  # noqa: ARG002
            return self.helped(0)

        def helped(self, number):
            return 1 // number

    with pytest.raises(PolicyError) as error:
        Divides().pick(HOSTS, None, 0, -1)

    line = Divides.helped.__code__.co_firstlineno + 1
    assert str(error.value) == f"{__file__}:{line}: Divides.pick raised ZeroDivisionError: integer division or modulo by zero"
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_a_build_that_gives_something_else_is_told():
    def build(self, **_):  # noqa: ARG001
        return None

    policy = ms.policy(type("Mine", (LoadBalancer,), {"__module__": __name__, "__doc__": "Mine.", "build": build}))
    with pytest.raises(PolicyError) as error:
        policy().build(endpoints=HOSTS, draw=None)
    line = build.__code__.co_firstlineno
    assert str(error.value) == f"{__file__}:{line}: Mine.build gave None; it must give one of type LoadBalancerState"


def test_a_class_of_no_family_is_told_where_it_stands():
    with pytest.raises(PolicyError) as error:

        @ms.policy
        class Lost:
            """Of no family."""

    assert str(error.value).startswith(f"{__file__}:")
    assert (
        ": Lost is of no family: `@policy` needs the class of one as its base, such as `class Lost(LoadBalancer)` from "
        in str(error.value)
    )


def test_a_class_without_build_is_told_what_is_missing():
    with pytest.raises(PolicyError) as error:

        @ms.policy
        class Old(LoadBalancer):
            """With its question where its settings are."""

            def pick(self, endpoints, draw, now_ns, hash_key):
                """The first."""

    assert str(error.value).endswith(
        ": Old has no `build`: write `def build(self, **_): return OldState(self)`, and a `class OldState(LoadBalancerState)` that answers"
    )


def test_meshsims_own_states_are_not_looked_at():
    assert (
        RoundRobin().build(endpoints=HOSTS, draw=_Zero()).pick.__func__
        is vars(type(RoundRobin().build(endpoints=HOSTS, draw=_Zero())))["pick"]
    )
    assert not hasattr(vars(type(RoundRobin().build(endpoints=HOSTS, draw=_Zero())))["pick"], "__wrapped__")
    assert not hasattr(RoundRobin.build, "__wrapped__")


class _Zero:
    def below(self, n):  # noqa: ARG002
        return 0


SCENARIO = """
name: mine
deployment: gateway
load: {clients: {executor: constant-arrival-rate, arrivals: poisson, rate: 50/s, requests: {all: 1}}}
gateway: {routes: {all: {path: /, to: server}}, traffic: {server: {load_balancer: beyond}}}
services: {server: {replicas: 3, script: [{compute: 1ms}]}}
run: {duration: 1s}
"""
CELL = '''
import sys
import meshsim as ms
from meshsim.policies.load_balancing import LoadBalancer, LoadBalancerState

@ms.policy
class Beyond(LoadBalancer):
    """Send to an endpoint that is not there."""

    def build(self, **_):
        return BeyondState()

class BeyondState(LoadBalancerState):
    def pick(self, endpoints, draw, now_ns, hash_key):
        return len(endpoints)

from meshsim.cli import app
app(["run", "mine.yaml"])
'''


def test_on_the_command_line_it_is_one_sentence_and_exit_code_107(tmp_path):
    (tmp_path / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "cell.py").write_text(dedent(CELL), encoding="utf-8")
    done = subprocess.run([sys.executable, "cell.py"], cwd=tmp_path, check=False, capture_output=True, text=True)

    assert done.returncode == 107
    assert "Traceback" not in done.stderr
    assert "cell.py:14: BeyondState.pick gave 3; it must give a position in `endpoints`, from 0 to 2\n" in done.stderr


def test_a_filter_of_ones_own_is_looked_at_in_a_run_too():
    class HalfState(FilterState):
        def judge(self, now_ns, asked, draw):  # noqa: ARG002
            return None

    @ms.policy
    class Half(Filter):
        """Forgets to answer."""

        def build(self, *, around: Surroundings):  # noqa: ARG002
            return HalfState()

    scenario = {
        "name": "half",
        "deployment": "gateway",
        "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"all": 1}}},
        "gateway": {"routes": {"all": {"path": "/", "to": "server"}}, "filters": ["half"]},
        "services": {"server": {"replicas": 1, "script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
    }
    with pytest.raises(PolicyError, match=r"HalfState\.judge gave None; it must give one of type Verdict"):
        ms.load(scenario).run()
