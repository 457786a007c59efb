"""The report as one HTML file, read as a parser reads it."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import fakes
import frames
import pandas as pd
import pytest

from meshsim.report.page import page
from meshsim.report.page.limits import LIMITS, SECTION, TRUST

ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "link", "br", "img", "input", "hr"}
ORDER = [
    "Verdict", "What was changed", "Thresholds", "Why requests failed", "Comparison", "Latency", "Load, goodput and errors",
    "Retries, queues and utilisation", "What filters decided over time", "What policies did over time", "Where the time goes", "Who calls whom",
    "Routes and services", "One slow request", "Assumptions", "Before you believe it", "What the model does not cover", "How to repeat it", "Words",
]  # fmt: skip
HOSTILE = ('<script>alert("x")</script>', "\"><img src=x onerror='alert(2)'>", "</style></svg>&amp;{{ 7*7 }}")


class Element:
    """One element of a page."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.text, self.children = tag, attributes, "", []

    def find(self, tag):
        found = [self] if self.tag == tag else []
        return found + [one for child in self.children for one in child.find(tag)]


class Reader(HTMLParser):
    """All elements, in order; and that each one is closed where it must be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root, self.elements = Element("", {}), []
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], self.open[-1].tag

    def handle_starttag(self, tag, attrs):
        one = Element(tag, dict(attrs))
        self.elements.append(one)
        self.open[-1].children.append(one)
        if tag == "br":
            self.handle_data(" ")
        if tag not in VOID:
            self.open.append(one)

    def handle_startendtag(self, tag, attrs):
        one = Element(tag, dict(attrs))
        self.elements.append(one)
        self.open[-1].children.append(one)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        for one in self.open:
            one.text += data

    def all(self, *tags):
        return [one for one in self.elements if one.tag in tags]


def plain(text):
    return " ".join(text.split()).replace("\N{MINUS SIGN}", "-")


@pytest.fixture(scope="module")
def text():
    return page(fakes.comparison())


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def test_the_sections_stand_in_the_order_of_a_review(read):
    assert [one.text.strip() for one in read.all("h2")] == ORDER
    assert [one.text for one in read.all("nav")[0].find("a")] == ORDER


def test_headings_go_down_one_level_at_a_time(read):
    levels = [int(one.tag[1]) for one in read.all("h1", "h2", "h3", "h4")]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_there_are_landmarks_and_a_link_that_skips_to_the_main_part(read):
    assert [len(read.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    skip = read.all("a")[0]
    assert skip.attributes["href"] == f"#{read.all('main')[0].attributes['id']}"


def test_every_table_has_a_caption_and_every_heading_cell_a_scope(read):
    tables = read.all("table")

    assert len(tables) >= 8
    assert all(table.find("caption")[0].text.strip() for table in tables)
    assert {cell.attributes.get("scope") for cell in read.all("th")} == {"col", "row", "rowgroup"}


def test_each_chart_says_what_it_shows(read):
    drawings = [one for one in read.all("svg") if "chart" in one.attributes.get("class", "")]
    readings = [one.text for one in read.all("p") if one.attributes.get("class") == "reading"]

    assert len(drawings) == len(readings) >= 15
    for drawing, reading in zip(drawings, readings, strict=True):
        assert drawing.attributes["role"] == "img"
        assert drawing.attributes["aria-label"].endswith(reading)
        assert reading.endswith(".")
        assert len(reading) > 20


def test_nothing_is_loaded_from_anywhere(text, read):
    policy = next(one for one in read.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy")

    assert policy.attributes["content"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    )
    for one in read.elements:
        for name in ("src", "href", "xlink:href", "action", "srcset", "poster", "data"):
            assert one.attributes.get(name, "#").startswith(("#", "data:")), (one.tag, one.attributes[name])
    assert "@import" not in text
    assert not re.search(r"url\((?!#|&#35;)", text)
    assert {"iframe", "object", "embed", "img", "audio", "video"} & {one.tag for one in read.elements} == set()


def test_ids_are_unique_and_every_reference_leads_somewhere(text, read):
    ids = [one.attributes["id"] for one in read.elements if one.attributes.get("id")]
    led = [
        one.attributes[name][1:]
        for one in read.elements
        for name in ("href", "xlink:href")
        if one.attributes.get(name, "").startswith("#")
    ]
    led += re.findall(r"url\(#([^)]+)\)", text)
    led += [one.attributes["aria-labelledby"] for one in read.elements if "aria-labelledby" in one.attributes]

    assert len(ids) == len(set(ids))
    assert set(led) <= set(ids)


@pytest.mark.slow
def test_names_that_look_like_markup_stay_text():
    experiments = dict(zip(HOSTILE, fakes.comparison().experiments.values(), strict=True))
    comparison = fakes.FakeComparison(experiments, verdict=HOSTILE[0], notes=HOSTILE)
    for name in ("edges", "nodes", "services", "spans", "errors"):
        frame = comparison._frame(name)  # noqa: SLF001 — a fake of these tests
        column = "flag" if name == "errors" else "service"
        comparison.frames[name] = frame.assign(**{column: frame[column] + HOSTILE[1]})

    text = page(comparison, command=HOSTILE[1])
    read = Reader(text)

    assert len(read.all("script")) == 2
    assert read.all("img") == []
    assert [name for one in read.elements for name in one.attributes if name.startswith("on")] == []
    assert HOSTILE[2] in read.root.text
    assert HOSTILE[1] in read.all("pre")[0].text
    assert "49" not in read.all("h1")[0].text


@pytest.mark.slow
def test_the_same_comparison_gives_the_same_bytes(text):
    assert page(fakes.comparison()) == text


@pytest.mark.slow
def test_three_variants_six_routes_and_twelve_services_fit_into_three_megabytes():
    routes = [f"route-{number}" for number in range(6)]
    services = [f"service-{number}" for number in range(12)]
    comparison = fakes.comparison(replications=2)
    intervals = 240
    comparison.frames = {
        "latency": _for_each(frames.latency(replications=2), "route", "checkout", routes),
        "timeline": pd.concat(
            [
                (whole := frames.timeline(replications=2, intervals=intervals))[whole["route"] == "(all)"],
                _for_each(whole, "route", "checkout", routes),
            ]
        ),
        "services": frames.services(replications=2, intervals=intervals, names=services),
        "nodes": frames.nodes(replications=2, names=services),
        "edges": _for_each(frames.edges(replications=2), "service", "payment", services),
    }

    assert len(page(comparison).encode()) < 3_000_000


def _for_each(frame, column, like, names):
    rows = frame[frame[column] == like]
    return pd.concat([rows.assign(**{column: name}) for name in names], ignore_index=True)


def test_the_verdict_says_held_and_crossed_in_words(read):
    verdict = next(one for one in read.all("section") if one.attributes["id"] == "verdict")
    lines = [" ".join(one.text.split()) for one in verdict.find("li")]

    assert lines[0].startswith("✗ 2 of 2 thresholds crossed as-is Latency p99, route checkout: below 800ms")
    assert lines[1:] == ["✓ both thresholds held budget", "✓ both thresholds held no-retries"]


def test_what_was_changed_shows_before_and_after(read):
    tables = next(one for one in read.all("section") if one.attributes["id"] == "changes").find("table")

    assert [
        [cell.text for cell in row.find("th") + row.find("td")] for table in tables for row in table.find("tbody")[0].find("tr")
    ] == [
        ["mesh.traffic.payment.retry_budget.budget_percent", "not set", "20%"],
        ["mesh.traffic.payment.retries.num_retries", "2", "0"],
    ]


def test_a_difference_says_whether_it_can_be_told_from_noise(read):
    table = next(one for one in read.all("table") if one.attributes.get("class") == "figures")
    rows = [[plain(cell.text) for cell in row.children] for row in table.find("tbody")[2].find("tr")]

    assert rows[0][1:] == ["as-is", "12.1 %", "", "baseline"]
    assert rows[1] == [
        "budget", "9.0 % 7.9 to 10.1 %", "-3.1 points -3.9 to -2.3 points -25.6 % (-32.2 to -19.0 %)", "✓ better"
    ]  # fmt: skip
    assert rows[2][-1] == "✗ worse"
    assert "≈ cannot be told from noise" in table.find("tbody")[0].text
    assert "Interval: 95 % t interval over 5 replications" in table.text


def test_the_figures_can_be_taken_away_without_a_network(read):
    links = [one for one in read.all("a") if one.attributes.get("class") == "download"]
    csv, everything = (base64.b64decode(one.attributes["href"].partition("base64,")[2]) for one in links[:2])

    assert [one.attributes["download"] for one in links[:2]] == ["shop-figures.csv", "shop.json"]
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(csv)), fakes.comparison().table(), check_dtype=False)
    assert json.loads(everything)["manifest"]["seed"] == 42
    embedded = next(one for one in read.all("script") if one.attributes.get("type") == "application/json")
    assert json.loads(embedded.text) == json.loads(everything)


def test_how_to_repeat_it_has_command_seed_versions_digests_and_the_scenario(read):
    section = next(one for one in read.all("section") if one.attributes["id"] == "repeat")
    experiments = fakes.comparison().experiments

    assert "meshsim compare shop.yaml --replications 5 --seed 42" in section.find("pre")[0].text
    assert "simpy 4.1.2" in section.text
    assert all(experiment.loaded.digest in section.text for experiment in experiments.values())
    assert [one.text for one in section.find("pre")[1:]] == [experiment.loaded.text for experiment in experiments.values()]


def test_the_flags_that_occur_are_explained_once(read):
    words = next(one for one in read.all("section") if one.attributes["id"] == "words")
    explained = dict(zip([one.text for one in words.find("dt")], [one.text for one in words.find("dd")], strict=True))

    assert explained["flag UT"] == "timed out"
    assert {name for name in explained if name.startswith("flag")} == {"flag UF", "flag UO", "flag URX", "flag UT", "flag error"}
    assert "MSER-5" in explained


def test_what_the_model_does_not_cover_is_what_its_documentation_says():
    document = (ROOT / "docs/model.md").read_text(encoding="utf-8")
    section = document.partition(f"## {SECTION}\n")[2].partition("\n## ")[0]
    points = [" ".join(point.split()) for point in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]

    assert [f"{topic}: {said}" if topic else said for topic, said in LIMITS] == [
        point for point in points if not point.startswith("One run has no interval")
    ]
    assert TRUST in " ".join(document.split())


def test_one_run_alone_makes_a_page_without_comparisons():
    scenario = {name: value for name, value in fakes.SCENARIO.items() if name not in {"variants", "thresholds", "faults"}}
    comparison = fakes.comparison(scenario, kind="run", replications=1, notes=())
    comparison.frames = {"thresholds": pd.DataFrame(), "faults": frames.faults().iloc[:0]}
    read = Reader(page(comparison))

    assert [one.text for one in read.all("h2")] == [
        "Figures" if name == "Comparison" else name
        for name in ORDER
        if name not in {"What was changed", "Thresholds", "Before you believe it"}
    ]
    assert "baseline" not in next(one for one in read.all("section") if one.attributes["id"] == "figures").text


@pytest.mark.slow
@pytest.mark.parametrize("is_matrix", [False, True], ids=["curves", "heat maps"])
def test_a_sweep_shows_its_curves_first(is_matrix):
    read = Reader(page(fakes.sweep(is_matrix=is_matrix)))
    section = next(one for one in read.all("section") if one.attributes["id"] == "sweep")

    assert [one.text for one in read.all("h2")][:3] == ["Verdict", "The sweep", "Thresholds"]
    assert len(section.find("svg")) == (4 if is_matrix else 2)
    assert "load.shoppers.rate is 200/s, 400/s, 600/s, 800/s, 1000/s, 1200/s" in section.text
