"""Thresholds and gates for CI, read back as an XML parser reads them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import fakes
import pytest

import meshsim
from meshsim.experiments.judgement import GateVerdict
from meshsim.report.page import junit
from meshsim.report.write import write_report

GATES = (
    GateVerdict("latency:p99<=+5%", "budget", 0.12, 0.08, 0.16, "crossed", "+12% [+8%, +16%]"),
    GateVerdict("errors:rate<=+1pp", "budget", 0.001, 0.0, 0.002, "holds", "+0.1% [0%, +0.2%]"),
    GateVerdict("errors:rate<=+0.1pp", "budget", 0.001, 0.0, 0.002, "undecided", "+0.1% [0%, +0.2%]"),
)


def parsed(text):
    return ET.fromstring(text)  # noqa: S314 — what we have written ourselves


@pytest.fixture(scope="module")
def root():
    comparison = fakes.comparison()
    comparison.gates = GATES
    return parsed(junit(comparison))


def test_there_is_a_suite_for_each_variant_and_one_for_the_gates(root):
    assert root.tag == "testsuites"
    assert root.attrib == {"name": "meshsim shop", "tests": "9", "failures": "3", "errors": "0", "skipped": "1", "time": "0"}
    assert [(one.tag, one.get("name"), one.get("tests"), one.get("failures"), one.get("skipped")) for one in root] == [
        ("testsuite", "as-is", "2", "2", "0"),
        ("testsuite", "budget", "2", "0", "0"),
        ("testsuite", "no-retries", "2", "0", "0"),
        ("testsuite", "gates", "3", "1", "1"),
    ]


def test_its_shape_is_the_one_that_jenkins_and_gitlab_read(root):
    """Source: the schema of Jenkins' xunit plugin, junit-10.xsd: properties come first; a case has a class, a name and a time."""
    for suite in root:
        assert {"name", "tests", "failures", "errors", "skipped", "time"} <= set(suite.attrib)
        tags = [one.tag for one in suite]
        assert tags in (expected := ["properties"] + ["testcase"] * int(suite.get("tests")), [*expected, "system-out"])
        for case in suite.iter("testcase"):
            assert set(case.attrib) == {"classname", "name", "time"}
            assert [one.tag for one in case] in ([], ["failure"], ["skipped"])


def test_a_crossed_threshold_is_a_failure_with_the_value(root):
    case = root.find("testsuite[@name='as-is']/testcase")

    assert case.get("name") == "latency{route:checkout} p(99)<800ms"
    assert case.get("classname") == "shop.as-is"
    assert case.find("failure").get("type") == "threshold"
    assert case.find("failure").get("message") == "latency{route:checkout} p(99)<800ms: 3.20s"
    assert (
        case.find("failure").text == "Latency p99, route checkout: below 800ms\nobserved: 3.20s\nheld in 0% of 5 replications\n"
    )


def test_a_crossed_gate_fails_and_an_undecided_one_is_skipped(root):
    crossed, holds, undecided = root.findall("testsuite[@name='gates']/testcase")

    assert crossed.find("failure").get("message") == "latency:p99<=+5% for budget against as-is: crossed, +12% [+8%, +16%]"
    assert list(holds) == []
    assert undecided.find("skipped").get("message").endswith("undecided, +0.1% [0%, +0.2%]")


def test_the_properties_say_what_was_run(root):
    properties = {one.get("name"): one.get("value") for one in root[0].iter("property")}

    assert properties["seed"] == "42"
    assert properties["version.simpy"] == "4.1.2"
    assert properties["digest.budget"] == fakes.comparison().experiments["budget"].loaded.digest


def test_characters_that_xml_cannot_hold_are_replaced():
    experiments = {"a\x00b<c>": next(iter(fakes.comparison().experiments.values()))}
    text = junit(fakes.FakeComparison(experiments, verdict='"quoted" & \x1b[31mred'))

    assert parsed(text)[0].get("name") == "a\ufffdb<c>"
    assert text.encode()


def test_without_thresholds_the_suites_are_empty():
    scenario = {name: value for name, value in fakes.SCENARIO.items() if name != "thresholds"}
    comparison = fakes.comparison(scenario)
    comparison.frames["thresholds"] = comparison.thresholds().iloc[:0]

    assert parsed(junit(comparison)).get("tests") == "0"


def test_why_requests_failed_stands_with_the_suite_of_the_variant(root):
    assert root.find("testsuite[@name='as-is']/system-out").text == (
        "Why requests failed:\n"
        "checkout: 300 (10 %), client saw 503 UO, began at payment as UO\n"
        "checkout: 30 (1 %), client saw gave up DC, began at client as DC\n"
    )
    assert root.find("testsuite[@name='no-retries']/system-out") is None


def test_the_gates_of_the_command_line_are_in_the_junit_that_it_prints(tmp_path):
    """They were in every form of output but this one, so that CI saw green where `compare` exits with 99."""
    scenario = {
        "name": "gated",
        "load": {"all": {"executor": "constant-arrival-rate", "arrivals": "poisson", "rate": "50/s", "requests": {"back": 1}}},
        "services": {"back": {"workers": 4, "script": [{"compute": "10ms"}]}},
        "variants": {"as-is": {}, "slow": {"services": {"back": {"script": [{"compute": "20ms"}]}}}},
        "run": {"duration": "2s", "seed": 1, "replications": 2},
    }
    comparison = meshsim.compare(scenario, gates=["latency:p50<=+5%"], jobs=1, out=tmp_path / "out")
    made = parsed(write_report(comparison, tmp_path / "junit.xml").read_bytes())

    assert [(one.get("name"), one.get("tests"), one.get("failures")) for one in made] == [
        ("as-is", "0", "0"), ("slow", "0", "0"), ("gates", "1", "1"),
    ]  # fmt: skip
