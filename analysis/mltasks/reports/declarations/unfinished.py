"""The report `unfinished`."""

from __future__ import annotations

from mltasks.reports.declaration import Report
from mltasks.reports.declaration import ReportColumn as Column

VERDICTS = (  # in the order in which they are looked for, and shown
    *("finished_unrecorded", "waiting", "lost", "running", "overdue", "suspect", "unbounded", "open"),
)
REPORT = Report(
    name="unfinished",
    title="Unfinished tasks",
    question="What is stuck: every open task with a verdict, its evidence, and what to do.",
    help="""What is stuck: every open task with a verdict, the evidence for it, and what to do.

    \b
    finished_unrecorded  what it makes is there; only its record is open
    waiting              its provider runs it, and tells when it is asked
    lost                 its node has left the cluster, or was started after it
    running              a node holds it: it runs, or waits for its turn
    overdue              open for longer than the time-out allows
    suspect              open for more than ten times the p99 of its kind
    unbounded            an agent's, which no time-out ends
    open                 nothing is known against it

    --by groups them, one row per group and verdict; --by verdict counts the verdicts.
    """,
    columns=(
        Column("verdict", "text", "", "the first that holds, in the order above"),
        Column("tasks", "count", "tasks", "open tasks of a group"),
        Column("task_type", "text", "", "what kind of work it is"),
        Column("function_name", "text", "", "the algorithm or kind of model"),
        Column("node_name", "text", "", "the names of its nodes, or their ids"),
        Column("node_there", "flag", "", "whether all of its nodes are in the cluster; missing where nobody asked"),
        Column("age_s", "duration", "s", "time since its creation"),
        Column("since_update_s", "duration", "s", "time since its last update"),
        Column("longer_share", "share", "", "part of its kind that takes as long or longer, itself included"),
        Column("evidence", "text", "", "why it has its verdict"),
        Column("remedy", "text", "", "what to do"),
        Column("task_id", "id", "", "its id; of a group, that of the oldest"),
    ),
    narrow=("verdict", "tasks", "task_type", "function_name", "node_name", "age_s", "evidence"),
    worst_first=("verdict", "age_s"),
    orders={"verdict": VERDICTS},
    examples=(
        "mltasks unfinished demo",
        "mltasks unfinished demo --by verdict,task_type",
        "mltasks unfinished https://host:9200 --user admin --watch 5s",
    ),
    keys=("task_id",),
    has_periods=False,
    repeats=True,
)
