from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltasks.sources import background


def tables(sizes: list[int]) -> Iterator[pa.Table]:
    row = 0
    for size in sizes:
        yield pa.table({"row": pa.array(range(row, row + size), pa.int64())})
        row += size


@settings(deadline=None)
@given(st.lists(st.sampled_from([0, 1, 7, 20_000, background.BATCH, background.BATCH + 1]), max_size=6))
def test_every_row_is_worked_on_once_and_in_order(sizes: list[int]) -> None:
    found = list(background.map_in_background(tables(sizes), lambda rows: rows))
    assert [n for batch in found for n in batch["row"].to_pylist()] == list(range(sum(sizes)))
    assert all(batch.num_rows for batch in found)
    assert all(batch.num_rows >= background.BATCH for batch in found[:-1])


def test_the_next_rows_are_gathered_while_the_last_ones_are_worked_on() -> None:
    gathered = threading.Event()

    def pages() -> Iterator[pa.Table]:
        yield from tables([background.BATCH])
        gathered.set()
        yield from tables([1])

    assert list(background.map_in_background(pages(), lambda rows: gathered.wait(5))) == [True, True]


def test_what_the_work_raises_is_raised_here() -> None:
    def fail(rows: pa.Table) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        list(background.map_in_background(tables([1]), fail))


def test_what_the_pages_raise_is_raised_once_the_work_has_ended() -> None:
    done: list[int] = []

    def pages() -> Iterator[pa.Table]:
        yield from tables([background.BATCH, background.BATCH])
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(background.map_in_background(pages(), lambda rows: done.append(rows.num_rows)))
    assert done == [background.BATCH, background.BATCH]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mltasks")]
