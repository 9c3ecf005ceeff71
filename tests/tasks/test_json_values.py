from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.tasks import json_values
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.read_column import READERS
from mltasks.tasks.schema import Kind

HALF = "\ud800"
MS = 1_700_000_000_000

READABLE: list[tuple[Kind, Any, Any]] = [
    ("text", "a", "a"),
    ("text", "", ""),
    ("text", None, None),
    ("text", 7, "7"),
    ("text", 1.5, "1.5"),
    ("text", True, "true"),
    ("text", ["a", 1], '["a",1]'),
    ("text", {"a": {"b": None}}, '{"a":{"b":null}}'),
    ("text", 2**70, str(2**70)),
    ("json", {"a": 1}, '{"a":1}'),
    ("json", '{"a": 1}', '{"a": 1}'),
    ("json", [1], "[1]"),
    ("json", None, None),
    ("nodes", None, []),
    ("nodes", "", []),
    ("nodes", "a", ["a"]),
    ("nodes", "a,b", ["a", "b"]),
    ("nodes", " a , b,", ["a", "b"]),
    ("nodes", ["a", "b"], ["a", "b"]),
    ("nodes", ["a", None, ""], ["a"]),
    ("nodes", ["a,b", "c"], ["a", "b", "c"]),
    ("nodes", [], []),
    ("nodes", 7, ["7"]),
    ("nodes", [7, "a"], ["7", "a"]),
    ("time", MS, MS),
    ("time", None, None),
    ("time", 0, 0),
    ("time", -1, -1),
    ("time", float(MS), MS),
    ("time", str(MS), MS),
    ("time", "2023-11-14T22:13:20Z", MS),
    ("time", "2023-11-14T22:13:20", MS),
    ("time", "2023-11-14 22:13:20.000+00:00", MS),
    ("time", " 2023-11-14T23:13:20.000+0100 ", MS),
    ("time", "2023-11-14", MS - (22 * 3600 + 13 * 60 + 20) * 1000),
    ("time", "0001-01-01", json_values.FIRST_MS),
    ("time", json_values.LAST_MS, json_values.LAST_MS),
    ("flag", True, True),
    ("flag", False, False),
    ("flag", "true", True),
    ("flag", " False ", False),
    ("flag", None, None),
    ("number", 1, 1.0),
    ("number", "0.5", 0.5),
    ("number", None, None),
    ("integer", 7, 7),
    ("integer", "7", 7),
    ("integer", 7.0, 7),
    ("integer", 2**63 - 1, 2**63 - 1),
    ("integer", -(2**63), -(2**63)),
    ("integer", None, None),
]
UNREADABLE: list[tuple[Kind, Any, Any]] = [
    ("text", f"a{HALF}b", "a\ufffdb"),
    ("json", f"{HALF}", "\ufffd"),
    ("nodes", {"a": 1}, []),
    ("nodes", ["a", {"b": 1}, ["c"]], ["a"]),
    ("nodes", [f"a{HALF}"], ["a\ufffd"]),
    ("time", 10**20, None),
    ("time", -(10**20), None),
    ("time", json_values.LAST_MS + 1, None),
    ("time", "0001-01-01T00:00+10:00", None),
    ("time", "yesterday", None),
    ("time", "1.7e12", None),
    ("time", "", None),
    ("time", True, None),
    ("time", 1.5, None),
    ("time", [MS], None),
    ("time", {"ms": MS}, None),
    ("flag", "yes", None),
    ("flag", 1, None),
    ("flag", [True], None),
    ("number", "many", None),
    ("number", "NaN", None),
    ("number", "1e999", None),
    ("number", 10**400, None),
    ("number", True, None),
    ("number", [1], None),
    ("integer", 2**63, None),
    ("integer", 1.5, None),
    ("integer", "x", None),
    ("integer", True, None),
    ("integer", 2.0**60, None),
]


@pytest.mark.parametrize(("kind", "value", "cell"), READABLE)
def test_a_value_of_a_known_shape_is_read(kind: Kind, value: Any, cell: Any) -> None:
    assert READERS[kind](value) == (cell, True)


@pytest.mark.parametrize(("kind", "value", "cell"), UNREADABLE)
def test_a_value_of_no_known_shape_is_unreadable(kind: Kind, value: Any, cell: Any) -> None:
    assert READERS[kind](value) == (cell, False)


def test_a_tally_counts_every_value_and_keeps_the_first_as_the_sample() -> None:
    tally = UnreadableCounts()
    tally.unreadable("create_time", "a", "soon\n")
    tally.unreadable("create_time", "b", "later")
    assert tally.counts == {"create_time": 2}
    assert tally.samples == {"create_time": "task a: 'soon\\n'"}


def test_tallies_add_up_and_keep_the_earlier_sample() -> None:
    first, second = UnreadableCounts(), UnreadableCounts()
    first.unreadable("state", "a", 1)
    second.unreadable("state", "b", 2)
    second.unreadable("error", "c", 3)
    first.add(second)
    assert first.counts == {"state": 2, "error": 1}
    assert first.samples == {"state": "task a: '1'", "error": "task c: '3'"}


def test_a_sample_is_short_and_one_printable_line() -> None:
    tally = UnreadableCounts()
    tally.unreadable("error", "a", "\x1b[31m\n" + "x" * 10_000 + HALF)
    assert len(tally.samples["error"]) < 100
    assert tally.samples["error"].isprintable()


@pytest.mark.parametrize("text", [None, "", "[1]", "7", "nonsense", '{"a":', "[" * 100_000])
def test_what_is_no_json_object_parses_to_an_empty_one(text: str | None) -> None:
    assert json_values.parse_object(text) == {}


def test_bytes_that_are_no_utf_8_become_escapes_that_stand_for_them() -> None:
    text = json_values.verbatim(b'{"a":"\xff","b":"\xc3\xa9"}')
    assert text == '{"a":"\\udcff","b":"é"}'
    assert json.loads(text)["a"].encode("utf-8", "surrogateescape") == b"\xff"


@given(st.text(st.characters(categories=None)))
def test_the_json_text_of_any_string_can_be_written_and_reads_back(value: str) -> None:
    text = json_values.json_text(value)
    assert text is not None
    assert json.loads(text.encode("ascii")) == value
