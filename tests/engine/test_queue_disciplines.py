"""What becomes of those that wait at an instance: who is next, who has to leave, and what else has a say in it."""

from __future__ import annotations

import pytest

import meshsim as ms

MS = 1_000_000
WORK = [{"compute": "10ms"}]


@pytest.fixture
def run(tmp_path):
    """Requests at given instants (ms), by load, at one instance with one worker and 10 ms of work."""

    def run_it(arrivals, queue, *, loads=None, gateway=None, faults=(), others=None, **service):
        load = {}
        for name, times in arrivals.items():
            file = tmp_path / f"{name}.csv"
            file.write_text("at\n" + "".join(f"{time}\n" for time in times), encoding="utf-8")
            more = (loads or {}).get(name, {})
            load[name] = {"executor": "replay", "file": str(file), "unit": "ms", "requests": {"server": 1}, **more}
        scenario = {
            "name": "queue",
            "load": load,
            "services": {"server": {"script": WORK, "queue": queue, **service}, **(others or {})},
            "faults": list(faults),
            "run": {"duration": "1s"},
        }
        if gateway is not None:
            scenario.update(gateway=gateway, deployment="gateway")
        return ms.load(scenario).run()

    return run_it


def ended_ms(result):
    """By arrival: when each request ended, and why."""
    requests = result.requests.sort_values("started_ns", kind="stable")
    return [(ended / MS, flags) for ended, flags in zip(requests["ended_ns"], requests["response_flags"], strict=True)]


SIX = {"all": [0, 1, 2, 3, 4, 5]}


@pytest.mark.parametrize(
    ("discipline", "ends"),
    [
        ("fifo", [10, 20, 30, 40, 50, 60]),
        ("lifo", [10, 60, 50, 40, 30, 20]),
        ({"adaptive_lifo": {"switch_threshold": 3}}, [10, 40, 50, 60, 30, 20]),
    ],
)
def test_a_discipline_decides_who_is_next(run, discipline, ends):
    """The first of six finds the worker free; the others wait at once."""
    assert ended_ms(run(SIX, {"discipline": discipline})) == [(end, "-") for end in ends]


def test_fifo_by_name_is_what_there_is_without_a_name(run):
    plain, named, line = (run(SIX, queue) for queue in ({}, {"discipline": "fifo"}, {"discipline": "fifo", "max_wait": "1s"}))

    assert plain.attempts.equals(named.attempts)
    assert plain.attempts.equals(line.attempts)
    assert plain.counters.equals(line.counters)


CLASSES = {"batch": {"criticality": "sheddable"}, "users": {"criticality": "critical_plus"}}


class TestPriority:
    def test_the_more_important_overtake_those_that_wait_and_nobody_at_work(self, run):
        result = run({"batch": [0, 1, 2], "users": [3, 4]}, {"discipline": "priority"}, loads=CLASSES)

        assert ended_ms(result) == [(10, "-"), (40, "-"), (50, "-"), (20, "-"), (30, "-")]

    def test_a_newcomer_pushes_the_last_of_the_least_important_out_of_a_full_queue(self, run):
        result = run(
            {"batch": [0, 1, 2], "users": [3, 4, 5]}, {"limit": 2, "discipline": {"priority": {"push_out": True}}}, loads=CLASSES
        )

        assert ended_ms(result) == [(10, "-"), (4, "pushed_out"), (3, "pushed_out"), (20, "-"), (30, "-"), (5, "queue_full")]
        assert result.requests["status"].tolist() == [200, 503, 503, 200, 200, 503]

    def test_without_push_out_who_finds_it_full_is_refused_whoever_he_is(self, run):
        result = run({"batch": [0, 1, 2], "users": [3]}, {"limit": 2, "discipline": "priority"}, loads=CLASSES)

        assert ended_ms(result)[3] == (3, "queue_full")

    def test_a_queue_of_no_length_has_nobody_to_push_out(self, run):
        result = run({"batch": [0], "users": [3]}, {"limit": 0, "discipline": {"priority": {"push_out": True}}}, loads=CLASSES)

        assert ended_ms(result) == [(10, "-"), (3, "queue_full")]

    def test_a_route_says_how_important_its_requests_are_whatever_their_load_is(self, run):
        gateway = {
            "routes": {
                "browse": {"path": "/browse", "to": "server"},
                "checkout": {"path": "/checkout", "to": "server", "criticality": "critical_plus"},
            }
        }
        asks = {"one": {"requests": {"browse": 1}}, "two": {"requests": {"POST /checkout": 1}, "criticality": "sheddable"}}
        result = run({"one": [0, 1, 2], "two": [3]}, {"discipline": "priority"}, loads=asks, gateway=gateway)

        assert ended_ms(result) == [(10, "-"), (30, "-"), (40, "-"), (20, "-")]


