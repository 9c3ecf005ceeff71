"""Indexes that are empty, large, of several shards, or taken away: all tasks, or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from live.made_up import TASKS, fill
from live.server import Server
from mltasks.cli.main import main
from mltasks.exceptions import DataError
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.pagination import SeqNoPagination
from mltasks.opensearch.retry_policy import RetryPolicy


def walk(server: Server, **options: Any) -> SeqNoPagination:
    return SeqNoPagination(
        Cluster(server.url, retry_policy=RetryPolicy(sleep=lambda seconds: None)), Decoder(), **options
    )


def ids(begun: SeqNoPagination) -> list[str]:
    return [task_id for page in begun for task_id in page.table["task_id"].to_pylist()]


def test_thirty_thousand_tasks_are_all_there(bare_server: Server, tmp_path: Path) -> None:
    count = 30_000  # three times what a server gives at once
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 1}})
    made = fill(bare_server, count)
    context = mltasks.fetch(bare_server.url, tmp_path / "t.parquet")
    found = pd.read_parquet(tmp_path / "t.parquet", columns=["task_id"])["task_id"]
    assert context.rows == len(found) == count
    assert set(found) == set(made)
    bare_server.ask("DELETE", f"/{TASKS}")


def test_an_index_that_is_removed_mid_walk_is_an_error_and_not_a_smaller_answer(bare_server: Server) -> None:
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 1}})
    fill(bare_server, 50)
    pages = iter(walk(bare_server, page_size=10))
    next(pages)
    bare_server.ask("DELETE", f"/{TASKS}")
    with pytest.raises(DataError, match="the task index has been removed meanwhile"):
        list(pages)


def test_an_index_that_is_made_anew_mid_walk_is_an_error_and_not_a_smaller_answer(bare_server: Server) -> None:
    settings = {"settings": {"number_of_shards": 1}}
    bare_server.ask("PUT", f"/{TASKS}", settings)
    fill(bare_server, 50)
    pages = iter(walk(bare_server, page_size=10))
    next(pages)
    bare_server.ask("DELETE", f"/{TASKS}")
    bare_server.ask("PUT", f"/{TASKS}", settings)
    fill(bare_server, 20, seed=8)
    with pytest.raises(DataError, match="the task index has been made anew meanwhile"):
        list(pages)
    bare_server.ask("DELETE", f"/{TASKS}")


def test_a_cluster_without_any_task_yet_gives_an_empty_table_with_all_columns(bare_server: Server) -> None:
    tasks = mltasks.load(bare_server.url)
    assert len(tasks) == 0
    assert list(tasks.columns) == list(mltasks.load("demo").columns)
    assert tasks.dtypes.equals(mltasks.load("demo").dtypes)


def test_an_index_of_several_shards_is_read_completely_and_says_that_it_cannot_be_synced(bare_server: Server) -> None:
    bare_server.ask("PUT", f"/{TASKS}", {"settings": {"number_of_shards": 3}})
    made = fill(bare_server, 400)
    begun = walk(bare_server, page_size=20)
    assert set(ids(begun)) == set(made)
    assert begun.notes == ("the task index has 3 shards (made before 2.13): it cannot be synced",)
    assert len(mltasks.load(bare_server.url, Access(page_size=20))) == 400
    bare_server.ask("DELETE", f"/{TASKS}")


def test_no_index_yet_is_a_sentence(bare_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["failures", bare_server.url]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"0 tasks of {bare_server.url.removeprefix('http://')}: there is nothing to report (all)")
