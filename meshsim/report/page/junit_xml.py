"""The thresholds and gates of a comparison as JUnit XML, for CI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from meshsim.report.causes import why_requests_failed
from meshsim.report.page.tables import records
from meshsim.report.page.wording import threshold_words

if TYPE_CHECKING:
    from meshsim.experiments.comparison import Comparison
    from meshsim.experiments.judgement import GateVerdict
    from meshsim.report.causes import Row

GATES = "gates"
"""Name of the suite of all gates."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold. Source: W3C, Extensible Markup Language 1.0, fifth edition, section 2.2."""


def junit(comparison: Comparison) -> str:
    """XML with a suite for each variant and one for the gates; one case for each threshold or gate.

    Args:
        comparison: Whose thresholds and gates. A gate that is undecided is a skipped case, one that is crossed a failure.

    Returns:
        A document that Jenkins, GitLab and GitHub's reporters read: `testsuites/testsuite/testcase`.
    """
    root = Element("testsuites", name=_clean(f"meshsim {comparison.name}"))
    properties = _properties(comparison)
    thresholds, causes = records(comparison.thresholds()), why_requests_failed(comparison)
    for name in comparison.variants:
        suite = _suite(root, name, properties)
        for row in thresholds:
            if row["variant"] == name:
                _threshold(suite, comparison, row)
        if said := [_cause(row) for one in causes if one.variant == name for row in one.rows]:
            SubElement(suite, "system-out").text = _clean("\n".join(["Why requests failed:", *said, ""]))
    if comparison.gates:
        suite = _suite(root, GATES, properties)
        for gate in comparison.gates:
            _gate(suite, comparison, gate)
    _count(root)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, properties: dict[str, str]) -> Element:
    suite = SubElement(root, "testsuite", name=_clean(name))
    held = SubElement(suite, "properties")
    for key, value in properties.items():
        SubElement(held, "property", name=_clean(key), value=_clean(value))
    return suite


def _threshold(suite: Element, comparison: Comparison, row: dict[Any, Any]) -> None:
    case = _case(suite, f"{comparison.name}.{row['variant']}", f"{row['metric']} {row['condition']}")
    if not row["passed"]:
        message = f"{row['metric']} {row['condition']}: {row['observed_text']}"
        failure = SubElement(case, "failure", message=_clean(message), type="threshold")
        failure.text = _clean(
            f"{threshold_words(row['metric'], row['condition'])}\n"
            f"observed: {row['observed_text']}\n"
            f"held in {row['held']:.0%} of {comparison.replications} replications\n"
        )


def _cause(row: Row) -> str:
    return f"{row.route}: {row.requests} ({row.share}), client saw {row.client_saw} {row.flags}, began at {row.began_at} as {row.began_as}"


def _gate(suite: Element, comparison: Comparison, gate: GateVerdict) -> None:
    case = _case(suite, f"{comparison.name}.{gate.variant}", gate.gate)
    text = f"{gate.gate} for {gate.variant} against {comparison.variants[0]}: {gate.outcome}, {gate.text}"
    if gate.outcome == "crossed":
        SubElement(case, "failure", message=_clean(text), type="gate").text = _clean(text + "\n")
    elif gate.outcome == "undecided":
        SubElement(case, "skipped", message=_clean(text))


def _case(suite: Element, class_name: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=_clean(class_name), name=_clean(name), time="0")


def _count(root: Element) -> None:
    """Numbers of cases, failures and skipped ones, in each suite and over all."""
    for one in [*root, root]:
        one.set("tests", str(len(list(one.iter("testcase")))))
        one.set("failures", str(len(list(one.iter("failure")))))
        one.set("errors", "0")
        one.set("skipped", str(len(list(one.iter("skipped")))))
        one.set("time", "0")


def _properties(comparison: Comparison) -> dict[str, str]:
    manifest = comparison.manifest
    return {
        "verdict": comparison.verdict,
        "seed": str(manifest["seed"]),
        "replications": str(comparison.replications),
        "baseline": comparison.variants[0],
        "command": str(manifest["repeat"]),
        **{f"version.{name}": str(version) for name, version in manifest["versions"].items()},
        **{f"digest.{point['name']}": str(point["digest"]) for point in manifest["points"]},
    }


def _clean(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
