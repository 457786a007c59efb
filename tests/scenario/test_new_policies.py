"""A policy that a user writes, in a notebook's cell or a test, is a policy like any other."""

from __future__ import annotations

import meshsim as ms
from meshsim.policies.load_balancing import LoadBalancer
from meshsim.scenario.schema import json_schema
from meshsim.units import Count  # noqa: TC001 — read at run time


def scenario(balancer):
    return {
        "name": "mine",
        "deployment": "gateway",
        "load": {"clients": {"executor": "constant-arrival-rate", "rate": "50/s", "requests": {"all": 1}}},
        "gateway": {"routes": {"all": {"path": "/", "to": "server"}}, "traffic": {"server": {"load_balancer": balancer}}},
        "services": {"server": {"replicas": 3, "script": [{"compute": "1ms"}]}},
        "run": {"duration": "1s"},
    }


def test_a_policy_registered_late_can_be_chosen_at_once():
    ms.load(scenario("random"))  # the model has been made by now

    @ms.policy
    class AlwaysTheSame(LoadBalancer):
        """Send everything to one endpoint."""

        which: Count = 0
        """Its number."""

        def pick(self, endpoints, draw):  # noqa: ARG002
            return self.which

    result = ms.load(scenario({"always_the_same": {"which": 2}})).run()
    by_name = ms.load(scenario("always_the_same")).run()

    assert set(result.attempts["instance"]) == {2}
    assert set(by_name.attempts["instance"]) == {0}
    assert "always_the_same" in str(json_schema())


def test_a_cell_that_is_run_again_replaces_its_policy():
    for answer in (0, 1):

        @ms.policy
        class Changed(LoadBalancer):
            """Send everything to one endpoint."""

            def pick(self, endpoints, draw, answer=answer):  # noqa: ARG002
                return answer

        assert set(ms.load(scenario("changed")).run().attempts["instance"]) == {answer}
