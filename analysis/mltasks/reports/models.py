"""Whether each model is deployed, and if not, why: its deployments, and what the index of models says of it."""

from __future__ import annotations

from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import error_texts, report_info, totals
from mltasks.reports.declarations.models import REPORT
from mltasks.reports.model_verdict import find_verdict
from mltasks.tasks import failure_reason, outcomes, schema
from mltasks.tasks.filter_options import RateOptions
from mltasks.tasks.metadata import ClusterInfo, Model

COUNTS = ("deploys", "failed", "failures_in_a_row", "switches", "open_jobs")
MAYBE_COUNTS = ("planned", "current", "serving", "redeploys", "retries")
TIMES = ("last_success", "failing_since")
COLUMNS = ("model_id", *REPORT.column_names)
REDEPLOY_MS = 600_000  # after a node's start
DEPLOYED = ("DEPLOYED", "PARTIALLY_DEPLOYED", "DEPLOYING", "DEPLOY_FAILED")  # states of models that were deployed
FAILED = outcomes.OUTCOME["failed"]
COMPLETED = (outcomes.OUTCOME["succeeded"], outcomes.OUTCOME["partial"])
TEXTS = dict.fromkeys(("model_id", "function_name", "error", "task_type"), operations.TEXT)


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
    wanted = ["error", "reason", "model_id", "end_ms"]
    prepared = prepare.prepare(tasks, [], {**options, "tz": tz}, as_of=as_of, taken=(), wanted=wanted)
    report_info.reject_filters("models", prepared)
    covered = totals.count_totals(prepared)
    deploys = _read_deploys(prepared)
    rows = [_summarize(str(model_id), part, prepared) for model_id, part in deploys.groupby("model_id")]
    rows += [_summarize(model_id, deploys.head(0), prepared) for model_id in _find_unrecorded(prepared, deploys)]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "open_jobs"])
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


def _read_deploys(tasks: Tasks) -> pd.DataFrame:
    """Return the deployments that name a model, in the order of their creation."""
    is_deploy = nw.col("task_type").cast(nw.String).is_in(sorted(schema.DEPLOYMENTS))
    frame = tasks.frame.filter(is_deploy, ~nw.col("model_id").is_null()).select(
        *(nw.col(name).cast(nw.String) for name in TEXTS), "start_ms", "end_ms", "outcome_code"
    )
    return operations.to_pandas(frame, TEXTS).sort_values(["start_ms", "end_ms"], ignore_index=True)


def _count_open_jobs(tasks: Tasks) -> dict[str, int]:
    is_open = (nw.col("task_type").cast(nw.String) == "BATCH_PREDICTION") & outcomes.has_outcome(schema.OPEN)
    frame = tasks.frame.filter(is_open).with_columns(nw.col("model_id").cast(nw.String))
    counts = operations.aggregate(frame, {"model_id": operations.TEXT}, {"tasks": ("", "len")})
    return {
        str(key): int(n) for key, n in zip(counts["model_id"], counts["tasks"], strict=True) if isinstance(key, str)
    }


def _find_unrecorded(tasks: Tasks, deploys: pd.DataFrame) -> list[str]:
    """Return the deployed models of the index whose deployments left no task; with filters nobody can tell."""
    if set(tasks.context.filters) | set(tasks.filters.describe()):
        return []
    recorded = set(deploys["model_id"])
    index = {key: model for info in tasks.context.readings for key, model in (info.model_index or {}).items()}
    return sorted(key for key, model in index.items() if model.state in DEPLOYED and key not in recorded)


