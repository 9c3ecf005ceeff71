from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import mltasks
from mltasks.exceptions import DataError, Error, UsageError
from mltasks.sources import saved_answers
from support.documents import TRAINING, answer, hit, write_lines

TEN = answer([hit(f"task-{n}", n) for n in range(10)])
HTML = "<!DOCTYPE html>\n<html><head><title>503</title></head></html>\n"
NO_INDEX = {"error": {"type": "index_not_found_exception", "reason": "no such\nindex"}, "status": 404}


def of_552(relation: str = "eq") -> dict[str, Any]:
    return {**TEN, "hits": {**TEN["hits"], "total": {"value": 552, "relation": relation}}}


def without_total() -> dict[str, Any]:
    return {**TEN, "hits": {"hits": TEN["hits"]["hits"]}}


def refused(path: Path) -> Error:
    with pytest.raises(Error) as caught:
        mltasks.load(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (of_552(), "incomplete: it holds 10 of 552 tasks; read all of them with mltasks fetch URL"),
        (of_552("gte"), "incomplete: it holds 10 of more than 552 tasks; read all of them with mltasks fetch URL"),
        (without_total(), "incomplete: it does not say how many tasks there are (hits.total); read all of them with"),
        (
            {**TEN, "timed_out": True},
            "incomplete: the search timed out on the server; read all of them with",
        ),
        ({**TEN, "_shards": {"total": 5, "successful": 3, "failed": 2}}, "incomplete: 2 of 5 shards failed; read all"),
        (NO_INDEX, 'an error answer ("no such\\\\nindex"); save the tasks with mltasks fetch URL'),
        ({"error": "no handler found for uri [/x]"}, 'an error answer ("no handler found for uri [/x]"); save'),
        ({"error": {"type": "odd"}}, 'not a _search answer ({"error": {"type": "odd"}}); save the tasks with'),
        ({}, "no hit of _search ({}); save the tasks with mltasks fetch URL"),
    ],
)
def test_an_answer_that_is_not_complete_is_a_data_error(tmp_path: Path, document: Any, says: str) -> None:
    path = tmp_path / "page.json"
    path.write_text(json.dumps(document))
    error = refused(path)
    assert str(error).startswith(f"{path}: {says}")
    assert (type(error), error.exit_code) == (DataError, 4)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.json", HTML.encode(), ", line 1: a web page, not a _search answer (<!DOCTYPE html> <html>"),
        ("t.json", b"", ": it is empty; save the tasks"),
        ("t.json", json.dumps(TEN).encode()[:-40], ", line 1: cut short (it ends "),
        ("t.json", b"\x1f\x8b\x08\x00", ": cut short or damaged ("),
        (
            "t.ndjson",
            HTML.encode(),
            ", line 1: a web page, not a _search answer (<!DOCTYPE html> <html><head><title>503",
        ),
        ("t.ndjson", b"name,age\njo,7\n", ", line 1: not JSON (name,age)"),
        (
            "t.ndjson",
            b'\n{"colour": "red"}\n',
            ': no hit of _search ({"colour": "red"}); save the tasks with mltasks fetch URL',
        ),
        ("t.ndjson", b'{"colour": "red"}', ': no hit of _search ({"colour": "red"}); save the tasks with'),
        ("t.ndjson", b'{"index": {"_id": "a"}}\n', ": no hit of _search ("),
        ("t.ndjson", b'{"_id": "cut\n', ", line 1: cut short (it ends "),
        ("t.ndjson", gzip.compress(b"{}", mtime=0), ": no hit of _search ({})"),
        ("t.ndjson.gz", b"", ": cut short or damaged (it is empty); fetch it anew with mltasks fetch"),
        ("t.ndjson", b"[" * 100_000, ": JSON that is nested deeper than a task can be; save"),
        ("t.json", b'{"a":' + b"[" * 5000, ": JSON that is nested deeper than a task can be, or cut short; save"),
        ("t.ndjson.gz", b"no gzip", ": not compressed as its suffix .ndjson.gz says"),
        ("t.parquet", b"", ": not a readable Parquet file ("),
        ("t.parquet", b"PAR1 and more", ": not a readable Parquet file ("),
    ],
)
def test_a_file_of_something_else_is_a_data_error_that_shows_what_it_is(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(path)
    assert str(error).startswith(f"{path}{says}")
    assert (type(error), error.exit_code) == (DataError, 4)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_half_a_line_at_the_end_is_a_data_error_that_names_the_line(tmp_path: Path, kept: int) -> None:
    path = write_lines(tmp_path / "t.ndjson", [hit(f"task-{n}", n) for n in range(kept)])
    with path.open("a") as file:
        file.write(json.dumps(hit("half"))[:100])
    error = refused(path)
    assert str(error).startswith(f"{path}, line {kept + 1}: cut short (it ends ")
    assert str(error).endswith("; save the tasks with mltasks fetch URL")


@pytest.mark.parametrize("left", [0.1, 0.5, 0.99])
def test_a_gzip_file_cut_anywhere_is_a_data_error(tmp_path: Path, left: float) -> None:
    path = tmp_path / "t.ndjson.gz"
    whole = gzip.compress("".join(json.dumps(hit(f"task-{n}", n)) + "\n" for n in range(20_000)).encode())
    path.write_bytes(whole[: int(len(whole) * left)])
    assert "cut short or damaged" in str(refused(path))


def test_a_gzip_file_damaged_within_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "t.ndjson.gz"
    whole = bytearray(gzip.compress("".join(json.dumps(hit(f"task-{n}", n)) + "\n" for n in range(2000)).encode()))
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    assert isinstance(refused(path), DataError)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("t.ndjson", "there is no such file; a cluster is a URL such as https://localhost:9200, the example data is"),
        ("demos", "there is no such file; "),
        (".", "is a folder without Parquet files, and no store; name a file in it, or make a store with"),
        ("t.csv", "of no known kind; tasks come in .parquet, .json, .json.gz, .json.zst, .ndjson,"),
    ],
)
def test_what_is_no_file_of_a_known_kind_is_a_usage_error(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "t.csv").write_text("task_id\n")
    path = tmp_path / name
    error = refused(path)
    assert str(error).startswith(f"{path}: {says}")
    assert (type(error), error.exit_code) == (UsageError, 2)


