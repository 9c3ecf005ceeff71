"""`durations` with `jobs`: how long batch predictions took at their provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mltasks
from mltasks.exceptions import UsageError
from mltasks.reports import job_durations, report_info
from support import stored
from support.generated import AS_OF, HOUR, Made, life, made

BEGUN = AS_OF // 1000 - 3600


def batch(lasted: int | None, state: str = "COMPLETED", **fields: Any) -> dict[str, Any]:
    """Return a batch prediction whose job took so many seconds; None: its provider tells no end."""
    end = {} if lasted is None else {"completed_at": BEGUN + lasted}
    job = json.dumps({"created_at": BEGUN, **end})
    kind = {"task_type": "BATCH_PREDICTION", "function_name": "REMOTE", "state": state, "remote_job": job}
    return {**life(HOUR, 0), **kind, **fields}


def both(tasks: Made, **options: Any) -> pd.DataFrame:
    """Return the report, which is the same on both engines."""
    expected = mltasks.durations(tasks.pandas(), jobs=True, **options)
    found = mltasks.durations(tasks.dataset(), jobs=True, **options)
    pd.testing.assert_frame_equal(found, expected)
    assert found.attrs == expected.attrs
    return expected


TASKS = (
    batch(10),
    batch(30, cluster="west"),
    batch(None),
    batch(50, "FAILED"),
    batch(None, "RUNNING"),
    batch(99, task_type="TRAINING"),
)


def test_batch_predictions_are_measured_by_their_provider_and_others_left_out(tmp_path: Path) -> None:
    (row,) = both(made(*TASKS)).to_dict("records")
    assert [row[name] for name in ("tasks", "completed", "failed", "open", "measured", "unmeasured")] == [
        5,
        3,
        1,
        1,
        2,
        1,
    ]
    assert (row["mean_s"], row["p50_s"], row["max_s"]) == (20.0, 20.0, 30.0)
    assert "not measured though finished: 1 polled" in report_info.read_info(both(made(*TASKS))).notes
    (failed,) = both(made(*TASKS), outcome="failed").to_dict("records")
    assert (failed["measured"], failed["p50_s"]) == (1, 50.0)
    tasks = stored.of_stores(made(*TASKS))
    in_store = mltasks.durations(stored.dataset(tasks, tmp_path), jobs=True, by="cluster")
    assert in_store[["cluster", "p50_s"]].values.tolist() == [["east", 10.0], ["west", 30.0]]


def test_without_jobs_the_times_of_a_batch_prediction_tell_nothing() -> None:
    table = mltasks.durations(made(*TASKS).pandas(), task_type="BATCH_PREDICTION")
    assert table["measured"].tolist() == [0]


def test_no_batch_prediction_is_an_empty_table() -> None:
    assert len(both(made())) == 0
    assert both(made({}), by=[])["tasks"].tolist() == [0]


def test_more_jobs_than_are_read_are_an_error_and_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_durations, "MOST", 3)
    with pytest.raises(UsageError, match="jobs: 4 batch predictions are more than 3; choose some with since"):
        both(made(*TASKS))
