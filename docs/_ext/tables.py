"""Tables that the documentation takes from the code, as Markdown; mypy and tests/test_docs.py read them, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mltasks.reports.registry import REPORTS
from mltasks.tasks import filter_declarations, schema


def cell(text: Any) -> str:
    """Return a text as a cell of a table in Markdown."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(str(each) for each in line)} |" for line in lines)


def columns(name: str) -> str:
    """Return the columns of a report, with kind and unit; those that 80 columns show are bold."""
    report = REPORTS[name]
    rows = [
        (f"**`{c.name}`**" if c.name in report.narrow else f"`{c.name}`", c.kind, c.unit or "-", cell(c.note))
        for c in report.columns
    ]
    return table(("column", "kind", "unit", "what it holds"), rows)


def facts(name: str) -> str:
    """Return what a report takes: keys, periods, window, filters that it refuses, options of its own."""
    report = REPORTS[name]
    keys = ", ".join(f"`{key}`" for key in report.keys)
    window = "created in it" if report.window == "created" else "in flight in it"
    lines = [
        f"- A row stands for: {keys}{'; `--by` takes others' if report.takes_by else ''}.",
        *(["- `--every` adds one row per period, by the calendar of `--tz`."] if report.has_periods else []),
        f"- `--since` and `--until` take the tasks {window}.",
        *(f"- `--{option.name.replace('_', '-')}`: {cell(option.help)}" for option in report.options),
    ]
    reasons: dict[str, list[str]] = {}
    for filter_name, why in report.refused.items():
        reasons.setdefault(why, []).append(f"`{filter_name}`")
    lines += [f"- Refuses {', '.join(names)}: {why}." for why, names in reasons.items()]
    return "\n".join(lines)


def task_columns(_: str) -> str:
    """Return the columns of the task table."""
    rows = [(f"`{name}`", column.kind) for name, column in schema.COLUMNS.items()]
    return table(("column", "kind"), rows)


def filters(_: str) -> str:
    """Return the filters, which every command and function takes under the same name."""
    rows = [
        (f"`--{name.replace('_', '-')}`", f"`{name}`", cell(text)) for name, text in filter_declarations.HELP.items()
    ]
    return table(("option", "in Python", "which tasks"), rows)


def questions(_: str) -> str:
    """Return the reports with the question that each answers."""
    return table(
        ("report", "question"), [(f"[{name}]({name}.md)", cell(report.question)) for name, report in REPORTS.items()]
    )


TABLES: dict[str, Callable[[str], str]] = {
    "columns": columns,
    "facts": facts,
    "task-columns": task_columns,
    "filters": filters,
    "questions": questions,
}
