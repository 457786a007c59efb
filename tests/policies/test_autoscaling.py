"""The HorizontalPodAutoscaler against Kubernetes' own tests, as tables.

Source of the figures: Kubernetes, pkg/controller/podautoscaler/replica_calculator_test.go (the version with tolerances by direction, after 1.33) and
horizontal_test.go at commit 003e862. 248 of the 259 cases there are in the tables (95.8 %). These are not, with why:

- `TestCalculateRequests`: four of its ten, in which a pod asks for something beside its containers (pod-level resources). Nothing here does.
- `TestConditionInvalidSelectorMissing`, `...InvalidSelectorUnparsable`, `TestConditionAmbiguousSelectorWhenFullSelectorOverlapBetweenHPAs`,
  `...WhenPartialSelectorOverlapBetweenHPAs`, `TestConditionFailedGetScale`, `TestConditionFailedUpdateScale`: the API server has no such
  object, refuses a change, or has two autoscalers for the same pods. A service here has one autoscaler, whose wishes are carried out.
- `TestMultipleHPAs`: whether a thousand are all looked at. It looks at no figure.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from autoscaling_bench import NOW_NS, TIMING, S, asked, cases, history, names, numbers, pods, readings, rules

from meshsim.policies.autoscaling import (
    Behavior,
    HorizontalPodAutoscaler,
    Limit,
    NoMetricsError,
    Pod,
    Proposed,
    Reading,
    Reason,
    ScaleEvents,
    ScalingPolicy,
    ScalingRules,
    SelectPolicy,
    Timing,
    Tolerances,
    by_average,
    by_utilization,
    group,
    horizontal,
    request_of,
)
from meshsim.policies.autoscaling.horizontal import Recommendation
from meshsim.policies.autoscaling.rules import highest, lowest

ONE_METRIC, GROUPS, LOOKS, OLD_LIMITS, RULES, EVENTS, STABILIZED, REQUESTS = (
    cases(name) for name in ("one_metric", "groups", "look", "old_limits", "rules", "events", "stabilization", "requests")
)


@pytest.mark.parametrize("case", ONE_METRIC, ids=names(ONE_METRIC))
def test_one_metric_asks_for_as_many_as_in_kubernetes(case):
    times = int(case["containers"] or 1)
    them = pods(case["pods"], [request * times for request in numbers(case["requests"])])
    levels = readings(case["levels"], times)
    tolerances = Tolerances(*(float(part) for part in case["tolerances"].split()))
    current = int(case["current"])

    def proposal():
        return asked(case["kind"], int(case["target"]), current, current, them, levels, tolerances)

    if case["error"]:
        with pytest.raises(NoMetricsError) as raised:
            proposal()
        assert str(raised.value) == case["error"]
        return
    made = proposal()
    assert (made.replicas, made.usage) == (int(case["replicas"]), int(case["usage"]))
    if case["average"]:
        assert made.average == int(case["average"])


def as_pod(number: int, words: list[str]) -> Pod:
    """`started 60 ready 30`, in seconds ago."""
    ago = {word: int(seconds) for word, seconds in zip(words[1::2], words[2::2], strict=True)}
    condition = next((word for word in ("ready", "unready") if word in ago), None)
    return Pod(
        number,
        started_ns=NOW_NS - ago["started"] * S if "started" in ago else None,
        is_ready=None if condition is None else condition == "ready",
        changed_ns=NOW_NS - ago.get(condition, 0) * S,
        is_pending=words[0] == "pending",
        is_ending=words[0] in {"deleted", "failed"},
    )


@pytest.mark.parametrize("case", GROUPS, ids=names(GROUPS))
def test_pods_are_sorted_as_in_kubernetes(case):
    called = [one.partition(":") for one in case["pods"].split(";") if one]
    numbered = {name: number for number, (name, _, _) in enumerate(called)}
    them = [as_pod(numbered[name], words.split()) for name, _, words in called]
    levels = {}
    for name, _, written in (one.partition(":") for one in case["readings"].split(";") if one):
        age, _, window = written.partition("/")
        levels[numbered[name]] = Reading(1) if age == "none" else Reading(1, NOW_NS - int(age) * S, int(window) * S)

    groups = group(them, levels, NOW_NS, TIMING, is_cpu=case["resource"] == "cpu")

    assert groups.ready == int(case["ready"])
    for kind in ("unready", "missing", "ignored"):
        assert getattr(groups, kind) == [numbered[name] for name in case[kind].split()], kind


@pytest.fixture
def as_in_their_tests(monkeypatch):
    """Kubernetes' tests let replicas grow eightfold where no `behavior` is given, so as not to meet that limit."""
    monkeypatch.setattr(horizontal, "SCALE_UP_LIMIT_FACTOR", 8.0)


