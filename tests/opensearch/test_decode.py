from __future__ import annotations

import json
from typing import Any

import pytest

from mltasks.opensearch.decode import Decoder
from mltasks.tasks import arrow_schema
from support.documents import CREATED, decoded, decoded_page, hit, page

ISO = "2023-11-14T22:13:20.000+00:00"  # CREATED


@pytest.mark.parametrize(
    ("written", "nodes"),
    [
        ("n1", ["n1"]),
        ("n1,n2", ["n1", "n2"]),
        ("n1, n2 ,", ["n1", "n2"]),
        (["n1", "n2"], ["n1", "n2"]),
        (["n1", None], ["n1"]),
        (["n1,n2", " n3"], ["n1", "n2", "n3"]),
        ([""], []),
        ([], []),
        (None, []),
        (5, ["5"]),
    ],
)
def test_worker_nodes_in_every_shape_become_a_list(written: Any, nodes: list[str]) -> None:
    row = decoded(hit(worker_node=written))
    assert (row.cells["worker_node"], row.extra, row.counts) == (nodes, {}, {})


def test_a_missing_worker_node_is_an_empty_list() -> None:
    document = hit()
    del document["_source"]["worker_node"]
    assert decoded(document).cells["worker_node"] == []


@pytest.mark.parametrize(
    ("column", "written", "cell"),
    [
        ("worker_node", {"id": "n1"}, []),
        ("worker_node", ["n1", {"id": "n2"}], ["n1"]),
        ("create_time", 10**20, None),
        ("create_time", "soon", None),
        ("create_time", {"ms": 1}, None),
        ("last_update_time", True, None),
        ("last_update_time", 0.5, None),
        ("is_async", "perhaps", None),
        ("is_async", 1, None),
        ("progress", "half", None),
        ("error", "half\ud800", "half\ufffd"),
        ("state", "\udfff", "\ufffd"),
    ],
)
def test_what_cannot_be_read_is_null_counted_and_kept_in_extra(column: str, written: Any, cell: Any) -> None:
    row = decoded(hit(**{column: written}))
    assert (row.cells[column], row.extra, row.counts) == (cell, {column: written}, {column: 1})
    assert row.cells["task_id"] == "task-1"
    assert row.cells["function_name"] == "KMEANS"


@pytest.mark.parametrize(
    "written", [CREATED, float(CREATED), str(CREATED), ISO, "2023-11-14T22:13:20Z", "2023-11-14 22:13:20"]
)
def test_times_are_read_as_millis_and_as_iso_texts(written: Any) -> None:
    row = decoded(hit(create_time=written))
    assert (row.cells["create_time"].isoformat(timespec="milliseconds"), row.counts) == (ISO, {})


def test_the_time_0_is_a_time() -> None:
    assert decoded(hit(create_time=0)).cells["create_time"].timestamp() == 0


@pytest.mark.parametrize(
    ("column", "written", "cell"),
    [
        ("state", "MOULTING", "MOULTING"),
        ("task_type", "DREAM", "DREAM"),
        ("function_name", 7, "7"),
        ("input_type", None, None),
        ("model_id", {"a": 1}, '{"a":1}'),
        ("error", ["a", 1.5], '["a",1.5]'),
        ("error", False, "false"),
        ("error", 2**70, str(2**70)),
        ("error", "", ""),
        ("user", {"name": "jo", "roles": []}, '{"name":"jo","roles":[]}'),
        ("response", "text", '"text"'),
        ("response", None, None),
        ("remote_job", 5, "5"),
        ("is_async", "true", True),
        ("progress", 1, 1.0),
    ],
)
def test_unknown_words_and_other_types_are_kept_without_a_count(column: str, written: Any, cell: Any) -> None:
    row = decoded(hit(**{column: written}))
    assert (row.cells[column], row.extra, row.counts) == (cell, {}, {})


@pytest.mark.parametrize("other", [[], [hit("half", 8, error="\ud800")]])
def test_fields_that_are_not_known_go_to_extra_as_they_are(other: list[Any]) -> None:
    unknown = {
        "priority": 3,
        "queue": {"name": "é", "depth": [1, None]},
        "task_id": "x",
        "seq_no": 5,
        "hit": "y",
        'a"': 1,
    }
    row = decoded_page(page([with_fields(hit(), unknown), *other]))[0]
    assert row.extra == unknown
    assert (row.cells["task_id"], row.cells["seq_no"]) == ("task-1", 7)
    assert "hit" not in row.counts


def test_a_metadata_field_that_cannot_be_read_does_not_replace_a_field_of_that_name() -> None:
    row = decoded({**hit(), "_seq_no": "word", "_source": {"seq_no": 5}})
    assert row.extra == {"_seq_no": "word", "seq_no": 5}
    assert (row.cells["seq_no"], row.counts) == (None, {"seq_no": 1})


def test_an_error_of_a_megabyte_is_kept_whole() -> None:
    error = "Caused by: java.lang.IllegalStateException\n" * 25_000
    assert decoded(hit(error=error)).cells["error"] == error


def test_bytes_that_are_no_utf_8_are_replaced_counted_and_kept() -> None:
    body = page([hit("a"), hit("b", error="@", note="@", response={"m": "@"})]).replace(b"@", b"x\xff")
    first, second = decoded_page(body)
    assert first.cells["error"] is None
    assert (second.cells["error"], second.counts) == ("x\ufffd", {"error": 1})
    assert second.extra == {"error": "x\udcff", "note": "x\udcff"}
    assert second.cells["response"] == '{"m":"x\\udcff"}'


