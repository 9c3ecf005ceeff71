"""The schema grows: a store and a file of another version are read, and synced into.

Each test also runs in a version whose table has one more column of every kind; see support/later_schema.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import mltasks
from mltasks.store import manifest
from mltasks.tasks import arrow_schema, schema
from support.command import Command
from support.documents import hit
from support.stores import AS_OF, DAY, put

TESTS = Path(__file__).parents[1]
FROZEN = TESTS / "data" / "0.1.0"
IS_LATER = "later_text" in schema.COLUMNS
LATER = [f"later_{kind}" for kind in arrow_schema.ARROW]
ON_LATER_SCHEMA = (*("store/test_schema_growth.py", "store/test_store.py", "sources/test_parquet.py"),)
REPORTS = ("failures", "durations", "workers")
COUNTS = {"tasks": 70, "completed": 37, "partial": 2, "failed": 27, "cancelled": 0, "open": 6}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The store that 0.1.0 has written, to sync into."""
    shutil.copytree(FROZEN / "store", tmp_path / "old")
    return tmp_path / "old"


def by_id(source: Any) -> pd.DataFrame:
    tasks = mltasks.load(source).sort_values(["cluster", "task_id"], ignore_index=True)
    assert list(tasks.columns[: len(schema.STORED)]) == arrow_schema.STORED_SCHEMA.names
    return tasks


def test_a_store_of_0_1_0_is_whole(old: Path) -> None:
    assert mltasks.Store(old).verify() == []
    as_of = "as of 2025-11-24T16:00:00.000Z"
    assert mltasks.Store(old).holds() == f"7 files with the tasks of prod eu (58 {as_of}), west (12 {as_of})"


def test_every_report_on_a_store_of_0_1_0_is_what_it_was(old: Path) -> None:
    totals = mltasks.failures(mltasks.scan(old), by=[]).iloc[0]
    assert {name: totals[name] for name in COUNTS} == COUNTS
    for report in REPORTS:
        function = getattr(mltasks, report)
        pd.testing.assert_frame_equal(function(mltasks.scan(old)), function(mltasks.load(old)))


def test_the_tasks_of_0_1_0_keep_every_value_and_lack_what_they_never_had(old: Path) -> None:
    tasks = by_id(old)
    assert len(tasks) == 70
    assert tasks["gone_time"].notna().sum() == 1
    written = pq.ParquetFile(FROZEN / "tasks.parquet").read()
    both = tasks.set_index(["cluster", "task_id"])
    for row in written.to_pylist():
        now = both.loc[(row["cluster"], row["task_id"])]
        assert (now["state"], now["seq_no"], now["error"] if row["error"] else None) == (
            row["state"],
            row["seq_no"],
            row["error"],
        )
    if IS_LATER:
        assert tasks[LATER].isna().all().all()
        assert {name: tasks[name].dtype for name in LATER} == {n: both.dtypes[n] for n in LATER}


def test_a_file_of_0_1_0_is_read_whole_and_scanned_as_it_lies() -> None:
    path = FROZEN / "tasks.parquet"
    tasks = mltasks.load(path)
    assert len(tasks) == 30
    dataset = mltasks.scan(path)
    assert "later_text" not in pq.read_schema(path).names
    assert "PARQUET_SCAN" in dataset.frame.explain()
    for report in REPORTS:
        function = getattr(mltasks, report)
        pd.testing.assert_frame_equal(function(dataset), function(tasks))
    assert mltasks.durations(dataset, by="task_type")["tasks"].sum() == 30


