from __future__ import annotations

import pytest

from mltasks.engines import operations, prepare
from mltasks.reports import grouping
from support.generated import made


@pytest.mark.parametrize("kind", ["pandas", "dataset"])
@pytest.mark.parametrize(
    ("state", "error", "outcomes"),
    [
        ("COMPLETED", None, {"n-1": "succeeded", "n-2": "succeeded"}),
        ("COMPLETED_WITH_ERROR", '{"n-2":"oom"}', {"n-1": "succeeded", "n-2": "failed"}),
        ("COMPLETED_WITH_ERROR", "oom", {"n-1": "partial", "n-2": "partial"}),
        ("FAILED", '{"n-2":"oom"}', {"n-1": "succeeded", "n-2": "failed"}),
        ("FAILED", '{"n-2":"oom","n-9":"oom"}', {"n-1": "succeeded", "n-2": "failed", "n-9": "failed"}),
        ("FAILED", "oom", {"n-1": "failed", "n-2": "failed"}),
        ("FAILED", None, {"n-1": "failed", "n-2": "failed"}),
        ("RUNNING", '{"n-2":"oom"}', {"n-1": "open", "n-2": "failed"}),
        ("CANCELLED", '{"n-2":"oom"}', {"n-1": "cancelled", "n-2": "failed"}),
    ],
)
def test_what_became_of_a_deployment_on_each_node(
    kind: str, state: str, error: str | None, outcomes: dict[str, str]
) -> None:
    deploy = {"task_type": "DEPLOY_MODEL", "worker_node": ["n-1", "n-2"], "state": state, "error": error}
    tasks = prepare.prepare(getattr(made(deploy), kind)(), "worker_node,outcome", {}, taken=())
    found = operations.to_pandas(grouping.group(tasks).frame.select("worker_node", "outcome"))
    assert sorted(zip(found["worker_node"], found["outcome"], strict=True)) == sorted(outcomes.items())
