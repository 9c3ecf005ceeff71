"""Whether each model is deployed, and if not, why: its deployments, and what the index of models says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, groupby, pairwise
from operator import itemgetter
from typing import Any, TypedDict, Unpack, cast

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.exceptions import UsageError
from mltasks.reports import error_texts, report_info, totals
from mltasks.reports.declarations.models import REPORT
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
REDEPLOY_MS = 600_000  # after a node's start
MOST = 5_000_000  # deployments that are taken into memory
BATCH = 100_000  # deployments that are rows in Python at once
DEPLOYED = ("DEPLOYED", "PARTIALLY_DEPLOYED", "DEPLOYING", "DEPLOY_FAILED")  # states of models that were deployed
FAILED = outcomes.OUTCOME["failed"]
COMPLETED = (outcomes.OUTCOME["succeeded"], outcomes.OUTCOME["partial"])
TEXTS = dict.fromkeys(("model_id", "function_name", "error", "task_type"), operations.TEXT)


class Deploy(TypedDict):
    """A deployment that names a model: its texts, None or nan where missing, its times [ms], and its outcome."""

    model_id: str
    function_name: Any
    error: Any
    task_type: str
    start_ms: float
    end_ms: float
    outcome_code: int


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
    rows = [_summarize(model_id, part, prepared) for model_id, part in _iter_models(_read_deploys(prepared))]
    recorded = {row["model_id"] for row in rows}
    rows += [_summarize(model_id, [], prepared) for model_id in _find_unrecorded(prepared, recorded)]
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
    """Return the deployments that name a model, in the order of their creation; UsageError for more than MOST."""
    is_deploy = nw.col("task_type").cast(nw.String).is_in(sorted(schema.DEPLOYMENTS))
    frame = tasks.frame.filter(is_deploy, ~nw.col("model_id").is_null()).select(
        *(nw.col(name).cast(nw.String) for name in TEXTS), "start_ms", "end_ms", "outcome_code"
    )
    deploys = operations.to_pandas(frame.head(MOST + 1), TEXTS)
    if len(deploys) > MOST:
        raise UsageError(
            f"models takes {MOST:,} deployments into memory at most, and there are more; choose a shorter time with "
            "since (--since), or some of them with model (--model)"
        )
    return deploys.sort_values(["start_ms", "end_ms"], ignore_index=True)


def _iter_models(deploys: pd.DataFrame) -> Iterator[tuple[str, list[Deploy]]]:
    """Yield the deployments of one model after the other; as rows in Python they would take ten times the memory."""
    rows = deploys.sort_values("model_id", kind="stable", ignore_index=True)
    parts = (rows[first : first + BATCH].to_dict("records") for first in range(0, len(rows), BATCH))
    for model_id, part in groupby(chain.from_iterable(parts), key=itemgetter("model_id")):
        yield str(model_id), [cast(Deploy, deploy) for deploy in part]


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


def _summarize(model_id: str, deploys: Sequence[Deploy], tasks: Tasks) -> dict[str, Any]:
    """Return the row of one model; `deploys` are in the order of their creation."""
    info, model = _find_model(model_id, tasks)
    ended = [deploy for deploy in deploys if deploy["outcome_code"] in (FAILED, *COMPLETED)]
    is_failed = [deploy["outcome_code"] == FAILED for deploy in ended]
    in_a_row = next((n for n, failed in enumerate(reversed(is_failed)) if not failed), len(ended))
    completed = [deploy for deploy, failed in zip(ended, is_failed, strict=True) if not failed]
    last = deploys[-1] if deploys else None
    outcome = None if last is None else _outcome(last["outcome_code"])
    functions = [deploy["function_name"] for deploy in deploys if isinstance(deploy["function_name"], str)]
    return {
        "model_id": model_id,
        "name": model.name if model else tasks.context.models().get(model_id),
        "function_name": model.function_name if model else next(reversed(functions), None),
        "verdict": find_verdict(model, outcome, None if last is None else last["start_ms"], info),
        "model_state": model.state if model else None,
        "planned": model.planned_nodes if model else None,
        "current": model.current_nodes if model else None,
        "serving": None if model is None or model.serving is None else len(model.serving),
        "deploys": len(deploys),
        "failed": sum(is_failed),
        "failures_in_a_row": in_a_row,
        "switches": sum(one != other for one, other in pairwise(is_failed)),
        "last_outcome": outcome,
        "last_success": _earlier(completed[-1]["end_ms"], tasks.context.as_of_ms) if completed else None,
        "failing_since": ended[-in_a_row]["start_ms"] if in_a_row else None,
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


def _error(deploy: Deploy, tasks: Tasks) -> str | None:
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


def _count_redeploys(deploys: Sequence[Deploy], tasks: Tasks) -> int | None:
    nodes = [node for info in tasks.context.readings for node in (info.nodes or {}).values()]
    starts = [node.started_ms for node in nodes if node.started_ms is not None]
    if not starts:
        return None
    return sum(any(start <= deploy["start_ms"] <= start + REDEPLOY_MS for start in starts) for deploy in deploys)


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
