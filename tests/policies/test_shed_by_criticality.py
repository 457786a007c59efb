"""Load shedding by criticality: who goes first, and when."""

from __future__ import annotations

import pytest
from asking import Request

from meshsim.flags import Flag
from meshsim.policies.filters import Decision, ShedByCriticality, Surroundings, Verdict
from meshsim.randomness import Draw
from meshsim.registry import SettingError

NAMES = ("critical_plus", "critical", "sheddable_plus", "sheddable")


def shed(*loads, **settings):
    """Which classes are shed after such readings."""
    made = ShedByCriticality(**{"decay": 0.0, **settings})
    made.check()
    made = made.build(around=Surroundings())
    for load in loads:
        made.load(load)
    return [name for rank, name in enumerate(NAMES) if made.judge(0, Request(criticality=rank), Draw()).status]


def test_the_less_important_goes_first():
    assert shed() == shed(0.8) == []
    assert shed(0.81) == ["sheddable"]
    assert shed(1.01) == ["sheddable_plus", "sheddable"]
    assert shed(1.21) == ["critical", "sheddable_plus", "sheddable"]
    assert shed(2.01) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_threshold_is_its_own(name):
    thresholds = dict.fromkeys(NAMES, 3.0)
    rank = NAMES.index(name)

    lower = {each: 1.0 if place >= rank else 3.0 for place, each in enumerate(NAMES)}
    assert shed(2.0, **thresholds) == []
    assert shed(2.0, **lower) == list(NAMES[rank:])


def test_raising_a_threshold_sheds_less():
    high = {"critical_plus": 9.0, "critical": 9.0, "sheddable_plus": 9.0}

    assert shed(1.0, sheddable=0.9, **high) == ["sheddable"]
    assert shed(1.0, sheddable=1.1, **high) == []
    assert shed(1.1, sheddable_plus=1.0) == ["sheddable_plus", "sheddable"]
    assert shed(1.1, sheddable_plus=1.2, critical=1.2) == ["sheddable"]
    assert shed(1.3, critical=1.2) == ["critical", "sheddable_plus", "sheddable"]
    assert shed(1.3, critical=1.4) == ["sheddable_plus", "sheddable"]
    assert shed(2.1, critical_plus=2.0) == list(NAMES)
    assert shed(2.1, critical_plus=2.2) == list(NAMES[1:])


def test_what_is_shed_gets_503():
    made = ShedByCriticality(decay=0.0).build(around=Surroundings())
    made.load(5.0)

    assert made.judge(0, Request(criticality=3), Draw()) == Verdict(503, Flag.shed, decision=Decision.SHED)


def test_a_spike_passes_and_a_load_that_stays_does_not():
    """With a decay of one half a single reading of 1.5 counts for 0.75, the second for 1.125."""
    assert shed(1.5, decay=0.5) == []
    assert shed(1.5, 1.5, decay=0.5) == ["sheddable_plus", "sheddable"]
    assert shed(1.5, 1.5, 0.0, decay=0.5) == []
    assert shed(1.5, 1.5, decay=0.9) == []


def test_each_proxy_has_a_load_of_its_own():
    settings = ShedByCriticality()
    busy, idle = settings.build(around=Surroundings()), settings.build(around=Surroundings())
    for _ in range(9):
        busy.load(9.0)

    assert busy.judge(0, Request(), Draw()).status == 503
    assert idle.judge(0, Request(), Draw()).status == 0


def test_the_interval_is_for_whoever_reads_the_load():
    assert ShedByCriticality().interval == 100_000_000
    assert ShedByCriticality(interval="1s").interval == 1_000_000_000


def test_mistakes():
    for settings in ({"sheddable": 3.0}, {"critical": 2.5}, {"interval": "0s"}, {"decay": 1.0}):
        with pytest.raises(SettingError):
            ShedByCriticality(**settings).check()
