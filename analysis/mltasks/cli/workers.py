"""`mltasks workers`."""

from mltasks.cli.one_report import command as one_report

command = one_report(
    "workers",
    """Tasks, failures and load by worker node: time in flight, share, mean and peak of tasks at once.

    A task with several nodes counts once on each. The window takes the tasks in flight in it and clips them.
    """,
    by="worker_node",
    periods=False,
)
