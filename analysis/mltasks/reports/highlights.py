"""What needs attention: what the other reports say, the most pressing first, each with a command that shows more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from mltasks.engines import operations, prepare, shared_results
from mltasks.reports import example_tasks, models, report_info, totals, unfinished
from mltasks.reports.declarations.highlights import REPORT
from mltasks.reports.findings import doubts, failing_groups, finding, got_worse, silence, stuck
from mltasks.reports.findings.finding import Commands, Finding
from mltasks.reports.findings.got_worse import Changes
from mltasks.reports.history import TOO_SHORT, History, read_history
from mltasks.reports.registry import REPORTS
from mltasks.tasks import derived, outcomes, schema, times
from mltasks.tasks.filter_options import RateOptions
from mltasks.tasks.plural import count_of
from mltasks.tasks.times import Moment

PARTS = ("failures", "errors", "models", "unfinished")  # the reports that it reads
TEXTS = ("kind", "subject", "reason", "example_task_id", "command", "report", "row")
WANTED = ("error", "reason", "task_id", "cluster", "model_id", "status_code")
NOT_LOOKED_AT = "no task, so that nothing was looked at"
MODELS_UNKNOWN = "whether some models are down cannot be told"
NO_HISTORY = "new errors cannot be told"
NAMED = 2  # functions of a new error that are named
CLAIMS: Mapping[str, tuple[str, ...]] = {  # that nothing was found, each but for notes that begin so
    "no task is lost or overdue": unfinished.DOUBTS,
    "no task is overdue": (unfinished.UNTOLD,),
    "no model down": (MODELS_UNKNOWN,),
    "no group failing": (),
    "no error new": (NO_HISTORY,),
    "nothing that fails more or is slower": (got_worse.UNKNOWN,),
}
LEAVES_OPEN: Mapping[str, Sequence[str]] = {  # how a note begins -> the kinds of which there may be some all the same
    NOT_LOOKED_AT: [kind for kind in finding.KINDS if kind not in ("incomplete", "old")],
    unfinished.UNTOLD: ("lost", "overdue", "suspect"),
    unfinished.UNPROVEN: ("lost",),
    MODELS_UNKNOWN: ("model_down",),
    NO_HISTORY: ("new_error",),
    got_worse.UNKNOWN: ("worse",),
}


def highlights(
    tasks: Any,
    *,
    tz: str = "UTC",
    as_of: Any = None,
    now: Moment = None,
    **options: Unpack[RateOptions],
) -> pd.DataFrame:
    """Return what needs attention, one row per thing, the most pressing first; no row where nothing was found.

    Kinds, in this order: incomplete (pages are missing), old (read more than a day before `now`); lost, overdue and
    suspect tasks, as `unfinished` judges them; model_down; never_succeeded, at least 2 failed; failing, a run of
    failures that is improbable at the group's own rate; new_error, first seen in the last 7 days, or in the later half
    of a shorter history; worse, as `compare` judges the window against the time before; silence, nothing created for
    longer than a day and ten times the p99 of the gaps; most_failures, a group with more than a third of all. Groups
    of one task type that fail with the same error, in 80 % and more, are one row. Filters select by create_time.

    Parameters
    ----------
    now : str, datetime or int, optional
        The time that the age of the data counts to: the clock, where neither it nor as_of nor until is given.

    Examples
    --------
    >>> mltasks.highlights("demo")[["kind", "count"]].values.tolist()
    [['never_succeeded', 38], ['never_succeeded', 11]]
    """
    chosen = {**options, "tz": tz}
    opened = prepare.open_tasks(tasks)
    with shared_results.share_results():
        report_info.reject_filters("highlights", prepare.prepare(opened, [], chosen, as_of=as_of, taken=()))
        history = open_history(opened, as_of, chosen)
        tables = {name: run_part(name, opened, history, as_of, chosen) for name in PARTS}
        changes = got_worse.find_changes(opened, history, as_of, chosen)
        return find_highlights(opened, tables, changes, history, as_of=as_of, now=now, options=chosen)


def open_history(tasks: Any, as_of: Any, options: Mapping[str, Any]) -> History:
    """Return how far back the tasks are known, whatever `since` and `until` select."""
    everything = {**options, "since": None, "until": None}
    return read_history(prepare.prepare(tasks, [], everything, as_of=as_of, taken=()))


def run_part(name: str, tasks: Any, history: History, as_of: Any, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table of a report that highlights are found in; what is new is so in the time that can tell it."""
    more = {"new": f"{history.span_days()}d"} if name == "errors" and history.span_days() else {}
    run = unfinished.judge_some if name == "unfinished" else REPORTS[name].function()
    table: pd.DataFrame = run(tasks, as_of=as_of, **options, **more)
    return table


