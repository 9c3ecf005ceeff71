"""The public names of mltasks; written by `make format`, from the functions themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mltasks.engines.dataset import Dataset as Dataset
from mltasks.exceptions import ClusterError as ClusterError
from mltasks.exceptions import DataError as DataError
from mltasks.exceptions import Error as Error
from mltasks.exceptions import StorageError as StorageError
from mltasks.exceptions import TaskDataWarning as TaskDataWarning
from mltasks.exceptions import UsageError as UsageError
from mltasks.exceptions import WriteError as WriteError
from mltasks.opensearch.access import Access as Access
from mltasks.opensearch.access import Query
from mltasks.opensearch.client import Cluster as Cluster
from mltasks.opensearch.credentials import Credentials as Credentials
from mltasks.render.page import Page as Page
from mltasks.render.plot import public as plot
from mltasks.render.show import ShownReport as ShownReport
from mltasks.store.publish import PublishResult as PublishResult
from mltasks.store.store import Store as Store
from mltasks.store.sync_result import SyncResult as SyncResult
from mltasks.tasks.filter_options import FilterOptions as FilterOptions
from mltasks.tasks.filter_options import Words
from mltasks.tasks.metadata import Context as Context
from mltasks.tasks.times import Moment

__all__ = [
    "Access",
    "Cluster",
    "ClusterError",
    "Context",
    "Credentials",
    "DataError",
    "Dataset",
    "Error",
    "FilterOptions",
    "Page",
    "PublishResult",
    "ShownReport",
    "StorageError",
    "Store",
    "SyncResult",
    "TaskDataWarning",
    "UsageError",
    "WriteError",
    "by_node",
    "compare",
    "durations",
    "errors",
    "failures",
    "fetch",
    "get",
    "highlights",
    "load",
    "models",
    "parse_json",
    "plot",
    "publish",
    "report",
    "scan",
    "show",
    "timeline",
    "unfinished",
    "workers",
    "write_parquet",
]

__version__: str

def by_node(tasks: Any) -> pd.DataFrame:
    """Return one row per task and node; a task without nodes has one row without a node."""

def compare(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    split: Moment = None,
    since: Moment = None,
    until: Moment = None,
    against: str | None = None,
    node: str | None = None,
    as_of: Any = None,
    task_type: Words = None,
    function_name: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Return whether tasks fail more often or take longer than before, one row per group."""

def durations(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    every: str | None = None,
    tz: str = "UTC",
    outcome: Words = "completed",
    jobs: bool = False,
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    state: Words = None,
    node: Words = None,
    model: Words = None,
    error: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    not_state: Words = None,
    not_outcome: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Measure how long tasks take, one row per group."""

def errors(
    tasks: Any,
    *,
    new: str = "7d",
    known: str | None = None,
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    state: Words = None,
    outcome: Words = None,
    node: Words = None,
    model: Words = None,
    error: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    not_state: Words = None,
    not_outcome: Words = None,
    tz: str = "UTC",
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Return why tasks fail, one row per masked error text."""

def failures(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    node: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Count how often tasks fail and since when, one row per group."""

def fetch(
    source: Any,
    path: str | Path,
    access: Access | None = None,
    *,
    force: bool = False,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    state: Words = None,
    outcome: Words = None,
    node: Words = None,
    model: Words = None,
    error: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    not_state: Words = None,
    not_outcome: Words = None,
    tz: str = "UTC",
    query: Query = None,
) -> Context:
    """Write all tasks of a source to a file, each once; it appears when it is complete, or not at all."""

def get(
    source: Any,
    ids: str | Sequence[str],
    access: Access | None = None,
    *,
    refresh: bool = False,
    wait: str | None = None,
) -> pd.DataFrame:
    """Return single tasks by their ids."""

def highlights(
    tasks: Any,
    *,
    tz: str = "UTC",
    as_of: Any = None,
    now: Moment = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    node: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Return what needs attention, one row per thing, the most pressing first; no row where nothing was found."""

def load(
    source: Any,
    access: Access | None = None,
    *,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    state: Words = None,
    outcome: Words = None,
    node: Words = None,
    model: Words = None,
    error: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    not_state: Words = None,
    not_outcome: Words = None,
    tz: str = "UTC",
    query: Query = None,
) -> pd.DataFrame:
    """Return every task of a source, one row per task."""

def models(
    tasks: Any,
    *,
    tz: str = "UTC",
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    node: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Return whether each model is deployed, one row per model that was ever deployed."""

def parse_json(tasks: Any, column: str) -> pd.DataFrame:
    """Return the objects in a column of JSON texts as columns."""

def publish(store: str | Path | Store, url: str) -> PublishResult:
    """Bring the copy of a store in object storage up to date, for others to read: only what has changed is uploaded."""

def report(
    tasks: Any,
    *,
    tz: str = "UTC",
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    node: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> Page:
    """Return every report of some tasks on one page, to be saved or shown in a notebook."""

def scan(
    source: Any,
    access: Access | None = None,
    *,
    engine: str | None = None,
    session: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    state: Words = None,
    outcome: Words = None,
    node: Words = None,
    model: Words = None,
    error: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    not_state: Words = None,
    not_outcome: Words = None,
    tz: str = "UTC",
    query: Query = None,
) -> Dataset:
    """Open a source for reports, which read as much of it as they need."""

def show(table: pd.DataFrame, *, sort: str | None = None, top: int | None = None) -> ShownReport:
    """Show a report's table with units, notes and figure, in a notebook or a console."""

def timeline(
    tasks: Any,
    by: str | Sequence[str] = ("period",),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    node: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Count by period what was created, what ended and what was in flight, one row per period, also without a task."""

def unfinished(
    tasks: Any,
    by: str | Sequence[str] = ("task_id",),
    *,
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    state: Words = None,
    outcome: Words = None,
    node: Words = None,
    model: Words = None,
    error: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    not_state: Words = None,
    not_outcome: Words = None,
    tz: str = "UTC",
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Judge every open task, one row per task."""

def workers(
    tasks: Any,
    by: str | Sequence[str] = ("worker_node",),
    *,
    every: str | None = None,
    tz: str = "UTC",
    as_of: Any = None,
    since: Moment = None,
    until: Moment = None,
    task_type: Words = None,
    function_name: Words = None,
    node: Words = None,
    model: Words = None,
    cluster: Words = None,
    not_task_type: Words = None,
    access: Access | None = None,
    query: Query = None,
) -> pd.DataFrame:
    """Measure the load of the worker nodes, one row per node; a known node without a task is a row too."""

def write_parquet(tasks: pd.DataFrame, path: str | Path, *, force: bool = False) -> None:
    """Write a table of tasks to a Parquet file: zstd, typed, each task once, the Context in its metadata."""
