from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mltasks
from support.documents import hit, write_lines


@pytest.mark.parametrize(
    "call",
    [
        mltasks.load,
        mltasks.scan,
        lambda path: mltasks.load([path]),
        lambda path: mltasks.scan([path, path]),
        lambda path: mltasks.get(path, "task-1"),
        lambda path: mltasks.fetch(path, path.with_name("t.parquet")),
    ],
)
def test_a_warning_points_to_who_called(tmp_path: Path, call: Callable[[Path], Any]) -> None:
    path = write_lines(tmp_path / "t.ndjson", [hit("task-1", create_time="soon")])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(path)
    assert {one.category for one in caught} == {mltasks.TaskDataWarning}
    assert {one.filename for one in caught} == {__file__}
