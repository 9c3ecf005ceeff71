from __future__ import annotations

import pandas as pd
import pytest

from mltasks.render import highlights
from mltasks.render.highlights import Point


def table(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["subject", "reason", "example_task_id"]).astype("str")
    return frame.assign(report="failures", row=frame["subject"])


def test_a_point_is_a_sentence_that_names_a_task_and_its_row() -> None:
    (point,) = highlights.find_points(table(("A / B", "3 failed in a row", "id-1")))
    assert point[:4] == ("A / B: 3 failed in a row", "id-1", "failures", "A / B")
    assert (point.subject, point.reason, point.command) == ("A / B", "3 failed in a row", "")
    assert point.sentence() == "A / B: 3 failed in a row; task id-1"


def test_without_a_task_and_without_the_report_there_is_less_to_say() -> None:
    (point,) = highlights.find_points(table(("A", "nothing created", None)))
    assert point.sentence() == "A: nothing created"
    assert highlights.find_points(None) == []
    assert highlights.find_points(table()) == []


def test_a_long_subject_is_cut_and_a_hostile_one_harmless() -> None:
    (point,) = highlights.find_points(table(("x" * 200, "new", None)))
    assert point.text == f"{'x' * 120}...: new"
    (point,) = highlights.find_points(table(("\x1b[31m\n", "new", None)))
    assert point.text == r"\x1b[31m\n: new"


@pytest.mark.parametrize(("said", "shown"), [("abcdef", [*"abcdef"]), ("abcdefgh", [*"abcde", "and 3 more"])])
def test_what_does_not_fit_is_counted_and_one_more_is_shown(said: str, shown: list[str]) -> None:
    assert [point.text for point in highlights.cut([Point(text) for text in said], "more")] == shown


def test_the_place_of_a_row_is_the_same_wherever_it_is_asked_for_and_holds_nothing_of_the_data() -> None:
    place = highlights.anchor("failures", '"><script>')
    assert place == highlights.anchor("failures", '"><script>') != highlights.anchor("errors", '"><script>')
    assert place.removeprefix("failures-").isalnum()
