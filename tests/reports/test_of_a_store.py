"""Each report on the files of a store, of which it reads some, and on a pandas frame of all the tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.tasks import schema
from mltasks.tasks.filter_conditions import Window
from support import generated, stored
from support.generated import Made


def hour(row: stored.Row) -> str:
    """Return a partition of an hour: so fine that most windows leave some out."""
    return str((row["create_time"] or 0) // generated.HOUR)


@pytest.mark.parametrize(
    ("report", "window"),
    [(mltasks.durations, "created"), (mltasks.failures, "created"), (mltasks.workers, "in_flight")],
)
@given(data=st.data(), tasks=generated.tasks())
@settings(max_examples=4)
def test_a_report_on_a_store_is_that_on_the_same_rows_in_pandas(
    report: Callable[..., pd.DataFrame], window: Window, data: st.DataObject, tasks: Made
) -> None:
    options: dict[str, Any] = data.draw(generated.options(periods=("7h", "1d", "1mo"), window=window))
    options["by"] = [key for key in options["by"] if key in schema.COLUMNS]
    tasks = stored.of_stores(tasks)
    with TemporaryDirectory() as folder:
        in_store = report(stored.dataset(tasks, Path(folder), hour), **options)
    in_pandas = report(tasks.pandas(), **options)
    pd.testing.assert_frame_equal(in_store, in_pandas, rtol=1e-12)
    assert in_store.attrs == in_pandas.attrs
