"""What is to be thought of a model's deployment, from the index of models and its last deployment."""

from __future__ import annotations

from typing import Literal

from mltasks.tasks import schema
from mltasks.tasks.metadata import ClusterInfo, Model

Verdict = Literal["down", "partial", "deploying", "stuck", "given_up", "stale", "undeployed", "up", "unknown"]
MOST_RETRIES = 3  # after which a cluster does not deploy a model again by itself


def find_verdict(
    model: Model | None, last_outcome: str | None, last_deploy_ms: float | None, info: ClusterInfo | None
) -> Verdict:
    """Return the verdict on a model; the first that holds, in the order of how much it asks for.

    `model` as the index of models of the cluster of `info` has it (None: it has it not, or was not read),
    `last_outcome` and `last_deploy_ms` those of the deployment that was created last.
    """
    if model is None or model.state is None:
        return "unknown"
    current, planned = model.current_nodes or 0, model.planned_nodes or 0
    if model.state == "DEPLOY_FAILED" or (last_outcome == "failed" and not current):
        return "down"
    if 0 < current < planned or model.state == "PARTIALLY_DEPLOYED" or (last_outcome == "partial" and not planned):
        return "partial"
    if model.state == "DEPLOYING":
        as_of_ms, timeout_s = (info.as_of_ms, info.timeout_s) if info else (None, schema.DEFAULT_TIMEOUT_S)
        begun_ms = model.last_deployed_ms if last_deploy_ms is None else last_deploy_ms
        if as_of_ms is None or begun_ms is None:
            return "deploying"
        return "stuck" if as_of_ms - begun_ms > 1000 * (timeout_s + schema.OVERDUE_GRACE_S) else "deploying"
    if (model.redeploy_retries or 0) >= MOST_RETRIES and current < max(planned, 1):
        return "given_up"
    if model.state != "DEPLOYED":
        return "undeployed"
    return "stale" if model.serving == () else "up"
