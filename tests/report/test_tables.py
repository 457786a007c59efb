"""The answer in a terminal: wide, narrow, without colour, without anything but ASCII."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from made_up import SECOND, plan, shop, summary_of
from rich.console import Console

from meshsim.metrics.cost import CostItem, CostSummary
from meshsim.metrics.policies.summaries import CpuSummary, ScalingSummary
from meshsim.metrics.thresholds import judge
from meshsim.report.terminal import Heading, show

if TYPE_CHECKING:
    from meshsim.metrics.summary import Summary

WIDTHS = (80, 100, 120, 140, 200)
HEADING = Heading(
    scenario="checkout-brownout",
    variant="budget",
    defaults="istio-1.29",
    seed=42,
    description="Does a retry budget keep checkout up while payment is slow?",
    planned_s=10.0,
    requests=20_000,
    directory="results/checkout-brownout/budget/seed-42-0123abcd",
)
THRESHOLDS = {
    "latency{route:checkout}": ["p(99)<80ms", "p(99.9)<800ms"],
    "errors{route:nothing}": ["rate<1%"],
    "retry_amplification{service:payment}": ["value<1.3"],
}
SHOP = shop()


def shown(
    summary: Summary, width: int = 100, heading: Heading = HEADING, *, encoding: str = "utf-8", colour: bool = False
) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        width=width, file=stream, force_terminal=colour, color_system="standard" if colour else None, highlight=False
    )
    show(console, heading, summary, judge(THRESHOLDS, summary))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


def section(text: str, title: str) -> list[str]:
    """The lines of a section, without its title."""
    lines = [line.rstrip() for line in text.splitlines()]
    rest = lines[lines.index(title) + 1 :]
    return rest[: rest.index("")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_longer_than_the_terminal_and_no_number_is_cut(width: int, encoding: str) -> None:
    text = shown(SHOP, width, replace(HEADING, directory="results"), encoding=encoding)

    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "..." not in text


def test_a_dumb_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = io.StringIO()
    show(Console(width=80, file=stream, force_terminal=True), HEADING, SHOP, judge(THRESHOLDS, SHOP))

    assert stream.getvalue().isascii()


def test_without_colour_held_and_crossed_thresholds_are_told_apart_by_their_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    lines = section(shown(SHOP), "Thresholds")

    assert [line.split() for line in lines] == [
        ["✗", "latency{route:checkout}", "p(99)<80ms", "126ms"],
        ["✓", "latency{route:checkout}", "p(99.9)<800ms", "274ms"],
        ["✗", "errors{route:nothing}", "rate<1%", "no", "requests"],
        ["✓", "retry_amplification{service:payment}", "value<1.3", "1.111"],
    ]
    assert [line.split()[0] for line in section(shown(SHOP, encoding="ascii"), "Thresholds")] == ["FAIL", "ok", "FAIL", "ok"]


def test_routes_have_rates_percentiles_and_errors() -> None:
    assert section(shown(SHOP, 80), "Requests") == [
        "                          requests goodput latency                        errors",
        "route                           /s      /s  p50 ms p90 ms p99 ms p99.9 ms      %",
        "────────────────────────────────────────────────────────────────────────────────",
        "browse                       1,338   1,337    17.9   56.4    144      266   0",
        "checkout                       332     306    18.0   59.3    126      274   7.31",
        "recommendations-for-signe      337     337    17.2   54.7    141      330   0",
        "d-in-customers",
        "all                          2,006   1,980    17.8   56.7    140      266   1.21",
    ]


def test_services_have_load_times_use_retries_and_waste() -> None:
    assert section(shown(SHOP, 80), "Services") == [
        "            attempts response        waiting busy queue tries wasted errors",
        "service           /s   p50 ms p99 ms mean ms    %  mean /call      %      %",
        "───────────────────────────────────────────────────────────────────────────",
        "cart           1,214     4.86   28.0    0.60    2   0    1.00    0     0",
        "catalog        1,200     4.76   28.0    0.60    9   0    1.00    0     0",
        "checkout-v1    1,208     4.71   29.0    0.60   16   0    1.00    0     0",
        "frontend       1,199     4.89   28.0    0.60   22   0    1.00    0     0",
        "payment        1,197     4.79   28.3    0.60   98  23.4  1.11    6.0   5.98",
    ]


def test_a_wide_terminal_shows_more_of_each_service() -> None:
    assert section(shown(SHOP, 140), "Services")[-1].split() == [
        *("payment", "2", "x", "4", "1,197", "4.79", "28.3", "0.60", "98", "98", "23.4", "15", "1.11", "6.0", "5.98"),
    ]


def test_proxies_are_listed_when_they_matter() -> None:
    text = shown(SHOP)

    assert [line.split()[0] for line in section(text, "Proxies")[3:]] == ["gateway", "sidecar", "Sidecars"]
    assert "sidecar of frontend" in text
    assert "sidecar of cart" not in text


def test_the_ways_in_which_requests_failed_say_what_the_client_saw_and_where_it_began() -> None:
    assert [line.split() for line in section(shown(SHOP), "Why requests failed")[2:]] == [
        ["checkout", "84", "3.17", "504", "URX,UT", "payment", "UT"],
        ["checkout", "54", "2.03", "500", "dependency", "payment", "queue_full"],
        ["checkout", "34", "1.28", "429", "RL", "gateway", "RL"],
        ["checkout", "13", "0.49", "500", "URX,error", "cart", "error"],
        ["checkout", "9", "0.34", "gave", "up", "DC", "client", "DC"],
    ]


def test_each_flag_that_occurs_is_explained_and_no_other() -> None:
    text = shown(SHOP)

    assert "UT          timed out" in text
    assert "queue_full  the instance's queue was full" in text
    assert "no healthy upstream host" not in text


def test_where_nothing_failed_there_is_nothing_to_explain() -> None:
    text = shown(summary_of(plan()))

    assert "failed" not in text.replace("goodput", "")
    assert "URX" not in text


def test_a_run_of_nothing_is_shown_as_dashes() -> None:
    lines = section(shown(summary_of(plan(), simulated_ns=SECOND)), "Requests")

    assert lines[-1].split() == ["checkout", "-", "-", "-", "-", "-", "-", "-"]


def test_the_heading_says_what_was_run_and_what_is_measured() -> None:
    lines = shown(SHOP).splitlines()[:3]

    assert lines == [
        "checkout-brownout  variant budget, defaults istio-1.29, seed 42",
        "Does a retry budget keep checkout up while payment is slow?",
        "20,000 requests in 10.4s simulated; measured: the 16,048 that started after the warm-up of 2s",
    ]


def test_an_interrupted_run_says_so() -> None:
    text = shown(SHOP, heading=replace(HEADING, planned_s=480.0, is_interrupted=True))

    assert "Interrupted after 10.4s of 8m: the figures are of that part only." in text


def test_markup_in_a_description_is_text() -> None:
    assert "[red]not red[/red] [unclosed" in shown(SHOP, heading=replace(HEADING, description="[red]not red[/red] [unclosed"))


def test_rare_failures_are_counted_where_there_is_no_row_for_them() -> None:
    (cause,) = SHOP.routes[1].causes[:1]
    many = tuple(replace(cause, count=100 - number, status=500 + number) for number in range(15))
    summary = replace(SHOP, routes=(SHOP.routes[0], replace(SHOP.routes[1], causes=many, failures=1395)))

    assert "and 261 in rarer ways, which summary.json lists" in shown(summary)


def test_crossed_thresholds_and_full_workers_are_red_where_there_is_colour() -> None:
    text = shown(SHOP, colour=True)

    assert "\x1b[1;31m126ms" in text
    assert "\x1b[31m  98\x1b[0m" in text


def test_the_run_directory_stands_in_one_piece_on_the_last_line() -> None:
    directory = "results/" + "long-name-" * 20

    assert shown(SHOP, 80, replace(HEADING, directory=directory)).splitlines()[-1] == f"Records: {directory}"


SCALED = ScalingSummary(
    "payment", 3, 24, at_start=3, lowest=2, highest=15, at_end=7, steps_up=4, steps_down=1, looks=1_200,
    metrics={"requests_per_second 100/pod": 1_000, "cpu 80%": 199}, held_back={"too_few_replicas": 3, "scale_up_limit": 12},
)  # fmt: skip
IDLE = ScalingSummary("cart", 1, 2, 1, 1, 1, 1, steps_up=0, steps_down=0, looks=0, metrics={}, held_back={})
BLIND = replace(IDLE, service="catalog", looks=4)


def test_autoscalers_have_replicas_steps_and_what_decided_and_held_back_most_often() -> None:
    lines = section(shown(replace(SHOP, autoscaling=(SCALED, IDLE, BLIND)), 200), "Autoscaling")

    assert lines[0].split() == ["replicas", "steps", "replica"]
    heads = "service start lowest highest end min-max up down hours decided by held back by"
    assert " ".join(lines[1].split()) == heads
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "payment 3 2 15 7 3-24 4 1 <0.01 requests_per_second 100/pod (1,000 of 1,200) scale_up_limit (12 of 1,200)",
        "cart 1 1 1 1 1-2 0 0 <0.01 - -",
        "catalog 1 1 1 1 1-2 0 0 <0.01 no metrics -",
        "Replicas wanted over the whole run. What decided and what held back most often, and at how many looks.",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_autoscalers_fit_every_terminal(width: int) -> None:
    long = replace(SCALED, service=SHOP.services[0].name * 4, at_end=10_000, highest=10_000, max_replicas=10_000)
    text = shown(replace(SHOP, autoscaling=(long,)), width, replace(HEADING, directory="results"))

    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "3-10,000" in text


THROTTLED = CpuSummary("payment", 0.25, 0.5, 0.2, 0.4, 0.176, 12.5, 1000, 176, 0.5)
FREE = CpuSummary("cart", None, None, 0.5, 0.25, None, 0.0, 0, 0, None)


def test_cpu_has_requests_limits_use_and_how_often_and_how_long_it_was_throttled() -> None:
    lines = section(shown(replace(SHOP, cpu=(THROTTLED, FREE)), 200), "CPU")

    assert " ".join(lines[0].split()) == "cores throttled worst throttled"
    assert " ".join(lines[1].split()) == "service requested limit used of it % periods % replica % s"
    assert [" ".join(line.split()) for line in lines[3:5]] == [
        "payment 0.25 0.5 0.20 40 17.6 50.0 12.5",
        "cart - - 0.50 25 - - 0",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_cpu_fits_every_terminal(width: int) -> None:
    text = shown(
        replace(SHOP, cpu=(replace(THROTTLED, service=SHOP.services[0].name * 4),)), width, replace(HEADING, directory="results")
    )

    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text


def test_without_cpu_nothing_is_said_of_it_and_with_it_sizes_are_cores() -> None:
    assert "throttled" not in shown(SHOP)
    assert f"{SHOP.services[0].replicas} x 0.5 CPU" in shown(
        replace(SHOP, services=(replace(SHOP.services[0], workers=0.5),)), 200
    )


def test_without_autoscalers_nothing_is_said_of_them() -> None:
    assert "Autoscaling" not in shown(SHOP)


COSTS = CostSummary(
    "EUR",
    2.0,
    500_000,
    (
        CostItem("replicas", "payment", 6.0, "replica hours", 0.5),
        CostItem("cross_zone", None, 100.0, "GiB", 0.02),
        CostItem("requests", None, 0.6, "million requests", 1.5),
    ),
)


def test_costs_are_told_by_hour_and_by_a_million_good_answers_with_their_sum() -> None:
    lines = section(shown(replace(SHOP, cost=COSTS), 100), "Cost")

    assert lines[0].split() == ["EUR", "a", "million"]
    assert " ".join(lines[1].split()) == "an hour of price an hour good answers"
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "replicas of payment 3.00 replica hours 0.50 1.50 6.00",
        "traffic between zones 50.00 GiB 0.02 1.00 4.00",
        "requests 0.30 million requests 1.50 0.45 1.80",
        "all - - 2.95 11.80",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_costs_fit_every_terminal(width: int) -> None:
    text = shown(replace(SHOP, cost=COSTS), width, replace(HEADING, directory="results"))

    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text


def test_without_prices_nothing_is_said_of_costs() -> None:
    assert "Cost" not in shown(SHOP)
