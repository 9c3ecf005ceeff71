"""What reports ask of an engine: one protocol, one module per engine that implements it, and the list of these."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Protocol, cast

import narwhals as nw
import pandas as pd
import pyarrow as pa

from mltasks.tasks.conditions import Conditions
from mltasks.tasks.metadata import Context

Value = tuple[str, str]  # a column, and what of it
Frame = nw.LazyFrame[Any]
NODES = ("failed_nodes", "other_nodes")  # what `explode_nodes` takes
ENGINES = {  # module -> packages that its frames' classes are of
    "pandas": {"pandas"},
    "duckdb": {"duckdb", "_duckdb"},
    "spark": {"pyspark"},
}


class Engine(Conditions, Protocol):
    """An engine, as a module: `tasks` is its own kind of frame, `frame` the same inside narwhals."""

    def open_frame(self, tasks: Any, names: Sequence[str]) -> tuple[Any, Context]:
        """Return a user's frame with the stored columns, each task once, and its Context; `names` are grouped by."""

    def from_arrow(self, rows: pa.Table, context: Context) -> Any:
        """Return rows with the stored columns, each task once, as a frame of this engine."""

    def to_arrow(self, tasks: Any) -> pa.Table:
        """Return a frame as rows in memory."""

    def prune(self, tasks: Any, since_ms: int | None, until_ms: int | None) -> Any:
        """Return the tasks created in a window, and others: what the filters leave out later need not be read."""

    def project(self, tasks: Any, needed: Collection[str], own: Mapping[str, str]) -> Frame:
        """Return the stored columns, times as integers [ms], nodes as one text, and what is needed of JSON_COLUMNS.

        `created_ms`, `updated_ms`, `gone_ms` where the frame has it, `nodes_text` (comma-joined). `own`: the user's
        own columns to keep, and the names to keep them under.
        """

    def has_gone(self, tasks: Any) -> bool:
        """Tell whether there is a column that says when tasks were found gone."""

    def explode_range(self, frame: Frame, first: str, last: str, name: str) -> Frame:
        """See `operations.explode_range`."""

    def explode_nodes(self, frame: Frame) -> Frame:
        """See `operations.explode_nodes`."""

    def keep(self, frame: Frame) -> AbstractContextManager[Frame]:
        """See `operations.keep`."""

    def left_join(self, frame: Frame, table: pd.DataFrame, keys: Sequence[str]) -> Frame:
        """See `operations.left_join`."""

    def aggregate(
        self, frame: Frame, keys: Sequence[str], values: Mapping[str, Value], quantiles: Mapping[str, tuple[str, float]]
    ) -> Frame:
        """See `operations.aggregate`."""

    def measure_load(
        self, frame: Frame, keys: Sequence[str], types: Mapping[str, Any], values: Mapping[str, Value]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """See `operations.measure_load`."""

    def iter_sorted(self, frame: Frame, *by: str) -> Iterator[pd.DataFrame]:
        """See `operations.iter_sorted`."""

    def collect(self, frame: Frame) -> pd.DataFrame:
        """Return a small result in pandas, whatever the types of its numbers."""

    def translate_errors(self) -> AbstractContextManager[None]:
        """Turn what this engine raises into UsageError, DataError and KeyboardInterrupt."""


def find_engine(frame: Any) -> Engine | None:
    """Return the engine of a frame, its own or one inside narwhals; None for a frame of no engine."""
    packages = {base.__module__.partition(".")[0] for base in type(nw.to_native(frame, pass_through=True)).__mro__}
    return next((import_engine(name) for name, owners in ENGINES.items() if owners & packages), None)


def engine_of(frame: Any) -> Engine:
    """Return the engine of a frame that has one."""
    module = find_engine(frame)
    assert module is not None, type(frame)
    return module


def import_engine(name: str) -> Engine:
    """Return an engine by its name in ENGINES; it is imported when it is needed."""
    return cast("Engine", import_module(f"mltasks.engines.{name}"))