class TestMaxWait:
    def test_who_has_waited_so_long_is_refused_in_that_instant(self, run):
        result = run(SIX, {"max_wait": "25ms"})

        assert ended_ms(result) == [
            (10, "-"),
            (20, "-"),
            (30, "-"),
            (28, "queue_timeout"),
            (29, "queue_timeout"),
            (30, "queue_timeout"),
        ]
        assert set(result.requests.query("response_flags == 'queue_timeout'")["status"]) == {503}

    def test_a_worker_that_becomes_free_at_that_very_instant_is_too_late(self, run):
        assert ended_ms(run({"all": [0, 0]}, {"max_wait": "10ms"})) == [(10, "-"), (10, "queue_timeout")]

    def test_at_the_bottom_of_a_stack_too(self, run):
        """Of the six the last comes second; the second, at the bottom, has waited for 25 ms at 26 ms."""
        assert [flags for _, flags in ended_ms(run(SIX, {"discipline": "lifo", "max_wait": "25ms"}))] == [
            "-", "queue_timeout", "queue_timeout", "queue_timeout", "-", "-",
        ]  # fmt: skip

    def test_whose_place_it_was_is_free(self, run):
        """One may wait: the second does until 5 ms, and at 6 ms there is room for another."""
        result = run({"all": [0, 0, 4, 6]}, {"limit": 1, "max_wait": "5ms"})

        assert ended_ms(result) == [(10, "-"), (5, "queue_timeout"), (4, "queue_full"), (20, "-")]

    def test_a_grpc_service_says_that_it_is_unavailable_and_of_a_full_queue_that_it_is_exhausted(self, run):
        result = run({"all": [0, 1, 2]}, {"limit": 1, "max_wait": "5ms"}, protocol="grpc")

        rows = result.requests.sort_values("started_ns")
        assert rows["grpc_status"].tolist() == [0, 14, 8]
        assert set(rows["status"]) == {200}


class TestEarliestDeadlineFirst:
    LOADS = {"hasty": {"timeout": "35ms"}, "patient": {"timeout": "1s"}}  # noqa: RUF012 — nobody changes it

    def test_who_gives_up_first_is_served_first_and_who_never_does_last(self, run):
        arrivals = {"never": [0, 1], "patient": [2, 3], "hasty": [4, 5]}
        result = run(arrivals, {"discipline": "earliest_deadline_first"}, loads=self.LOADS)

        assert ended_ms(result) == [(10, "-"), (60, "-"), (40, "-"), (50, "-"), (20, "-"), (30, "-")]

    def test_with_one_patience_for_all_it_is_first_come_first_served(self, run):
        loads = {"all": {"timeout": "45ms"}}
        plain, urgent = (run(SIX, queue, loads=loads) for queue in ({}, {"discipline": "earliest_deadline_first"}))

        assert plain.requests.equals(urgent.requests)

    def test_who_is_too_late_goes_first_all_the_same_unless_the_service_keeps_deadlines(self, run):
        """Four have 35 ms, and work takes 10: the fourth is taken up at 30 ms and ends at 40, in vain; the patient one after it."""
        arrivals = {"hasty": [0, 0, 0, 0, 0], "patient": [0]}
        plain, keeping = (
            run(arrivals, {"discipline": "earliest_deadline_first"}, loads=self.LOADS, deadline_propagation=keeps)
            for keeps in (False, True)
        )

        assert [end for end, flags in ended_ms(plain) if flags == "-"] == [10, 20, 30, 60]
        assert [end for end, flags in ended_ms(keeping) if flags == "-"] == [10, 20, 30, 50]

    @pytest.mark.parametrize(("tells", "hasty_ms"), [(True, 21), (False, 41)])
    def test_a_callers_callers_deadline_counts_where_the_caller_passes_it_on(self, tmp_path, tells, hasty_ms):
        load = {}
        for name, times, timeout in (("patient", "0\n1\n2\n", "1s"), ("hasty", "3\n", "45ms")):
            (tmp_path / f"{name}.csv").write_text(f"at\n{times}", encoding="utf-8")
            load[name] = {
                "executor": "replay", "file": str(tmp_path / f"{name}.csv"), "unit": "ms", "timeout": timeout, "requests": {"front": 1},
            }  # fmt: skip
        result = ms.load(
            {
                "name": "passed-on",
                "load": load,
                "services": {
                    "front": {"workers": 9, "deadline_propagation": tells, "script": [{"compute": "1ms"}, {"call": "back"}]},
                    "back": {"script": WORK, "queue": {"discipline": "earliest_deadline_first"}},
                },
                "run": {"duration": "1s"},
            }
        ).run()

        assert ended_ms(result)[3] == (hasty_ms, "-")


