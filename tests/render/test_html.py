from __future__ import annotations

import base64
import hashlib
import itertools
import json
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
from mltasks.reports.report_info import with_info
from support import generated
from support.views import ALPHABET, HOSTILE, failures, info, obeyed, times

INCIDENT = Path(__file__).parents[2] / "notebooks" / "incident.parquet"
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
        if tag == "wbr":  # shows nothing: a place where a long word may be broken
            return
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
def demo_twice() -> Page:
    tasks = mltasks.load("demo")
    both = pd.concat([tasks, tasks.assign(cluster="other")], ignore_index=True)
    both.attrs = tasks.attrs
    return mltasks.report(both)


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


SECTIONS = [
    *("When", "Unfinished", "Errors", "Functions", "Models that are not up", "Nodes"),
    *("The slowest tasks", "The latest failures"),
]


def test_the_page_begins_with_what_it_covers_a_verdict_and_what_needs_attention(page: str, seen: Seen) -> None:
    assert seen.texts["p"][0].startswith("552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all), as of ")
    assert seen.texts["h2"] == ["49 tasks failed where none ever succeeded.", *SECTIONS, "Notes"]
    subject, to_error, other, to_other_error, *_ = seen.texts["a"]
    assert subject == "DEPLOY_MODEL / KMEANS, LOGISTIC_REGRESSION, FIT_RCF, BATCH_RCF, LINEAR_REGRESSION"
    assert (to_error, other, to_other_error) == ("the error", "DEPLOY_MODEL / TEXT_EMBEDDING", "the error")
    assert seen.texts["li"][0].strip().startswith(": 38 failed and none succeeded since 2026-11-24 21:59 UTC: Method")
    assert "Predict with it without deploying it; do not deploy trained models. " in seen.texts["span"]
    assert seen.texts["code"][:2] == [
        "mltasks failures demo --task-type DEPLOY_MODEL "
        "--function-name KMEANS,LOGISTIC_REGRESSION,FIT_RCF,BATCH_RCF,LINEAR_REGRESSION --by task_type",
        "tYucD6IBgq5QguZjITe0",
    ]
    assert page.index('class="subject"') < page.index('class="tiles"') < page.index("<table>")


def test_numbers_stand_above_the_sections_that_they_lead_to(page: str) -> None:
    number = r'<a href="#(\w+)"><span class="label">(.+?)</span> <span class="value.*?">(.+?)</span>'
    tiles = re.findall(number, page)
    assert tiles == [
        ("timeline", "tasks", "552"),
        ("errors", "failed", "156"),
        ("unfinished", "open", "33"),
        ("unfinished", "lost", "?"),
        ("failures", "p95 duration", "16.3s"),
        ("workers", "nodes", "3"),
    ]


def test_the_line_of_numbers_says_why_it_does_not_know_how_many_are_lost(seen: Seen) -> None:
    (caption,) = [text for text in seen.texts["p"] if "no change of these numbers is shown" in text]
    assert "; lost is not known: when the nodes of ml-fixture were started is not part of what was read: " in caption


def test_a_section_has_one_table_with_small_figures_in_its_rows(seen: Seen) -> None:
    assert [seen.elements.count(tag) for tag in ("section", "table")] == [len(SECTIONS) + 1, len(SECTIONS)]
    rows = {"failures": 19, "workers": 3, "errors": 20, "models": 15, "unfinished": 2, "timeline": 21, "tasks": 20}
    assert seen.elements.count("tr") == len(SECTIONS) + sum(rows.values())
    assert "15 of 43; all: mltasks models demo" in seen.texts["p"]
    rates, medians, strips, shares, of_nodes = 18, 18 - 6, 20, 3, 3
    assert seen.elements.count("svg") == rates + medians + strips + shares + of_nodes + 2  # the bars and their scale


