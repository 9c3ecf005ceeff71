"""`mltasks workers`."""

from mltasks.cli.report_command import make_command

command = make_command(
    "workers",
    """Tasks, failures and load by worker node: time in flight, share, mean and peak of tasks at once.

    A task with several nodes counts once on each. --since and --until take the tasks in flight then, and clip them.
    """,
    examples=(
        "mltasks workers demo --wide",
        "mltasks workers demo --by worker_node,task_type --sort task_s",
    ),
    by="worker_node",
)
