from __future__ import annotations

from pathlib import Path

import pytest

from mltasks.cli.sync import describe
from mltasks.store.manifest import Snapshot
from mltasks.store.sync_result import SyncResult
from mltasks.store.transaction import open_transaction
from support.command import Command
from support.documents import hit
from support.stores import put


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (SyncResult("prod", 1), ["prod: nothing new; 1 task in history"]),
        (SyncResult("prod", 2000, new=2000), ["prod: 2,000 new; 2,000 tasks in history"]),
        (
            SyncResult("prod", 20, new=3, updated=2, resumed=True),
            ["prod: 3 new, 2 updated; 20 tasks in history", "prod: resumed an interrupted sync"],
        ),
        (
            SyncResult("prod", 20, missing=4),
            [
                "prod: nothing new; 20 tasks in history",
                "prod: 4 tasks gone on the cluster; --reconcile finds and marks which",
            ],
        ),
        (
            SyncResult("prod", 20, gone=1, missing=None),
            ["prod: nothing new; 20 tasks in history", "prod: 1 task found gone on the cluster and marked"],
        ),
        (
            SyncResult("prod", 20, anew=True),
            [
                "prod: nothing new; 20 tasks in history",
                "prod: the index is not the one of the last sync (or its newest tasks were deleted): read from its "
                "beginning; what was stored before stays",
            ],
        ),
    ],
)
def test_a_sync_says_what_it_did(found: SyncResult, lines: list[str]) -> None:
    assert describe(found, "history") == lines


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sync"], 2, "Missing argument"),
        (["sync", "history"], 2, "no SOURCE"),
        (["sync", "demo", "history"], 2, "demo: only a cluster can be followed; name its URL, or a configured one"),
        (["sync", "--all", "http://127.0.0.1:1", "history"], 2, "--all and http://127.0.0.1:1 at once"),
        (["sync", "--all", "history"], 2, "no cluster is configured"),
        (["sync", "http://127.0.0.1:1", "history"], 3, "http://127.0.0.1:1"),
        (["sync", "http://127.0.0.1:1", "nowhere/history"], 2, "there is no folder nowhere; make it first"),
        (["sync", "http://127.0.0.1:1", "letter.txt"], 2, "letter.txt: is not a store"),
        (["sync", "http://127.0.0.1:1", "history", "--allow-partial"], 2, "No such option"),
        (["verify", "history"], 2, "history: is not a store; make one with mltasks sync URL history"),
        (["verify", "letter.txt"], 2, "letter.txt: is not a store"),
        (["report", "."], 2, "and no store; name a file in it"),
    ],
)
def test_what_is_wrong_with_a_call_is_said_in_one_line(
    mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("dear")
    run = mltasks(*arguments)
    assert run.code == code
    assert words in run.err
    assert run.err.count("\n") == 1


def test_verify_says_that_a_store_is_whole_and_what_it_holds(mltasks: Command, tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1), hit("task-2", 2)])
    run = mltasks("verify", str(tmp_path / "s"))
    assert run.code == 0
    assert run.out == f"{tmp_path / 's'}: whole; 1 file with the tasks of here (2 as of 2025-11-24T16:00:00.000Z)\n"


def test_verify_lists_what_is_wrong_and_exits_with_4(mltasks: Command, tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (place,) = (tmp_path / "s" / "_files").rglob("*.pq")
    place.unlink()
    run = mltasks("verify", str(tmp_path / "s"))
    assert run.code == 4
    assert run.out == f"{place}: No such file or directory\n"
    assert "1 wrong, listed before" in run.err


def test_verify_says_when_the_tasks_are_all_there_and_only_a_glob_goes_wrong(mltasks: Command, tmp_path: Path) -> None:
    put(tmp_path / "s", "here", [hit("task-1", 1)])
    (link,) = (tmp_path / "s").rglob("*.parquet")
    link.unlink()
    run = mltasks("verify", str(tmp_path / "s"))
    assert run.code == 4
    assert run.out == f"{link}: is missing in the partitions; mltasks sync mends it, if none is running\n"
    assert run.err == f"mltasks: {tmp_path / 's'}: 1 wrong, listed before with the remedy; the data files are whole\n"


def test_verify_says_that_a_first_sync_without_an_end_is_no_store_yet(mltasks: Command, tmp_path: Path) -> None:
    with open_transaction(tmp_path / "s") as transaction:
        transaction.checkpoint("here", Snapshot(cursor=4))
    assert "the first sync has not come to its end; run it again" in mltasks.fails(4, "verify", str(tmp_path / "s"))
