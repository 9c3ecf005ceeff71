from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.engines import dataset, prepare
from mltasks.engines.data_files import SCHEMA, DataFile, DataFiles
from mltasks.engines.dataset import Dataset
from mltasks.sources import parquet
from mltasks.tasks import arrow_schema, filter_options, table
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filters import Filters
from support import generated, stored
from support.generated import AS_OF, DAY, Made, made

CREATED = AS_OF - 40 * DAY
NAMES = (
    *("007", "a/b", "1e5", "a=b", "100%", "ä", "true", "2024-01-01", "..", "it's", 'say "x"', "null", "NULL", "%2F"),
    *("__HIVE_DEFAULT_PARTITION__", " ", "a+b", "a*[b]?", "\\", "cluster=x"),
)


def kept(files: Iterable[DataFile], window: Window = "created", **options: Any) -> list[str]:
    """Return the files that a report has to read."""
    found = DataFiles(tuple(files)).prune(filter_options.parse(options, AS_OF), window=window)
    return [part.path.name for part in found.parts]


def file(name: str, first: int | None, last: int | None, latest: int | None = None, still_open: int = 0) -> DataFile:
    return DataFile(Path(name), "East", 9, first, last, latest, still_open)


OLD = file("old", CREATED, CREATED + DAY, CREATED + 2 * DAY)
NEW = file("new", CREATED + 9 * DAY, CREATED + 10 * DAY, CREATED + 11 * DAY)
UNDATED = file("undated", None, None)
FILES = (OLD, NEW, UNDATED)


def test_without_filters_every_file_is_read() -> None:
    assert kept(FILES) == ["old", "new", "undated"]
    assert kept(FILES, window="in_flight") == ["old", "new", "undated"]


def test_a_report_on_cohorts_reads_the_files_of_tasks_created_in_its_window() -> None:
    assert kept(FILES, since=CREATED + DAY) == ["old", "new"]
    assert kept(FILES, since=CREATED + DAY + 1) == ["new"]
    assert kept(FILES, until=CREATED + 9 * DAY) == ["old"]
    assert kept(FILES, until=CREATED + 9 * DAY + 1) == ["old", "new"]
    assert kept(FILES, since=CREATED + 2 * DAY, until=CREATED + 3 * DAY) == []


def test_a_report_on_time_also_reads_the_files_of_older_tasks_that_may_live_on() -> None:
    assert kept(FILES, window="in_flight", since=CREATED + 2 * DAY - 1) == ["old", "new"]
    assert kept(FILES, window="in_flight", since=CREATED + 2 * DAY) == ["new"]
    assert kept(FILES, window="in_flight", since=CREATED + 2 * DAY - 1, until=CREATED + 9 * DAY) == ["old"]
    with_open = file("open", CREATED, CREATED + DAY, CREATED + DAY, still_open=1)
    assert kept([with_open, NEW], window="in_flight", since=CREATED + 30 * DAY) == ["open"]
    assert kept([with_open, NEW], since=CREATED + 30 * DAY) == []


def test_a_cluster_goes_by_its_name_in_any_case() -> None:
    assert kept(FILES, cluster="EAST") == ["old", "new", "undated"]
    assert kept(FILES, cluster=["west", "eas"]) == []


@given(
    generated.tasks(),
    generated.options(periods=("1d",), window="in_flight"),
    st.sampled_from(("created", "in_flight")),
    st.integers(1, 4),
)
@settings(max_examples=20)
def test_no_file_with_a_selected_task_is_left_out(
    tasks: Made, options: dict[str, Any], window: Window, size: int
) -> None:
    tasks = stored.of_stores(tasks)
    chosen = filter_options.parse({k: v for k, v in options.items() if k in ("since", "until", "cluster")}, AS_OF)
    if chosen == Filters():
        return
    selected = set(table.select(tasks.arrow, tasks.context, chosen, window=window)["task_id"].to_pylist())
    for cluster in {row["cluster"] for row in tasks.rows}:
        rows = [row for row in tasks.rows if row["cluster"] == cluster]
        for some in (rows[at : at + size] for at in range(0, len(rows), size)):
            if not DataFiles((stored.part(some),)).prune(chosen, window=window).parts:
                assert selected.isdisjoint(row["task_id"] for row in some)


