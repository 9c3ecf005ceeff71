"""The rows of a table of the page: its cells with their small figures, and what opens with a row."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from mltasks.render import bars, cells, highlights, terminal_table
from mltasks.render.sections import sort_value
from mltasks.render.view import View, is_news_unknown
from mltasks.reports.findings.finding import Commands, row_text
from mltasks.tasks.plural import count_of

LONGEST = 140  # letters of a text in a cell
LONGEST_DETAIL = 600  # and of one that opens with the row
LISTED = 2  # names of a list in a cell
LISTS = ("nodes", "functions", "task_types")
RARE = ("partial", "cancelled", "open", "overdue", "failures_in_a_row")  # counts that open with a row if there are any
CODES = ("example_task_id", "task_id", "model_id", "worker_node")
BADGES = {
    "bad": ("lost", "down", "stuck", "given_up", "fails more", "slower", "p95 slower"),
    "warn": (
        *("overdue", "suspect", "new", "returned", "partial", "stale", "waiting"),
        *("fails more?", "slower?", "p95 slower?"),
    ),
    "good": ("fails less", "faster", "p95 faster", "fails less?", "faster?", "p95 faster?"),
}
LABELS = {
    "example": "as it was",
    "example_task_id": "a task",
    "task_id": "the oldest",
    "change_evidence": "change",
    "worker_node": "id",
    "model_id": "id",
}


class Column(NamedTuple):
    """A column of the page: which one of the table, its heading, the width of screen that it needs, its figure."""

    name: str
    label: str = ""
    rank: str = ""  # "second": not on a phone; "third": only on a wide screen
    figure: str = ""
    badge: bool = False
    over: str = ""  # the column that stands below it on a phone


def list_numbers(view: View) -> list[Column]:
    """Return the columns of a table of plain numbers, which stands behind a figure."""
    names = [str(name) for name in view.frame.columns if name not in ("cancelled", "mean_in_flight")]
    return [Column(name, terminal_table.label(name, words=False).replace("\n", " ")) for name in names]


def select_columns(view: View, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that the table has, and that say something: one of dashes is left out."""
    there = {str(name) for name in view.frame.columns} | {"when"}
    may_be_silent = ("wait_share", "change", "node_name", "planned", "current", "last_success", "failing_since")
    silent: set[str] = {name for name in may_be_silent if name in there and view.frame[name].isna().all()}
    if "overdue" in there and not view.frame["overdue"].any():
        silent.add("overdue")
    if is_news_unknown(view):
        silent.add("status")
    if silent >= {"node_name"}:
        columns = [column._replace(name="worker_node") if column.name == "node_name" else column for column in columns]
    if not any(column.name in there - silent for column in columns):  # a table of other keys
        columns = list_numbers(view)
    first, *rest = (column for column in columns if column.name in there - silent)
    return [first._replace(rank=""), *rest]


def make_headings(view: View, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the headings of columns, each with what it holds and its unit."""
    headings = []
    for column in columns:
        declared = view.column(column.name)
        unit = f" [{declared.unit}]" if declared and declared.unit in ("s", "ms") else ""
        headings.append(
            {
                "label": column.label or column.name.replace("_", " "),
                "classes": _classes(view, column, "drawn" if column.figure and column.name != "when" else ""),
                "note": f"{declared.note}{unit}" if declared else "",
                "sorts": column.figure != "strip",
            }
        )
    return headings


def make_rows(
    view: View, columns: Sequence[Column], details: Sequence[str], anchors: str, times: pd.DataFrame | None = None
) -> list[dict[str, Any]]:
    """Return the rows of a table; `anchors`: the section that the ids of rows are of, `times`: of errors."""
    table = view.frame
    figures = {column.name: _figures(view, table, column, times) for column in columns if column.figure}
    ids = _anchors(view, table, anchors)
    rows = []
    for place, row in enumerate(table.to_dict("records")):
        shown = [
            _cell(
                view,
                column,
                row.get(column.name),
                figures[column.name][place] if column.figure else None,
                is_bad=bool(row.get("is_failing", True)),
            )
            for column in columns
        ]
        over = next((column.over for column in columns if column.over and column.over in row), None)
        rows.append(
            {
                "id": ids[place],
                "cells": shown,
                "second_key": "" if over is None else _shorten(view.cell(over, row[over]), LONGEST),
                "details": _details(view, row, details, anchors),
            }
        )
    return rows


def list_remedies(groups: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what to do about open tasks, once for all groups of one verdict that need the same."""
    counts: dict[tuple[str, str], int] = {}
    for row in groups[groups["remedy"].notna()].to_dict("records"):
        key = (row["verdict"], row["remedy"])
        counts[key] = counts.get(key, 0) + int(row["tasks"])
    return [
        {
            "verdict": verdict,
            "badge": _level(verdict) or "plain",
            "tasks": count_of(tasks),
            "text": _shorten(cells.one_line(remedy), LONGEST_DETAIL),
        }
        for (verdict, remedy), tasks in counts.items()
    ]


def _anchors(view: View, table: pd.DataFrame, section: str) -> list[str]:
    """Return the ids of the rows that a page refers to; a row that is called as one before it has none."""
    names = [
        highlights.anchor(section, cells.one_line(row_text(row))) for row in table[view.keys].itertuples(index=False)
    ]
    return ["" if not view.keys or name in names[:place] else name for place, name in enumerate(names)]


def _classes(view: View, column: Column, *more: str) -> str:
    word = column.name != "when" and view.is_words(column.name)
    return " ".join([*(["word"] if word or column.name == "when" else []), *filter(None, [column.rank]), *more])


def _cell(
    view: View, column: Column, value: Any, figure: dict[str, Any] | None, *, is_bad: bool = False
) -> dict[str, Any]:
    text = "" if column.name == "when" else view.cell(column.name, value)
    word = column.name != "when" and view.is_words(column.name)
    if word and column.name in LISTS:
        text = _shorten_list(text)
    full = _shorten(text, LONGEST)
    level = _level(value) if column.badge else ""
    marks = {
        "long": word and len(full) > 24,
        "bad": is_bad and column.name == "failing_since",
        "code": column.name in CODES,
        "drawn": bool(column.figure) and column.name != "when" and figure is None,  # a dash stands where numbers do
    }
    more = [mark for mark, holds in marks.items() if holds]
    return {
        "text": full,
        "classes": _classes(view, column, *more),
        "sort": None if column.name == "when" else sort_value(value),
        "bar": figure,
        "badge": level,
    }


def _level(value: Any) -> str:
    """Return how bad a cell is, as its colour: that of the first of its words that has one."""
    words = value.split(", ") if isinstance(value, str) else []
    return next((level for word in words for level, values in BADGES.items() if word in values), "")


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()}… ({len(text):,} letters)"


