"""The reports there are, in the order of help and page; package, command line, page and tests read them from here.

A new report is a module with its function, its declaration in `declarations`, and a line here.
"""

from __future__ import annotations

from mltasks.reports.declaration import Report
from mltasks.reports.declarations import (
    compare,
    durations,
    errors,
    failures,
    highlights,
    models,
    timeline,
    unfinished,
    workers,
)

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        highlights.REPORT,
        timeline.REPORT,
        failures.REPORT,
        durations.REPORT,
        workers.REPORT,
        errors.REPORT,
        compare.REPORT,
        models.REPORT,
        unfinished.REPORT,
    )
}
