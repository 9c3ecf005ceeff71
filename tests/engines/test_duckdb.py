from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

import mltasks
from mltasks.engines import duckdb
from mltasks.engines.duckdb_sql import Relation
from mltasks.exceptions import UsageError
from support.generated import made


def setting(relation: Relation, name: str) -> str:
    (row,) = relation.aggregate(f"any_value(current_setting('{name}'))").fetchall()
    return str(row[0])


def test_what_memory_cannot_hold_goes_to_the_system_temporary_folder(tmp_path: Path) -> None:
    one, other = (duckdb.relation(made({}).arrow) for _ in range(2))
    folders = [Path(setting(relation, "temp_directory")) for relation in (one, other)]
    assert folders[0] != folders[1]
    assert {folder.parent.parent for folder in folders} == {Path(tempfile.gettempdir())}
    assert {folder.parent.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert not any(folder.exists() for folder in folders)


def test_a_sort_that_is_larger_than_memory_is_done_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTASKS_MEMORY", "60MB")
    rows = duckdb.relation(pa.table({"n": pa.array(range(6_000_000))}))
    folder = Path(setting(rows, "temp_directory"))
    ordered = rows.project("n, sum(n) OVER (ORDER BY hash(n) ROWS UNBOUNDED PRECEDING) AS level")
    assert ordered.aggregate("max(level)").fetchall() == [(sum(range(6_000_000)),)]
    assert folder.exists()
    del rows, ordered
    assert not folder.exists()


def test_the_memory_of_reports_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    assert setting(duckdb.relation(made({}).arrow), "memory_limit") == "953.6 MiB"
    monkeypatch.setenv("MLTASKS_MEMORY", "512MiB")
    assert setting(duckdb.relation(made({}).arrow), "memory_limit") == "512.0 MiB"
    monkeypatch.setenv("MLTASKS_MEMORY", "much")
    with pytest.raises(UsageError, match="MLTASKS_MEMORY: 'much' is no size; say for instance 4GB"):
        mltasks.durations(mltasks.scan("demo", engine="duckdb"))
