"""What every output begins with: what it covers, and the time that it is true for."""

from __future__ import annotations

from mltasks.render import cells
from mltasks.reports.report_info import ReportInfo
from mltasks.tasks.metadata import to_datetime


def covers_line(info: ReportInfo) -> str:
    """Return the sentence, as one line."""
    zone = f"; periods in {info.tz}" if "period" in info.keys and info.tz != "UTC" else ""
    return cells.one_line(f"{info.covers()}{_as_of(info)}{zone}")


def _as_of(info: ReportInfo) -> str:
    """Return the time that the report is true for, to go behind what it covers."""
    if info.as_of_ms is None:
        return ""
    assumed = " (assumed)" if info.as_of_assumed else ""
    return f", as of {to_datetime(info.as_of_ms):%Y-%m-%d %H:%M} UTC{assumed}"
