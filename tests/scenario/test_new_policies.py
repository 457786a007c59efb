"""A policy that a user writes, in a notebook's cell or a script, is a policy like any other.

Each script runs in a process of its own, so that its policy is not there for the other tests.
"""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

BEGINNING = '''
import meshsim as ms
from meshsim.policies.load_balancing import LoadBalancer, LoadBalancerState
from meshsim.scenario.documentation.schema import json_schema
from meshsim.units import Count

def instances(balancer):
    """Which of three instances get requests."""
    result = ms.load({
        "name": "mine",
        "deployment": "gateway",
        "load": {"clients": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"all": 1}}},
        "gateway": {"routes": {"all": {"path": "/", "to": "server"}}, "traffic": {"server": {"load_balancer": balancer}}},
        "services": {"server": {"replicas": 3, "script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
    }).run()
    return set(result.attempts["instance"])

assert instances("random") == {0, 1, 2}  # the model of scenarios has been made by now
'''


def run(script, folder):
    (folder / "cell.py").write_text(BEGINNING + dedent(script), encoding="utf-8")
    return subprocess.run([sys.executable, folder / "cell.py"], check=False, capture_output=True, text=True)


def test_a_policy_registered_late_can_be_chosen_at_once(tmp_path):
    done = run(
        '''
        @ms.policy
        class AlwaysTheSame(LoadBalancer):
            """Send everything to one endpoint."""

            which: Count = 0
            """Its number."""

            def build(self, **_):
                return AlwaysTheSameState(self)

        class AlwaysTheSameState(LoadBalancerState):
            def __init__(self, settings):
                self.which = settings.which

            def pick(self, endpoints, draw, now_ns, hash_key):
                return self.which

        assert instances({"always_the_same": {"which": 2}}) == {2}
        assert instances("always_the_same") == {0}
        assert len(instances({"deterministic_subsetting": {"load_balancer": "always_the_same"}})) == 1
        assert "Its number." in str(json_schema())
        try:
            instances({"always_the_same": {"wich": 2}})
        except ms.ScenarioError as error:
            assert "did you mean 'which'?" in str(error)
        else:
            raise AssertionError
        ''',
        tmp_path,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_cell_that_is_run_again_replaces_its_policy(tmp_path):
    done = run(
        '''
        for answer in (0, 1):
            class ChangedState(LoadBalancerState):
                def pick(self, endpoints, draw, now_ns, hash_key, answer=answer):
                    return answer

            @ms.policy
            class Changed(LoadBalancer):
                """Send everything to one endpoint."""

                def build(self, **_):
                    return ChangedState()

            assert instances("changed") == {answer}
        ''',
        tmp_path,
    )

    assert (done.returncode, done.stderr) == (0, "")
