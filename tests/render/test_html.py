from __future__ import annotations

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.exceptions import UsageError
from mltasks.render.cells import one_line
from mltasks.render.page import Page
from mltasks.reports.registry import REPORTS
from mltasks.reports.report_info import with_info
from support.views import ALPHABET, HOSTILE, failures, info, obeyed, times

MARK = "zqx"  # in a text of the data, and nowhere else


class Seen(HTMLParser):
    """What a browser makes of a page: elements, attributes, texts by the element that they are in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.other: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "path", "use", "rect"):
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return mltasks.report(mltasks.load("demo")).html()


@pytest.fixture(scope="module")
def seen(page: str) -> Seen:
    return Seen(page)


def made(names: list[str]) -> Page:
    said = info(report="failures", keys=["task_type"], sources=names, notes=[*names, *names])
    never = failures(names).assign(completed=0, failed=3, failures_in_a_row=3, cancelled=0)
    return Page({"highlights": points(names), "failures": with_info(never, said)})


def points(names: list[str]) -> pd.DataFrame:
    """Return the report `highlights` with a row for each name."""
    frame = pd.DataFrame({"subject": pd.Series(names, dtype="str"), "reason": "3 failed", "report": "failures"})
    frame = frame.assign(row=frame["subject"], kind="failing", example_task_id=frame["subject"])
    return with_info(frame, info(report="highlights", keys=["kind", "subject"]))


def test_the_page_begins_with_what_it_covers_and_what_needs_attention(page: str, seen: Seen) -> None:
    assert seen.texts["p"][0].startswith("552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all), as of ")
    assert seen.texts["h2"][0] == "2 things need attention"
    assert seen.texts["h2"][1:] == [each.title for each in REPORTS.values() if each.on_page]
    assert seen.texts["a"] == [
        "DEPLOY_MODEL / KMEANS, LOGISTIC_REGRESSION, FIT_RCF, BATCH_RCF, LINEAR_REGRESSION: "
        "38 failed and none succeeded since 2026-11-24 21:59 UTC: Method is not implemented",
        "DEPLOY_MODEL / TEXT_EMBEDDING: "
        "11 failed and none succeeded since 2026-11-24 21:57 UTC: Offline model is enabled.",
    ]
    assert seen.texts["code"] == ["tYucD6IBgq5QguZjITe0", "3tWbD6IBQik9Ua0C9v9E"]
    assert page.index("DEPLOY_MODEL / KMEANS, ") < page.index("<table>")


def test_each_report_has_one_table_with_small_figures_in_its_rows(seen: Seen) -> None:
    reports = [each.name for each in REPORTS.values() if each.on_page]
    assert [seen.elements.count(tag) for tag in ("section", "table")] == [len(reports), len(reports)]
    rows = {"failures": 19, "durations": 19, "workers": 3, "errors": 20, "models": 50}  # the first 50 of 66
    rows |= {"unfinished": 33, "timeline": 21}
    assert seen.elements.count("tr") == sum(1 + rows[name] for name in reports)
    assert "the first 50 of 66 rows; mltasks models shows all" in seen.texts["p"]
    assert seen.elements.count("svg") == 18 + 12 + 3 + 1  # rates, medians, rates of nodes by row; when


def test_a_note_of_several_reports_is_said_once(seen: Seen) -> None:
    assert sum("rates are over recorded tasks" in text for text in seen.texts["li"]) == 1


def test_the_footer_says_which_version_made_it_when_and_from_what(seen: Seen) -> None:
    version = re.escape(metadata.version("mltasks"))
    said = rf"Made by mltasks {version} on \d{{4}}-\d\d-\d\d \d\d:\d\d UTC from ml-fixture: 552 tasks\."
    assert re.fullmatch(said, seen.texts["p"][-1])


def test_the_page_stands_alone(page: str, seen: Seen) -> None:
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(seen.elements)
    (script,) = seen.texts["script"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert ("content", policy) in seen.attributes
    addresses = set(re.findall(r"https?://[^\"' <]+", page)) - {"http://127.0.0.1:8089/nothing.zip"}  # an error's text
    assert addresses == set()
    assert "@import" not in page
    assert all(value.startswith("#") for name, value in seen.attributes if name in ("href", "xlink:href", "src"))
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "url(" not in page


def test_an_id_is_there_once_and_what_is_referred_to_is_there(seen: Seen) -> None:
    ids = [value for name, value in seen.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in seen.attributes if name in ("href", "xlink:href")} <= set(ids)
    assert sum(name == "href" for name, _ in seen.attributes) == 2


def test_a_point_leads_to_its_row_or_to_the_report_where_the_row_is_not_on_the_page() -> None:
    names = [f"{n:02}" for n in range(60)]
    frame = failures(names).assign(completed=0, failed=range(60, 0, -1), failures_in_a_row=3, cancelled=0)
    said = info(report="failures", keys=["task_type"])
    html = Page({"highlights": points(["00", "59"]), "failures": with_info(frame, said)}).html()
    found = Seen(html)
    first, last = (value for name, value in found.attributes if name == "href")
    assert last == "#failures"  # the table has the first 50 rows
    assert re.search(rf'<tr id="{first[1:]}"><td class="word"[^>]*>00</td>', html)


@settings(deadline=None, max_examples=8, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.text(ALPHABET, max_size=12), st.text(ALPHABET, max_size=12)), min_size=8, max_size=8))
def test_no_element_and_no_attribute_comes_from_the_data(pairs: list[tuple[str, str]]) -> None:
    names = [f"{before}{MARK}{n}{after}" for n, (before, after) in enumerate(pairs)]
    found, plain = Seen(made(names).html()), Seen(made([f"{MARK}{n}" for n in range(8)]).html())
    assert {*found.elements} == {*plain.elements}
    for tag in ("script", "table", "tr", "td", "li", "p", "h2", "svg", "style"):
        assert found.elements.count(tag) == plain.elements.count(tag)
    assert {name for name, _ in found.attributes} == {name for name, _ in plain.attributes}
    assert not [pair for pair in found.attributes if MARK in "".join(pair)]
    assert not found.other
    assert found.texts["td"][:: len(found.texts["td"]) // 8] == [one_line(name) for name in names]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is_and_harmless(name: str) -> None:
    html = made([name]).html()
    found = Seen(html)
    assert found.texts["td"][0] == one_line(name)
    shown = name if len(name) <= 120 else f"{name[:120]}..."
    assert found.texts["a"][0] == f"{one_line(shown)}: 3 failed"
    assert found.texts["li"][-1] == one_line(name)
    assert obeyed(html) <= {"\n"}


def test_missing_values_are_shown_as_missing(seen: Seen) -> None:
    cells = seen.texts["td"]
    place = cells.index("BATCH_PREDICTION")  # 27 open tasks, and nothing else of that function
    row = cells[place : place + len(REPORTS["failures"].columns) + 1]  # two keys and a bar more, two ends less
    assert (row[:3], row.count("27"), row.count("–")) == (["BATCH_PREDICTION", "REMOTE", "27"], 2, 5)


def test_a_page_of_no_tasks_is_a_sentence() -> None:
    nothing = info(report="failures", keys=["task_type"], tasks=0, first_ms=None, last_ms=None, as_of_ms=None)
    found = Seen(Page({"failures": with_info(failures([]), nothing)}).html())
    assert found.texts["p"][0] == "0 tasks of somewhere: there is nothing to report (all)"
    assert found.texts["p"][1] == "There is no task, and so nothing to report."
    assert "table" not in found.elements


def test_a_page_on_which_nothing_stands_out_says_so() -> None:
    calm = failures(["A"]).assign(failed=0, failing_since=times(None), failures_in_a_row=0)
    said = info(report="failures", keys=["task_type"])
    found = Seen(Page({"highlights": points([]), "failures": with_info(calm, said)}).html())
    assert found.texts["li"] == ["Nothing found that needs attention."]


def test_a_page_is_saved_whole_and_overwritten_only_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    made(["A"]).save(path)
    before = path.read_text(encoding="utf-8")
    assert before.endswith("</html>\n")
    with pytest.raises(UsageError, match=r"report\.html: exists already"):
        made(["B"]).save(path)
    assert path.read_text(encoding="utf-8") == before
    made(["B"]).save(path, force=True)
    assert ">B</td>" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_notebook_shows_the_page() -> None:
    fragment = made(["A"])._repr_html_()
    assert fragment.startswith('<div class="mltasks">')
    assert not {"html", "head", "body"} & {*Seen(fragment).elements}
    style = fragment[fragment.index("<style>") + len("<style>") : fragment.index("</style>")]
    assert re.fullmatch(r"\s*\.mltasks \{.*\}\s*", style, re.DOTALL)  # every rule stands within this one
    inner = style.strip().removeprefix(".mltasks {").removesuffix("}")
    depths = list(itertools.accumulate((c == "{") - (c == "}") for c in inner))
    assert min(depths) == 0
