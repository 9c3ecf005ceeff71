from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.sources.task_writers import NdjsonSink, ParquetSink, Sink
from mltasks.tasks import conform, table
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context
from support.documents import page


@pytest.mark.parametrize("kind", ["table", "lines"])
def test_a_file_that_is_given_up_is_closed(tmp_path: Path, kind: str) -> None:
    part = tmp_path / "part"
    sink: Sink = ParquetSink(part) if kind == "table" else NdjsonSink(part, ".ndjson.gz")

    def broken() -> Iterator[HitsPage]:
        yield Decoder().page(page([]))
        raise KeyError("the connection")

    with pytest.raises(KeyError, match="the connection"), closing(sink):
        sink.fill(broken(), lambda rows: table.select(rows, Context(source="")))
    if kind == "table":
        assert pq.read_table(part).num_rows == 0  # its last bytes are written
    else:
        assert gzip.decompress(part.read_bytes()) == b""


def test_a_table_in_which_a_task_was_written_twice_keeps_the_newest_form(tmp_path: Path) -> None:
    rows = conform.EMPTY
    some = pa.Table.from_pylist(
        [{"task_id": "a", "seq_no": 1}, {"task_id": "b", "seq_no": 2}, {"task_id": "a", "seq_no": 3}], rows.schema
    )
    ctx = Context(source="")
    with closing(ParquetSink(tmp_path / "part")) as sink:
        sink.fill(iter([HitsPage(some, UnreadableCounts())]), lambda rows: table.select(rows, ctx))
        assert sink.finish(ctx, {"a": 3}) == 2
    assert pq.read_table(tmp_path / "part")["seq_no"].to_pylist() == [2, 3]


def test_the_hits_of_a_page_are_written_as_they_came_however_deep(tmp_path: Path) -> None:
    deep = b'{"_id":"deep","_seq_no":1,"_source":{"state":"FAILED","response":' + b"[" * 2000 + b"]" * 2000 + b"}}"
    body = b'{"hits":{"total":{"value":1,"relation":"eq"},"hits":[' + deep + b"]}}"
    ctx = Context(source="")
    with closing(NdjsonSink(tmp_path / "part", ".ndjson.gz")) as sink:
        sink.fill(iter([Decoder().page(body)]), lambda rows: table.select(rows, ctx))
        assert sink.finish(ctx, {}) == 1
    assert gzip.decompress((tmp_path / "part").read_bytes()) == deep + b"\n"
