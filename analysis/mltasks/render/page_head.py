"""What the page begins with: the verdict, what needs attention and what to do next, the numbers with their changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from mltasks.render import cells, highlights
from mltasks.render.highlights import Point
from mltasks.reports.findings.finding import because, row_text

LONGEST = 240  # letters of an advice
REMEDIES = {  # of what no row of a table has one for
    "incomplete": "Read the tasks again before trusting a number: a part of them is missing.",
    "old": "Read the tasks again before acting on what stands here, by fetch, sync, or a report on the cluster itself.",
}
UNKNOWN = "?"  # for a number that there is, though nobody knows it
PLACES = {"compare": "failures", "durations": "failures"}  # sections that have the rows of other reports
LABELS = {
    "tasks": "tasks",
    "failed": "failed",
    "open": "open",
    "lost": "lost",
    "p95_s": "p95 duration",
    "nodes": "nodes",
}
LINKS = {
    "tasks": "timeline",
    "failed": "errors",
    "open": "unfinished",
    "lost": "unfinished",
    "p95_s": "failures",
    "nodes": "workers",
}
WHOLES = {
    "failed": "of {} finished",
    "lost": "of {} open",
    "p95_s": "of {} measured",
    "nodes": "of {} known have tasks",
}


class Advice(NamedTuple):
    """What to do about a thing that needs attention, and the row that says why."""

    remedy: str = ""
    target: str = ""


class Item(NamedTuple):
    """Things of one kind that need the same, each with the id of its row on the page, and what they need."""

    points: list[tuple[Point, str]]
    advice: Advice

    def list_commands(self) -> list[tuple[str, str]]:
        """Return a command that shows more and a task for each point, once; of a whole report no row shows more."""
        hows = ((point.command, point.example_task_id or "") for point, _ in self.points if point.kind not in REMEDIES)
        return [how for how in dict.fromkeys(hows) if any(how)]


def describe_points(
    tables: Mapping[str, pd.DataFrame], points: Sequence[Point], sections: Sequence[Mapping[str, Any]]
) -> list[Item]:
    """Return what needs attention with what to do, which is said once for things of one kind that need the same."""
    rows = {section["name"]: {row["id"] for row in section["rows"]} for section in sections}
    items: dict[Any, Item] = {}
    for place, point in enumerate(points):
        advice = _find_advice(tables, point, rows)
        key = (point.kind, advice) if advice.remedy else place
        items.setdefault(key, Item([], advice)).points.append((point, _target(point, rows)))
    return [*items.values()]


def _target(point: Point, rows: Mapping[str, set[str]]) -> str:
    """Return the id of the row that a point is of, or of its section where the table is cut before it."""
    if point.report is None or point.row is None:
        return ""
    section = PLACES.get(point.report, point.report)
    row = highlights.anchor(section, point.row)
    return row if row in rows.get(section, ()) else section if section in rows else ""


def _find_advice(tables: Mapping[str, pd.DataFrame], point: Point, rows: Mapping[str, set[str]]) -> Advice:
    """Return the remedy of the row that a point is of, or of the error that its reason ends with."""
    for name, section, key in (("open_groups", "unfinished", "task_id"), ("errors", "errors", "error")):
        table = tables.get(name)
        if table is None or key not in table:
            continue
        for row in table[table["remedy"].notna()].to_dict("records"):
            is_it = point.report == section and point.row == cells.one_line(row_text([row[key]]))
            error = cells.one_line(because(row[key])) if key == "error" else ""
            is_cause = bool(error) and point.report in ("failures", "models") and point.reason.endswith(error)
            if is_it or is_cause:
                anchor = highlights.anchor(section, cells.one_line(row_text([row[key]])))
                return Advice(
                    _write_sentence(cells.one_line(row["remedy"])),
                    anchor if is_cause and anchor in rows.get(section, ()) else "",
                )
    return Advice(REMEDIES.get(point.kind or "", ""))


def _write_sentence(remedy: str) -> str:
    """Return what to do with a capital and a full stop; what is cut ends with an ellipsis."""
    text = remedy if len(remedy) <= LONGEST else f"{remedy[:LONGEST].rstrip()}…"
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?', '…')) else '.'}"


def make_tiles(headline: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return the numbers, each with the whole that it is a part of and what it was before."""
    if headline is None:
        return []
    return [_tile(row["measure"], row["value"], row["part_of"], row["before"]) for row in headline.to_dict("records")]


def _tile(measure: str, value: float, part_of: float, before: float) -> dict[str, Any]:
    whole = "" if cells.is_missing(part_of) or not part_of else WHOLES[measure].format(f"{part_of:,.0f}")
    return {
        "label": LABELS[measure],
        "value": _number(measure, value),
        "part": whole,
        "change": _describe_change(measure, value, before),
        "link": LINKS[measure],
        "bad": measure in ("failed", "lost") and value > 0,
    }


def _number(measure: str, value: float) -> str:
    if cells.is_missing(value):
        return UNKNOWN if measure == "lost" else cells.MISSING
    return cells.duration(value) if measure.endswith("_s") else f"{value:,.0f}"


def _describe_change(measure: str, value: float, before: float) -> str:
    """Return by how much a number differs from what it was; nothing where that is not known."""
    if cells.is_missing(before) or cells.is_missing(value):
        return ""
    if measure in ("open", "lost"):
        return f"{before:,.0f} more from before" if before else "none from before"
    if value == before:
        return "as before"
    sign = "+" if value > before else "\u2212"
    return f"{sign}{_number(measure, abs(value - before))} from {_number(measure, before)}"
