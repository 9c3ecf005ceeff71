"""Why tasks fail: their error texts, masked and grouped, with what each means and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Unpack

import narwhals as nw
import numpy as np
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.engines.dataset import Tasks
from mltasks.reports import error_rows, history, known_errors, report_info, totals
from mltasks.reports.declarations.errors import parse_new
from mltasks.reports.error_rows import KEYS, TEXT
from mltasks.reports.history import History
from mltasks.tasks import outcomes, schema
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.node_lists import split_nodes
from mltasks.tasks.plural import count_of, plural

COUNTS = ("tasks", "failed", "partial", "node_failures", "variants", "burst")
COLUMNS = (
    *("error", "cause", "status", "tasks", "failed", "partial", "node_failures", "variants"),
    *("first_seen", "last_seen", "task_types", "functions", "nodes", "burst", "example", "example_task_id"),
    *("means", "remedy"),
)
BURST_MS = 300_000
GROUP, NUMBER = "error_group", "text_number"
CLUSTER: Mapping[str, Any] = {"cluster": operations.TEXT}
MORE: Mapping[str, Any] = {
    **KEYS,
    "function_name": operations.TEXT,
    "nodes_text": operations.TEXT,
    "is_partial": "int8",
}


def errors(
    tasks: Any, *, new: str = "7d", known: str | None = None, as_of: Any = None, **options: Unpack[FilterOptions]
) -> pd.DataFrame:
    """Return why tasks fail, one row per masked error text.

    Failed tasks count, and those that completed with an error (partial). A deployment with two texts counts in both.
    The text is masked: without ids, hosts, paths, times and numbers. Its status is new (first seen within the last
    7 days, where tasks are known of at least 14, in one of its clusters), returned (after a gap of more than 7 days),
    ongoing, or gone (not seen for 7 days); it looks beyond `since`.

    Parameters
    ----------
    new : str
        How long a text is new, instead of ``"7d"``.
    known : str, optional
        A TOML file with more known texts: ``[[error]]`` with match, cause, means, remedy.

    Examples
    --------
    >>> table = mltasks.errors("demo", task_type="DEPLOY_MODEL")
    >>> table[["cause", "tasks", "node_failures"]].values.tolist()[0]
    ['unsupported', 38, 84]
    """
    span_ms = parse_new(new)
    table_of_known = known_errors.load_known_errors(known)
    prepared = _prepare(tasks, as_of, options)
    covered = totals.count_totals(prepared)
    with operations.keep(_select_failed(prepared)) as failed:
        counts = operations.aggregate(failed, MORE, {"tasks": ("", "len"), "last_ms": ("start_ms", "max")})
        rows = error_rows.explode(counts, table_of_known)
        rows[GROUP] = rows["error"].fillna("")  # a task without a text is in a group of its own
        seen, examples = _times(failed, rows), _examples(failed, rows)
    groups = _summarize(rows, prepared)
    past = prepared if options.get("since") is None else _prepare(tasks, as_of, {**options, "since": None})
    texts = rows if past is prepared else _texts_ever(past, table_of_known)
    ever = seen if past is prepared else _times(_select_failed(past), texts)
    reach = history.read_history(past, covered if past is prepared else None)
    young = _young_clusters(past, span_ms) if _reaches_back(reach, span_ms) else []
    only_there = _groups_only_in(past, texts, young) if young else set[str]()
    groups = groups.join(_describe_times(seen)).join(_statuses(ever, reach, span_ms, only_there)).join(examples)
    groups = report_info.whole_numbers(groups.sort_index().reset_index(drop=True), COUNTS)
    for name in ("first_seen", "last_seen"):
        groups[name] = pd.to_datetime(groups[name], unit="ms", utc=True).dt.as_unit("ms")
    notes = _notes(rows, groups, reach, span_ms, new)
    if young:
        notes.append(f"{history.TOO_SHORT} of {', '.join(young)}: tasks there reach back less than twice {new}")
    texts_of = [name for name in COLUMNS if name not in (*COUNTS, "first_seen", "last_seen")]
    result = groups[list(COLUMNS)].astype(dict.fromkeys(texts_of, operations.TEXT))
    return report_info.attach_info(result, "errors", prepared, covered, notes, keys=["error"])


def _prepare(tasks: Any, as_of: Any, options: Mapping[str, Any]) -> Tasks:
    wanted = ["error", "reason", "task_id", "cluster"]
    return prepare.prepare(tasks, [], dict(options), as_of=as_of, taken=(), wanted=wanted)


def _select_failed(prepared: Tasks, *more: str) -> nw.LazyFrame[Any]:
    failed = error_rows.with_text(prepared.frame.filter(outcomes.has_outcome(schema.FAILED, "partial")))
    return failed.select(*MORE, "start_ms", "task_id", *more)


def _summarize(rows: pd.DataFrame, prepared: Tasks) -> pd.DataFrame:
    """Return the counts and lists of each group."""
    names = prepared.context.names()
    parts: dict[str, list[dict[Any, Any]]] = {}
    for row in rows.to_dict("records"):  # one pass: groups are many, and of a few rows each
        parts.setdefault(row[GROUP], []).append(row)
    groups = {group: _summarize_group(part, names) for group, part in parts.items()}
    columns = ("error", "cause", "means", "remedy", *COUNTS[:-1], "task_types", "functions", "nodes")
    table = pd.DataFrame.from_dict(groups, orient="index", columns=[name for name in columns if name != "failed"])
    return table.assign(failed=table["tasks"] - table["partial"])


def _summarize_group(part: Sequence[Mapping[Any, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    nodes = [node for row in part for node in (row["named"] or split_nodes(row["nodes_text"]))]  # named, else all of it
    return {
        **{name: part[0][name] for name in ("error", "cause", "means", "remedy")},
        "tasks": sum(row["tasks"] for row in part),
        "partial": sum(row["tasks"] for row in part if row["is_partial"] == 1),
        "node_failures": sum(row["tasks"] * len(row["named"]) for row in part),
        "variants": len({row["message"] for row in part if isinstance(row["message"], str)}),
        "task_types": _join(row["task_type"] for row in part),
        "functions": _join(row["function_name"] for row in part),
        "nodes": _join(names.get(node, node) for node in nodes),
    }


def _join(values: Iterable[Any]) -> str | None:
    return ", ".join(sorted({value for value in values if isinstance(value, str)})) or None


def _times(frame: nw.LazyFrame[Any], rows: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    """Return the plausible create_times [ms] of each group's tasks, in their order."""
    texts = rows[[*KEYS]].drop_duplicates(ignore_index=True)
    texts[NUMBER] = texts.index.astype("int64")  # of a text and type: what is sorted is two numbers a task
    pairs = rows[[*KEYS, GROUP]].drop_duplicates().merge(texts, on=list(KEYS))
    groups: dict[int, list[str]] = {}
    for number, group in zip(pairs[NUMBER].tolist(), pairs[GROUP].tolist(), strict=True):
        groups.setdefault(number, []).append(group)
    parts: dict[str, list[np.ndarray[Any, Any]]] = {}
    dated = operations.left_join(frame.filter(~nw.col("start_ms").is_null()).select("start_ms", *KEYS), texts, [*KEYS])
    for batch in operations.iter_sorted(dated.select("start_ms", NUMBER), "start_ms"):
        by_text = batch.sort_values(NUMBER, kind="stable")
        numbers, first = np.unique(by_text[NUMBER].to_numpy("int64"), return_index=True)
        starts = np.split(by_text["start_ms"].to_numpy("int64"), first)[1:]  # before the first there is nothing
        for number, part in zip(numbers.tolist(), starts, strict=True):
            for group in groups[number]:
                parts.setdefault(group, []).append(part)
    return {group: np.sort(np.concatenate(arrays)) for group, arrays in parts.items()}