def _shorten_list(text: str) -> str:
    names = text.split(", ")
    return text if len(names) <= LISTED + 1 else f"{', '.join(names[:LISTED])} +{len(names) - LISTED}"


def _details(view: View, row: Mapping[Any, Any], names: Sequence[str], section: str) -> list[dict[str, Any]]:
    """Return what opens with a row: label, text, and how it is set."""
    details = [
        {
            "label": LABELS.get(name, terminal_table.label(name, words=True)),
            "text": _shorten(view.cell(name, row[name], saved=True), LONGEST_DETAIL),
            "kind": "raw" if name == "example" else "code" if name in CODES else "",
        }
        for name in names
        if name in row and not cells.is_missing(row[name]) and not (name in RARE and row[name] == 0)
    ]
    command = _command(view, row, section) if details else ""
    return [*details, {"label": "command", "text": cells.one_line(command), "kind": "code"}] if command else details


def _command(view: View, row: Mapping[Any, Any], section: str) -> str:
    """Return the command that shows the task, or the tasks, of a row."""
    info = view.info
    one, all_of = Commands(info.source, {}), Commands(info.source, info.filters)
    task = row.get("example_task_id", row.get("task_id"))
    if isinstance(task, str):
        return one.show("get", *(["--"] if task.startswith("-") else []), shlex.quote(task))
    keys = {key: row[key] for key in view.keys if isinstance(row[key], str)}
    if section == "failures" and keys:
        return all_of.show("list", "--outcome failed", **keys)
    if section == "workers" and "worker_node" in keys:
        return all_of.show("list", "--outcome failed", node=keys["worker_node"])
    return all_of.show("models", model=[keys["model_id"]]) if "model_id" in keys else ""


def _figures(
    view: View, table: pd.DataFrame, column: Column, error_times: pd.DataFrame | None
) -> list[dict[str, Any] | None]:
    """Return the small figure of each row."""
    rows = table.to_dict("records")
    if column.figure == "interval":
        names = ("failure_rate", "failure_rate_low", "failure_rate_high")
        top = bars.choose_scale(table[names[2]].max() if names[2] in table else None)
        ends = [[row.get(name) for name in names] for row in rows]
        return [bars.place_interval(rate, low, high, top) for rate, low, high in ends]
    if column.figure == "durations":
        times = table[[name for name in ("p50_s", "p95_s") if name in table]]
        low, high = times.min().min(), times.max().max()
        return [bars.place_durations(row.get("p50_s"), row.get("p95_s"), low, high) for row in rows]
    if column.figure == "share":
        return [bars.place_share(row[column.name], view.cell(column.name, row[column.name])) for row in rows]
    return [_strip(view, row, error_times) for row in rows]


def _strip(view: View, row: Mapping[Any, Any], times: pd.DataFrame | None) -> dict[str, Any] | None:
    first, last = view.info.first_ms, view.info.last_ms
    if times is None or first is None or last is None:
        return None
    error = row["error"]
    mine = times[times["error"].isna() if cells.is_missing(error) else times["error"] == error]
    span = max(last - first, 1)
    parts = [
        ((period.timestamp() * 1000 - first) / span, int(count))
        for period, count in zip(mine["period"], mine["tasks"], strict=True)
    ]
    return bars.place_strip(parts, f"{row['tasks']:,} tasks in {len(parts)} of 48 parts of the time")
