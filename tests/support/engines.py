"""The same tasks as a frame of every registered engine."""

from __future__ import annotations

import pyarrow as pa

from mltasks.engines import base
from mltasks.engines.dataset import Dataset
from mltasks.tasks import conform
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


def in_process() -> list[str]:
    """Return the engines that run in this process: Spark starts a JVM, and has tests of its own."""
    return [name for name in base.ENGINES if name != "spark"]


def datasets(rows: pa.Table, context: Context) -> dict[str, Dataset]:
    """Return rows, each task once, as a Dataset of each engine by its name."""
    rows = conform.conform(rows, UnreadableCounts())
    return {name: Dataset(base.import_engine(name).from_arrow(rows, context), context) for name in in_process()}
