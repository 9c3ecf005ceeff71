"""What kind of values a column of a report's table holds: as declared by the report, or by the task table."""

from __future__ import annotations

from collections.abc import Mapping

from mltasks.reports.declaration import Kind, ReportColumn
from mltasks.reports.registry import REPORTS
from mltasks.tasks import schema

KINDS: Mapping[schema.Kind, Kind] = {
    "text": "text",
    "json": "text",
    "nodes": "text",
    "time": "time",
    "flag": "flag",
    "number": "number",
    "integer": "ordinal",
}
SPECIAL: Mapping[str, tuple[Kind, str]] = {
    "task_id": ("id", ""),
    "model_id": ("id", ""),
    "duration_s": ("duration", "s"),
    "gone_time": ("time", "UTC"),
    "period": ("period", ""),
    "job_status": ("text", ""),
    "job_start": ("time", "UTC"),
    "job_end": ("time", "UTC"),
    "job_duration_s": ("duration", "s"),
    "data_age_s": ("duration", "s"),
}


def find_column(report: str, name: str) -> ReportColumn | None:
    """Return the declaration of a column, or None for a user's own.

    A table that is no registered report, such as the overview, has columns of those that are.
    """
    reports = [REPORTS[report]] if report in REPORTS else REPORTS.values()
    for column in (column for each in reports for column in each.columns):
        if column.name == name:
            return column
    return TASK_COLUMNS.get(name)


def _declare(name: str, kind: Kind, unit: str) -> ReportColumn:
    column = schema.COLUMNS.get(name)
    return ReportColumn(name, kind, unit, column.note if column else "")


TASK_COLUMNS: Mapping[str, ReportColumn] = {
    name: _declare(name, *SPECIAL.get(name, (KINDS[column.kind], ""))) for name, column in schema.COLUMNS.items()
} | {name: _declare(name, *kind) for name, kind in SPECIAL.items()}
