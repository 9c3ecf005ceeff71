"""Files as people have them: the right numbers, or an error that names the place; each case with its siblings."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import mltasks
from mltasks.exceptions import DataError
from mltasks.tasks import metadata

CASES = Path(__file__).parents[1] / "data" / "cases"
LINES = (CASES / "ok.ndjson").read_bytes().splitlines()
HITS = [json.loads(line) for line in LINES]
ANSWER = json.loads((CASES / "ok.json").read_bytes())
PRETTY = json.dumps(ANSWER, indent=2).encode()
MODELS = json.loads((CASES / "models_search.json").read_bytes())["hits"]["hits"]


def numbers(source: Any) -> tuple[Any, ...]:
    """Return tasks, completed, partial, failed, open, rate, p50 and max, and the tasks of each node."""
    tasks = mltasks.load(source)
    rate, times = mltasks.failures(tasks, by=[]).iloc[0], mltasks.durations(tasks, by=[]).iloc[0]
    counts = [int(rate[name]) for name in ("tasks", "completed", "partial", "failed", "open")]
    nodes = tasks["worker_node"].str.split(",").explode().value_counts().to_dict()
    return (*counts, round(rate["failure_rate"], 4), times["p50_s"], times["max_s"], nodes)


BY_HAND = (6, 4, 1, 2, 0, 0.3333, 2.5, 4.0, {"nodeA": 4, "nodeB": 3})


@pytest.mark.parametrize(
    "name",
    [
        *("ok.json", "ok.json.gz", "ok.ndjson", "trailing_commas.ndjson", "array_brackets.ndjson", "bom.ndjson"),
        *("bom.json", "elasticdump.json", "jq_hits.json", "total_int.json"),
    ],
)
def test_a_file_with_the_six_tasks_gives_the_numbers_by_hand(name: str) -> None:
    assert numbers(CASES / name) == BY_HAND


def changed(**changes: Any) -> bytes:
    return json.dumps({**ANSWER, **changes}).encode()


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


def without(hit: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in hit.items() if name not in names}


def halves() -> list[dict[str, Any]]:
    """Return the answer as two pages of one search, each of which holds three of six hits."""
    return [{**ANSWER, "hits": {**ANSWER["hits"], "hits": HITS[n : n + 3]}} for n in (0, 3)]


JSON_LINES = b"\n".join(LINES) + b"\n"
SIBLINGS: dict[str, tuple[str, bytes]] = {
    "UTF-16 with a mark": ("t.ndjson", JSON_LINES.decode().encode("utf-16")),
    "UTF-16 without a mark": ("t.ndjson", JSON_LINES.decode().encode("utf-16-be")),
    "UTF-32": ("t.json", PRETTY.decode().encode("utf-32")),
    "UTF-16, as PowerShell writes": ("t.json", b"\r\n".join(PRETTY.splitlines()).decode().encode("utf-16")),
    "mark in a gzip": ("t.ndjson.gz", gzip.compress(b"\xef\xbb\xbf" + JSON_LINES)),
    "two gzips, a mark in each": (
        "t.ndjson.gz",
        gzip.compress(b"\xef\xbb\xbf" + b"\n".join(LINES[:3]) + b"\n")
        + gzip.compress(b"\xef\xbb\xbf" + b"\n".join(LINES[3:])),
    ),
    "zstd": ("t.ndjson.zst", zstd(JSON_LINES)),
    "two zstds": ("t.jsonl.zst", zstd(JSON_LINES) + zstd(JSON_LINES)),
    "an answer in zstd": ("t.json.zst", zstd(PRETTY)),
    "gzip that is not called so": ("t.json", gzip.compress(PRETTY)),
    "capitals": ("T.NDJSON.GZ", gzip.compress(JSON_LINES)),
    "ends of Windows and blank lines": ("t.ndjson", b"\r\n" + b"\r\n\r\n".join(LINES)),
    "pretty answer": ("t.json", PRETTY),
    "an answer as lines": ("t.ndjson", PRETTY),
    "a pretty array": ("t.json", json.dumps(HITS, indent=4).encode()),
    "an array on one line": ("t.ndjson", json.dumps(HITS).encode()),
    "brackets and trailing commas": ("t.ndjson", b"[\n" + b",\n".join(LINES) + b",\n]\n"),
    "an array closed on the last line": ("t.json", b"[" + b",\n".join(LINES) + b"]"),
    "pretty hits in a row": ("t.json", b"\n".join(json.dumps(hit, indent=2).encode() for hit in HITS)),
    "answers, one per line": ("t.ndjson", b"\n".join(json.dumps(half).encode() for half in halves())),
    "pretty answers in a row": ("t.json", b"\n".join(json.dumps(half, indent=1).encode() for half in halves())),
    "an array of answers": ("t.json", json.dumps(halves()).encode()),
    "the same answer twice": ("t.json", PRETTY + b"\n" + PRETTY),
    "answers of _msearch": ("t.json", json.dumps({"took": 1, "responses": [ANSWER, ANSWER]}).encode()),
    "all clusters": ("t.json", changed(_clusters={"total": 2, "successful": 2, "skipped": 0})),
    "not ended early": ("t.json", changed(terminated_early=False)),
    "names of export tools": (
        "t.json",
        b"\n".join(
            json.dumps({**hit, "_type": "_doc", "_score": None, "sort": [n], "fields": {"x": [1]}}).encode()
            for n, hit in enumerate(HITS)
        ),
    ),
    "a copy under another name": ("t.json", b"\n".join(LINES).replace(b".plugins-ml-task", b"backup-2026")),
    "hits without an index": ("t.ndjson", b"\n".join(json.dumps(without(hit, "_index")).encode() for hit in HITS)),
    "documents with an id": (
        "t.ndjson",
        b"\n".join(json.dumps({**hit["_source"], "id": hit["_id"]}).encode() for hit in HITS),
    ),
    "documents of Logstash": (
        "t.ndjson",
        b"\n".join(
            json.dumps({**hit["_source"], "_id": hit["_id"], "@version": "1", "@timestamp": "2026-01-01"}).encode()
            for hit in HITS
        ),
    ),
    "models among them": ("t.ndjson", b"\n".join([*LINES, *(json.dumps(model).encode() for model in MODELS)])),
}


CELLS = ("task_id", "state", "task_type", "create_time", "last_update_time", "worker_node", "error", "duration_s")


@pytest.mark.parametrize("name", SIBLINGS)
@pytest.mark.filterwarnings("ignore:.*hits of other indices left out:mltasks.TaskDataWarning")
def test_its_siblings_give_the_same(tmp_path: Path, name: str) -> None:
    suffix, content = SIBLINGS[name]
    path = tmp_path / suffix
    path.write_bytes(content)
    tasks, expected = (mltasks.load(source)[[*CELLS]].reset_index(drop=True) for source in (path, HITS))
    pd.testing.assert_frame_equal(tasks, expected, check_flags=False)


def test_dicts_and_lists_are_read_as_files_are() -> None:
    records = mltasks.load(HITS).to_dict("records")
    for source in (ANSWER, HITS, halves(), {"responses": [ANSWER]}, [hit["_source"] for hit in HITS], records):
        if source is not records and isinstance(source, list) and "state" in source[0]:
            with pytest.warns(mltasks.TaskDataWarning, match="task_id 6"):
                assert numbers(source) == BY_HAND
        else:
            assert numbers(source) == BY_HAND


WRONG: dict[str, tuple[str, bytes, str]] = {
    "a cut line": ("t.ndjson", JSON_LINES.replace(LINES[1], LINES[1][:90]), ', line 2: not a JSON object ({"_index"'),
    "a cut last line": ("t.ndjson", JSON_LINES[:-40], ", line 6: cut short (it ends "),
    "log lines first": ("t.ndjson", b"starting dump\n" + JSON_LINES, ", line 1: not JSON (starting dump);"),
    "log lines between": (
        "t.ndjson",
        b"\n".join([*LINES[:3], b"got 3 objects", *LINES[3:]]),
        ", line 4: not a JSON object (got 3 objects);",
    ),
    "log lines last": ("t.json", JSON_LINES + b"dump complete\n", ", line 7: not a JSON object (dump complete);"),
    "a hit without a source": (
        "t.ndjson",
        JSON_LINES + b'{"_id": "x"}\n',
        ', line 7: a hit without _source ({"_id": "x"});',
    ),
    "a hit of an answer without a source": (
        "t.json",
        changed(hits={"total": {"value": 2, "relation": "eq"}, "hits": [HITS[0], {"_id": "x"}]}),
        ", hit 2: a hit without _source (_id 'x');",
    ),
    "a source of PowerShell": (
        "t.json",
        changed(hits={"total": 1, "hits": [{"_id": "x", "_source": "@{state=COMPLETED}"}]}),
        ', hit 1: a hit without _source ({"_id": "x", "_source": "@{state=COMPLETED}"});',
    ),
    "an element that is no object": ("t.json", json.dumps([*HITS, 7]).encode(), ", hit 7: not a JSON object (7);"),
    "models": ("t.ndjson", b"\n".join(json.dumps(m).encode() for m in MODELS), ": no task in it: its hits are of .pl"),
    "tasks of another plugin": (
        "t.ndjson",
        b'{"_index":".opendistro-anomaly-detection-state","_source":{"task_type":"HISTORICAL","state":"RUNNING"}}\n',
        ": no task in it: its hits are of .opendistro-anomaly-detection-state; tasks come from POST /_plugins/_ml/",
    ),
    "hits of nothing": ("t.ndjson", b'{"_source": {"a": 1}}\n{"_source": {}}\n', ": no task in it: no hit has a state"),
    "shards that did not answer": (
        "t.json",
        changed(_shards={"total": 5, "successful": 4, "skipped": 0, "failed": 0}),
        ": incomplete: only 4 of 5 shards answered;",
    ),
    "ended early": ("t.json", changed(terminated_early=True), ": incomplete: the search was ended early"),
    "clusters that did not answer": (
        "t.json",
        changed(_clusters={"total": 2, "successful": 1, "skipped": 1}),
        ": incomplete: only 1 of 2 clusters answered",
    ),
    "the second answer timed out": (
        "t.ndjson",
        changed() + b"\n" + changed(timed_out=True),
        ", line 2: incomplete: the search timed out",
    ),
    "one of several failed": (
        "t.json",
        json.dumps({"responses": [ANSWER, {"error": {"reason": "no permissions"}, "status": 403}]}).encode(),
        ', response 2: an error answer ("no permissions");',
    ),
    "a page of several": ("t.json", json.dumps(halves()[0]).encode(), ": incomplete: it holds 3 of 6 tasks;"),
    "the same page twice": ("t.json", json.dumps(halves()[:1] * 2).encode(), ": incomplete: it holds 3 of 6 tasks;"),
    "hits are null": ("t.json", changed(hits=None), ': not a _search answer ({"took": 12, '),
    "a list of hits is null": ("t.json", changed(hits={"total": 6, "hits": None}), ": not a _search answer ("),
    "an unknown total": ("t.json", changed(hits={"total": -1, "hits": HITS}), ": incomplete: it does not say how many"),
    "a cut answer": ("t.json", PRETTY[:2000], ", line 82: cut short (it ends "),
    "a cut gzip": ("t.json.gz", gzip.compress(PRETTY)[:-20], ": cut short or damaged ("),
    "a cut zstd": ("t.ndjson.zst", zstd(JSON_LINES)[:-20], ": cut short or damaged (Truncated compressed stream)"),
    "zstd of nothing": ("t.ndjson.zst", b"", ": cut short or damaged (it is empty)"),
    "UTF-16 cut within a character": (
        "t.json",
        PRETTY.decode().encode("utf-16")[:-1],
        ": cut short or damaged (",
    ),
    "nothing": ("t.json", b"", ": it is empty;"),
    "blank lines": ("t.json", b"\n \r\n\n", ": it is empty;"),
    "CSV": ("t.json", b"task_id,state\na,FAILED\n", ", line 1: not JSON (task_id,state);"),
    "the page of a login": (
        "t.json",
        b"\n<!doctype html>\n<html><body>Log in</body></html>\n",
        ", line 2: a web page, not a _search answer (<!doctype html> <html><body>Log in",
    ),
    "headers of curl": ("t.json", b"HTTP/1.1 200 OK\r\n\r\n" + changed(), ", line 1: not JSON (HTTP/1.1 200 OK);"),
    "bulk lines": ("t.ndjson", b'{"index":{"_id":"a"}}\n{"state":"FAILED"}\n', ", line 1: no hit of _search ("),
    "the console's text": ("t.json", (CASES / "devtools.json").read_bytes(), ", line 99: a text in triple quotes, as"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_task_or_not_all_of_them_is_an_error_that_names_the_place(tmp_path: Path, name: str) -> None:
    suffix, content, says = WRONG[name]
    path = tmp_path / suffix
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        mltasks.load(path)
    assert str(caught.value).startswith(f"{path}{says}")
    assert "mltasks fetch" in str(caught.value) or "POST /_plugins/_ml/tasks/_search" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({**ANSWER, "terminated_early": True}, "an answer: incomplete: the search was ended early"),
        (MODELS, "hits: no task in it: its hits are of .plugins-ml-model;"),
        ([*HITS, {"_id": "x"}], "hits, hit 7: a hit without _source"),
        ([*HITS, 7], "hits, hit 7: not a JSON object (7)"),
        ({"colour": "red"}, 'an answer: no hit of _search ({"colour": "red"})'),
    ],
)
def test_a_dict_or_a_list_is_refused_as_a_file_is(source: Any, says: str) -> None:
    with pytest.raises(DataError) as caught:
        mltasks.load(source)
    assert str(caught.value).startswith(says)


def test_hits_of_another_index_are_left_out_counted_and_said() -> None:
    path = CASES / "mixed_ml_indices.json"
    with pytest.warns(mltasks.TaskDataWarning) as warned:
        tasks = mltasks.load(path)
    said = "3 hits of other indices left out: .plugins-ml-model (3)"
    assert [str(one.message) for one in warned] == [f"{path}: {said}"]
    ctx = metadata.read_attrs(tasks.attrs)
    assert ctx is not None
    assert ctx.notes == (said,)
    assert len(tasks) == 6


def test_an_array_of_hits_says_that_nothing_tells_whether_it_is_all() -> None:
    ctx = metadata.read_attrs(mltasks.load(CASES / "jq_hits.json").attrs)
    assert ctx is not None
    assert ctx.notes == ("an array of hits does not say whether it is all of an answer",)


def test_the_own_table_is_the_same_through_json_lines_and_parquet() -> None:
    lines, parquet = mltasks.load(CASES / "own_table.jsonl"), mltasks.load(CASES / "own_table.parquet")
    pd.testing.assert_frame_equal(lines, parquet, check_flags=False)
    assert set(lines["cluster"]) == {"prod-eu"}
    assert lines["seq_no"].tolist() == [1, 2, 3, 4, 5, 6]
    assert lines["reason"].notna().sum() == 4


def lines_of(tasks: pd.DataFrame, **options: Any) -> bytes:
    return str(tasks.to_json(orient="records", lines=True, **options)).encode()


@pytest.mark.parametrize("options", [{"date_format": "epoch"}, {"date_format": "iso"}])
@pytest.mark.filterwarnings("ignore:'epoch' date format is deprecated")  # what most files have, all the same
def test_the_demo_survives_json_lines(tmp_path: Path, options: dict[str, Any]) -> None:
    tasks = mltasks.load("demo")
    (tmp_path / "t.jsonl").write_bytes(lines_of(tasks, **options))
    pd.testing.assert_frame_equal(mltasks.load(tmp_path / "t.jsonl"), tasks, check_flags=False)


def test_an_own_table_keeps_its_extra_fields_and_a_users_columns(tmp_path: Path) -> None:
    with pytest.warns(mltasks.TaskDataWarning, match="create_time 1"):
        tasks = mltasks.load([{"_id": "a", "_source": {"state": "FAILED", "create_time": "soon", "own": {"a": 1}}}])
    (tmp_path / "t.jsonl").write_bytes(lines_of(tasks.assign(team="red"), date_format="iso"))
    extra = json.loads(mltasks.load(tmp_path / "t.jsonl")["extra"][0])
    assert extra == {"create_time": "soon", "own": {"a": 1}, "team": "red"}


class Stdin:
    """Standard input that is not a terminal."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)

    def isatty(self) -> bool:
        return False


