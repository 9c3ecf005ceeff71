"""The task table, declared once: its columns and their types, and what a state means.

`derived.py` holds what follows from these columns, `arrow_schema.py` their types in Arrow; nothing else in the package
names a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "json", "nodes", "time", "flag", "number", "integer"]


@dataclass(frozen=True)
class Column:
    """One column of the task table; `note` says what it holds and in which unit."""

    name: str
    kind: Kind
    note: str

    @property
    def type(self) -> pa.DataType:
        """The Arrow type, which is also the type in Parquet and DuckDB."""
        from mltasks.tasks.arrow_schema import ARROW  # here, since few who read the columns need Arrow

        return ARROW[self.kind]


STORED = (
    Column("cluster", "text", "the configured name, else host:port; null in files that do not say"),
    Column("task_id", "text", "the hit's _id; may start with - or _"),
    Column("task_type", "text", "TRAINING, REGISTER_MODEL, DEPLOY_MODEL, BATCH_PREDICTION, ...; releases add to them"),
    Column("function_name", "text", "KMEANS, REMOTE, AGENT, ...; releases add to them"),
    Column("state", "text", "as the cluster calls it; `outcome` says what it means"),
    Column("input_type", "text", "SEARCH_QUERY, DATA_FRAME or REMOTE; trainings and batch predictions only"),
    Column("model_id", "text", "often absent: a training has one only after it succeeded"),
    Column("output_index", "text", "never written by any release so far"),
    Column("tenant_id", "text", "only with multi-tenancy"),
    Column("worker_node", "nodes", "node ids; all planned nodes for a deployment; empty when absent"),
    Column("create_time", "time", "UTC, to the millisecond; queueing comes after it"),
    Column("last_update_time", "time", "UTC, to the millisecond; the end, once the task is finished"),
    Column("is_async", "flag", "whether whoever asked for it did not wait for its end"),
    Column("progress", "number", "never written by any release so far"),
    Column("error", "text", "plain text; for a deployment a JSON object node id -> message"),
    Column("user", "json", "never written by any release so far"),
    Column("remote_job", "json", "a batch prediction's job as its provider describes it"),
    Column("response", "json", "an agent's answer, or its error_message"),
    Column("seq_no", "integer", "orders the writes to the index"),
    Column("primary_term", "integer", "how often the index's primary shard had moved when it was written"),
    Column("version", "integer", "1 + the number of updates"),
    Column("extra", "json", "fields this version does not know, and values that could not be read"),
)
DERIVED = (
    Column("outcome", "text", "succeeded, partial, failed, cancelled or open"),
    Column("duration_s", "number", "seconds from creation to the end, queue included; null unless measured"),
    Column("duration_status", "text", "measured, open, cut_off, polled, clock_skew, implausible or unreadable"),
    Column("reason", "text", "the text to group failures by"),
    Column("failed_nodes", "nodes", "the nodes that a deployment's error names"),
)
COLUMNS = {column.name: column for column in (*STORED, *DERIVED)}
KEY = ("cluster", "task_id")
JOB_COLUMNS = ("job_status", "job_start", "job_end", "job_duration_s")  # made of `remote_job` when they are asked for

SUCCEEDED, PARTIAL, FAILED, CANCELLED, OPEN = "succeeded", "partial", "failed", "cancelled", "open"
STATES: dict[str, str] = {
    "COMPLETED": SUCCEEDED,
    "COMPLETED_WITH_ERROR": PARTIAL,
    "FAILED": FAILED,
    "EXPIRED": FAILED,
    "UNREACHABLE": FAILED,  # the poller gave up on the provider: the real end is unknown
    "CANCELLED": CANCELLED,
    "CREATED": OPEN,
    "RUNNING": OPEN,
    "CANCELLING": OPEN,
}
KEPT = "RUNNING"  # the server deletes no record in this state
TASK_TYPES = (  # that any release has written
    *("TRAINING", "PREDICTION", "TRAINING_AND_PREDICTION", "EXECUTION", "UPLOAD_MODEL", "LOAD_MODEL"),
    *("REGISTER_MODEL", "DEPLOY_MODEL", "BATCH_INGEST", "BATCH_PREDICTION", "AGENT_EXECUTION"),
)
FUNCTION_NAMES = (  # that any release knows
    *("LINEAR_REGRESSION", "KMEANS", "AD_LIBSVM", "SAMPLE_ALGO", "LOCAL_SAMPLE_CALCULATOR", "FIT_RCF", "BATCH_RCF"),
    *("ANOMALY_LOCALIZATION", "RCF_SUMMARIZE", "LOGISTIC_REGRESSION", "TEXT_EMBEDDING", "METRICS_CORRELATION"),
    *("REMOTE", "SPARSE_ENCODING", "SPARSE_TOKENIZE", "TEXT_SIMILARITY", "AGENT", "QUESTION_ANSWERING", "CONNECTOR"),
    *("TOOL",),
)
OUTCOMES = (SUCCEEDED, PARTIAL, FAILED, CANCELLED, OPEN)
COMPLETED = (SUCCEEDED, PARTIAL)

DEPLOYMENTS = ("DEPLOY_MODEL", "LOAD_MODEL")
REGISTRATIONS = ("REGISTER_MODEL", "UPLOAD_MODEL")
POLLED = ("BATCH_PREDICTION",)  # every look at such a task moves its last_update_time
SWEPT = ("TRAINING", *REGISTRATIONS, *DEPLOYMENTS, "BATCH_INGEST")  # the cluster's task time-out ends these

DEFAULT_TIMEOUT_S = 600  # plugins.ml_commons.ml_task_timeout_in_seconds
OVERDUE_GRACE_S = 60  # the sweep runs every 10 s and the final update may wait; later than this is no delay
EARLIEST_MS = 1_546_300_800_000  # 2019-01-01: before OpenSearch existed
DAY_MS = 86_400_000


def states_of(outcome: str) -> list[str]:
    """Return the known states of an outcome; `open` has unknown states beside them."""
    return [state for state, meaning in STATES.items() if meaning == outcome]