def _texts_ever(prepared: Tasks, table: tuple[known_errors.KnownError, ...]) -> pd.DataFrame:
    """Return the texts of all the time that is known, with their groups."""
    rows = error_rows.explode(operations.aggregate(_select_failed(prepared), KEYS, {"tasks": ("", "len")}), table)
    return rows.assign(**{GROUP: rows["error"].fillna("")})


def _young_clusters(prepared: Tasks, span_ms: int) -> list[str]:
    """Return those of several clusters of which tasks are known for less than twice the span: all is new there."""
    as_of = {reading.cluster: reading.as_of_ms for reading in prepared.context.readings}
    if len(as_of) < 2:
        return []
    begins = operations.aggregate(prepared.frame, CLUSTER, {"first": ("start_ms", "min")}).dropna()
    reach = {
        cluster: (as_of.get(cluster) or 0) - (history.begin_of(prepared, int(first)) or 0)
        for cluster, first in zip(begins["cluster"], begins["first"], strict=True)
    }
    return sorted(cluster for cluster, length_ms in reach.items() if length_ms < 2 * span_ms)


def _groups_only_in(prepared: Tasks, texts: pd.DataFrame, clusters: Sequence[str]) -> set[str]:
    """Return the groups of texts that occur in these clusters and in no other."""
    places = operations.aggregate(_select_failed(prepared, *CLUSTER), {**KEYS, **CLUSTER}, {"tasks": ("", "len")})
    groups = texts[[*KEYS, GROUP]].drop_duplicates().merge(places, on=list(KEYS))
    return {*groups[GROUP]} - {*groups[GROUP][~groups["cluster"].isin(clusters)]}