def parquet_bytes() -> bytes:
    buffer = io.BytesIO()
    mltasks.load(HITS).to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content", [JSON_LINES, PRETTY, gzip.compress(JSON_LINES), zstd(PRETTY), PRETTY.decode().encode("utf-16"), None]
)
def test_standard_input_is_a_source_of_any_format(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(parquet_bytes() if content is None else content))
    assert numbers("-") == BY_HAND
    assert numbers("-") == BY_HAND  # a pipe can be read once only, and is kept
    ctx = metadata.read_attrs(mltasks.load("-").attrs)
    assert ctx is not None
    assert ctx.source == "standard input"


def test_standard_input_of_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    with pytest.raises(DataError, match="standard input: it is empty"):
        mltasks.load("-")


def test_a_terminal_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = Stdin(b"")
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(mltasks.UsageError, match="-: standard input is a terminal; pipe tasks into it"):
        mltasks.load("-")


def as_spark_writes(folder: Path, tasks: pd.DataFrame) -> None:
    """Write parts as Spark does: by cluster and team, the folders' names escaped, markers beside them."""
    for (cluster, team), part in tasks.groupby(["cluster", "team"], dropna=False):
        names = ("__HIVE_DEFAULT_PARTITION__" if cluster != cluster else "h%3A9200", team)
        place = folder / f"cluster={names[0]}" / f"team={names[1]}"
        place.mkdir(parents=True)
        part.drop(columns=["cluster", "team"]).to_parquet(place / "part-00000-0f.c000.zstd.parquet")
        (place / "._part.parquet").write_bytes(b"no parquet")
    (folder / "_SUCCESS").touch()
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "part-1.parquet").write_bytes(b"no parquet")


