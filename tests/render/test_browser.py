"""The page in a real browser, where there is one; with CI=true its absence is a failure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

import mltasks
from support.missing import fail_or_skip
from support.views import HOSTILE

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
SIZES = {"phone": (390, 844), "laptop": (1280, 900)}
WATCH = (
    "addEventListener('securitypolicyviolation', e => document.documentElement.dataset.refused = e.violatedDirective)"
)
OVERFLOW = """() => [document.documentElement.scrollWidth - innerWidth,
  ...[...document.querySelectorAll('.scroll')].map(each => each.scrollWidth - each.clientWidth)]"""
LONGEST = 300_000  # bytes of a page of 60 nodes and 200 errors


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        said = "no chromium on PATH: install it (apt-get install chromium) to look at the page in a browser"
        fail_or_skip(said)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "report.html"
    mltasks.report(mltasks.load("demo")).save(path)
    return path


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 60 nodes with names of 40 letters and 200 errors of hostile texts."""
    hits = []
    for n in range(400):
        word = "".join(chr(97 + n // 2 // 26**place % 26) * 3 for place in range(3))
        source = {
            "state": "FAILED",
            "create_time": 1764021600000 + n * 60_000,
            "last_update_time": 1764021660000 + n * 60_000,
        }
        source |= {"task_type": "TRAINING", "function_name": f"A_FUNCTION_WITH_A_NAME_OF_40_LETTERS_{n % 30:03}"}
        source |= {"worker_node": [f"node-with-a-name-of-forty-letters-{n % 60:06}"]}
        hits.append({"_id": f"{n:020}", "_source": source | {"error": f"{word} {HOSTILE[n // 2 % len(HOSTILE)] * 9}"}})
    path = tmp_path_factory.mktemp("crowded") / "report.html"
    mltasks.report(mltasks.load(hits)).save(path)
    return path


def visit(browser: Browser, path: Path, size: str = "laptop", **more: Any) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, **more)
    page.set_default_timeout(30_000)
    page.add_init_script(WATCH)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_a_phone_and_a_laptop_and_so_does_every_table(browser: Browser, demo: Path, size: str) -> None:
    with visit(browser, demo, size) as page:
        page.evaluate("for (const each of document.querySelectorAll('tr details')) each.open = true")
        assert {*page.evaluate(OVERFLOW)} == {0}
        assert page.locator("#failures td:has(svg.small)").first.is_visible()  # the rate


@pytest.mark.parametrize("size", SIZES)
def test_a_page_of_many_nodes_and_hostile_errors_fits_and_runs_nothing(
    browser: Browser, crowded: Path, size: str
) -> None:
    assert crowded.stat().st_size <= LONGEST
    with visit(browser, crowded, size) as page:
        assert {*page.evaluate(OVERFLOW)} == {0}
        assert page.locator("#errors tbody tr").count() == 50
        assert "50 of 200; all: mltasks errors SOURCE" in page.locator("#errors .caption").first.inner_text()
        assert page.locator("script").count() == 1
        assert page.locator("img").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_read_it(browser: Browser, demo: Path, theme: Any) -> None:
    with visit(browser, demo, color_scheme=theme) as page:
        page.evaluate("for (const each of document.querySelectorAll('#errors details')) each.open = true")
        violations = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:120]) for each in violations] == []


def test_nothing_is_fetched_and_nothing_refused(browser: Browser, demo: Path) -> None:
    with browser.new_page() as page:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.add_init_script(WATCH)
        page.goto(demo.as_uri())
        page.get_by_role("button", name="theme").click()
        assert requests == [demo.as_uri()]
        assert page.evaluate("document.documentElement.dataset.refused ?? ''") == ""


def test_a_heading_sorts_its_table_both_ways(browser: Browser, demo: Path) -> None:
    with visit(browser, demo) as page:
        table = page.locator("#failures table")
        place = [cell.inner_text().strip() for cell in table.locator("th").all()].index("tasks") + 1
        heading = table.locator(f"th:nth-child({place})")
        numbers = f"tbody tr td:nth-child({place})"
        assert heading.get_attribute("aria-sort") is None
        for order in ("descending", "ascending"):
            heading.get_by_role("button").click()
            assert heading.get_attribute("aria-sort") == order
            shown = [int(text) for text in table.locator(numbers).all_inner_texts()]
            assert shown == sorted(shown, reverse=order == "descending")
        function = table.get_by_role("button", name="function", exact=True)
        function.focus()
        page.keyboard.press("Enter")
        names = [text.split()[0] for text in table.locator("tbody tr summary").all_inner_texts()]
        assert names == sorted(names)


def test_a_filter_says_how_many_of_how_many(browser: Browser, demo: Path) -> None:
    with visit(browser, demo) as page:
        section = page.locator("#failures")
        section.get_by_label("filter").fill("kmeans")
        assert section.locator("output").inner_text() == "2 of 19"
        assert section.locator("tbody tr:visible").count() == 2
        section.get_by_label("filter").fill("")
        assert section.locator("tbody tr:visible").count() == 19


def test_the_theme_is_the_systems_until_a_button_says_otherwise(browser: Browser, demo: Path) -> None:
    with visit(browser, demo, color_scheme="light") as page:
        colour = "getComputedStyle(document.querySelector('main')).backgroundColor"
        button = page.locator("button.theme")
        seen = [(button.inner_text(), page.evaluate(colour))]
        for _ in range(3):
            button.click()
            seen.append((button.inner_text(), page.evaluate(colour)))
        light, dark = "rgb(255, 255, 255)", "rgb(20, 23, 26)"
        themes = ["theme: system", "theme: dark", "theme: light", "theme: system"]
        assert seen == list(zip(themes, [light, dark, light, light], strict=True))
        button.click()
        page.reload()
        assert (button.inner_text(), page.evaluate(colour)) == ("theme: dark", dark)


def test_a_row_of_errors_opens_to_the_text_and_what_to_do(browser: Browser, demo: Path) -> None:
    with visit(browser, demo) as page:
        row = page.locator("#errors tbody tr").first
        assert not row.locator("dl").is_visible()
        row.locator("summary").click()
        assert row.locator("dd").all_inner_texts()[:3] == [
            "Method is not implemented",
            "A model that was trained here cannot be deployed: OpenSearch 3.x has no deployment for its algorithm.",
            "Predict with it without deploying it; do not deploy trained models.",
        ]
        assert row.locator("dd").last.inner_text() == "mltasks get demo 4oueD6IBgq5QguZjJDfF"


def test_what_needs_attention_leads_to_its_row_which_opens(browser: Browser, demo: Path) -> None:
    with visit(browser, demo) as page:
        links = page.locator("#verdict li > a")
        assert links.count() == 2
        for place in range(2):
            links.nth(place).click()
            target = page.locator("tr:target")
            assert target.locator("summary").inner_text().split()[-1] == "DEPLOY_MODEL" or target.is_visible()
            assert target.locator("details").get_attribute("open") is not None
            box = target.bounding_box()
            assert box is not None
            assert 0 <= box["y"] < SIZES["laptop"][1]


def test_it_is_whole_without_a_script_and_on_three_sheets_of_paper(browser: Browser, demo: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    with context, context.new_page() as page:
        page.goto(demo.as_uri())
        assert page.locator("#failures tbody tr:visible").count() == 19
        assert not page.locator("button.theme").is_visible()
        assert not page.locator(".tools").first.is_visible()
        assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 3
