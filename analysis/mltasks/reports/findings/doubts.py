"""What makes a whole report doubtful: its data is incomplete, or was read long ago."""

from __future__ import annotations

import pandas as pd

from mltasks.engines.prepare import Tasks
from mltasks.reports.findings.finding import Commands, Finding, moment
from mltasks.tasks.schema import DAY_MS


def find_incomplete(tasks: Tasks, commands: Commands) -> list[Finding]:
    """Return that pages are missing, where the reading was allowed to go on without them."""
    if tasks.context.complete:
        return []
    reason = "the data is incomplete: a part of the answers was missing when it was read"
    return [Finding("incomplete", commands.source, reason, commands.show("failures", "--by ''"))]


def find_old(tasks: Tasks, now_ms: int, commands: Commands) -> list[Finding]:
    """Return the clusters that were read more than a day before `now_ms`, as far as it is known when that was."""
    findings = []
    for reading in tasks.context.readings:
        if reading.as_of_ms is None or reading.as_of_assumed or now_ms - reading.as_of_ms <= DAY_MS:
            continue
        read = pd.Timestamp(reading.as_of_ms, unit="ms", tz="UTC")
        reason = "the data is old: read more than a day ago"
        if reading.as_of_ms == tasks.context.as_of_ms:  # which every report shows
            reason = f"the data is old: read at {moment(read)}, more than a day ago; every 'ago' counts back from then"
        command = commands.show("failures", "--by ''")
        findings.append(Finding("old", reading.cluster or commands.source, reason, command, since=read))
    return findings
