from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mltasks
from mltasks.reports.task_list import task_list
from mltasks.tasks.remote_job import RemoteJob, job_columns, read_job
from support.command import Command
from support.documents import CREATED, hit

START, END = 1_711_471_533_000, 1_711_493_163_000  # 2024-03-26 16:45:33 and 22:46:03 UTC
SHAPES: dict[str, tuple[dict[str, Any], RemoteJob]] = {
    "SageMaker": (  # DescribeTransformJob: times are seconds as JSON numbers
        {
            "TransformJobArn": "arn:aws:sagemaker:us-east-1:123456789012:transform-job/SM-offline-batch-transform",
            "TransformJobName": "SM-offline-batch-transform",
            "TransformJobStatus": "Completed",
            "CreationTime": 1711471500.5,
            "TransformStartTime": 1711471533.0,
            "TransformEndTime": 1711493163,
            "ModelName": "DJL-Text-Embedding-Model-imageforjsonlines",
            "dlq": None,
        },
        RemoteJob("Completed", START, END),
    ),
    "SageMaker, accepted": (
        {"TransformJobStatus": "InProgress", "CreationTime": 1711471533},
        RemoteJob("InProgress", START, None),
    ),
    "SageMaker, numbers as 2.19 keeps them": (
        {"TransformJobStatus": "Stopped", "TransformStartTime": 1.711471533e9, "TransformEndTime": 1.711493163e9},
        RemoteJob("Stopped", START, END),
    ),
    "Bedrock": (  # GetModelInvocationJob: times are texts, and there is none of its start
        {
            "jobArn": "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdefghij12",
            "jobName": "job",
            "modelId": "amazon.titan-embed-text-v2:0",
            "status": "PartiallyCompleted",
            "submitTime": "2024-03-26T16:45:33Z",
            "lastModifiedTime": "2024-03-26T23:00:00Z",
            "endTime": "2024-03-26T22:46:03.000Z",
            "jobExpirationTime": "2024-03-27T16:45:33Z",
            "timeoutDurationInHours": 24,
        },
        RemoteJob("PartiallyCompleted", START, END),
    ),
    "OpenAI": (
        {
            "id": "batch_1",
            "object": "batch",
            "status": "completed",
            "created_at": 1711471500,
            "in_progress_at": 1711471533,
            "expires_at": 1711557933,
            "finalizing_at": 1711493133,
            "completed_at": 1711493163,
            "failed_at": None,
            "expired_at": None,
            "cancelling_at": None,
            "cancelled_at": None,
            "request_counts": {"total": 100, "completed": 95, "failed": 5},
        },
        RemoteJob("completed", START, END),
    ),
    "OpenAI, as OpenSearch documents a batch prediction": (
        {
            "cancelled_at": None,
            "metadata": None,
            "request_counts": {"total": 3, "completed": 3, "failed": 0},
            "created_at": 1725491753,
            "in_progress_at": 1725491753,
            "expired_at": None,
            "finalizing_at": 1725491757,
            "completed_at": None,
            "endpoint": "/v1/embeddings",
            "expires_at": 1725578153,
            "cancelling_at": None,
            "completion_window": "24h",
            "failed_at": None,
            "object": "batch",
            "status": "in_progress",
        },
        RemoteJob("in_progress", 1_725_491_753_000, None),
    ),
    "OpenAI, cancelled": (
        {"status": "cancelled", "created_at": 1711471533, "cancelling_at": 1711490000, "cancelled_at": 1711493163},
        RemoteJob("cancelled", START, END),
    ),
    "OpenAI, failed": (
        {"status": "failed", "created_at": 1711471533, "completed_at": None, "failed_at": 1711493163},
        RemoteJob("failed", START, END),
    ),
    "Cohere": (  # the embed job: no time but that of its creation
        {
            "job_id": "ed6f8a22-1c6b-4d7e-9b57-2d2f0d2a3d0e",
            "status": "complete",
            "created_at": "2024-03-26T16:45:33.000000Z",
            "input_dataset_id": "x",
            "output_dataset_id": "y",
            "model": "embed-english-v3.0",
            "truncate": "RIGHT",
            "name": "job",
        },
        RemoteJob("complete", START, None),
    ),
    "nothing": ({}, RemoteJob(None, None, None)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_provider_tells_status_start_and_end_in_its_own_words(shape: str) -> None:
    fields, expected = SHAPES[shape]
    assert read_job(json.dumps(fields)) == expected


@pytest.mark.parametrize(
    "text", [None, "", "null", "[1]", '{"created_at": {}}', '{"created_at": true}', '{"status": 7}']
)
def test_what_is_no_job_or_no_time_is_missing(text: str | None) -> None:
    assert read_job(text) == RemoteJob(None, None, None)


@pytest.mark.parametrize("time", [1e300, -1, 0, "soon", "0001-01-01", 1711471533000])
def test_only_a_time_that_can_be_is_one(time: Any) -> None:
    assert read_job(json.dumps({"created_at": time})).start_ms == (START if time == START else None)


values = st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
jobs = st.dictionaries(st.sampled_from(["created_at", "endTime", "status"]), values).map(json.dumps)


@given(st.lists(st.none() | st.text() | jobs))
def test_any_text_gives_the_same_columns(texts: list[str | None]) -> None:
    frame = job_columns(texts)
    assert len(frame) == len(texts)
    assert frame.dtypes.equals(job_columns([]).dtypes)
    assert not (frame["job_duration_s"] < 0).any()


def batch(task_id: str, **job: Any) -> dict[str, Any]:
    return hit(task_id, state="RUNNING", task_type="BATCH_PREDICTION", function_name="REMOTE", remote_job=job)


def test_a_list_has_them_where_they_are_asked_for() -> None:
    tasks = mltasks.load([batch("a", status="completed", created_at=1711471533, completed_at=1711493163), hit("b")])
    shown = task_list(tasks, ["task_id", "job_status", "job_start", "job_end", "job_duration_s"])
    rows = shown.set_index("task_id")
    assert rows.loc["a", "job_status"] == "completed"
    assert rows.loc["a", "job_duration_s"] == 21_630
    assert rows.loc[["b"]].isna().all(axis=None)
    assert "job_status" not in task_list(tasks)


def test_the_command_sorts_by_them_and_shows_a_duration(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    path = tmp_path / "hits.ndjson"
    two = [
        batch("short", status="completed", created_at=CREATED // 1000, completed_at=CREATED // 1000 + 5),
        batch("long", status="completed", created_at=CREATED // 1000, completed_at=CREATED // 1000 + 90),
    ]
    path.write_text("".join(json.dumps(job) + "\n" for job in two))
    ran = Command(capsys)("list", str(path), "--columns", "task_id,job_status", "--sort", "job_duration_s")
    assert [line.split() for line in ran.out.splitlines()[-2:]] == [["long", "completed"], ["short", "completed"]]
    ran = Command(capsys)("list", str(path), "--columns", "task_id,job_duration_s", "--sort", "task_id")
    assert "1m30s" in ran.out
    said = Command(capsys).fails(2, "list", str(path), "--columns", "job_statu")
    assert said == "columns: there is no column 'job_statu'; did you mean 'job_status'?"
