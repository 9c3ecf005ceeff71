"""`mltasks durations`."""

from mltasks.cli.report_command import make_command

command = make_command(
    "durations",
    """How long tasks take, from creation to completion (queueing included): median and exact percentiles.

    Completed tasks are measured; --outcome failed (or all) measures others. Open tasks have no duration.
    """,
    examples=(
        "mltasks durations demo --task-type TRAINING --sort p95_s",
        "mltasks durations demo --by function_name --every 1h --plot durations.png",
        "mltasks durations demo --format json",
    ),
    by="task_type,function_name",
)