def test_a_broken_line_within_the_file_is_named_even_if_it_is_the_first(tmp_path: Path) -> None:
    path = tmp_path / "t.ndjson"
    path.write_text('{"_id": "cut\n' + json.dumps(hit("b")) + "\n")
    assert str(refused(path)).startswith(f'{path}, line 1: not JSON ({{"_id": "cut); save')


def test_lines_may_end_as_on_windows_be_blank_and_lack_the_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "t.ndjson"
    path.write_bytes(b"\r\n" + b"\r\n\r\n".join(json.dumps(hit(name)).encode() for name in "abc"))
    assert mltasks.load(path)["task_id"].tolist() == ["a", "b", "c"]


def test_a_single_saved_task_is_a_source(tmp_path: Path) -> None:
    path = tmp_path / "task.json"  # as GET /_plugins/_ml/tasks/<id> answers
    path.write_text(json.dumps(TRAINING, indent=2))
    with pytest.warns(mltasks.TaskDataWarning, match="task_id 1"):
        tasks = mltasks.load(path)
    assert tasks["state"].tolist() == ["COMPLETED"]


def test_more_lines_than_are_decoded_at_once_are_all_read(tmp_path: Path) -> None:
    count = 2 * saved_answers.CHUNK + 1
    path = write_lines(tmp_path / "t.ndjson", [{"_id": str(n), "_source": {"state": "FAILED"}} for n in range(count)])
    assert mltasks.load(path)["task_id"].tolist() == [str(n) for n in range(count)]


@pytest.mark.parametrize(
    ("name", "content"), [("t.ndjson", b""), ("t.ndjson", b"\n"), ("t.ndjson.gz", gzip.compress(b"", mtime=0))]
)
def test_lines_of_no_task_are_an_empty_table(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert len(mltasks.load(path)) == 0


def test_a_complete_answer_of_no_task_is_an_empty_table(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(answer([])))
    assert len(mltasks.load(path)) == 0
