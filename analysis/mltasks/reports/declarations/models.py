"""The report `models`."""

from __future__ import annotations

from mltasks.reports.declaration import OUTCOME_FILTERS, Report
from mltasks.reports.declaration import ReportColumn as Column
from mltasks.reports.declarations import columns

REPORT = Report(
    name="models",
    title="Models",
    question="Is my model deployed, and if not, why.",
    help="""Is my model deployed, and if not, why: one row per model that was ever deployed.

    Tasks alone mislead, so the index of models is read beside them; a file without it shows what was recorded only.
    Verdicts: down, partial, deploying, stuck, given_up, stale, undeployed, up, unknown.
    """,
    columns=(
        Column("name", "text", "", "the model's name"),
        Column("function_name", "text", "", "its kind"),
        Column("verdict", "text", "", "down, partial, deploying, stuck, given_up, stale, undeployed, up, or unknown"),
        Column("model_state", "text", "", "what the index of models says"),
        Column("planned", "count", "nodes", "nodes that should serve it"),
        Column("current", "count", "nodes", "nodes that serve it, by the index of models"),
        Column("serving", "count", "nodes", "nodes that held it when the cluster was read"),
        Column("deploys", "count", "tasks", "deployments, also those that the cluster began by itself"),
        Column("failed", "count", "tasks", "failed deployments"),
        Column("failures_in_a_row", "count", "tasks", "failed deployments since the last completed one"),
        Column("switches", "count", "", "how often deployments went from completed to failed or back"),
        Column("last_outcome", "text", "", "outcome of the deployment that was created last"),
        Column("last_success", "ago", "UTC", "when the newest completed deployment ended"),
        columns.FAILING_SINCE,
        Column("last_error", "text", "", "why the last one failed, by node where that is known"),
        Column("redeploys", "count", "tasks", "deployments within ten minutes of a node's start"),
        Column("retries", "count", "", "times the cluster deployed it again by itself; it gives up after 3"),
        Column("open_jobs", "count", "tasks", "batch predictions with it that are open"),
        Column("predict_p50_ms", "duration", "ms", "median time of a prediction on the slowest node"),
        Column("predict_p99_ms", "duration", "ms", "99th percentile of the same"),
    ),
    narrow=("name", "verdict", "planned", "current", "deploys", "last_outcome", "failing_since"),
    worst_first=("failures_in_a_row", "failed", "deploys"),
    orders={
        "verdict": (*("down", "partial", "deploying", "stuck", "given_up", "stale", "undeployed", "up", "unknown"),)
    },
    examples=(
        "mltasks models demo --top 5",
        "mltasks models demo --model remote --wide",
        "mltasks models demo --format json",
    ),
    keys=("model_id",),
    takes_by=False,
    has_periods=False,
    refused=dict.fromkeys(OUTCOME_FILTERS, "a verdict needs the deployments of every outcome"),
)