def test_a_folder_of_parquet_parts_is_a_source_and_its_folders_are_columns(tmp_path: Path) -> None:
    clusters = ["h:9200"] * 3 + [None] * 3
    tasks = mltasks.load(HITS).assign(cluster=pd.array(clusters, "str"), team=["007", "red"] * 3)
    as_spark_writes(tmp_path / "cluster=other" / "tasks", tasks)
    found = mltasks.load(tmp_path / "cluster=other" / "tasks").sort_values("task_id", ignore_index=True)
    assert found["cluster"].fillna("-").tolist() == ["h:9200"] * 3 + ["-"] * 3
    assert found["team"].tolist() == ["007", "red"] * 3
    assert numbers(tmp_path / "cluster=other" / "tasks") == BY_HAND
    assert mltasks.failures(mltasks.scan(tmp_path / "cluster=other" / "tasks"), by="team")["tasks"].tolist() == [3, 3]


@pytest.mark.parametrize("change", [lambda t: t, lambda t: t.astype({"seq_no": "float64"}), lambda t: t[["state"]]])
def test_parts_of_other_columns_are_put_together_or_named(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    tasks = mltasks.load(HITS)
    tasks[:3].to_parquet(tmp_path / "part-0.PARQUET")
    change(tasks[3:]).to_parquet(tmp_path / "part-1.parquet")
    if len(change(tasks).columns) > 1:
        assert numbers(tmp_path) == BY_HAND
    else:
        with pytest.raises(DataError, match=r"part-1\.parquet holds no tasks: it has no column create_time"):
            mltasks.load(tmp_path)


def rows_of_cases(**columns: list[Any]) -> pd.DataFrame:
    rows = pd.DataFrame([hit["_source"] for hit in HITS])
    return rows.assign(**columns)


@pytest.mark.parametrize("write", [lambda nodes: f"array({nodes}, dtype=object)", lambda nodes: json.dumps(str(nodes))])
def test_nodes_as_the_text_of_a_call_or_written_twice_are_those_nodes(write: Callable[[Any], str]) -> None:
    ids = [hit["_id"] for hit in HITS]
    nodes = [write(hit["_source"].get("worker_node", [])) for hit in HITS]
    assert numbers(rows_of_cases(task_id=ids, worker_node=nodes)) == BY_HAND


def test_a_column_called_id_tells_tasks_apart_where_no_other_does() -> None:
    rows = rows_of_cases(id=[hit["_id"] for hit in HITS])
    assert numbers(pd.concat([rows, rows])) == BY_HAND
    loaded = mltasks.load(rows.assign(task_id=rows["id"], id=1))
    assert loaded["id"].tolist() == [1] * 6


def test_a_table_by_columns_is_no_task(tmp_path: Path) -> None:
    path = tmp_path / "columns.json"
    mltasks.load(CASES / "ok.json").to_json(path, date_format="iso")
    with pytest.raises(DataError, match=r"columns\.json: a table by columns, not a row a task; pandas writes rows"):
        mltasks.load(path)


@pytest.mark.parametrize("source", [{}, {"note": "moved"}])
def test_a_hit_that_says_nothing_of_a_task_is_named(source: dict[str, Any]) -> None:
    hits = [*HITS, {"_index": ".plugins-ml-task", "_id": "empty", "_source": source}]
    with pytest.raises(DataError, match="the hit empty says nothing of a task: no state, no task_type, no create_time"):
        mltasks.load(hits)


def test_a_file_that_was_decompressed_under_its_old_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answer.json.gz"
    path.write_bytes((CASES / "ok.json").read_bytes())
    assert numbers(path) == BY_HAND