def _summarize(model_id: str, deploys: pd.DataFrame, tasks: Tasks) -> dict[str, Any]:
    """Return the row of one model; `deploys` are in the order of their creation."""
    info, model = _find_model(model_id, tasks)
    outcomes = deploys["outcome_code"]
    completed, failed = deploys[outcomes.isin(COMPLETED)], deploys[outcomes == FAILED]
    run = failed if completed.empty else failed[failed.index > completed.index[-1]]
    ended = outcomes[outcomes.isin((FAILED, *COMPLETED))] == FAILED
    last = None if deploys.empty else deploys.iloc[-1]
    outcome = None if last is None else _outcome(int(last["outcome_code"]))
    functions = deploys["function_name"].dropna()
    return {
        "model_id": model_id,
        "name": model.name if model else tasks.context.models().get(model_id),
        "function_name": model.function_name if model else None if functions.empty else functions.iloc[-1],
        "verdict": find_verdict(model, outcome, None if last is None else last["start_ms"], info),
        "model_state": model.state if model else None,
        "planned": model.planned_nodes if model else None,
        "current": model.current_nodes if model else None,
        "serving": None if model is None or model.serving is None else len(model.serving),
        "deploys": len(deploys),
        "failed": len(failed),
        "failures_in_a_row": len(run),
        "switches": int((ended != ended.shift()).sum() - 1) if len(ended) else 0,
        "last_outcome": outcome,
        "last_success": None if completed.empty else _earlier(completed["end_ms"].iloc[-1], tasks.context.as_of_ms),
        "failing_since": None if run.empty else run["start_ms"].iloc[0],
        "last_error": None if last is None or outcome not in ("failed", "partial") else _error(last, tasks),
        "redeploys": _count_redeploys(deploys, tasks),
        "retries": model.redeploy_retries if model else None,
        "predict_p50_ms": model.predict_p50_ms if model else None,
        "predict_p99_ms": model.predict_p99_ms if model else None,
    }


def _find_model(model_id: str, tasks: Tasks) -> tuple[ClusterInfo | None, Model | None]:
    for info in tasks.context.readings:
        if model := (info.model_index or {}).get(model_id):
            return info, model
    return None, None


def _outcome(code: int) -> str:
    return next((name for name, number in outcomes.OUTCOME.items() if number == code), schema.OPEN)


def _earlier(end_ms: float, as_of_ms: int | None) -> float:
    return end_ms if as_of_ms is None else min(end_ms, as_of_ms)


def _error(deploy: pd.Series[Any], tasks: Tasks) -> str | None:
    """Return the masked error of a deployment; one text of several nodes stands once, after their names."""
    text = deploy["error"]
    if not isinstance(text, str):
        return None
    by_node = failure_reason.node_errors(deploy["task_type"], text)
    if not by_node:
        return error_texts.mask(text)
    names, groups = tasks.context.names(), dict[str, list[str]]()
    for node, message in by_node.items():
        groups.setdefault(error_texts.mask(message), []).append(names.get(node, node))
    return "; ".join(f"{', '.join(sorted(nodes))}: {message}" for message, nodes in sorted(groups.items()))


def _count_redeploys(deploys: pd.DataFrame, tasks: Tasks) -> int | None:
    nodes = [node for info in tasks.context.readings for node in (info.nodes or {}).values()]
    starts = [node.started_ms for node in nodes if node.started_ms is not None]
    if not starts:
        return None
    created = deploys["start_ms"]
    is_redeploy = pd.Series(False, index=created.index)
    for start in starts:
        is_redeploy |= (created >= start) & (created <= start + REDEPLOY_MS)
    return int(is_redeploy.sum())


def _notes(tasks: Tasks, table: pd.DataFrame) -> list[str]:
    notes = []
    readings = tasks.context.readings
    if any(info.model_index is None for info in readings):
        notes.append(
            "the index of models is not part of what was read (a file of an older version, or the user may not ask): "
            "only what deployments left is shown, and verdicts are unknown"
        )
    elif gone := int((table["verdict"] == "unknown").sum()):
        notes.append(
            f"{gone} of the models are not in the index of models any more: deleted, and their verdict unknown"
        )
    is_trained = (nw.col("task_type").cast(nw.String) == "TRAINING") & ~nw.col("model_id").is_null()
    frame = tasks.frame.filter(is_trained).with_columns(nw.col("model_id").cast(nw.String))
    trained = operations.aggregate(frame, {"model_id": operations.TEXT}, {"tasks": ("", "len")})["model_id"]
    if never := int((~trained.isin(table["model_id"])).sum()):
        notes.append(f"{never} trained models were never deployed and have no row")
    return notes