def find_highlights(
    tasks: Any,
    tables: Mapping[str, pd.DataFrame],
    changes: Changes | None,
    history: History,
    *,
    as_of: Any = None,
    now: Moment = None,
    options: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the report from the tables of PARTS and what has changed; see `highlights`."""
    prepared = prepare.prepare(tasks, [], dict(options), as_of=as_of, taken=(), wanted=WANTED)
    info = report_info.read_info(tables["failures"])
    commands = Commands(prepared.context.source, info.filters)
    clock_ms = _clock_ms(now, is_now=as_of is None and prepared.filters.until_ms is None)
    findings = [
        *doubts.find_incomplete(prepared, commands),
        *([] if clock_ms is None else doubts.find_old(prepared, clock_ms, commands)),
        *_find_stuck(prepared, tables, info.as_of_ms, commands),
        *failing_groups.find_groups(prepared, tables["failures"], commands),
        *_find_new_errors(tables["errors"], history, commands),
        *silence.find_silence(prepared, commands),
    ]
    if changes is not None:
        failing = {each.row for each in findings if each.kind in (failing_groups.NEVER, failing_groups.FAILING)}
        findings += got_worse.find_worse(prepared, changes, failing, commands)
    findings.sort(key=lambda each: finding.KINDS.index(each.kind))
    untold = _untold(tables, changes, history, options)
    notes = [*([] if findings else [_say_calm(untold) if info.tasks else NOT_LOOKED_AT]), *untold]
    covered = totals.count_totals(prepared)
    return report_info.attach_info(_to_table(findings), "highlights", prepared, covered, notes, keys=list(REPORT.keys))


def _clock_ms(now: Moment, *, is_now: bool) -> int | None:
    """Return the time that the age of the data counts to [ms]; None where the past is looked at."""
    given = times.parse_time(now, None, "now")
    return round(datetime.now(UTC).timestamp() * 1000) if given is None and is_now else given


def _find_stuck(
    prepared: prepare.Tasks, tables: Mapping[str, pd.DataFrame], as_of_ms: int | None, commands: Commands
) -> list[Finding]:
    findings = stuck.find_tasks(tables["unfinished"], as_of_ms, commands)
    models = tables["models"]
    if models["verdict"].isin(stuck.MODELS).any():
        is_failed = derived.is_one_of("task_type", schema.DEPLOYMENTS) & outcomes.has_outcome(schema.FAILED)
        failed = prepared.frame.filter(is_failed, ~nw.col("model_id").is_null())
        failed = failed.with_columns(nw.col("model_id").cast(nw.String), nw.col("start_ms").alias(example_tasks.AT))
        findings += stuck.find_models(models, example_tasks.find_greatest(failed, ["model_id"]), commands)
    return findings


def _find_new_errors(errors: pd.DataFrame, history: History, commands: Commands) -> list[Finding]:
    new = errors[errors["status"] == "new"].sort_values("tasks", ascending=False, kind="stable")
    span = history.span_days()
    command = commands.show("errors", f"--new {span}d", "--sort first_seen")
    return [
        Finding(
            kind="new_error",
            subject=finding.row_text([row["error"]]),
            reason=f"new: {count_of(row['tasks'])}{_describe_functions(row)} {_describe_times(row)}",
            command=command,
            count=int(row["tasks"]),
            since=row["first_seen"],
            example_task_id=row["example_task_id"],
            report="errors",
            row=finding.row_text([row["error"]]),
        )
        for row in new.to_dict("records")
    ]


def _describe_functions(error: Mapping[Any, Any]) -> str:
    """Return the functions of an error to go behind its tasks: the first of many."""
    if not isinstance(error["functions"], str):
        return ""
    names = error["functions"].split(", ")
    return f" of {', '.join(names[:NAMED])}{' and others' if len(names) > NAMED else ''}"


def _describe_times(error: Mapping[Any, Any]) -> str:
    """Return when an error was seen first and last, since one that is over need not be looked for."""
    first, last = finding.moment(error["first_seen"]), finding.moment(error["last_seen"])
    return f"at {first}" if first == last else f"since {first}, the last at {last}"


def _to_table(findings: list[Finding]) -> pd.DataFrame:
    table = pd.DataFrame(findings, columns=[field.name for field in fields(Finding)])[list(REPORT.column_names)]
    since = pd.to_datetime(table["since"], utc=True).dt.as_unit("ms")
    table = table.assign(since=since, count=table["count"].astype("Int64"))
    return table.astype(dict.fromkeys(TEXTS, operations.TEXT))


def _untold(
    tables: Mapping[str, pd.DataFrame], changes: Changes | None, history: History, options: Mapping[str, Any]
) -> list[str]:
    """Return what could not be looked at, so that nothing found is not taken for nothing there."""
    if not report_info.read_info(tables["failures"]).tasks:
        return []
    notes = [note for note in _notes_of(tables["unfinished"]) if note.startswith(unfinished.DOUBTS)]
    if not history.span_days():
        notes.append(f"{NO_HISTORY}: tasks of less than two days are known")
    of_some = [note for note in _notes_of(tables["errors"]) if note.startswith(f"{TOO_SHORT} of ")]
    notes += [f"{NO_HISTORY}{note.removeprefix(TOO_SHORT)}" for note in of_some]
    if changes is None:
        notes.append(got_worse.explain_unknown(history, options))
    if any(note.startswith(models.NOT_READ) for note in _notes_of(tables["models"])):
        notes.append(f"{MODELS_UNKNOWN}: {models.NOT_READ}")
    elif (tables["models"]["verdict"] == "unknown").any():
        notes.append(f"{MODELS_UNKNOWN}: the index of models has them no longer")
    return notes


def _notes_of(table: pd.DataFrame) -> list[str]:
    return report_info.read_info(table).notes


def list_untold(notes: Sequence[str]) -> list[str]:
    """Return those notes of the report that say what could not be looked at."""
    begins = tuple(begin for begins in CLAIMS.values() for begin in begins)
    return [note for note in notes if note.startswith(begins)]


def find_untold(table: pd.DataFrame, kinds: Collection[str]) -> dict[str, list[str]]:
    """Return the notes of the report that leave open whether there are some of these kinds, none of which it has."""
    absent = [kind for kind in finding.KINDS if kind in kinds and kind not in {*table["kind"]}]
    untold = {
        note: [kind for kind in absent if kind in left_open]
        for note in _notes_of(table)
        for begin, left_open in LEAVES_OPEN.items()
        if note.startswith(begin)
    }
    return {note: left_open for note, left_open in untold.items() if left_open}


def _say_calm(untold: Sequence[str]) -> str:
    """Return that nothing was found, of what could be looked at."""
    claims = [text for text, notes in CLAIMS.items() if not any(note.startswith(notes) for note in untold if notes)]
    if claims[0] == "no task is lost or overdue":
        claims.remove("no task is overdue")
    return f"nothing found: {', '.join(claims)}"
