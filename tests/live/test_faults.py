"""Every fault, at the first, a middle and the last page, once and for ever: all tasks, or an error - never fewer.

The table of what comes of it is docs/reliability.md; `MLTASKS_WRITE_DOCS=1` writes it anew.
"""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

import mltasks
from live.proxy import FAULTS, Proxy
from live.server import Server
from mltasks.exceptions import Error
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.retry_policy import RetryPolicy

PAGE = 12
PLACES = ("first", "middle", "last")
DOCS = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: the matrix, written by tests/live/test_faults.py -->", "<!-- end -->"

Outcome = tuple[str, str, bool]
OUTCOMES: dict[Outcome, str] = {}


@pytest.fixture(scope="module")
def searches(quiet_cluster: Server, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many searches a fetch takes when nothing is broken."""
    with Proxy(quiet_cluster.url) as proxy:
        mltasks.fetch(Cluster(proxy.url), tmp_path_factory.mktemp("whole") / "t.parquet", Access(page_size=PAGE))
        return proxy.searches


def outcome(server: Server, folder: Path, fault: str, at: int, *, for_ever: bool) -> str:
    path = folder / "t.parquet"
    expected = set(mltasks.load(server.url)["task_id"])
    with Proxy(server.url, fault, at, for_ever=for_ever) as proxy:
        cluster = Cluster(
            proxy.url, timeout=0.3 if fault == "slow drip" else 60, retry_policy=RetryPolicy(sleep=proxy.recover)
        )
        failed = None
        try:
            mltasks.fetch(cluster, path, Access(page_size=PAGE))
        except Error as error:
            failed = error
        cluster.close()
    if failed is not None:
        assert list(folder.iterdir()) == [], "an error leaves no file"
        assert "\n" not in str(failed)
        assert proxy.url in str(failed)
        return f"error, exit {failed.exit_code}"
    assert list(mltasks.load(path)["task_id"].sort_values()) == sorted(expected)
    return "complete"


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_gives_all_tasks_or_an_error(
    quiet_cluster: Server, searches: int, tmp_path: Path, fault: str, place: str, for_ever: bool
) -> None:
    # the two searches after the last page ask what was written meanwhile, and whether the index is still the same
    at = {"first": 0, "middle": searches // 2, "last": searches - 3}[place]
    found = outcome(quiet_cluster, tmp_path, fault, at, for_ever=for_ever)
    OUTCOMES[fault, place, for_ever] = found
    if for_ever:
        assert found.startswith("error")
    elif place != "first":
        assert found == "complete"
    assert found in ("complete", "error, exit 3", "error, exit 4")


def test_the_server_is_given_the_time_that_it_asks_for(quiet_cluster: Server, tmp_path: Path) -> None:
    waits: list[float] = []
    with Proxy(quiet_cluster.url, "429 with Retry-After", at=2) as proxy:
        cluster = Cluster(proxy.url, retry_policy=RetryPolicy(sleep=waits.append))
        mltasks.fetch(cluster, tmp_path / "t.parquet", Access(page_size=PAGE))
        cluster.close()
    assert len(waits) == 1
    assert waits[0] >= 7


def test_a_cluster_is_asked_one_thing_at_a_time_by_somebody_who_says_who_asks(
    quiet_cluster: Server, tmp_path: Path
) -> None:
    with Proxy(quiet_cluster.url) as proxy:
        cluster = Cluster(proxy.url)
        mltasks.fetch(cluster, tmp_path / "t.parquet", Access(page_size=PAGE))
        cluster.close()
    assert proxy.most_at_once == 1
    assert len(proxy.agents) == 1
    assert proxy.agents.pop().startswith(f"mltasks/{metadata.version('mltasks')} (opensearch-py/")


def test_the_table_of_the_documentation_is_what_was_seen() -> None:
    if len(OUTCOMES) < len(FAULTS) * len(PLACES) * 2:
        pytest.skip("the table needs every fault, and only some were chosen to run (pytest -k)")
    lines = ["| fault | " + " | ".join(f"{place}, {how}" for how in ("once", "for ever") for place in PLACES) + " |"]
    lines.append("|---" * (1 + 2 * len(PLACES)) + "|")
    for fault in FAULTS:
        cells = [OUTCOMES[fault, place, for_ever] for for_ever in (False, True) for place in PLACES]
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    text = DOCS.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    expected = f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}"
    if os.environ.get("MLTASKS_WRITE_DOCS") == "1":
        DOCS.write_text(expected, encoding="utf-8")
        text = expected
    assert text == expected, "docs/reliability.md is out of date: run this module with MLTASKS_WRITE_DOCS=1"