def test_a_hit_without_an_id_is_kept_and_counted() -> None:
    rows = decoded_page(page([hit(None), hit("b")]))
    assert [row.cells["task_id"] for row in rows] == [None, "b"]
    assert rows[0].counts == {"task_id": 1}


def test_a_hit_without_a_source_breaks_its_page() -> None:
    found = Decoder().page(page([hit("b"), {"_id": "a", "_seq_no": 1}]))
    assert found.broken == (1, "a hit without _source (_id 'a')")


def test_one_broken_line_among_thousands_is_named_and_the_others_are_unharmed() -> None:
    good = [hit(f"task-{n}", n, error=f"error {n}") for n in range(4000)]
    lines = [json.dumps(one).encode() for one in good]
    whole = Decoder().lines(lines).table
    broken = Decoder().lines([*lines[:2000], lines[2000][:50], *lines[2001:]])
    assert broken.broken == (2000, 'not a JSON object ({"_id": "task-2000", "_seq_no": 2000, "_primary_te)')
    assert broken.table.slice(0, 2000).equals(whole.slice(0, 2000))
    assert broken.table.slice(2001).equals(whole.slice(2001))


@pytest.mark.parametrize("broken", [5, None, {"_id": "x", "_source": "text"}, hit("x", 9, error="\ud800")])
def test_one_broken_hit_of_a_page_leaves_the_others_unharmed(broken: Any) -> None:
    good = [hit(f"task-{n}", n, response={"n": n}, own=n) for n in range(2000)]
    whole = Decoder().page(page(good)).table
    found = Decoder().page(page([*good[:1000], broken, *good[1000:]]))
    assert sum(found.tally.counts.values()) + (found.broken is not None) == 1
    assert found.table.slice(0, 1000).equals(whole.slice(0, 1000))
    assert found.table.slice(1001).equals(whole.slice(1000))


@pytest.mark.parametrize("hits", [[], [hit()], [hit(create_time="x", worker_node="a")], [7]])
def test_the_types_are_those_of_the_schema_whatever_comes(hits: list[Any]) -> None:
    assert Decoder().page(page(hits)).table.schema.equals(arrow_schema.STORED_SCHEMA)


def test_the_cursor_of_a_page_is_its_greatest_sequence_number() -> None:
    assert Decoder().page(page([hit("a", 3), hit("b", 9), hit("c", 5)])).last_seq_no == 9


@pytest.mark.parametrize("hits", [[], [hit("a", 3), hit("b", None)]])
def test_a_page_with_an_unnumbered_hit_or_none_has_no_cursor(hits: list[Any]) -> None:
    assert Decoder().page(page(hits)).last_seq_no is None


def test_every_row_bears_the_name_of_the_cluster() -> None:
    assert Decoder("prod").page(page([hit("a"), hit("b")])).table["cluster"].to_pylist() == ["prod", "prod"]


def with_fields(document: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {**document, "_source": {**document["_source"], **fields}}


@pytest.mark.parametrize("depth", [900, 1000, 3000])
def test_a_document_nested_as_deep_as_a_server_may_hold_is_a_row_like_any_other(depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    hit = b'{"_id":"deep","_seq_no":1,"_source":{"state":"COMPLETED","response":' + deep + b',"new":' + deep + b"}}"
    plain = b'{"_id":"plain","_seq_no":2,"_source":{"state":"FAILED"}}'
    body = b'{"hits":{"total":{"value":2,"relation":"eq"},"hits":[' + hit + b"," + plain + b"]}}"
    for parsed in (Decoder().page(body), Decoder().lines([hit, plain])):
        rows = parsed.table.to_pylist()
        assert [(row["task_id"], row["state"]) for row in rows] == [("deep", "COMPLETED"), ("plain", "FAILED")]
        assert rows[0]["response"] == deep.decode()
        assert rows[0]["extra"] == '{"new":' + deep.decode() + "}"
        assert not parsed.tally.counts


ODD_PARTS = [
    (b'"error":"first","error":"last"', "error", "last"),  # as every parser of JSON takes it
    (b'"error":""', "error", ""),
    (b'"error":"' + b"x" * 10_000_000 + b'"', "error", "x" * 10_000_000),
    (b'"new":1e999', "extra", '{"new":1e999}'),
    (b'"new":123456789012345678901234567890', "extra", '{"new":123456789012345678901234567890}'),
    (b'"progress":1e999', "extra", '{"progress":"1e999"}'),
    (b'"response":{"a":"\\ud800","b":[]}', "response", '{"a":"\\ud800","b":[]}'),
]


@pytest.mark.parametrize(("part", "column", "value"), ODD_PARTS, ids=lambda p: str(p)[:24])
def test_what_json_allows_and_few_expect_is_kept_beside_an_unharmed_neighbour(
    part: bytes, column: str, value: str
) -> None:
    odd = b'{"_id":"odd","_seq_no":1,"_source":{"state":"FAILED",' + part + b"}}"
    body = b'{"hits":{"total":{"value":2,"relation":"eq"},"hits":[' + odd + b',{"_id":"other","_source":{}}]}}'
    rows = Decoder().page(body).table.to_pylist()
    assert [row["task_id"] for row in rows] == ["odd", "other"]
    assert (rows[0]["state"], rows[0][column]) == ("FAILED", value)
