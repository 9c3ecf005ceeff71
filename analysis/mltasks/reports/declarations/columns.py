"""Columns that several reports have: one name, one meaning."""

from __future__ import annotations

from mltasks.reports.declaration import ReportColumn as Column

TASKS = Column("tasks", "count", "tasks", "completed + failed + cancelled + open")
COMPLETED = Column("completed", "count", "tasks", "succeeded, or completed with an error")
PARTIAL = Column("partial", "count", "tasks", "completed with an error; among the completed")
FAILED = Column("failed", "count", "tasks", "failed, expired, or unreachable at the provider")
CANCELLED = Column("cancelled", "count", "tasks", "cancelled by somebody")
OPEN = Column("open", "count", "tasks", "created, running, or in a state that is not known")
OVERDUE = Column("overdue", "count", "tasks", "open for longer than the time-out allows; among the open")
RATE = (
    Column("failure_rate", "share", "", "failed / (completed + failed)"),
    Column("failure_rate_low", "share", "", "lower end of its 95 % interval"),
    Column("failure_rate_high", "share", "", "upper end of its 95 % interval"),
)
NODE_NAME = Column("node_name", "text", "", "the node's name")
DESIGN_EFFECT = Column(
    "design_effect", "number", "", "by how much failures in bursts widen the interval; 1: not at all"
)
LAST_SUCCESS = Column("last_success", "ago", "UTC", "end of the completed task that was created last")
FAILING_SINCE = Column("failing_since", "ago", "UTC", "creation of the first failed task after that; else missing")
IN_A_ROW = Column("failures_in_a_row", "count", "tasks", "failed tasks created since the last success")
EXAMPLE = Column("example_task_id", "id", "", "one of these tasks, the newest")
