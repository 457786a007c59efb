"""The report in Debian's Chromium: nothing is loaded, nothing is cut off, tables sort."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import wide

import meshsim as ms
from meshsim.report.page import page

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
CLIPPED = """() => {
    const found = [];
    for (const svg of document.querySelectorAll("svg.chart")) {
        const box = svg.viewBox.baseVal;
        const inverse = svg.getScreenCTM().inverse();
        for (const text of svg.querySelectorAll("text")) {
            const around = text.getBoundingClientRect();
            if (!around.width) continue;
            const ends = [[around.left, around.top], [around.right, around.bottom]].map(([x, y]) => new DOMPoint(x, y).matrixTransform(inverse));
            const slack = 1.5;
            const isInside = ends[0].x >= box.x - slack && ends[1].x <= box.x + box.width + slack
                && ends[0].y >= box.y - slack && ends[1].y <= box.y + box.height + slack;
            if (!isInside) found.push(`${svg.closest("figure").id}: ${text.textContent} ${ends.map((end) => [end.x, end.y])}`);
        }
    }
    return found;
}"""
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const isScrolled = (one) => one && (["auto", "scroll", "hidden"].includes(getComputedStyle(one).overflowX) || isScrolled(one.parentElement));
    const found = Array.from(document.body.querySelectorAll("*")).filter((one) =>
        one.getBoundingClientRect().right > width + 1 && one.getClientRects().length && !isScrolled(one.parentElement) && !one.closest("svg"));
    return found.map((one) => one.outerHTML.slice(0, 100));
}"""
SCROLLED = """() => Array.from(document.querySelectorAll(".scroll")).filter((one) => one.scrollWidth > one.clientWidth).map(
    (one) => `${one.getAttribute("aria-label")}: ${one.scrollWidth} in ${one.clientWidth}`)"""
UNREACHED = """() => {
    const inside = (one) => { const box = one.getBoundingClientRect(); return box.width > 0 && box.left >= 0 && box.right <= innerWidth + 1; };
    return Array.from(document.querySelectorAll("tbody th, tbody td")).filter((one) => one.textContent.trim() && !inside(one))
        .map((one) => one.outerHTML.slice(0, 100));
}"""
UNNAMED = """() => {
    const found = [];
    for (const row of document.querySelectorAll("tbody tr")) {
        const names = Array.from(row.closest("table").tHead.rows[0].cells).map((one) => one.textContent.trim());
        for (const cell of row.cells) {
            if (cell.tagName !== "TD" || cell.colSpan > 1 || !cell.textContent.trim() || cell.querySelector(".mark")) continue;
            const says = getComputedStyle(cell, "::before").content.slice(1, -1);
            if (!names.some((name) => says && name.startsWith(says))) found.push(`${says}: ${cell.outerHTML.slice(0, 100)}`);
        }
    }
    return found;
}"""
FAINT = """() => {
    const luminance = (colour) => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const paper = (one) => {
        const colour = getComputedStyle(one).backgroundColor;
        return colour === "rgba(0, 0, 0, 0)" ? paper(one.parentElement) : colour;
    };
    const found = new Set();
    for (const one of document.body.querySelectorAll("*")) {
        const says = Array.from(one.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!says || one.closest("svg") || ["SCRIPT", "STYLE"].includes(one.tagName)) continue;
        const [low, high] = [luminance(getComputedStyle(one).color), luminance(paper(one))].sort((left, right) => left - right);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) found.add(`${one.tagName}.${one.className} ${contrast.toFixed(2)}`);
    }
    return Array.from(found);
}"""


