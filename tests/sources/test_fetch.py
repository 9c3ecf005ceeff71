from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mltasks.opensearch.pagination import SeqNoPagination
from mltasks.sources.fetch import NdjsonSink, ParquetSink, Sink
from mltasks.tasks import conform, table
from mltasks.tasks.metadata import Context
from support.documents import page


@pytest.mark.parametrize("kind", ["table", "lines"])
def test_a_file_that_is_given_up_is_closed(tmp_path: Path, kind: str) -> None:
    part = tmp_path / "part"
    walk = cast(SeqNoPagination, SimpleNamespace(body=page([])))
    sink: Sink = ParquetSink(part) if kind == "table" else NdjsonSink(part, walk)

    def broken() -> Iterator[pa.Table]:
        yield conform.EMPTY
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
        sink.fill(iter([some]), lambda rows: table.select(rows, ctx))
        assert sink.finish(ctx, {"a": 3}) == 2
    assert pq.read_table(tmp_path / "part")["seq_no"].to_pylist() == [2, 3]
