"""What is stuck: every open task with a verdict, its evidence, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import group_keys, operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.exceptions import UsageError
from mltasks.reports import grouping, open_task, report_info, same_kind, totals
from mltasks.reports.declarations.unfinished import REPORT, VERDICTS
from mltasks.reports.grouping import ALL, NODE
from mltasks.reports.open_task import OpenTask
from mltasks.reports.same_kind import KIND
from mltasks.reports.statistics import kaplan_meier
from mltasks.tasks import derived, duration_status, node_lists, outcomes, schema, user_columns
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.metadata import ClusterInfo
from mltasks.tasks.plural import count_of

COLUMNS = REPORT.column_names
TEXTS = dict.fromkeys(("cluster", "task_id", *KIND, "state", "model_id", "nodes_text"), operations.TEXT)
NUMBERS = ("start_ms", "updated_ms", "as_of_ms", "status_code")
MOST = 200_000  # open tasks; each gets a sentence
WITHOUT_WAITING = "batch predictions, which wait until their provider is asked, are left out"
NOT_LOST = ("overdue", "suspect", "unbounded", "open")  # verdicts of tasks that are not known to be lost
UNPROVEN = "when the nodes of"
UNTOLD = "which tasks are lost, overdue or suspect cannot be told"
DOUBTS = (UNTOLD, UNPROVEN)  # how notes begin where a task may be lost that is not called so
TYPES: Mapping[str, Any] = {
    **dict.fromkeys(("verdict", *KIND, "node_name", "evidence", "remedy", "task_id"), operations.TEXT),
    **dict.fromkeys(("age_s", "since_update_s", "longer_share"), "float64"),
    "tasks": "int64",
    "node_there": "boolean",
}
OF_GROUPS = ("verdict", "tasks", "age_s", "since_update_s", "longer_share", "evidence", "remedy", "task_id")


def unfinished(
    tasks: Any, by: str | Sequence[str] = ("task_id",), *, as_of: Any = None, **options: Unpack[FilterOptions]
) -> pd.DataFrame:
    """Judge every open task, one row per task.

    What cannot be told is not guessed: `lost` is proven by the nodes of the cluster and the start of their JVMs, as far
    as they were read beside the tasks.

    The verdict is finished_unrecorded, waiting, lost, running, overdue, suspect, unbounded or open, the first that
    holds. longer_share is the Kaplan-Meier estimate of the part of its kind (task_type and function_name) that takes as
    long or longer, of the tasks that completed and this one. A group has the oldest one's age, evidence, remedy and id,
    the longest time since an update and the least share.

    Parameters
    ----------
    by : str or list of str
        Columns to group by, with one row per group and verdict; ``"verdict"`` may be one of them.

    Raises
    ------
    UsageError
        For a column or time that cannot be, and for more than 200,000 open tasks.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.unfinished("demo", by="verdict")
    >>> table[["verdict", "tasks"]].values.tolist()
    [['waiting', 27], ['open', 6]]
    """
    return _report(tasks, by, as_of, dict(options), is_part=False)


def judge_some(
    tasks: Any, by: str | Sequence[str] = ("task_id",), *, as_of: Any = None, **options: Any
) -> pd.DataFrame:
    """Return `unfinished`; of more tasks than it judges, those that can be lost or late, or none: a note says so.

    For what shows several reports, which must not end because one of them cannot be made.
    """
    return _report(tasks, by, as_of, options, is_part=True)


def _report(tasks: Any, by: str | Sequence[str], as_of: Any, options: dict[str, Any], *, is_part: bool) -> pd.DataFrame:
    names = group_keys.parse_by(by)
    keys = [name for name in names if name != "verdict"]
    taken = [name for name in COLUMNS if name not in schema.COLUMNS]
    wanted = ["status_code", *TEXTS]
    prepared = prepare.prepare(tasks, keys, options, as_of=as_of, taken=taken, wanted=wanted)
    covered = totals.count_totals(prepared)
    open_tasks, missing = _choose_open(prepared, is_part=is_part)
    rows, types, deleted = _read_open(open_tasks)
    judged = _judge(rows, prepared, covered)
    notes = [*missing, *_notes(prepared, judged, deleted)]
    if names == REPORT.keys:
        result = judged.sort_values(["task_id", "cluster"], ignore_index=True)[list(COLUMNS)].astype(TYPES)
        return report_info.attach_info(result, "unfinished", prepared, covered, notes)
    result = _by_group(judged, types, prepared)
    if NODE in prepared.keys:
        notes.append("a task with several nodes counts once on each of them")
    shown = [*(user_columns.own_name(key) for key in prepared.keys), "verdict"]
    return report_info.attach_info(result, "unfinished", prepared, covered, notes, keys=shown)


def _choose_open(tasks: Tasks, *, is_part: bool) -> tuple[Tasks, list[str]]:
    """Return the open tasks that get a verdict, and what is to be said of those that do not."""
    open_tasks = replace(tasks, frame=tasks.frame.filter(outcomes.has_outcome(schema.OPEN)))
    count = totals.count_totals(open_tasks).tasks
    if count <= MOST:
        return open_tasks, []
    many = f"{count:,} open tasks are more than {MOST:,}"
    if not is_part:
        raise UsageError(f"unfinished: {many}; choose some with since or task_type")
    late = replace(tasks, frame=open_tasks.frame.filter(~derived.is_one_of("task_type", schema.POLLED)))
    judged = totals.count_totals(late).tasks
    if judged <= MOST:
        return late, [f"{many}: {count - judged:,} {WITHOUT_WAITING}"]
    return replace(tasks, frame=late.frame.head(0)), [f"{UNTOLD}: {many}; choose some with since or task_type"]


def _read_open(open_tasks: Tasks) -> tuple[pd.DataFrame, dict[str, Any], int]:
    """Return the rows with their keys, the types of these, and how many others were deleted on their cluster."""
    grouped = grouping.group(open_tasks)
    texts = [nw.col(name).cast(nw.String) for name in TEXTS if name not in grouped.types]
    frame = grouped.frame.select(*grouped.types, *texts, *(name for name in NUMBERS if name not in grouped.types))
    rows = operations.to_pandas(frame, TEXTS | dict(grouped.types))
    latest = rows["cluster"].map({key: info.as_of_ms for key, info in _clusters(open_tasks, rows).items()})
    is_deleted = rows["as_of_ms"] < latest.astype("float64").fillna(0)
    return rows[~is_deleted].reset_index(drop=True), dict(grouped.types), int(is_deleted.sum())


def _clusters(tasks: Tasks, rows: pd.DataFrame) -> dict[Any, ClusterInfo]:
    """Return what each cluster of some tasks told beside them."""
    return {cluster: tasks.context.reading(_text(cluster)) for cluster in rows["cluster"].unique()}


def _judge(rows: pd.DataFrame, tasks: Tasks, covered: totals.Totals) -> pd.DataFrame:
    """Return the rows with the columns of the report."""
    rows = rows.assign(**same_kind.compare(rows, tasks), ahead=same_kind.count_ahead(rows))
    clusters = _clusters(tasks, rows)
    judged = []
    for row in rows.to_dict("records"):
        task, info = _open_task(row, tasks.context.as_of_ms), clusters[row["cluster"]]
        nodes = (info.nodes or {}) if open_task.are_nodes_current(info) else None
        names = {**info.former_nodes, **(info.nodes or {})}
        judged.append(
            {
                **open_task.judge(task, info)._asdict(),
                "node_name": ", ".join(names[n].name if n in names else n for n in task.nodes) or None,
                "node_there": None if nodes is None or not task.nodes else all(n in nodes for n in task.nodes),
                "age_s": task.age_s,
                "since_update_s": None if task.updated_ms is None else (task.as_of_ms - task.updated_ms) / 1000,
                "longer_share": kaplan_meier.longer_share(task.completed, task.longer) if task.completed else None,
            }
        )
    columns = ["verdict", "evidence", "remedy", "node_name", "node_there", "age_s", "since_update_s", "longer_share"]
    verdicts = pd.DataFrame(judged, columns=columns, index=rows.index)
    verdicts["since_update_s"] = verdicts["since_update_s"].astype("float64").clip(lower=0)
    return rows.assign(**{name: verdicts[name] for name in columns}, tasks=1)


def _open_task(row: Mapping[Any, Any], shown_ms: int | None) -> OpenTask:
    task_type = _text(row["task_type"])
    return OpenTask(
        task_id=_text(row["task_id"]),
        task_type=task_type,
        function_name=_text(row["function_name"]),
        state=_text(row["state"]),
        model_id=_text(row["model_id"]),
        nodes=tuple(node_lists.split_nodes(row["nodes_text"])),
        start_ms=totals.whole_number(row["start_ms"]),
        updated_ms=_plausible(row),
        as_of_ms=int(row["as_of_ms"]),
        is_overdue=row["status_code"] == duration_status.STATUS["overdue"],
        completed=int(row["completed"]),
        longer=int(row["longer"]),
        p99_s=None if pd.isna(row["p99_s"]) else float(row["p99_s"]),
        ahead=int(row["ahead"]),
        shown_ms=shown_ms,
    )


def _plausible(row: Mapping[Any, Any]) -> int | None:
    ms = totals.whole_number(row["updated_ms"])
    return ms if ms is not None and schema.EARLIEST_MS <= ms <= row["as_of_ms"] + schema.DAY_MS else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _by_group(judged: pd.DataFrame, types: Mapping[str, Any], tasks: Tasks) -> pd.DataFrame:
    """Return one row per group and verdict, described by its oldest task."""
    keys = [key for key in types if key != ALL]
    rows = judged.sort_values(["age_s", "task_id"], ascending=[False, True], na_position="last")
    groups = rows.groupby([*keys, "verdict"], dropna=False, observed=True, sort=False)
    numbers = groups.ngroup().rename("group")
    each = rows.groupby(numbers)
    first = rows.assign(group=numbers).drop_duplicates("group").set_index("group")
    first["tasks"] = each.size()
    first["since_update_s"], first["longer_share"] = each["since_update_s"].max(), each["longer_share"].min()
    first["rank"] = first["verdict"].map(VERDICTS.index).astype("int64")
    first = first.sort_values([*keys, "rank"], ignore_index=True)
    types = {name: TYPES[name] for name in OF_GROUPS if name not in keys} | {key: types[key] for key in keys}
    result = first[list(dict.fromkeys([*keys, *OF_GROUPS]))].astype(types)
    if NODE in keys:
        result.insert(
            keys.index(NODE) + 1, "node_name", result[NODE].map(tasks.context.names()).astype(operations.TEXT)
        )
    return result.rename(columns={key: user_columns.own_name(key) for key in keys})


def _notes(tasks: Tasks, judged: pd.DataFrame, deleted: int) -> list[str]:
    notes = []
    infos = _clusters(tasks, judged[may_be_lost(judged)]).values()
    silent = [info.cluster or tasks.context.source for info in infos if not knows_starts(info)]
    if silent:
        notes.append(
            f"{UNPROVEN} {', '.join(dict.fromkeys(silent))} were started is not part of what was read: a task "
            "that was lost with its node and is not known to be so is called open or overdue"
        )
    chosen = {**tasks.context.filters, **tasks.filters.describe()}
    hiding = [name for name in ("state", "not_state", "outcome", "not_outcome", "error") if name in chosen]
    if hiding and len(judged):
        notes.append(f"longer_share compares with completed tasks, of which the filter {hiding[0]} leaves some out")
    if deleted:
        notes.append(f"{count_of(deleted, 'open task')} deleted on the cluster: without a row")
    return notes


def may_be_lost(rows: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows are of tasks that may be lost, where nobody knows when their nodes were started."""
    is_on_node = rows["task_type"].isin([*open_task.ON_ONE_NODE, *open_task.COORDINATED])
    return is_on_node & rows["verdict"].isin(NOT_LOST)


def knows_starts(info: ClusterInfo) -> bool:
    """Tell whether it is known of all nodes of a cluster when they were started: what proves a task lost."""
    return info.nodes is not None and all(node.started_ms is not None for node in info.nodes.values())
