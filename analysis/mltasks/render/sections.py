"""A report as a section of the page: which columns stand in its table, which behind a row, and its small figures."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mltasks.render import bars, cells, highlights, terminal_table
from mltasks.render.view import View
from mltasks.reports.findings.finding import row_text
from mltasks.reports.registry import REPORTS

MOST = 50  # rows of a table; the commands show the rest
LONG = 24  # characters from which a text may be broken
RANKS = {  # classes of columns that only a wider screen shows
    "second": ("completed", "measured", "p90_s", "p99_s"),
    "third": ("partial", "cancelled", "unmeasured", "mean_s", "design_effect", "failures_in_a_row", "wait_s", "run_s"),
}
WAITS = ("wait_s", "run_s", "wait_share")  # of no row, where nothing is known of the pools
RARE = ("partial", "cancelled", "overdue")  # counts that are left out where they are 0 in all rows
INTERVAL = ("failure_rate_low", "failure_rate_high")


def make_section(view: View, chart: dict[str, Any] | None = None, figure: Any = "") -> dict[str, Any]:
    """Return what the template needs of a report."""
    report = REPORTS.get(view.info.report)
    table = view.frame if chart else view.frame.head(MOST)
    details = _details(view)
    names = [str(name) for name in table.columns if name not in details and name not in _hidden(view)]
    columns = [_column(view, name) for name in names]
    second = next((name for name in names[1:2] if name in view.keys), None)
    rows = [_row(view, row, names, details) for row in table.to_dict("records")]
    if second is not None:  # on a phone the second key stands below the first
        columns[1]["classes"] = f"{columns[1]['classes']} second"
        for row in rows:
            row["second_key"] = row["cells"][1]["text"]
            row["cells"][1]["classes"] += " second"
    figures = _figures(view, table)
    for place, (label, note, shown) in sorted(figures.items(), reverse=True):
        at = names.index(place) + 1
        columns.insert(at, {"label": label, "classes": "second", "note": note, "sorts": False})
        for row, bar in zip(rows, shown, strict=True):
            text = "" if bar else cells.MISSING
            row["cells"].insert(at, {"text": text, "bar": bar, "classes": "second", "sort": "", "badge": ""})
    for row, name in zip(rows, _anchors(view, table), strict=True):
        row["id"] = name
    cut = len(view.frame) - len(table)
    return {
        "name": view.info.report,
        "title": report.title if report else view.info.report,
        "question": report.question if report else "",
        "remedies": [],
        "columns": columns,
        "rows": rows,
        "chart": chart,
        "figure": figure,
        "nothing": "",
        "paper_cut": "",
        "cut": f"the first {MOST} of {len(view.frame)} rows; mltasks {view.info.report} shows all" if cut else "",
    }


def _anchors(view: View, table: pd.DataFrame) -> list[str]:
    """Return the ids of the rows that a page refers to; a row that is called as one before it has none."""
    if not view.keys:
        return [""] * len(table)
    names = [highlights.anchor(view.info.report, row_text(row)) for row in table[view.keys].itertuples(index=False)]
    return ["" if name in names[:place] else name for place, name in enumerate(names)]


def _hidden(view: View) -> set[str]:
    """Return the columns that are shown in another way, such as the ends of an interval, or say nothing of any row."""
    hidden = {name for name in INTERVAL if name in view.frame}
    hidden |= {name for name in WAITS if name in view.frame and view.frame[name].isna().all()}
    hidden |= {name for name in RARE if name in view.frame and len(view.frame) and view.frame[name].eq(0).all()}
    if "node_name" in view.frame and len(view.frame) and view.frame["node_name"].notna().all():
        hidden.add("worker_node")
    return hidden


def _details(view: View) -> list[str]:
    """Return the columns that stand behind a row: all but the narrow ones, where long texts are among them."""
    report = REPORTS.get(view.info.report)
    if report is None:
        return []
    kinds = {column.name: column.kind for column in report.columns}
    behind = [name for name in map(str, view.frame.columns) if name not in (*report.narrow, *view.keys)]
    texts = [name for name in behind if kinds.get(name) in ("text", "id")]
    return behind if len(texts) > 1 else texts


def _column(view: View, name: str) -> dict[str, Any]:
    word = view.is_words(name)
    column = view.column(name)
    unit = f" [{column.unit}]" if column and column.unit in ("s", "ms") else ""
    return {
        "label": terminal_table.label(name, word).replace("\n", " "),
        "classes": _classes(name, word),
        "note": f"{column.note}{unit}" if column else "",
        "sorts": True,
    }


def _classes(name: str, word: bool, *more: str) -> str:
    ranks = [rank for rank, names in RANKS.items() if name in names]
    return " ".join([*(["word"] if word else []), *ranks, *more])


def _row(view: View, row: dict[Any, Any], names: list[str], details: list[str]) -> dict[str, Any]:
    shown = [_cell(view, name, row[name]) for name in names]
    behind = [
        {"label": terminal_table.label(name, words=True), "text": view.cell(name, row[name]), "kind": ""}
        for name in details
        if not cells.is_missing(row[name])
    ]
    return {"cells": shown, "details": behind, "second_key": ""}


def _cell(view: View, name: str, value: Any) -> dict[str, Any]:
    text, word = view.cell(name, value), view.is_words(name)
    marks = {"long": word and len(text) > LONG, "bad": terminal_table.is_bad(name, value)}
    more = [mark for mark, holds in marks.items() if holds]
    return {"text": text, "classes": _classes(name, word, *more), "sort": sort_value(value), "bar": None, "badge": ""}


def sort_value(value: Any) -> Any:
    """Return the number that the page's script sorts by; None: by the text that is shown."""
    if cells.is_missing(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.value // 1_000_000
    return None if isinstance(value, str) else value


def _figures(view: View, table: pd.DataFrame) -> dict[str, tuple[str, str, list[dict[str, Any] | None]]]:
    """Return the small figures of the rows by the column that they stand behind."""
    figures = {}
    if {"failure_rate", *INTERVAL} <= {*table.columns}:
        parts = (table[name] for name in ("failure_rate", *INTERVAL))
        shown = [bars.place_interval(*values) for values in zip(*parts, strict=True)]
        figures["failure_rate"] = ("95 % interval", "from 0 to 100 %", shown)
    if {"p50_s", "p95_s"} <= {*table.columns} and "period" not in table:
        low, high = table["p50_s"].min(), table[["p50_s", "p95_s"]].max().max()
        shown = [
            bars.place_durations(p50, p95, low, high) for p50, p95 in zip(table["p50_s"], table["p95_s"], strict=True)
        ]
        figures["p95_s"] = ("p50 to p95", "logarithmic, the same scale in all rows", shown)
    return figures
