"""A report for machines and documents: CSV, JSON, Markdown and Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from mltasks.render import cells as text
from mltasks.render import header
from mltasks.render.view import View
from mltasks.reports import report_info
from mltasks.tasks.metadata import to_iso

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARKUP = re.compile(  # the last two: what GitHub makes a link without being told
    r"([\\`*\[\]<>|~$#!&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=[Ww][Ww][Ww])\.)"
)


def to_csv(view: View) -> str:
    """Return CSV: times in ISO 8601 UTC, missing cells empty, no notes.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, ids included.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_formula(str(name)) for name in view.frame.columns])
    for row in view.frame.itertuples(index=False):
        writer.writerow(
            ["" if text.is_missing(v) else escape_formula(v) if isinstance(v, str) else plain_value(v) for v in row]
        )
    return out.getvalue()


def escape_formula(value: str) -> str:
    """Return a text that no spreadsheet computes and no terminal obeys."""
    shown = text.escape_control(value)
    return f"'{shown}" if value.startswith(FORMULA) or value[:1].isspace() else shown


def to_json(view: View) -> str:
    """Return one object: report, as_of, sources, filters, tasks, rows and notes; missing values are null."""
    info = view.info
    names = [str(name) for name in view.frame.columns]
    rows = [dict(zip(names, map(plain_value, row), strict=True)) for row in view.frame.itertuples(index=False)]
    found = {
        "report": info.report,
        "as_of": to_iso(info.as_of_ms),
        "sources": info.sources,
        "filters": info.filters,
        "tasks": info.tasks,
        "rows": rows,
        "notes": info.notes,
    }
    return json.dumps(found, indent=1, allow_nan=False) + "\n"


def plain_value(value: Any) -> Any:
    """Return a cell as JSON has it; what is no number there is null."""
    if text.is_missing(value):
        return None
    if isinstance(value, datetime):
        return text.iso(value)
    found = value.item() if hasattr(value, "item") else value
    return None if isinstance(found, float) and math.isinf(found) else found


def to_markdown(view: View) -> str:
    """Return a table in GitHub's Markdown, with what it covers before it and the notes after it."""
    names = [str(name) for name in view.frame.columns]
    words = [view.is_words(name) for name in names]
    lines = [markup(header.covers_line(view.info)), ""]
    if len(view.frame):
        lines.append(f"| {' | '.join(markup(text.one_line(name)) for name in names)} |")
        lines.append(f"|{'|'.join('---' if word else '---:' for word in words)}|")
    for row in view.frame.itertuples(index=False):
        cells = []
        for name, value in zip(names, row, strict=True):
            show = text.key if name in view.keys else text.cell
            cells.append(markup(show(name, value, view.info.as_of_ms)))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"- {markup(text.one_line(note))}" for note in view.info.notes)]
    return "\n".join(lines).rstrip() + "\n"


def markup(value: str) -> str:
    """Return a text in which no character is markup."""
    return MARKUP.sub(r"\\\1", value)


def to_parquet(view: View, path: Path) -> None:
    """Write the table with its types; what it says of itself is in the file's metadata."""
    table = pa.Table.from_pandas(view.frame, preserve_index=False)
    said = msgspec.json.encode(view.info).decode()
    pq.write_table(table.replace_schema_metadata({report_info.KEY: said}), path, compression="zstd")
