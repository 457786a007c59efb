"""Messages are one line that a terminal may safely show, whatever a scenario says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshsim.errors import LONGEST_MESSAGE, Mistake, ScenarioError, printable
from meshsim.scenario.load import load


@given(st.text(st.characters(exclude_categories=())))
def test_a_message_is_one_line_of_printable_text_that_utf8_can_hold(text: str) -> None:
    shown = str(Mistake("a.yaml", 1, 2, text, text))

    assert len(shown.splitlines()) == 1
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in shown)
    assert shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with an \u2013 and an \u00e4", "plain, with an \u2013 and an \u00e4"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("two\nlines\tand a tab\r", "two\\nlines\\tand a tab\\r"),
        ("turned \u202e round", "turned \\u202e round"),
        ("half \ud83d a smile", "half \\ud83d a smile"),
    ],
)
def test_what_moves_the_cursor_or_cannot_be_encoded_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_value_of_200_kb_does_not_fill_the_terminal() -> None:
    text = printable("x" * 200_000)

    assert len(text) < LONGEST_MESSAGE + 10
    assert " ... " in text


def test_a_dict_with_half_a_character_in_it_is_a_mistake_and_no_traceback() -> None:
    with pytest.raises(ScenarioError) as caught:
        load({"name": "x", "services": {"a\ud800": {"script": [{"call": "\udfff"}]}}})

    assert str(caught.value).splitlines() == [
        "scenario: a character that is no text (U+D800) in 'a\\ud800'",
        "scenario: a character that is no text (U+DFFF) in '\\udfff'",
    ]