@pytest.mark.parametrize("case", LOOKS, ids=names(LOOKS))
def test_one_look_decides_as_in_kubernetes(case, as_in_their_tests):  # noqa: ARG001
    up = rules(case["scale_up"])
    settings = HorizontalPodAutoscaler(int(case["min"]), int(case["max"]), None if up is None else Behavior(scale_up=up))
    state = settings.build()
    if case["recommendations"] != "nil":
        state.recommendations = [Recommendation(*one) for one in history(case["recommendations"])]
    them = pods(case["pods"], numbers(case["requests"]))
    current, existing = int(case["current"]), int(case["existing"])
    if not current:
        them = pods("rrr"[: len(numbers(case["requests"]))], numbers(case["requests"]))

    def look():
        for kind, target in (one.split() for one in case["targets"].split(";")):
            try:
                made = asked(kind, int(target), current, existing, them, readings(case["levels"]), Tolerances())
                yield Proposed(made)
            except NoMetricsError as error:
                yield Proposed(None, str(error))

    decision = state.decide(NOW_NS, current, lambda: list(look()))

    assert decision.replicas == int(case["replicas"])
    assert decision.limit is (Limit[case["limit"]] if case["limit"] else Limit.NONE)


@pytest.mark.parametrize("case", OLD_LIMITS, ids=names(OLD_LIMITS))
def test_without_behavior_the_old_limits_hold(case, as_in_their_tests):  # noqa: ARG001
    state = HorizontalPodAutoscaler(int(case["min"]), int(case["max"])).build()

    replicas, limit = state.within_old_limits(int(case["current"]), int(case["desired"]))

    assert (replicas, limit) == (int(case["replicas"]), Limit[case["limit"]] if case["limit"] else Limit.NONE)


def test_outside_of_tests_replicas_grow_twofold_or_to_four():
    state = HorizontalPodAutoscaler(1, 2000).build()

    assert [state.within_old_limits(current, 1000)[0] for current in (1, 2, 3, 50)] == [4, 4, 6, 100]


def events_of(text: str) -> ScaleEvents:
    made = ScaleEvents()
    for change, at_ns in history(text):
        made.events.append(SimpleNamespace(change=change, at_ns=at_ns, is_outdated=False))
    return made


@pytest.mark.parametrize("case", RULES, ids=names(RULES))
def test_rules_let_replicas_come_and_go_as_in_kubernetes(case):
    up, down = rules(case["scale_up"]), rules(case["scale_down"])
    behavior = Behavior(*([] if up is None else [up]), **({} if down is None else {"scale_down": down}))
    state = HorizontalPodAutoscaler(int(case["min"]), int(case["max"]), behavior).build()
    state.ups, state.downs = events_of(case["ups"]), events_of(case["downs"])

    replicas, limit = state.within_rules(NOW_NS, int(case["current"]), int(case["desired"]), behavior)

    assert (replicas, limit) == (int(case["replicas"]), Limit[case["limit"]] if case["limit"] else Limit.NONE)


@pytest.mark.parametrize("direction", [1, -1], ids=["up", "down"])
@pytest.mark.parametrize("case", EVENTS, ids=names(EVENTS))
def test_changes_are_kept_as_in_kubernetes(case, direction):
    one_way = rules(case["rules"])
    behavior = None if one_way is None else Behavior(one_way, one_way)
    state = HorizontalPodAutoscaler(0 if direction > 0 else 10, 15 if direction > 0 else 100, behavior).build()
    kept = state.ups if direction > 0 else state.downs
    kept.events = events_of(case["before"]).events
    assert kept.within(60 * S, NOW_NS) == int(case["within_60s"])

    change = int(case["change"])
    state._note(NOW_NS, 10, 10 + direction * change)  # noqa: SLF001 — what `decide` does last

    after = case["after"].split()
    assert [event.change for event in kept.events] == [int(one.rstrip("!")) for one in after]
    assert [event.is_outdated for event in kept.events] == [one.endswith("!") for one in after]