class TestFair:
    LOADS = {"flood": {"consumer": "acme"}, "modest": {"consumer": "zeta"}}  # noqa: RUF012 — nobody changes it

    def test_consumers_take_turns(self, run):
        result = run({"flood": [0, 1, 2, 3], "modest": [4, 5]}, {"discipline": "fair"}, loads=self.LOADS)

        assert ended_ms(result) == [(10, "-"), (20, "-"), (40, "-"), (60, "-"), (30, "-"), (50, "-")]

    def test_a_flood_cannot_keep_others_out_of_a_full_queue(self, run):
        arrivals = {"flood": [0, 1, 2, 3], "modest": [4, 5]}
        ends = ended_ms(run(arrivals, {"discipline": "fair", "limit": 3}, loads=self.LOADS))
        locked = ended_ms(run(arrivals, {"discipline": {"fair": {"push_out": False}}, "limit": 3}, loads=self.LOADS))

        assert ends == [(10, "-"), (20, "-"), (40, "-"), (4, "pushed_out"), (30, "-"), (5, "queue_full")]
        assert [flags for _, flags in locked] == ["-", "-", "-", "-", "queue_full", "queue_full"]


CONTROLLED = {"controlled_delay": {"target": "4ms", "interval": "25ms"}}


class TestControlledDelay:
    def test_newcomers_to_a_queue_that_stands_are_shed_after_the_target_and_those_before_them_wait_on(self, run):
        """The queue is empty for the last time as the second comes, at 1 ms; so at 30 ms it stands, and at 26 ms it does not yet."""
        result = run({"all": [0, 1, 2, 11, 22, 26, 30]}, {"shed": CONTROLLED})

        assert ended_ms(result) == [(10, "-"), (20, "-"), (30, "-"), (40, "-"), (50, "-"), (60, "-"), (34, "shed")]

    def test_with_lifo_a_newcomer_is_served_within_the_target_or_not_at_all(self, run):
        result = run({"all": [0, 1, 2, 11, 22, 27, 38]}, {"discipline": "lifo", "shed": CONTROLLED})

        assert ended_ms(result) == [(10, "-"), (26, "shed"), (20, "-"), (30, "-"), (47, "shed"), (40, "-"), (50, "-")]

    @pytest.mark.parametrize(
        ("longest", "flag", "end"), [("3ms", "queue_timeout", 4), ("25ms", "queue_timeout", 26), ("26ms", "shed", 26)]
    )
    def test_the_shorter_of_its_limit_and_of_max_wait_counts_and_max_wait_where_they_are_alike(self, run, longest, flag, end):
        queue = {"discipline": "lifo", "shed": CONTROLLED, "max_wait": longest}

        assert ended_ms(run({"all": [0, 1, 9, 19]}, queue))[1] == (end, flag)


def test_the_time_in_the_queue_is_conserved_whoever_leaves_it_and_how(run):
    """What the counters integrate is what the rows say: also of those refused, pushed out, shed, and of those whose callers have gone."""
    times = [number * 3 for number in range(60)]
    queues = [
        {"discipline": "lifo", "max_wait": "40ms"},
        {"discipline": {"priority": {"push_out": True}}, "limit": 4, "max_wait": "60ms"},
        {"discipline": {"adaptive_lifo": {"switch_threshold": 2}}, "shed": "codel"},
        {"discipline": "lifo", "shed": {"controlled_delay": {"target": "5ms", "interval": "30ms"}}},
    ]
    for queue in queues:
        loads = {"a": {**CLASSES["batch"], "timeout": "50ms"}, "b": CLASSES["users"]}
        result = run({"a": times, "b": [time + 1 for time in times[::2]]}, queue, loads=loads, on_cancel="drop_queued")
        rows = result.attempts
        left_ns = rows["started_ns"].where(rows["started_ns"] >= 0, rows["finished_ns"])
        assert result.counters["queued_ns"].sum() == (left_ns - rows["arrived_ns"]).sum() > 0
        assert {"queue_timeout", "pushed_out", "shed", "DC"} & set(result.requests["response_flags"])