TEN_MINUTES_MS = 600_000
"""A busy machine is no broken page."""


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser", exc_type=ImportError)
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(
    scope="module",
    params=["wide", *(pytest.param(one, marks=pytest.mark.slow) for one in ("online-boutique", "checkout-brownout"))],
)
def file(request, tmp_path_factory):
    """A made-up comparison with the widest tables there are, and short ones of the real scenarios."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(wide.comparison() if request.param == "wide" else short(request.param)), encoding="utf-8")
    return path


def short(scenario):
    """Some seconds around a fault that comes earlier than in the file."""
    duration = {"online-boutique": 12, "checkout-brownout": 12}[scenario]
    fault = ["faults[0].at=4s", "faults[0].for=3s"]
    changes = [f"run.duration={duration}s", "run.warm_up=2s", *fault]
    return ms.compare(SCENARIOS / f"{scenario}.yaml", set=changes, replications=2, jobs=1)


@pytest.fixture
def opened(chromium, file):
    """Open the page; at the end, no error was told and nothing but the file was asked for."""
    contexts, told = [], []

    def open_page(size="desk", **settings):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        context.set_default_timeout(TEN_MINUTES_MS)
        tab = context.new_page()
        tab.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: told.append(str(error)))
        tab.on("request", lambda request: told.append(request.url) if request.url != file.as_uri() else None)
        tab.goto(file.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert [one for one in told if not one.startswith("data:")] == []


def column(tab, number):
    """The cells of a column of the services, in the order in which they stand."""
    return tab.locator("#tables table").nth(1).locator(f"tbody tr > :nth-child({number})").all_inner_texts()


def numbers(cells):
    return [float(cell.replace(",", "")) for cell in cells]


def test_a_click_sorts_and_another_turns_the_order_round(opened):
    tab = opened()
    header = tab.locator("#tables table").nth(1).locator("thead th").nth(3)
    before = column(tab, 4)

    header.locator("button").click()
    falling = column(tab, 4)
    assert header.get_attribute("aria-sort") == "descending"
    assert numbers(falling) == sorted(numbers(before), reverse=True)
    assert falling != before
    assert tab.locator("[role=status]").inner_text() == "Services: sorted by Attempts /s, descending"

    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert numbers(column(tab, 4)) == numbers(falling)[::-1]


def test_the_keyboard_sorts_too_and_only_one_column_says_so(opened):
    tab = opened()
    headers = tab.locator("#tables table").nth(1).locator("thead th")
    headers.nth(3).locator("button").click()
    headers.nth(0).locator("button").focus()
    tab.keyboard.press("Enter")

    assert headers.nth(0).get_attribute("aria-sort") == "ascending"
    assert column(tab, 1) == sorted(column(tab, 1))
    assert headers.nth(3).get_attribute("aria-sort") is None
    tab.keyboard.press("Space")
    assert headers.nth(0).get_attribute("aria-sort") == "descending"
    assert column(tab, 1) == sorted(column(tab, 1), reverse=True)


def test_tab_goes_to_the_skip_link_first_and_shows_where_it_is(opened):
    tab = opened()
    tab.keyboard.press("Tab")

    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert tab.locator(".skip").bounding_box()["x"] >= 0
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_window(opened, size):
    tab = opened(size)
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    width = SIZES[size][0]

    assert tab.evaluate(TOO_WIDE) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", SIZES)
def test_no_table_has_to_be_pushed_sideways(opened, size):
    tab = opened(size)
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

    assert tab.evaluate(SCROLLED) == []
    assert tab.evaluate(UNREACHED) == []


def test_on_a_phone_each_figure_stands_under_the_name_of_its_column(opened):
    tab = opened("phone")
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

    assert tab.evaluate(UNNAMED) == []
    tab.locator("#tables table").nth(1).locator("thead button").nth(3).click()
    assert numbers(column(tab, 4)) == sorted(numbers(column(tab, 4)), reverse=True)


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_chart_is_cut_off(opened, size):
    tab = opened(size)
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

    assert tab.evaluate(CLIPPED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_paper_in_light_and_dark(opened, scheme):
    tab = opened(color_scheme=scheme)
    tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")

    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 24, 29)")
    assert tab.evaluate(FAINT) == []
    ink = tab.evaluate("getComputedStyle(document.querySelector('svg.chart text')).fill")
    assert ink == tab.evaluate("getComputedStyle(document.body).color")


def test_print_is_light_opens_what_is_closed_and_closes_it_again(opened):
    tab = opened(color_scheme="dark")
    tab.evaluate(
        "window.open = () => null; addEventListener('beforeprint', () => {"
        " window.closedInPrint = document.querySelectorAll('details:not([open])').length; })"
    )
    made = tab.pdf(prefer_css_page_size=True)

    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) >= 8
    assert tab.evaluate("window.closedInPrint") == 0
    assert tab.locator("details[open]").count() == 0
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert tab.evaluate("getComputedStyle(document.querySelector('figure')).breakInside") == "avoid"


def test_on_paper_no_table_is_wider_than_the_sheet(opened):
    tab = opened()
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 695, "height": 1000})  # 184 mm of A4 between its margins
    wide = "() => Array.from(document.querySelectorAll('table')).map((one) => one.getBoundingClientRect().width).filter((one) => one > 696)"

    assert tab.evaluate(wide) == []


def test_without_scripts_the_page_is_whole_and_offers_no_dead_buttons(opened):
    tab = opened(java_script_enabled=False)

    assert tab.locator("table button").count() == 0
    assert tab.locator("svg.chart").count() >= 15


def test_the_figures_are_downloaded_from_the_page_itself(opened, tmp_path):
    tab = opened()
    with tab.expect_download() as waiting:
        tab.locator("a.download").first.click()
    waiting.value.save_as(tmp_path / "figures.csv")

    assert waiting.value.suggested_filename.endswith("-figures.csv")
    assert (tmp_path / "figures.csv").read_text(encoding="utf-8").startswith("figure,variant,quantity,value,low,high,method,")
