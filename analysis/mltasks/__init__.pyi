"""The public names of mltasks; written by `make format`, from the functions themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mltasks.engines.dataset import Dataset as Dataset
from mltasks.exceptions import ClusterError as ClusterError
from mltasks.exceptions import DataError as DataError
from mltasks.exceptions import Error as Error
from mltasks.exceptions import TaskDataWarning as TaskDataWarning
from mltasks.exceptions import UsageError as UsageError
from mltasks.exceptions import WriteError as WriteError
from mltasks.opensearch.access import Access as Access
from mltasks.opensearch.access import Query
from mltasks.opensearch.client import Cluster as Cluster
from mltasks.opensearch.credentials import Credentials as Credentials
from mltasks.render.page import Page as Page
from mltasks.render.show import ShownReport as ShownReport
from mltasks.store.store import Store as Store
from mltasks.store.sync_result import SyncResult as SyncResult
from mltasks.tasks.filters import FilterOptions as FilterOptions
from mltasks.tasks.filters import Words
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
    "ShownReport",
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
    """Return one row per task and node; a task without nodes has one row without a node.

    A count of these rows is one of (task, node) pairs, not of tasks.

    Parameters
    ----------
    tasks : DataFrame, Dataset or pyarrow.Table
        What `load` or `scan` returns, or any frame made of it.

    Returns
    -------
    pandas.DataFrame
        The columns of `tasks`, `worker_node` being one node's id, and three more:

        - node_name: the node's name where it is known
        - node_failed: whether the task failed there (a deployment: if its error names the node, or if it failed and
          names none)
        - node_error: what the task's error says of the node

    Raises
    ------
    DataError
        Where `tasks` is a table of something else.

    Examples
    --------
    >>> nodes = mltasks.by_node(mltasks.load("demo"))
    >>> nodes.groupby("node_name")["node_failed"].sum().to_dict()
    {'n1': 86, 'n2': 76, 'n3': 71}
    """

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
    """Return whether tasks fail more often or take longer than before, one row per group.

    Three ways: `split`, a time, before and after which tasks were created; `since` with `against="previous"` (or the
    time at which the other side begins), such as the last 7 days against the 7 before; `node`, its tasks (after)
    against those of all other nodes (before). Without any, the time that the tasks cover is cut in its middle.

    Intervals are Newcombe's for rates, and Woodruff's limits by log-MOVER for quantiles, on tasks / design_effect.
    Where more than 5 % of a side is open, the median is Kaplan and Meier's of all of its tasks.

    Verdicts: worse or better (clear of no change in all comparisons together, and at least 5 points, or a factor
    of 1.25), worse? or better? (clear in this one only), same (less than that, for sure), unclear, too few (fewer than
    10 finished tasks on a side), only before, only after.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    by : str or list of str
        Columns to group by, instead of task_type, function_name; ``[]`` for one row of all.
    split : str, datetime or int, optional
        The time before and after which tasks were created.
    since : str, datetime or int, optional
        Where the later side begins, such as ``"7d"``.
    until : str, datetime or int, optional
        Where the later side ends.
    against : str, optional
        With `since`: ``"previous"`` (as long a time before it), or when the other side begins.
    node : str, optional
        The node, by id or name, to compare with all others.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`; then:

        - verdict: of the measures, the verdict that weighs most
        - evidence: the measure that it is of, and its change
        - tasks_before [tasks]: created before
        - tasks_after [tasks]: created after
        - failed_before [tasks]: failed of those before
        - failed_after [tasks]: failed of those after
        - rate_before: failed / (completed + failed) before
        - rate_after: failed / (completed + failed) after
        - rate_change: rate_after - rate_before
        - rate_change_low: lower end of its 95 % interval
        - rate_change_high: upper end of its 95 % interval
        - design_effect: tasks that count as one, since failures come in bursts
        - rate_verdict: verdict on the failure rate
        - changed [UTC]: since when the failure rate is another one, if that is clear
        - changed_low [UTC]: the earliest that it may have been
        - changed_high [UTC]: the latest that it may have been
        - p50_before_s [s]: median before
        - p50_after_s [s]: median after
        - p50_ratio: after / before
        - p50_ratio_low: lower end of its 95 % interval
        - p50_ratio_high: upper end of its 95 % interval
        - p50_verdict: verdict on the median
        - p95_before_s [s]: 95th percentile before
        - p95_after_s [s]: 95th percentile after
        - p95_ratio: after / before
        - p95_ratio_low: lower end of its 95 % interval
        - p95_ratio_high: upper end of its 95 % interval
        - p95_verdict: verdict on the 95th percentile

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.compare("demo", by="task_type", split="2026-11-24 22:05")
    >>> table[["task_type", "verdict"]].values.tolist()[:2]
    [['AGENT_EXECUTION', 'unclear'], ['BATCH_PREDICTION', 'too few']]
    """

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
    """Measure how long tasks take, one row per group.

    A duration is last_update_time - create_time, queue included; a deployment takes as long as its slowest node. Not
    measured: open tasks, batch predictions (every look at one moves its time), tasks ended by the cluster's time-out,
    and times that cannot be right.

    Percentiles are exact, linear between ranks (Hyndman & Fan 1996, type 7), and missing where fewer than 10, 20 or 100
    tasks were measured for p90, p95, p99. measured + unmeasured = completed.

    A training waits for a thread of its node: the pool takes trainings in the order of creation (J. Kiefer and J.
    Wolfowitz, Transactions of the AMS 78 (1955) 1-18). wait_s, run_s and wait_share are of trainings, and missing where
    the size of the pool was not read.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    by : str or list of str
        Columns to group by, instead of task_type, function_name; ``[]`` for one row of all.
    every : str, optional
        One row per period of create_time: ``"15min"``, ``"6h"``, ``"1d"``, ``"1w"``, ``"1mo"``.
    tz : str
        The time zone of days, weeks and months.
    outcome : str or list of str
        Whose durations: completed, failed, partial, cancelled, or ``"all"`` finished tasks. The counts stay those of
        all tasks.
    jobs : bool
        Of batch predictions only, and from start to end as their providers tell it; the tasks' own times tell nothing.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    state : str or list of str, optional
        Only in this state, such as FAILED. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    error : str or list of str, optional
        Only with an error that contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    not_state : str or list of str, optional
        Not in this state. The whole text, in any case.
    not_outcome : str or list of str, optional
        Not with this outcome. ``completed`` is succeeded and partial.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then `period` where `every` is given; then:

        - tasks [tasks]: completed + failed + cancelled + open
        - completed [tasks]: succeeded, or completed with an error
        - failed [tasks]: failed, expired, or unreachable at the provider
        - cancelled [tasks]: cancelled by somebody
        - open [tasks]: created, running, or in a state that is not known
        - measured [tasks]: completed tasks whose duration is known
        - unmeasured [tasks]: completed tasks whose duration is not; the notes say why
        - mean_s [s]: mean duration
        - p50_s [s]: median duration
        - p90_s [s]: 90th percentile
        - p95_s [s]: 95th percentile
        - p99_s [s]: 99th percentile
        - max_s [s]: longest duration
        - wait_s [s]: median time that a training waited for a thread of its node
        - run_s [s]: median time that it then ran
        - wait_share: part of the trainings' time that was waiting

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.durations("demo", by="task_type", task_type="TRAINING")
    >>> table[["measured", "p50_s"]].values.tolist()
    [[226.0, 0.324]]
    """

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
    """Return why tasks fail, one row per masked error text.

    Failed tasks count, and those that completed with an error (partial). A deployment with two texts counts in both.
    The text is masked: without ids, hosts, paths, times and numbers. Its status is new (first seen within the last
    7 days, where tasks are known of at least 14), returned (after a gap of more than 7 days), ongoing, or gone (not
    seen for 7 days); it looks beyond `since`.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    new : str
        How long a text is new, instead of ``"7d"``.
    known : str, optional
        A TOML file with more known texts: ``[[error]]`` with match, cause, means, remedy.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    state : str or list of str, optional
        Only in this state, such as FAILED. The whole text, in any case.
    outcome : str or list of str, optional
        Only succeeded, partial, failed, cancelled, open or completed. ``completed`` is succeeded and partial.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    error : str or list of str, optional
        Only with an error that contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    not_state : str or list of str, optional
        Not in this state. The whole text, in any case.
    not_outcome : str or list of str, optional
        Not with this outcome. ``completed`` is succeeded and partial.
    tz : str
        The time zone of days, weeks and months.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        error; then:

        - cause: input, missing, artifact, network, capacity, cluster, ... or unknown
        - status: new, ongoing, returned after a gap, or gone; see --new
        - tasks [tasks]: failed + partial
        - failed [tasks]: failed, expired, or unreachable at the provider
        - partial [tasks]: completed with this error on some nodes
        - node_failures [nodes]: nodes on which deployments failed with it, summed over tasks
        - variants [texts]: different texts that became this one
        - first_seen [UTC]: creation of the first task with it
        - last_seen [UTC]: creation of the last task with it
        - task_types: types of these tasks
        - functions: function names of these tasks
        - nodes: nodes that deployments failed on, or that worked on the others
        - burst [tasks]: the most that were created within five minutes
        - example: the newest text as it was
        - example_task_id: one of these tasks, the newest
        - means: what it means
        - remedy: what to do

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.errors("demo", task_type="DEPLOY_MODEL")
    >>> table[["cause", "tasks", "node_failures"]].values.tolist()[0]
    ['unsupported', 38, 84]
    """

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
    """Count how often tasks fail and since when, one row per group.

    failure_rate is failed / (completed + failed) with its Wilson 95 % interval, wider by `design_effect` where failures
    come in bursts. A rate over tasks is not one over requests: what is refused before a task is made leaves none.
    last_success, failing_since and failures_in_a_row are about now, and missing where `every` is given. Filters that
    would change the rate (state, outcome, error) are refused.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    by : str or list of str
        Columns to group by, instead of task_type, function_name; ``[]`` for one row of all.
    every : str, optional
        One row per period of create_time: ``"15min"``, ``"6h"``, ``"1d"``, ``"1w"``, ``"1mo"``.
    tz : str
        The time zone of days, weeks and months.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then `period` where `every` is given; then:

        - tasks [tasks]: completed + failed + cancelled + open
        - completed [tasks]: succeeded, or completed with an error
        - partial [tasks]: completed with an error; among the completed
        - failed [tasks]: failed, expired, or unreachable at the provider
        - cancelled [tasks]: cancelled by somebody
        - open [tasks]: created, running, or in a state that is not known
        - overdue [tasks]: open for longer than the time-out allows; among the open
        - failure_rate: failed / (completed + failed)
        - failure_rate_low: lower end of its 95 % interval
        - failure_rate_high: upper end of its 95 % interval
        - design_effect: by how much failures in bursts widen the interval; 1: not at all
        - last_success [UTC]: end of the completed task that was created last
        - failing_since [UTC]: creation of the first failed task after that; else missing
        - failures_in_a_row [tasks]: failed tasks created since the last success

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.failures("demo", by="task_type")
    >>> table[["task_type", "tasks", "failed"]].values.tolist()[:2]
    [['AGENT_EXECUTION', 29, 9], ['BATCH_PREDICTION', 27, 0]]
    """

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
    """Write all tasks of a source to a file, each once; it appears when it is complete, or not at all.

    The tasks of a cluster are streamed: memory does not grow with their number. Any other source is read whole.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        As `load` takes it.
    path : str or Path
        Ends in .parquet (the task table), or in .ndjson.gz or .ndjson.zst (the hits as a cluster gave them).
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    force : bool
        Replace a file that is there.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    state : str or list of str, optional
        Only in this state, such as FAILED. The whole text, in any case.
    outcome : str or list of str, optional
        Only succeeded, partial, failed, cancelled, open or completed. ``completed`` is succeeded and partial.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    error : str or list of str, optional
        Only with an error that contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    not_state : str or list of str, optional
        Not in this state. The whole text, in any case.
    not_outcome : str or list of str, optional
        Not with this outcome. ``completed`` is succeeded and partial.
    tz : str
        The time zone of days, weeks and months.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    Context
        What is known of the reading; its `rows` is the number of tasks.

    Raises
    ------
    UsageError
        For a file that is there and another suffix, and as `load` does.
    ClusterError, DataError
        As `load` does.
    WriteError
        Where the file cannot be written.

    Examples
    --------
    >>> mltasks.fetch("demo", "failed.parquet", outcome="failed").rows
    156
    """

def get(
    source: Any,
    ids: str | Sequence[str],
    access: Access | None = None,
    *,
    refresh: bool = False,
    wait: str | None = None,
) -> pd.DataFrame:
    """Return single tasks by their ids.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        As `load` takes it.
    ids : str or list of str
        The ids, in any order.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    refresh : bool
        Ask the cluster for each task first, which makes it poll the provider of a batch prediction and rewrite its
        record. Without it, reading has no side effect.
    wait : str, optional
        Return when all of them have ended, however, and wait so long for it: ``"30s"``, ``"10m"``, ``"2h"``.

    Returns
    -------
    pandas.DataFrame
        The tasks in the order of `ids`, with the columns that `load` gives.

    Raises
    ------
    UsageError
        For ids that no task has, and for `refresh` of what is no cluster, or `wait` for what has not ended there.
    ClusterError, DataError
        As `load` does; DataError also where a task has not ended after `wait`.

    Examples
    --------
    >>> mltasks.get("demo", "-HCVD6IBiXUMJeGlHdJP")["state"].tolist()
    ['FAILED']
    """

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
    """Return what needs attention, one row per thing, the most pressing first; no row where nothing was found.

    Kinds, in this order: incomplete (pages are missing), old (read more than a day before `now`); lost, overdue and
    suspect tasks, as `unfinished` judges them; model_down; never_succeeded, at least 2 failed; failing, a run of
    failures that is improbable at the group's own rate; new_error, first seen in the last 7 days, or in the later half
    of a shorter history; worse, as `compare` judges the window against the time before; silence, nothing created for
    longer than a day and ten times the p99 of the gaps; most_failures, a group with more than a third of all. Groups
    of one task type that fail with the same error, in 80 % and more, are one row. Filters select by create_time.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    tz : str
        The time zone of days, weeks and months.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    now : str, datetime or int, optional
        The time that the age of the data counts to: the clock, where neither it nor as_of nor until is given.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        kind, subject; then:

        - count: how many: failures, tasks, models
        - since [UTC]: since when
        - reason: in words, with the numbers that the command shows
        - example_task_id: one of these tasks, the newest
        - command: the command that shows more
        - report: the report that has it as a row
        - row: the keys of that row

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> mltasks.highlights("demo")[["kind", "count"]].values.tolist()
    [['never_succeeded', 38], ['never_succeeded', 11]]
    """

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
    """Return every task of a source, one row per task.

    Complete, or an error: every page of a cluster's answer proves that it is whole. Windows are half-open
    (since <= create_time < until); a relative time such as ``"7d"`` counts back from the time of the data.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        ``"demo"``, ``"-"`` (standard input), a cluster's URL, a store's folder, a saved `_search` answer or hits
        (.json, .ndjson, .jsonl; also .gz and .zst), a Parquet file or a folder of such, the name of a configured
        cluster, or a list of these; a name that can mean several of these means the first. Also a saved answer as a
        dict, hits as a list of dicts, a frame of tasks (pandas, polars, Arrow, a DuckDB relation).
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    state : str or list of str, optional
        Only in this state, such as FAILED. The whole text, in any case.
    outcome : str or list of str, optional
        Only succeeded, partial, failed, cancelled, open or completed. ``completed`` is succeeded and partial.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    error : str or list of str, optional
        Only with an error that contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    not_state : str or list of str, optional
        Not in this state. The whole text, in any case.
    not_outcome : str or list of str, optional
        Not with this outcome. ``completed`` is succeeded and partial.
    tz : str
        The time zone of days, weeks and months.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The task table: cluster, task_id, task_type, function_name, state, ..., and the derived columns outcome,
        duration_s [s], duration_status, reason, failed_nodes. Times are UTC. What is known of the reading, a `Context`,
        is in `attrs`.

    Raises
    ------
    UsageError
        For a source that is not there, and a filter that cannot be read or names a value that nothing has.
    ClusterError
        Where a cluster cannot be reached or asked.
    DataError
        Where the tasks are incomplete, or something else.

    Warns
    -----
    TaskDataWarning
        About values that could not be read: they are missing, and counted.

    Examples
    --------
    >>> tasks = mltasks.load("demo", task_type="TRAINING", outcome="failed")
    >>> len(tasks)
    74
    """

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
    """Return whether each model is deployed, one row per model that was ever deployed.

    The verdict is down (its last deployment failed and no node serves it), partial (on some of the planned nodes),
    deploying, stuck (deploying for longer than the time-out), given_up (the cluster does not try again by itself),
    stale (deployed, and no node holds it), undeployed, up, or unknown (the index of models was not read, or has it no
    longer). What the index of models and the nodes say is there where a cluster was read. Filters select the
    deployments by create_time.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    tz : str
        The time zone of days, weeks and months.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        model_id; then:

        - name: the model's name
        - function_name: its kind
        - verdict: down, partial, deploying, stuck, given_up, stale, undeployed, up, or unknown
        - model_state: what the index of models says
        - planned [nodes]: nodes that should serve it
        - current [nodes]: nodes that serve it, by the index of models
        - serving [nodes]: nodes that held it when the cluster was read
        - deploys [tasks]: deployments, also those that the cluster began by itself
        - failed [tasks]: failed deployments
        - failures_in_a_row [tasks]: failed deployments since the last completed one
        - switches: how often deployments went from completed to failed or back
        - last_outcome: outcome of the deployment that was created last
        - last_success [UTC]: when the newest completed deployment ended
        - failing_since [UTC]: creation of the first failed task after that; else missing
        - last_error: why the last one failed, by node where that is known
        - redeploys [tasks]: deployments within ten minutes of a node's start
        - retries: times the cluster deployed it again by itself; it gives up after 3
        - open_jobs [tasks]: batch predictions with it that are open
        - predict_p50_ms [ms]: median time of a prediction on the slowest node
        - predict_p99_ms [ms]: 99th percentile of the same

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> mltasks.models("demo")["verdict"].value_counts().to_dict()
    {'unknown': 66}
    """

def parse_json(tasks: Any, column: str) -> pd.DataFrame:
    """Return the objects in a column of JSON texts as columns.

    Parameters
    ----------
    tasks : DataFrame, Dataset or pyarrow.Table
        What `load` or `scan` returns, or any frame made of it.
    column : str
        user, remote_job, response or extra.

    Returns
    -------
    pandas.DataFrame
        A column per field, with the index of `tasks`; fields of nested objects are joined by a dot. Whole numbers
        stay whole.

    Raises
    ------
    UsageError
        Where `column` is not a column of JSON.

    Examples
    --------
    >>> agents = mltasks.load("demo", task_type="AGENT_EXECUTION")
    >>> mltasks.parse_json(agents, "response")["error_message"].notna().sum()
    np.int64(9)
    """

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
    """Return every report of some tasks on one page, to be saved or shown in a notebook.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    tz : str
        The time zone of days, weeks and months.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    Page
        Its `tables` are the reports by name; `save` writes it as HTML, Markdown or JSON.

    Raises
    ------
    UsageError
        For a filter or time that cannot be, and for filters that would change the rate: state, outcome, error.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> page = mltasks.report("demo")
    >>> len(page.tables["failures"])
    19
    >>> page.save("report.html")
    """

def scan(
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
) -> Dataset:
    """Open a source for reports, which read as much of it as they need.

    A Parquet file of ours, or a store, is not read here but by the report, out of core: it may be larger than memory.
    The filters are kept with the Dataset: each report applies them by its own kind of window.

    Parameters
    ----------
    source : str, Path, Cluster, Store, dict, DataFrame, pyarrow.Table or list
        As `load` takes it.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    state : str or list of str, optional
        Only in this state, such as FAILED. The whole text, in any case.
    outcome : str or list of str, optional
        Only succeeded, partial, failed, cancelled, open or completed. ``completed`` is succeeded and partial.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    error : str or list of str, optional
        Only with an error that contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    not_state : str or list of str, optional
        Not in this state. The whole text, in any case.
    not_outcome : str or list of str, optional
        Not with this outcome. ``completed`` is succeeded and partial.
    tz : str
        The time zone of days, weeks and months.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    Dataset
        What every report takes in the place of a DataFrame.

    Raises
    ------
    UsageError, ClusterError, DataError
        As `load` does.

    Examples
    --------
    >>> tasks = mltasks.scan("demo", since="10m")
    >>> mltasks.failures(tasks, by=[])[["tasks", "failed"]].values.tolist()
    [[252, 74]]
    """

def show(table: pd.DataFrame, *, sort: str | None = None, top: int | None = None) -> ShownReport:
    """Show a report's table with units, notes and figure, in a notebook or a console.

    Parameters
    ----------
    table : DataFrame
        What `failures`, `durations` or another report returns.
    sort : str, optional
        A column, the greatest first; `column:asc` the least. Else the worst first.
    top : int, optional
        Only so many rows; the cut is said.

    Returns
    -------
    ShownReport
        An object that notebooks and consoles show by themselves.

    Raises
    ------
    UsageError
        For a table that no report has made, or a column that is not there.

    Examples
    --------
    >>> mltasks.show(mltasks.failures("demo", by="task_type"), top=1)  # doctest: +ELLIPSIS
    552 tasks of ml-fixture, created 2026-11-24 21:55-22:15 UTC (all), as of
    2026-11-24 22:15 UTC (assumed)
    ...
    """

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
    """Count by period what was created, what ended and what was in flight, one row per period, also without a task.

    A task counts as completed, failed or cancelled in the period in which it ended. In flight is meant as in `workers`;
    registrations of remote models and batch predictions are no load. The load of a node or cluster in a period that
    began after it was read is missing. `since` and `until` select the tasks in flight between them, and clip them.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    by : str or list of str
        Further columns to group by, such as ``"worker_node"``; each group has a row in each period.
    every : str, optional
        The length of a period, such as ``"1h"`` or ``"1d"``; 400 periods at most. None: one with which there are 120
        at most.
    tz : str
        The time zone of days, weeks and months.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then `period` where `every` is given; then:

        - created [tasks]: created in the period
        - completed [tasks]: completed in the period
        - failed [tasks]: failed in the period
        - cancelled [tasks]: cancelled in the period
        - open [tasks]: of those created in the period, still open
        - mean_in_flight [tasks]: tasks in flight at once, on average
        - peak_in_flight [tasks]: tasks in flight at once, at most

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.timeline("demo", every="5min")
    >>> table["created"].tolist()
    [42, 252, 154, 81, 23]
    """

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
    """Judge every open task, one row per task.

    What cannot be told is not guessed: `lost` is proven by the nodes of the cluster and the start of their JVMs, as far
    as they were read beside the tasks.

    The verdict is finished_unrecorded, waiting, lost, running, overdue, suspect, unbounded or open, the first that
    holds. longer_share is the Kaplan-Meier estimate of the part of its kind (task_type and function_name) that takes as
    long or longer, of the tasks that completed and this one. A group has the oldest one's age, evidence, remedy and id,
    the longest time since an update and the least share.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    by : str or list of str
        Columns to group by, with one row per group and verdict; ``"verdict"`` may be one of them.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    state : str or list of str, optional
        Only in this state, such as FAILED. The whole text, in any case.
    outcome : str or list of str, optional
        Only succeeded, partial, failed, cancelled, open or completed. ``completed`` is succeeded and partial.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    error : str or list of str, optional
        Only with an error that contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    not_state : str or list of str, optional
        Not in this state. The whole text, in any case.
    not_outcome : str or list of str, optional
        Not with this outcome. ``completed`` is succeeded and partial.
    tz : str
        The time zone of days, weeks and months.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`; then:

        - verdict: the first that holds, in the order above
        - tasks [tasks]: completed + failed + cancelled + open
        - task_type: what kind of work it is
        - function_name: the algorithm or kind of model
        - node_name: the names of its nodes, or their ids
        - node_there: whether all of its nodes are in the cluster; missing where nobody asked
        - age_s [s]: time since its creation
        - since_update_s [s]: time since its last update
        - longer_share: part of its kind that takes as long or longer, itself included
        - evidence: why it has its verdict
        - remedy: what to do
        - task_id: its id; of a group, that of the oldest

    Raises
    ------
    UsageError
        For a column or time that cannot be, and for more than 200,000 open tasks.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.unfinished("demo", by="verdict")
    >>> table[["verdict", "tasks"]].values.tolist()
    [['waiting', 27], ['open', 6]]
    """

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
    """Measure the load of the worker nodes, one row per node; a known node without a task is a row too.

    A task is in flight on each of its nodes from create_time to its end (open: `as_of`; overdue: create_time + the
    time-out); the record cannot tell queued from running. No load: batch predictions (they run at their provider) and
    clock skew. Registrations of remote models list only the coordinating node and are in no row. A task with several
    nodes counts once on each; a deployment failed on the nodes that its error names.

    `since` and `until` select the tasks in flight between them, and clip them: the window of a cluster is [since or its
    first create_time, until or its `as_of`). Filters that would change the rate (state, outcome, error) are refused.

    Parameters
    ----------
    tasks : DataFrame, Dataset, pyarrow.Table or a source
        What `load` or `scan` returns, or a frame made of it; or a source as `load` takes it: a cluster's URL or
        name, a file, a store, ``"demo"``, or a list of these.
    by : str or list of str
        Columns to group by, instead of worker_node; ``[]`` for one row of all.
    every : str, optional
        One row per period, such as ``"1d"``; 400 periods at most. A task counts in each period in which it was in
        flight, and as completed or failed in the one in which it ended.
    tz : str
        The time zone of days, weeks and months.
    as_of : str, datetime or int, optional
        The time that open tasks are judged at; else when they were read.
    since : str, date, datetime, timedelta or int, optional
        From then on: 2026-11-24, monday, or 7d before the data ends. Days are those of `tz`.
    until : str, date, datetime, timedelta or int, optional
        Before then; times are UTC: '2026-11-24 22:00'. Days are those of `tz`.
    task_type : str or list of str, optional
        Only of this type, such as TRAINING (several: TRAINING,PREDICTION). The whole text, in any case.
    function_name : str or list of str, optional
        Only of this function, such as KMEANS. The whole text, in any case.
    node : str or list of str, optional
        Only on nodes whose id or name contains this. A part of the text, in any case.
    model : str or list of str, optional
        Only of models whose id or name contains this. A part of the text, in any case.
    cluster : str or list of str, optional
        Only of this cluster. The whole text, in any case.
    not_task_type : str or list of str, optional
        Not of this type. The whole text, in any case.
    access : Access, optional
        How to reach a cluster, and how to read it; files and frames need none.
    query : dict, optional
        OpenSearch query DSL, beside the filters; for clusters only.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then `period` where `every` is given; then:

        - node_name: the node's name
        - tasks [tasks]: completed + failed + cancelled + open
        - completed [tasks]: succeeded, or completed with an error
        - failed [tasks]: failed, expired, or unreachable at the provider
        - expected_failed [tasks]: failures if each task failed as often as its kind does everywhere
        - overdue [tasks]: open for longer than the time-out allows; among the open
        - failure_rate: failed / (completed + failed)
        - failure_rate_low: lower end of its 95 % interval
        - failure_rate_high: upper end of its 95 % interval
        - task_s [s]: time in flight, summed over the tasks
        - task_share: part of the time in flight of all rows
        - active_s [s]: time with at least one task in flight
        - mean_in_flight [tasks]: tasks in flight at once, on average
        - peak_in_flight [tasks]: tasks in flight at once, at most

    Raises
    ------
    UsageError
        For a keyword, column, period, zone, time or filter that cannot be.
    ClusterError, DataError
        Where the source cannot be read, or is incomplete.

    Examples
    --------
    >>> table = mltasks.workers("demo")
    >>> table[["node_name", "tasks", "failed"]].values.tolist()
    [['n1', 242, 86], ['n2', 243, 76], ['n3', 238, 71]]
    """

def write_parquet(tasks: pd.DataFrame, path: str | Path, *, force: bool = False) -> None:
    """Write a table of tasks to a Parquet file: zstd, typed, each task once, the Context in its metadata.

    Parameters
    ----------
    tasks : DataFrame
        What `load` returns, or a frame made of it.
    path : str or Path
        The file; its folder has to be there.
    force : bool
        Replace a file that is there.

    Raises
    ------
    UsageError
        Where the file is there and `force` is not set.
    DataError
        Where `tasks` is a table of something else.
    WriteError
        Where the file cannot be written.

    Examples
    --------
    >>> mltasks.write_parquet(mltasks.load("demo"), "tasks.parquet")
    >>> len(mltasks.load("tasks.parquet"))
    552
    """