CALLING = {
    "async": True,
    "script": [{"compute": "10ms"}, {"call": "back"}, {"compute": "10ms"}],
    "others": {"back": {"workers": 9, "script": [{"compute": "1ms"}]}},
}
"""A service whose worker is free while it calls another one."""


class TestPairs:
    def test_on_cancel_drop_queued_takes_who_has_gone_out_of_any_queue(self, run):
        """The second gives up at 6 ms: the place is free for the fourth, and the third, who came later, is next."""
        loads = {"hasty": {"timeout": "5ms"}}
        result = run(
            {"patient": [0, 2, 7], "hasty": [1]}, {"discipline": "lifo", "limit": 2}, loads=loads, on_cancel="drop_queued"
        )

        assert ended_ms(result) == [(10, "-"), (6, "DC"), (30, "-"), (20, "-")]
        assert result.attempts["worked_ns"].sum() == 30 * MS

    def test_by_default_who_has_gone_is_worked_on_when_his_turn_comes_and_may_run_out_of_time(self, run):
        loads = {"hasty": {"timeout": "5ms"}}
        worked, refused = (
            run({"patient": [0, 2], "hasty": [1]}, {"discipline": "lifo", **more}, loads=loads)
            for more in ({}, {"max_wait": "15ms"})
        )

        assert worked.attempts["wasted_ns"].sum() == 10 * MS
        assert refused.attempts["wasted_ns"].sum() == 0

    def test_with_deadline_propagation_who_is_too_late_costs_no_work_whatever_the_order(self, run):
        loads = {"hasty": {"timeout": "5ms"}}
        result = run({"patient": [0, 2], "hasty": [1]}, {"discipline": "lifo"}, loads=loads, deadline_propagation=True)

        assert result.attempts["worked_ns"].sum() == 20 * MS

    @pytest.mark.parametrize("limit", [{"max_wait": "15ms", "limit": 3}, {"shed": {"max_wait": {"limit": "15ms"}}}])
    def test_a_request_that_goes_on_after_a_call_stands_in_the_same_line_and_is_never_refused(self, run, limit):
        """The worker is free during the call of 1 ms; then the first request waits below all others from 11 to 70 ms, and is served."""
        result = run({"all": [0, 9, 12, 22]}, {"discipline": "lifo", **limit}, **CALLING)

        assert ended_ms(result) == [(80, "-"), (70, "-"), (50, "-"), (60, "-")]

    def test_nobody_takes_the_place_of_a_request_that_goes_on_after_a_call(self, run):
        """The batch request waits again from 11 ms on, and fills the queue: the users' second and third find no place."""
        queue = {"limit": 1, "discipline": {"priority": {"push_out": True}}}
        result = run({"batch": [0], "users": [5, 12, 13]}, queue, loads=CLASSES, **CALLING)

        assert ended_ms(result) == [(30, "-"), (40, "-"), (12, "queue_full"), (13, "queue_full")]

    def test_a_crash_empties_any_queue(self, run):
        fault = {"at": "15ms", "for": "10ms", "service": "server", "crash": True}
        result = run({"all": [0, 1, 2, 3, 40]}, {"discipline": "lifo", "max_wait": "1s"}, faults=[fault])

        assert ended_ms(result) == [(10, "-"), (15, "UC"), (15, "UC"), (15, "UC"), (50, "-")]

    def test_who_leaves_without_a_worker_counts_as_an_answer_for_outlier_detection(self, tmp_path):
        file = tmp_path / "at.csv"
        file.write_text("at\n" + "".join(f"{number}\n" for number in range(40)), encoding="utf-8")
        outliers = {"consecutive_5xx": 3, "interval": "10s", "base_ejection_time": "1s", "max_ejection_percent": "100%"}
        result = ms.load(
            {
                "name": "ejected",
                "deployment": "none",
                "load": {"all": {"executor": "replay", "file": str(file), "unit": "ms", "requests": {"server": 1}}},
                "direct": {"traffic": {"server": {"outlier_detection": outliers, "healthy_panic_threshold": "0%"}}},
                "services": {"server": {"script": WORK, "queue": {"max_wait": "5ms"}}},
                "run": {"duration": "1s"},
            }
        ).run()

        assert result.destinations["ejections"].sum() == 1
        assert "UH" in set(result.requests["response_flags"])