def test_a_cluster_keeps_its_name(tmp_path: Path) -> None:
    tasks = stored.dataset(stored.of_stores(made(*({"cluster": name} for name in NAMES))), tmp_path)
    found = mltasks.failures(tasks, by="cluster")
    assert sorted(found[["cluster", "tasks"]].to_numpy().tolist()) == sorted([name, 1] for name in NAMES)
    for name in NAMES:
        selected = prepare.prepare(tasks, "cluster", {"cluster": name}, taken=()).frame.collect()
        assert {*selected["cluster"].to_list()} == {other for other in NAMES if other.lower() == name.lower()}


def test_a_store_lies_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*?'cluster=9'/created=1"
    found = dataset.to_arrow(stored.dataset(stored.of_stores(made({})), folder))
    assert found["cluster"].to_pylist() == ["east"]
    (tmp_path / "a[b]*").mkdir()
    mltasks.write_parquet(mltasks.load("demo"), tmp_path / "[ab].parquet")
    mltasks.write_parquet(mltasks.load("demo", state="FAILED"), tmp_path / "a.parquet")
    assert mltasks.failures(mltasks.scan(tmp_path / "[ab].parquet"), by=[])["tasks"].tolist() == [552]


def test_the_files_of_a_store_are_one_table(tmp_path: Path) -> None:
    tasks = stored.of_stores(made({"create_time": CREATED}, {"cluster": "west", "worker_node": ["a", "b"]}, {}))
    found = dataset.to_arrow(stored.dataset(tasks, tmp_path))
    assert found.schema == SCHEMA
    expected = tasks.arrow.select(arrow_schema.STORED_SCHEMA.names).sort_by("task_id")
    assert found.select(expected.column_names).sort_by("task_id").to_pylist() == expected.to_pylist()
    assert found["gone_time"].null_count == 3


def test_no_files_are_an_empty_table_with_all_columns() -> None:
    nothing = Dataset(DataFiles(()), made().context)
    assert dataset.to_arrow(nothing).schema == SCHEMA
    assert mltasks.durations(nothing).empty
    assert mltasks.failures(nothing, by=[])["tasks"].tolist() == [0]


def plan(source: Dataset, *, window: Window = "created", **options: Any) -> str:
    """Return how DuckDB went about a report's rows, once it did."""
    tasks = prepare.prepare(source, "state", options, taken=(), window=window)
    found: str = tasks.frame.to_native().explain("analyze")
    return found


def test_the_report_of_a_month_reads_the_files_of_the_month(tmp_path: Path) -> None:
    rows = [{"create_time": CREATED - 31 * DAY * n, "cluster": c} for n in range(6) for c in ("east", "west")]
    tasks = stored.dataset(stored.of_stores(made(*rows)), tmp_path)
    assert plan(tasks).count("Total Files Read: 6") == 2
    one = plan(tasks, since="2024-12-01", until="2025-01-01", cluster="east")
    assert one.count("Total Files Read: 1") == one.count("Total Files Read") == 1
    assert "created=2024-12" in one


def test_a_window_leaves_row_groups_of_a_file_unread(tmp_path: Path) -> None:
    rows = made(*({"create_time": CREATED + DAY * n} for n in range(4)), readings=generated.READINGS[:1])
    with parquet.open_writer(tmp_path / "t.parquet") as writer:
        for place in range(4):
            writer.write(table.select(rows.arrow.slice(place, 1).select(SCHEMA.names[:-1]), rows.context))
        writer.close(rows.context)
    tasks = mltasks.scan(tmp_path / "t.parquet")
    assert "Row Groups Scanned: 4 / 4" in plan(tasks)
    assert "Row Groups Scanned: 1 / 4" in plan(tasks, since=CREATED + DAY, until=CREATED + 2 * DAY)
    assert "Row Groups Scanned: 3 / 4" in plan(tasks, window="in_flight", since=CREATED + DAY, until=CREATED + 3 * DAY)
