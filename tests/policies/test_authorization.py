"""Authorization: which rule has the last word, and who is shut out by the first `allow`."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.flags import Flag
from meshsim.policies.filters import PASS, Decision, Surroundings, Verdict
from meshsim.policies.filters.authorization import Authorization
from meshsim.policies.filters.authorization_rule import AuthorizationRule
from meshsim.randomness import Draw
from meshsim.registry import SettingError

AROUND = Surroundings(consumers=("", "web", "app"), routes=("search", "cart"))
DRAW = Draw()
FORBIDDEN = Verdict(403, Flag.forbidden, decision=Decision.DENIED)
SHADOWED = Verdict(decision=Decision.SHADOWED)
EVERYBODY = [(route, consumer) for route in (0, 1, -1) for consumer in (0, 1, 2)]


def allow(**settings):
    return AuthorizationRule(action="allow", **settings)


def deny(**settings):
    return AuthorizationRule(action="deny", **settings)


def verdicts(*rules, **settings):
    """The verdict of each route (-1 for none) and consumer."""
    filter_ = Authorization(rules=rules, **settings)
    filter_.check()
    built = filter_.build(around=AROUND)
    return {whom: built.judge(0, Request(route=whom[0], consumer=whom[1]), DRAW) for whom in EVERYBODY}


def passing(*rules, **settings):
    return [whom for whom, verdict in verdicts(*rules, **settings).items() if not verdict.status]


class TestOrder:
    def test_a_deny_refuses_whom_it_names_and_nobody_else(self):
        assert passing(deny(consumers=("web",))) == [whom for whom in EVERYBODY if whom[1] != 1]
        assert verdicts(deny(consumers=("web",)))[0, 1] == FORBIDDEN._replace(rule=0)

    def test_the_first_allow_shuts_everybody_else_out(self):
        assert passing(allow(consumers=("web",))) == [(0, 1), (1, 1), (-1, 1)]

    def test_any_of_several_allows_is_enough(self):
        assert passing(allow(consumers=("web",), routes=("cart",)), allow(consumers=("app",), routes=("search",))) == [
            (0, 2),
            (1, 1),
        ]

    def test_deny_has_the_last_word_whatever_the_order(self):
        rules = deny(routes=("cart",)), allow(consumers=("web",))

        assert passing(*rules) == passing(*reversed(rules)) == [(0, 1), (-1, 1)]

    def test_all_parts_of_a_rule_must_match(self):
        assert verdicts(deny(consumers=("web",), routes=("cart",)))[0, 1] == PASS
        assert verdicts(deny(consumers=("web",), routes=("cart",)))[1, 1] == FORBIDDEN._replace(rule=0)

    def test_a_rule_that_names_nothing_matches_all(self):
        assert passing(deny()) == []
        assert passing(allow()) == EVERYBODY

    def test_without_a_route_or_a_consumer_one_matches_only_rules_that_name_none(self):
        assert passing(allow(routes=("search", "cart"))) == [whom for whom in EVERYBODY if whom[0] >= 0]
        assert passing(allow(consumers=("web", "app"))) == [whom for whom in EVERYBODY if whom[1] > 0]


class TestDefault:
    def test_deny_without_any_rule_lets_nobody_in(self):
        """Istio's `spec: {}`."""
        assert passing(default="deny") == []

    def test_allow_lets_in_whom_no_rule_names_though_others_are_allowed(self):
        assert passing(allow(consumers=("web",)), default="allow") == EVERYBODY

    def test_deny_shuts_out_whom_no_rule_names_though_none_is_allowed(self):
        assert passing(deny(consumers=("web",)), default="deny") == []


class TestShadow:
    def test_it_refuses_nothing_and_counts_what_it_would(self):
        found = verdicts(deny(consumers=("web",), shadow=True))

        assert [found[0, consumer] for consumer in range(3)] == [PASS, SHADOWED._replace(rule=0), PASS]

    def test_a_shadow_allow_would_shut_everybody_else_out(self):
        found = verdicts(allow(consumers=("web",), shadow=True))

        assert [found[0, consumer] for consumer in range(3)] == [SHADOWED, PASS, SHADOWED]

    def test_it_changes_nothing_for_the_rules_that_are_enforced(self):
        enforced = [allow(consumers=("web",))]
        shadow = [allow(consumers=("app",), shadow=True), deny(consumers=("web",), shadow=True)]

        assert passing(*enforced, *shadow) == passing(*enforced)

    def test_what_is_refused_is_not_shadowed(self):
        assert verdicts(deny(consumers=("web",)), deny(shadow=True))[0, 1] == FORBIDDEN._replace(rule=0)

    def test_shadow_rules_are_judged_by_themselves(self):
        """The enforced `allow` that lets web in does not count among them, and by theirs only app would get in."""
        found = verdicts(allow(consumers=("web",)), allow(consumers=("app",), shadow=True))

        assert [found[0, consumer] for consumer in range(3)] == [FORBIDDEN, SHADOWED, FORBIDDEN]


class TestMistakes:
    def test_without_rules_it_would_do_nothing(self):
        with pytest.raises(SettingError, match="everybody passes"):
            Authorization().check()

    @pytest.mark.parametrize(("field", "name"), [("routes", "carts"), ("consumers", "wob")])
    def test_an_unknown_name_is_told(self, field, name):
        with pytest.raises(SettingError, match="did you mean"):
            verdicts(deny(**{field: (name,)}))


class TestWhichRuleDecided:
    def test_the_first_deny_in_the_order_of_all_rules(self):
        found = verdicts(allow(consumers=("web",)), deny(routes=("cart",), shadow=True), deny(consumers=("web",)), deny())

        assert found[0, 1].rule == 2
        assert found[0, 2].rule == 3

    def test_none_where_no_rule_allows(self):
        assert verdicts(allow(consumers=("web",)))[0, 2].rule == -1
