"""`mltasks failures`."""

from mltasks.cli.report_command import make_command

command = make_command(
    "failures",
    """How often tasks fail: failed / (completed + failed) with its 95 % interval, and since when.

    Cancelled and open tasks are counted beside it. Filters by state or outcome are refused: they change the rate.
    """,
    examples=(
        "mltasks failures demo --by function_name --sort failure_rate",
        "mltasks failures demo --by task_type --every 15min --wide",
        "mltasks list demo --outcome failed --columns task_id,reason",
    ),
    by="task_type,function_name",
)
