"""`python -m mltasks`."""

from mltasks.cli import run

run()