def test_what_to_do_about_open_tasks_is_said_once_for_all_that_need_the_same() -> None:
    made = mltasks.report(INCIDENT, as_of="2026-11-21")
    page, text = made.html(), made.markdown()
    unfinished = re.search(r'<section id="unfinished">.*?</section>', page, re.DOTALL)
    assert unfinished is not None
    remedy = "start the task again: no node works on it any more, so that nothing will end it"
    assert unfinished[0].count('<span class="badge bad">lost</span>') == 1 + 3  # what to do, and a row a function
    assert (unfinished[0].count(remedy), unfinished[0].count('<span class="count">4 tasks</span>')) == (1, 1)
    assert unfinished[0].count("node-c started 2026-11-20 22:41:07") == 2 * 3  # in the row, and in what opens with it
    first, second = re.findall(r"<li>.*?</li>", page, re.DOTALL)[:2]  # of the verdict
    assert re.findall(r'class="subject"[^>]*>(.*?)</a>', first) == ["TRAINING", "AGENT_<wbr>EXECUTION"]
    assert (first.count("no node works on it any more"), first.count('class="command"')) == (1, 2)
    assert "rejected execution of" in second
    assert text.count("what to do: Start the task again") == 1
    assert '<i class="mark"></i>node-c started 2026-11-20 22:41:07 UTC</span>' in page  # which node, and when
    assert len(text) < 4000


def test_the_axis_of_the_bars_has_whole_tasks_and_round_times(page: str) -> None:
    labels = re.findall(r'<text [^>]*y="[^"]+"[^>]*>(.+?)</text>', page)
    assert labels == ["0", "50", "100", "21:55", "22:00", "22:05", "22:10", "22:15"]


def test_what_could_not_be_looked_at_stands_below_what_was_found(page: str) -> None:
    verdict = page[page.index('<section class="verdict') : page.index("</section>")]
    (untold,) = re.findall(r'<ul class="untold".*?</ul>', verdict, re.DOTALL)
    assert re.findall(r"<li>(.*?)</li>", untold) == [
        "new errors cannot be told: tasks of less than two days are known",
        "whether some models are down cannot be told: the index of models is not part of what was read",
    ]  # that lost tasks cannot be told says the line of numbers
    assert page.count("whether some models are down cannot be told") == 1
    assert ">status<" not in page  # of errors of which nobody knows whether they are new


def test_a_note_of_several_reports_is_said_once(seen: Seen) -> None:
    assert sum("rates are over recorded tasks" in text for text in seen.texts["li"]) == 1


def test_the_footer_says_which_version_made_it_when_and_from_what(seen: Seen) -> None:
    version = re.escape(metadata.version("mltasks"))
    said = rf"Made by mltasks {version} on \d{{4}}-\d\d-\d\d \d\d:\d\d UTC from ml-fixture: 552 tasks\."
    assert re.fullmatch(said, seen.texts["p"][-2])
    assert seen.texts["code"][-1] == "mltasks report demo -o report.html"


