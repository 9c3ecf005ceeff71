"""`python -m mltasks`."""

from mltasks.cli.main import run

run()