def test_a_task_of_0_1_0_is_got_listed_and_fetched(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Command(capsys)
    assert run("get", str(old), "with-more").code == 0
    listed = run("list", str(old), "--format", "csv")
    assert (listed.code, len(listed.out.splitlines())) == (0, 71)
    for source in (old, FROZEN / "tasks.parquet"):
        assert run("fetch", str(source), "-o", str(tmp_path / "all.parquet"), "--force").code == 0
        names = pq.read_schema(tmp_path / "all.parquet").names
        assert set(arrow_schema.SCHEMA.names) <= set(names)
    assert run("verify", str(old)).code == 0


def test_a_sync_into_a_store_of_0_1_0_keeps_its_tasks_and_adds_the_columns(old: Path) -> None:
    before = by_id(old)
    changed = before[before["cluster"].eq("west") & before["state"].eq("COMPLETED")].iloc[0]
    created = int(changed["create_time"].timestamp() * 1000)
    put(old, "west", [hit(changed["task_id"], 99, state="FAILED", create_time=created), hit("new", 100)])
    assert mltasks.Store(old).verify() == []
    after = by_id(old)
    assert len(after) == 71
    key = ["cluster", "task_id"]
    others = before[~((before["cluster"] == "west") & before["task_id"].eq(changed["task_id"]))].set_index(key)
    pd.testing.assert_frame_equal(after.set_index(key).loc[others.index], others)
    assert after.set_index(key).loc[("west", changed["task_id"]), "state"] == "FAILED"
    for path in mltasks.Store(old).files():
        was_there = (FROZEN / "store" / path.relative_to(old)).exists()
        assert set(pq.ParquetFile(path).schema_arrow.names) >= set(manifest.FIRST_COLUMNS)
        assert ("later_integer" in pq.ParquetFile(path).schema_arrow.names) == (IS_LATER and not was_there)


def test_the_manifest_says_which_columns_a_file_has(old: Path) -> None:
    put(old, "west", [hit("new", 100)])
    current = manifest.read(old)
    assert current is not None
    for snapshot in current.snapshots().values():
        for file in snapshot.files:
            columns = pq.ParquetFile(old / "_files" / file.path).schema_arrow.names
            assert tuple(columns) == file.columns


def newer_store(folder: Path) -> Path:
    """Return a store as a later version writes it."""
    code = (
        "import sys, support.later_schema, pathlib\nimport pyarrow as pa\n"
        "from mltasks.store import manifest\nfrom mltasks.store.transaction import open_transaction\n"
        "from support.documents import hit\nfrom support.stores import put, AS_OF, DAY\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "state = put(folder, 'here', [hit(f't-{n}', n, create_time=AS_OF - 40 * DAY * (n % 2)) for n in range(6)])\n"
        "values = {'text': 'x', 'json': '{\"a\": 1}', 'nodes': ['n'], 'time': 7, 'flag': True, 'number': 1.5,"
        " 'integer': 2**60}\n"
        "with open_transaction(folder) as transaction:\n"
        "    files = []\n"
        "    for file in state.files:\n"
        "        rows = transaction.layout.read(file)\n"
        "        for kind, value in values.items():\n"
        "            at = rows.schema.get_field_index('later_' + kind)\n"
        "            filled = pa.array([value] * rows.num_rows, rows.schema.field(at).type)\n"
        "            rows = rows.set_column(at, rows.schema.field(at), filled)\n"
        "        files.append(transaction.layout.write(file.partition, rows, file.generation))\n"
        "    transaction.commit('here', manifest.replace(state, files=tuple(files)))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=environment())
    return folder


def environment() -> dict[str, str]:
    packages = str(Path(mltasks.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([packages, str(TESTS)])}


def test_what_a_newer_version_has_written_is_kept_also_where_a_file_is_rewritten(tmp_path: Path) -> None:
    folder = newer_store(tmp_path / "s")
    assert mltasks.Store(folder).verify() == []
    before = by_id(folder)
    assert set(LATER) <= set(before.columns)
    assert before["later_integer"].astype("int64").tolist() == [2**60] * 6
    put(folder, "here", [hit("t-0", 50, state="FAILED", create_time=AS_OF), hit("t-9", 51, create_time=AS_OF)])
    assert mltasks.Store(folder).verify() == []
    after = by_id(folder).set_index("task_id")
    assert len(after) == 7
    untouched = [f"t-{n}" for n in range(1, 6)]
    assert after.loc[untouched, "later_integer"].astype("int64").tolist() == [2**60] * 5
    assert after.loc[untouched, "later_text"].tolist() == ["x"] * 5
    assert after.loc[["t-0", "t-9"], "later_integer"].isna().all()
    for report in REPORTS:
        function = getattr(mltasks, report)
        pd.testing.assert_frame_equal(function(mltasks.scan(folder)), function(mltasks.load(folder)))
    assert mltasks.failures(mltasks.scan(folder), by=[])["tasks"].tolist() == [7]


def test_stores_of_two_versions_are_one_source(old: Path, tmp_path: Path) -> None:
    newer = newer_store(tmp_path / "s")
    assert len(mltasks.load([old, newer])) == 76
    assert mltasks.failures(mltasks.scan([old, newer]), by=[])["tasks"].tolist() == [76]
    assert mltasks.failures(mltasks.scan([old, newer], since=AS_OF - 8 * DAY), by=[])["tasks"].tolist() == [
        len(mltasks.load([old, newer], since=AS_OF - 8 * DAY))
    ]


@pytest.mark.skipif(IS_LATER, reason="it is what runs these tests on the later schema")
def test_all_about_stores_holds_with_one_more_column_of_every_kind() -> None:
    paths = [str(TESTS / path) for path in ON_LATER_SCHEMA]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "support.later_schema", "-p", "no:cacheprovider", *paths]
    run = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=TESTS.parent)
    assert run.returncode == 0, run.stdout[-4000:]