def test_the_page_stands_alone(page: str, seen: Seen) -> None:
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(seen.elements)
    (script,) = seen.texts["script"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert ("content", policy) in seen.attributes
    addresses = set(re.findall(r"https?://[^\"' <]+", page.replace("<wbr>", ""))) - {
        "http://127.0.0.1:8089/nothing.zip"
    }  # an error's text
    assert addresses == set()
    assert "@import" not in page
    assert all(value.startswith("#") for name, value in seen.attributes if name in ("href", "xlink:href", "src"))
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert {*re.findall(r"url\((.)", page)} == {"#"}


def test_an_id_is_there_once_and_what_is_referred_to_is_there(seen: Seen) -> None:
    ids = [value for name, value in seen.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in seen.attributes if name in ("href", "xlink:href")} <= set(ids)
    assert sum(name == "href" for name, _ in seen.attributes) == 4 + 6 + len(SECTIONS)


def test_a_point_leads_to_its_row_or_to_the_report_where_the_row_is_not_on_the_page() -> None:
    names = [f"{n:02}" for n in range(60)]
    frame = failures(names).assign(completed=0, failed=range(60, 0, -1), failures_in_a_row=3, cancelled=0)
    said = info(report="failures", keys=["task_type"])
    html = Page({"highlights": points(["00", "59"]), "failures": with_info(frame, said)}).html()
    found = Seen(html)
    first, last, to_section = (value for name, value in found.attributes if name == "href")
    assert last == to_section == "#failures"  # the table has the first 50 rows
    assert re.search(rf'<tr id="{first[1:]}"><td class="word"[^>]*><details><summary>00</summary>', html)


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
    assert found.texts["summary"][-8:] == [one_line(name) for name in names]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is_and_harmless(name: str) -> None:
    html = made([name]).html()
    found = Seen(html)
    assert found.texts["summary"] == [one_line(name) if len(name) <= 140 else f"{name[:140]}… (200 letters)"]
    shown = name if len(name) <= 120 else f"{name[:120]}..."
    assert found.texts["a"][0] == one_line(shown)
    assert found.texts["li"][-1] == one_line(name)
    assert obeyed(html) <= {"\n"}


def test_missing_values_are_shown_as_missing(page: str) -> None:
    row = re.findall(r"<tr(?:(?!</tr>).)*?BATCH_<wbr>PREDICTION.*?</tr>", page, re.DOTALL)[
        1
    ]  # the other is of open tasks
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", row)  # 27 open tasks, and nothing else of it
    assert cells[-7:] == ["27", "0", "–", "–", "–", "–", "–"]


def test_a_page_of_no_tasks_is_a_sentence() -> None:
    nothing = info(report="failures", keys=["task_type"], tasks=0, first_ms=None, last_ms=None, as_of_ms=None)
    found = Seen(Page({"failures": with_info(failures([]), nothing)}).html())
    assert found.texts["p"][0] == "0 tasks of somewhere: there is nothing to report (all)"
    assert found.texts["h2"][0] == "There is no task, and so nothing to report."
    assert "table" not in found.elements


def test_models_of_an_index_that_was_not_read_are_not_known_and_not_none() -> None:
    page = mltasks.report(generated.made({}).pandas()).html()
    assert "Not known: the index of models is not part of what was read." in page
    assert 'href="#models">Models that are not up <span>?</span>' in page


def test_a_page_on_which_nothing_stands_out_says_so() -> None:
    calm = failures(["A"]).assign(failed=0, failing_since=times(None), failures_in_a_row=0)
    said = info(report="failures", keys=["task_type"])
    found = Seen(Page({"highlights": points([]), "failures": with_info(calm, said)}).html())
    assert found.texts["h2"][0] == "Nothing found that needs attention."
    assert "ol" not in found.elements
    doubts = info(report="highlights", keys=["kind", "subject"], notes=["new errors cannot be told: too few days"])
    html = Page({"highlights": with_info(points([]), doubts), "failures": with_info(calm, said)}).html()
    assert Seen(html).texts["h2"][0] == "Nothing found that needs attention in what could be looked at."
    assert '<section class="verdict none"' in html


def test_a_page_is_saved_whole_and_overwritten_only_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    made(["A"]).save(path)
    before = path.read_text(encoding="utf-8")
    assert before.endswith("</html>\n")
    with pytest.raises(UsageError, match=r"report\.html: exists already"):
        made(["B"]).save(path)
    assert path.read_text(encoding="utf-8") == before
    made(["B"]).save(path, force=True)
    assert ">B</summary>" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_notebook_shows_the_page() -> None:
    fragment = made(["A"])._repr_html_()
    assert fragment.startswith('<div class="mltasks">')
    assert not {"html", "head", "body"} & {*Seen(fragment).elements}
    style = fragment[fragment.index("<style>") + len("<style>") : fragment.index("</style>")]
    assert re.fullmatch(r"\s*(\.mltasks){3} \{.*\}\s*", style, re.DOTALL)  # every rule stands within this one
    inner = style.strip().removeprefix(".mltasks.mltasks.mltasks {").removesuffix("}")
    depths = list(itertools.accumulate((c == "{") - (c == "}") for c in inner))
    assert min(depths) == 0
    screens = re.findall(r"--text: #e6e9ec", inner), re.findall(r"@media screen \{.*", inner, re.DOTALL)
    assert len(screens[0]) == screens[1][-1].count("--text: #e6e9ec") == 2  # paper is never dark


def test_several_clusters_stand_side_by_side_before_all_else(demo_twice: Page) -> None:
    html = demo_twice.html()
    assert re.findall(r'<section id="(\w+)"', html)[:2] == ["clusters", "timeline"]
    rows = demo_twice.tables["clusters"]
    assert rows[["cluster", "tasks", "failed"]].values.tolist() == [["ml-fixture", 552, 156], ["other", 552, 156]]
    assert rows["lost"].isna().all()  # nobody knows when the nodes were started
    assert rows["new_errors"].isna().all()  # twenty minutes tell of nothing that it is new
    assert (rows["data_age_s"] > 0).all()
    assert len(re.findall(r"<td[^>]*>\d+d\d\dh</td>", html)) == 2


def test_a_column_of_which_no_shown_row_knows_anything_is_left_out(page: str) -> None:
    models = page[page.index('<section id="models">') : page.index('<section id="workers">')]
    headings = re.findall(r"<th [^>]*>(?:<button[^>]*>)?([^<]+)", models)
    assert headings == ["model", "function", "verdict", "deploys", "failed", "last", "failing since"]


def test_a_dash_stands_where_the_numbers_above_it_do_and_not_behind_the_figure(page: str) -> None:
    functions = page[page.index('<section id="failures">') : page.index('<section id="models">')]
    assert len(re.findall(r'<td class="drawn"[^>]*>–</td>', functions)) == 1 + 7  # no rate, and no durations
    assert not re.findall(r'<td class="drawn"[^>]*>[^–]', functions)


def test_the_list_of_sections_counts_open_tasks_and_not_what_is_always_ten(page: str) -> None:
    named = re.findall(r'<a href="#\w+">([^<]+?)(?: <span>([^<]+)</span>)?</a>', page[page.index("<nav") :])
    assert named[: len(SECTIONS)] == [
        *[("When", ""), ("Unfinished", "33"), ("Errors", "20"), ("Functions", "19"), ("Models that are not up", "43")],
        *[("Nodes", "3"), ("The slowest tasks", ""), ("The latest failures", "")],
    ]


def test_what_no_row_of_a_table_shows_has_no_command_and_a_remedy_is_a_sentence() -> None:
    page = mltasks.report(INCIDENT).html()  # read longer ago than a day
    first, second = re.findall(r"<li>.*?</li>", page, re.DOTALL)[:2]
    assert "Read the tasks again before acting" in first
    assert '<code class="command">' not in first
    assert "the server deletes none that is RUNNING.</span>" in second


def test_an_option_in_a_note_is_not_broken_at_its_hyphens(page: str) -> None:
    assert 'choose a beginning, such as <span class="option">--since</span> 7d, to compare' in page


def test_a_page_of_no_tasks_has_no_note_on_tables_that_are_not_there() -> None:
    tasks = mltasks.load("demo")
    found = Seen(mltasks.report(tasks[tasks["task_id"] == "none"]).html())
    assert [text.partition(" is ")[0] for text in found.texts["li"]] == [
        "the task time-out of ml-fixture",
        "as of 2026-11-24T22:15:10.637Z, which",
    ]


def test_markdown_is_short_enough_for_a_chat_and_json_has_everything(demo_twice: Page, tmp_path: Path) -> None:
    text = demo_twice.markdown()
    assert len(text) < 4000
    assert text.startswith("# 98 tasks failed where none ever succeeded")
    assert "| 66 | ? of 66 open |" in text
    assert "| TRAINING | KMEANS | 218 | 98 | 45.0% |" in text
    assert "\n- ? new errors cannot be told: tasks of less than two days are known\n" in text
    demo_twice.save(tmp_path / "report.json")
    whole = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert {*whole["reports"]} == {*demo_twice.tables}
    lost = [row["value"] for row in whole["reports"]["headline"]["rows"] if row["measure"] == "lost"]
    assert lost + [row["lost"] for row in whole["reports"]["clusters"]["rows"]] == [None] * 3
    assert len(whole["reports"]["models"]["rows"]) == len(demo_twice.tables["models"])
    assert whole["verdict"] in text.replace("\\", "")


def test_a_page_for_a_wall_is_read_again_and_nothing_else_is(demo_twice: Page, tmp_path: Path) -> None:
    assert '<meta http-equiv="refresh" content="60">' in demo_twice.html(refresh=60)
    assert 'http-equiv="refresh"' not in demo_twice.html()
    with pytest.raises(UsageError, match=r"^refresh 60 of .*report\.md: a browser reads a \.html page again"):
        demo_twice.save(tmp_path / "report.md", refresh=60)