@pytest.mark.parametrize("case", STABILIZED, ids=names(STABILIZED))
def test_recommendations_are_stabilised_as_in_kubernetes(case):
    down_ns = int(case["down_window"]) * S
    state = HorizontalPodAutoscaler(1, 1000, downscale_stabilization_ns=down_ns).build()
    state.recommendations = [Recommendation(*one) for one in history(case["recommendations"])]
    desired = int(case["desired"])
    if case["current"]:
        behavior = Behavior(
            ScalingRules((), stabilization_ns=int(case["up_window"]) * S), ScalingRules((), stabilization_ns=down_ns)
        )
        stabilized = state.stabilize(NOW_NS, int(case["current"]), desired, behavior)
    else:
        stabilized = state.stabilize_downscale(NOW_NS, desired)

    assert stabilized == int(case["replicas"])
    if case["after"]:
        assert [one.replicas for one in state.recommendations] == numbers(case["after"])


@pytest.mark.parametrize("case", REQUESTS, ids=names(REQUESTS))
def test_a_pod_asks_for_what_its_containers_ask_for(case):
    listed = (one.split(":") for one in case["containers"].split())
    containers = {name: None if request == "none" else int(request) for name, request in listed}
    if case["error"]:
        with pytest.raises(NoMetricsError) as raised:
            request_of(containers, case["container"], pod="test-pod")
        assert str(raised.value) == case["error"]
    else:
        assert request_of(containers, case["container"]) == int(case["request"])


FEWEST = ScalingRules(
    (ScalingPolicy(2, 60 * S), ScalingPolicy(50, 60 * S, is_percent=True)), SelectPolicy.MIN, stabilization_ns=300 * S
)


def test_of_several_policies_min_takes_the_smallest_change():
    """Kubernetes: TestCalculateScaleUpLimitWithScalingRules and TestCalculateScaleDownLimitWithBehaviors."""
    nothing = ScaleEvents()

    assert highest(1, nothing, nothing, FEWEST, NOW_NS) == 2
    assert lowest(5, nothing, nothing, FEWEST, NOW_NS) == 3


def test_disabled_keeps_one_direction_as_it_is():
    never = ScalingRules(horizontal.UP.policies, SelectPolicy.DISABLED)
    nothing = ScaleEvents()

    assert highest(5, nothing, nothing, never, NOW_NS) == lowest(5, nothing, nothing, never, NOW_NS) == 5


def test_percentages_round_up_on_the_way_up_and_towards_fewer_on_the_way_down():
    """Or a single pod would never become two by 50 %."""
    half = ScalingRules((ScalingPolicy(50, 60 * S, is_percent=True),))
    nothing = ScaleEvents()

    assert highest(1, nothing, nothing, half, NOW_NS) == 2
    assert lowest(3, nothing, nothing, half, NOW_NS) == 1


def test_a_utilisation_is_cut_to_whole_percent():
    """109.9 % of the target is 109 %, which a tolerance of 9 % forgives."""
    them, levels = pods("r", [1000]), readings("1099")

    made = by_utilization(3, 100, them, levels, Tolerances(0.1, 0.09), TIMING, NOW_NS)

    assert (made.replicas, made.usage) == (3, 109)


def test_the_readiness_of_a_pod_counts_for_its_cpu_only():
    """So a metric of pods sees idle newcomers from their first sample on, and scales up less for it."""
    them, levels = pods("rH", [1000]), readings("3000 0")

    by_cpu = by_average(2, 1000, them, levels, Tolerances(), TIMING, NOW_NS, is_cpu=True)
    by_requests = by_average(2, 1000, them, levels, Tolerances(), TIMING, NOW_NS)

    assert (by_cpu.usage, by_requests.usage) == (3000, 1500)


def test_the_first_number_of_replicas_is_a_recommendation_too():
    """After a restart of the controller nothing goes down for the whole window."""
    state = HorizontalPodAutoscaler(1, 10).build()
    low = by_utilization(5, 50, pods("rrrrr", [1000]), readings("10 10 10 10 10"), Tolerances(), Timing(0, 0), NOW_NS)

    first, later = (state.decide(NOW_NS + at * S, 5, lambda: [Proposed(low)]) for at in (0, 301))

    assert (first.replicas, first.proposed, first.reason) == (5, 1, Reason.NO_CHANGE)
    assert (later.replicas, later.reason) == (1, Reason.BELOW_TARGET)
