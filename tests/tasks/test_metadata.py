from __future__ import annotations

import pandas as pd
import pytest

from mltasks.tasks import metadata
from mltasks.tasks.metadata import ClusterInfo, Context, Model, Node

AS_OF = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
FULL = Context(
    source="https://localhost:9200",
    readings=(
        ClusterInfo(
            cluster="a", as_of_ms=AS_OF, timeout_s=60, timeout_assumed=False, nodes={"n1": Node("one", ("data",))}
        ),
        ClusterInfo(cluster="b", as_of_ms=AS_OF + 5, nodes={"n2": Node("two")}, models={"m1": "minilm"}),
    ),
    filters={"state": ["FAILED"], "since": "2023-11-14T00:00:00.000Z"},
    complete=False,
    rows=7,
    unreadable={"create_time": 2},
    samples={"create_time": "task a: 'soon'"},
    notes=("partial",),
)


@pytest.mark.parametrize("ctx", [FULL, Context(source="demo")])
def test_a_context_survives_its_text(ctx: Context) -> None:
    assert metadata.from_json(ctx.to_json()) == ctx


@pytest.mark.parametrize("text", ["", "{}", "null", "[]", '{"source":7}', '{"source":"x","readings":{}}', b"\xff\xfe"])
def test_a_text_of_something_else_is_no_context(text: str | bytes) -> None:
    assert metadata.from_json(text) is None


def test_a_later_versions_context_with_more_fields_is_read() -> None:
    assert metadata.from_json('{"source":"x","mood":"fine"}') == Context(source="x")


def test_the_attributes_of_a_frame_hold_it_as_a_text() -> None:
    frame = pd.DataFrame()
    frame.attrs[metadata.KEY] = FULL.to_json()
    assert metadata.read_attrs(frame.attrs) == FULL


@pytest.mark.parametrize("value", [None, 7, {"source": "x"}, "nonsense"])
def test_attributes_of_others_hold_none(value: object) -> None:
    assert metadata.read_attrs({metadata.KEY: value}) is None
    assert metadata.read_attrs({}) is None


def test_the_time_of_several_clusters_is_the_latest() -> None:
    assert FULL.as_of_ms == AS_OF + 5
    assert Context(source="x").as_of_ms is None


def test_names_of_nodes_and_models_come_from_every_cluster() -> None:
    assert FULL.names() == {"n1": "one", "n2": "two"}
    assert FULL.models() == {"m1": "minilm"}


def test_another_time_is_set_for_every_cluster_and_is_no_assumption() -> None:
    assumed = Context(source="x", readings=(ClusterInfo(as_of_ms=1, as_of_assumed=True), ClusterInfo(as_of_ms=2)))
    moved = metadata.with_as_of(assumed, AS_OF)
    assert [(r.as_of_ms, r.as_of_assumed) for r in moved.readings] == [(AS_OF, False)] * 2


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (AS_OF, "2023-11-14T22:13:20.000Z"),
        (AS_OF + 7, "2023-11-14T22:13:20.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (None, None),
    ],
)
def test_a_time_is_written_as_iso_8601_in_utc_to_the_millisecond(ms: int | None, text: str | None) -> None:
    assert metadata.to_iso(ms) == text


def test_what_is_read_beside_the_tasks_survives_its_text() -> None:
    reading = ClusterInfo(
        nodes={"n1": Node("one", ("ml",), AS_OF)},
        train_pool_size={"n1": 2},
        model_index={
            "m1": Model(name="minilm", planned_nodes=3, current_nodes=2, serving=("n1",), predict_p50_ms=55.5)
        },
        held_tasks={"n1": ("t1", "t2")},
        not_read=("node names",),
    )
    assert metadata.from_json(Context(source="x", readings=(reading,)).to_json()) == Context(
        source="x", readings=(reading,)
    )


def test_a_context_of_an_older_version_lacks_what_only_newer_ones_read() -> None:
    text = (
        '{"source":"x","readings":[{"cluster":"c","as_of_ms":1,"nodes":{"n1":{"name":"one","roles":["data"]}},'
        '"models":{"m1":"minilm"}}]}'
    )
    ctx = metadata.from_json(text)
    assert ctx is not None
    (reading,) = ctx.readings
    assert reading.nodes == {"n1": Node("one", ("data",))}
    assert reading.nodes["n1"].started_ms is None
    assert reading.models == {"m1": "minilm"}
    assert (reading.model_index, reading.train_pool_size, reading.held_tasks) == (None, None, None)


def test_models_and_pool_that_a_later_reading_could_not_read_stay_and_what_nodes_held_does_not() -> None:
    before = ClusterInfo(
        train_pool_size={"n1": 1}, model_index={"m1": Model(name="minilm")}, held_tasks={"n1": ("t1",)}
    )
    now = metadata.carry_forward(before, ClusterInfo(as_of_ms=AS_OF))
    assert now.train_pool_size == {"n1": 1}
    assert now.model_index == {"m1": Model(name="minilm")}
    assert now.held_tasks is None
