"""The page in a real browser, where there is one; with CI=true its absence is a failure."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

import mltasks
from support.views import HOSTILE

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDTH = 1200
# a bookmark of the test's own, put into a copy of the page that allows it
MEASURE = """<script>document.title = [document.documentElement.scrollWidth, innerWidth,
  ...[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)].join(' ')</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        said = "no chromium on PATH: install it (apt-get install chromium) to look at the page in a browser"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)
    return str(found)


def browse(chromium: str, page: Path, folder: Path, *more: str) -> str:
    size, profile = f"--window-size={WIDTH},2600", f"--user-data-dir={folder / 'profile'}"
    ran = subprocess.run(
        [chromium, *FLAGS, size, profile, *more, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return ran.stdout


def measured(chromium: str, html: str, folder: Path) -> list[int]:
    page = folder / "measured.html"
    page.write_text(re.sub("script-src '[^']*'", "script-src 'unsafe-inline'", html).replace("</body>", MEASURE))
    title = re.search("<title>(.*?)</title>", browse(chromium, page, folder, "--dump-dom"))
    assert title
    return [int(number) for number in title[1].split()]


def test_the_page_of_the_demo_fits_its_window_and_so_does_every_table(chromium: str, tmp_path: Path) -> None:
    page, window, *tables = measured(chromium, mltasks.report(mltasks.load("demo")).html(), tmp_path)
    assert window == WIDTH
    assert page <= WIDTH
    assert tables == [0] * len(tables)
    assert len(tables) == 8


def test_a_page_of_long_and_hostile_names_fits_its_window(chromium: str, tmp_path: Path) -> None:
    common = {"state": "FAILED", "create_time": 1764021600000, "last_update_time": 1764021600500}
    hits = [
        {"_id": f"{n}", "_source": {"task_type": name, "function_name": name, "worker_node": [name], **common}}
        for n, name in enumerate(HOSTILE)
    ]
    page, *_ = measured(chromium, mltasks.report(mltasks.load(hits)).html(), tmp_path)
    assert page <= WIDTH


def test_the_page_is_drawn(chromium: str, tmp_path: Path) -> None:
    mltasks.report(mltasks.load("demo")).save(tmp_path / "report.html")
    browse(chromium, tmp_path / "report.html", tmp_path, f"--screenshot={tmp_path / 'report.png'}")
    picture = (tmp_path / "report.png").read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (WIDTH, 2600)
    assert len(picture) > 100_000