def _describe_times(seen: Mapping[str, np.ndarray[Any, Any]]) -> pd.DataFrame:
    """Return first_seen, last_seen and burst of each group."""
    rows = {
        group: {
            "first_seen": ms[0],
            "last_seen": ms[-1],
            "burst": int((np.searchsorted(ms, ms + BURST_MS, side="left") - np.arange(len(ms))).max()),
        }
        for group, ms in seen.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["first_seen", "last_seen", "burst"])


def _statuses(
    ever: Mapping[str, np.ndarray[Any, Any]], reach: History, span_ms: int, untold: Collection[str]
) -> pd.DataFrame:
    """Return the status of each group, from the times of all its tasks; of the `untold` none can be called new."""
    recent = (reach.as_of_ms or 0) - span_ms
    rows = {}
    for group, ms in ever.items():
        gaps = (np.diff(ms) > span_ms) & (ms[1:] >= recent)
        is_new = _reaches_back(reach, span_ms) and ms[0] >= recent and group not in untold
        status = "new" if is_new else "returned" if gaps.any() else "ongoing"
        rows[group] = {"status": "gone" if ms[-1] < recent else status}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["status"])


def _examples(frame: nw.LazyFrame[Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Return of each group the newest message as it was, and the id of a task that has it."""
    newest = rows.sort_values(["last_ms", TEXT, "message"], ascending=[False, True, True], na_position="last")
    newest = newest.groupby(GROUP, sort=False).head(1)
    wanted = newest[[*KEYS, "last_ms"]].drop_duplicates([*KEYS])
    tasks = operations.left_join(frame, wanted.assign(is_example=1), list(KEYS))
    same = (nw.col("start_ms") == nw.col("last_ms")) | (nw.col("start_ms").is_null() & nw.col("last_ms").is_null())
    chosen = tasks.filter(~nw.col("is_example").is_null()).filter(same)
    ids = operations.to_pandas(chosen.select(*KEYS, nw.col("task_id").cast(nw.String)), KEYS)
    ids = ids.sort_values("task_id").groupby(list(KEYS), dropna=False, as_index=False).first()
    result = newest.merge(ids, on=list(KEYS), how="left").set_index(GROUP)
    return result[["message", "task_id"]].rename(columns={"message": "example", "task_id": "example_task_id"})


def _notes(rows: pd.DataFrame, groups: pd.DataFrame, reach: History, span_ms: int, new: str) -> list[str]:
    once = rows.drop_duplicates(list(MORE))
    failed, partial = (int(once["tasks"][once["is_partial"] == flag].sum()) for flag in (0, 1))
    notes, texts = [], rows["message"].nunique()
    if failed or partial:
        notes.append(
            f"{failed:,} failed{f' and {partial:,} partial' if partial else ''} {plural(failed + partial)} "
            f"with {count_of(texts, 'text')} in {count_of(len(groups), 'group')}"
        )
    if (several := int(groups["tasks"].sum()) - failed - partial) > 0:
        notes.append(f"deployments with several texts count in each of them: {several:,} more in sum")
    if len(groups) and not _reaches_back(reach, span_ms):
        days = reach.span_days()
        shorter = f"; with --new {days}d it can" if days else ""
        notes.append(f"{history.TOO_SHORT}: the tasks reach back less than twice {new}{shorter}")
    return notes


def _reaches_back(reach: History, span_ms: int) -> bool:
    """Tell whether tasks are known of twice the span at least, so that what is seen only in it is new."""
    return reach.begin_ms is not None and reach.length_ms >= 2 * span_ms
