"""Whether each model is deployed, and if not, why: its deployments, and what the index of models says of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import deployments, error_texts, report_info, totals
from mltasks.reports.declarations.models import REPORT
from mltasks.reports.deployments import DeploymentSummary
from mltasks.reports.model_verdict import find_verdict
from mltasks.tasks import failure_reason, outcomes, schema
from mltasks.tasks.filter_options import RateOptions
from mltasks.tasks.metadata import ClusterInfo, Model
from mltasks.tasks.plural import count_of

COUNTS = ("deploys", "failed", "failures_in_a_row", "switches", "open_jobs")
MAYBE_COUNTS = ("planned", "current", "serving", "redeploys", "retries")
TIMES = ("last_success", "failing_since")
COLUMNS = ("model_id", *REPORT.column_names)
NOT_READ = "the index of models is not part of what was read"  # a note begins so
DEPLOYED = ("DEPLOYED", "PARTIALLY_DEPLOYED", "DEPLOYING", "DEPLOY_FAILED")  # states of models that were deployed


def models(tasks: Any, *, tz: str = "UTC", as_of: Any = None, **options: Unpack[RateOptions]) -> pd.DataFrame:
    """Return whether each model is deployed, one row per model that was ever deployed.

    The verdict is down (its last deployment failed and no node serves it), partial (on some of the planned nodes),
    deploying, stuck (deploying for longer than the time-out), given_up (the cluster does not try again by itself),
    stale (deployed, and no node holds it), undeployed, up, or unknown (the index of models was not read, or has it no
    longer). What the index of models and the nodes say is there where a cluster was read. Filters select the
    deployments by create_time.

    Examples
    --------
    >>> mltasks.models("demo")["verdict"].value_counts().to_dict()
    {'unknown': 66}
    """
    wanted = ["error", "model_id", "end_ms"]
    prepared = prepare.prepare(tasks, [], {**options, "tz": tz}, as_of=as_of, taken=(), wanted=wanted)
    report_info.reject_filters("models", prepared)
    covered = totals.count_totals(prepared)
    starts = _read_node_starts(prepared)
    deployed = deployments.read_deployments(prepared, starts)
    unrecorded = _find_unrecorded(prepared, {row["model_id"] for row in deployed})
    rows = [_describe(row, prepared) for row in [*deployed, *map(deployments.none_of, unrecorded)]]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "open_jobs"])
    if not starts:
        table["redeploys"] = None
    jobs = _count_open_jobs(prepared)
    table["open_jobs"] = table["model_id"].map(jobs) if jobs else 0
    table = report_info.whole_numbers(table.sort_values("model_id", ignore_index=True), COUNTS)
    for name in TIMES:
        table[name] = pd.to_datetime(table[name].astype("float64"), unit="ms", utc=True).dt.as_unit("ms")
    numbers = ("predict_p50_ms", "predict_p99_ms")
    texts = [name for name in COLUMNS if name not in (*COUNTS, *MAYBE_COUNTS, *TIMES, *numbers)]
    types: dict[str, Any] = dict.fromkeys(texts, operations.TEXT) | dict.fromkeys(numbers, "float64")
    result = table[list(COLUMNS)].astype(types | dict.fromkeys(MAYBE_COUNTS, "Int64"))
    return report_info.attach_info(result, "models", prepared, covered, _notes(prepared, result), keys=["model_id"])


def _count_open_jobs(tasks: Tasks) -> dict[str, int]:
    is_open = (nw.col("task_type").cast(nw.String) == "BATCH_PREDICTION") & outcomes.has_outcome(schema.OPEN)
    frame = tasks.frame.filter(is_open).with_columns(nw.col("model_id").cast(nw.String))
    counts = operations.aggregate(frame, {"model_id": operations.TEXT}, {"tasks": ("", "len")})
    return {
        str(key): int(n) for key, n in zip(counts["model_id"], counts["tasks"], strict=True) if isinstance(key, str)
    }


def _find_unrecorded(tasks: Tasks, recorded: Collection[str]) -> list[str]:
    """Return the deployed models of the index whose deployments left no task; with filters nobody can tell."""
    if set(tasks.context.filters) | set(tasks.filters.describe()):
        return []
    index = {key: model for info in tasks.context.readings for key, model in (info.model_index or {}).items()}
    return sorted(key for key, model in index.items() if model.state in DEPLOYED and key not in recorded)


def _describe(deployed: DeploymentSummary, tasks: Tasks) -> dict[str, Any]:
    """Return the row of one model from what its deployments come to (see `read_deployments`)."""
    info, model = _find_model(deployed["model_id"], tasks)
    outcome, last_success = deployed["last_outcome"], deployed["last_success_ms"]
    return {
        **deployed,
        "name": model.name if model else tasks.context.models().get(deployed["model_id"]),
        "function_name": model.function_name if model else deployed["function_name"],
        "verdict": find_verdict(model, outcome, deployed["last_start_ms"], info),
        "model_state": model.state if model else None,
        "planned": model.planned_nodes if model else None,
        "current": model.current_nodes if model else None,
        "serving": None if model is None or model.serving is None else len(model.serving),
        "last_success": last_success if tasks.context.as_of_ms is None else min(last_success, tasks.context.as_of_ms),
        "failing_since": deployed["failing_since_ms"],
        "last_error": _error(deployed, tasks) if outcome in ("failed", "partial") else None,
        "retries": model.redeploy_retries if model else None,
        "predict_p50_ms": model.predict_p50_ms if model else None,
        "predict_p99_ms": model.predict_p99_ms if model else None,
    }


def _find_model(model_id: str, tasks: Tasks) -> tuple[ClusterInfo | None, Model | None]:
    for info in tasks.context.readings:
        if model := (info.model_index or {}).get(model_id):
            return info, model
    return None, None


def _error(deployed: DeploymentSummary, tasks: Tasks) -> str | None:
    """Return the masked error of the last deployment; one text of several nodes stands once, after their names."""
    text, task_type = deployed["error"], deployed["task_type"]
    if text is None or task_type is None:
        return None
    by_node = failure_reason.node_errors(task_type, text)
    if not by_node:
        return error_texts.mask(text)
    names, groups = tasks.context.names(), dict[str, list[str]]()
    for node, message in by_node.items():
        groups.setdefault(error_texts.mask(message), []).append(names.get(node, node))
    return "; ".join(f"{', '.join(sorted(nodes))}: {message}" for message, nodes in sorted(groups.items()))


def _read_node_starts(tasks: Tasks) -> list[int]:
    nodes = [node for info in tasks.context.readings for node in (info.nodes or {}).values()]
    return [node.started_ms for node in nodes if node.started_ms is not None]


def _notes(tasks: Tasks, table: pd.DataFrame) -> list[str]:
    notes = []
    readings = tasks.context.readings
    if any(info.model_index is None for info in readings):
        notes.append(
            f"{NOT_READ} (a file of an older version, or the user may not ask): "
            "only what deployments left is shown, and verdicts are unknown"
        )
    elif gone := int((table["verdict"] == "unknown").sum()):
        notes.append(f"{count_of(gone, 'model')} not in the index of models any more: deleted, the verdict unknown")
    is_trained = (nw.col("task_type").cast(nw.String) == "TRAINING") & ~nw.col("model_id").is_null()
    frame = tasks.frame.filter(is_trained).with_columns(nw.col("model_id").cast(nw.String))
    trained = operations.aggregate(frame, {"model_id": operations.TEXT}, {"tasks": ("", "len")})["model_id"]
    if never := int((~trained.isin(table["model_id"])).sum()):
        notes.append(f"{count_of(never, 'trained model')} never deployed: without a row")
    return notes
