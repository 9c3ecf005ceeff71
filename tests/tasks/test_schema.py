from __future__ import annotations

import pyarrow as pa
import pytest

from mltasks.tasks import arrow_schema, schema


@pytest.mark.parametrize(
    ("outcome", "states"),
    [
        ("succeeded", ["COMPLETED"]),
        ("partial", ["COMPLETED_WITH_ERROR"]),
        ("failed", ["FAILED", "EXPIRED", "UNREACHABLE"]),
        ("cancelled", ["CANCELLED"]),
        ("open", ["CREATED", "RUNNING", "CANCELLING"]),
    ],
)
def test_a_state_means_what_the_design_says(outcome: str, states: list[str]) -> None:
    assert schema.states_of(outcome) == states


def test_each_outcome_has_states_and_each_state_has_an_outcome() -> None:
    assert sorted(schema.OUTCOMES) == sorted(set(schema.STATES.values()))


def test_the_table_has_typed_columns_in_a_fixed_order() -> None:
    assert arrow_schema.SCHEMA.names[:5] == ["cluster", "task_id", "task_type", "function_name", "state"]
    assert arrow_schema.SCHEMA.names[-5:] == ["outcome", "duration_s", "duration_status", "reason", "failed_nodes"]
    assert arrow_schema.SCHEMA.names[: len(schema.STORED)] == arrow_schema.STORED_SCHEMA.names
    assert {
        name: arrow_schema.SCHEMA.field(name).type for name in ("worker_node", "create_time", "is_async", "seq_no")
    } == {
        "worker_node": pa.list_(pa.string()),
        "create_time": pa.timestamp("ms", "UTC"),
        "is_async": pa.bool_(),
        "seq_no": pa.int64(),
    }


def test_only_types_that_the_cluster_sweeps_can_be_overdue() -> None:
    assert set(schema.SWEPT) == {
        *("TRAINING", "REGISTER_MODEL", "UPLOAD_MODEL", "DEPLOY_MODEL", "LOAD_MODEL", "BATCH_INGEST")
    }
