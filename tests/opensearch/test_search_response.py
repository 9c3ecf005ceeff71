from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mltasks.exceptions import DataError
from mltasks.opensearch import lenient_json, search_response
from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.search_response import Parser
from support.documents import answer, hit, page

HALF = hit("half", 8, error="a\ud800b")  # the fast parser refuses a page that holds it


def test_a_page_gives_its_hits_total_shards_and_whether_it_timed_out() -> None:
    hits, status = Parser().page(page([hit("a"), hit("b")]))
    assert [one._id for one in hits] == ["a", "b"]
    assert hits[0]._source.function_name == "KMEANS"
    assert (status.total, status.shards) == (search_response.Total(2, "eq"), search_response.Shards(1, 1, 0, 0))
    assert (status.timed_out, status.terminated_early, status.clusters) == (False, None, None)


def test_a_page_that_is_read_hit_by_hit_gives_the_same() -> None:
    hits, status = Parser().page(page([hit("a"), HALF]))
    assert [one._id for one in hits] == ["a", "half"]
    assert hits[0]._source.function_name == "KMEANS"
    assert hits[1]._source.error == "a\ud800b"
    assert (status.total, status.shards) == (search_response.Total(2, "eq"), search_response.Shards(1, 1, 0, 0))
    assert (status.timed_out, status.terminated_early, status.clusters) == (False, None, None)


def test_unknown_fields_are_learnt_once_in_the_order_of_their_appearance() -> None:
    reader = Parser()
    hits, *_ = reader.page(page([hit(priority=3), hit(priority=4, queue={"a": [1]})]))
    assert reader.unknown == ["priority", "queue"]
    assert [bytes(one._source.unknown_0) for one in hits] == [b"3", b"4"]
    assert hits[0]._source.unknown_1 is None
    assert bytes(hits[1]._source.unknown_1) == b'{"a":[1]}'
    assert all(one.extra is None for one in hits)


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a\nb", "", "`", "a - at `b`", "unknown_0", "extra", "é", "mltasks:extra"]
)
def test_an_unknown_field_may_have_any_name(name: str) -> None:
    reader = Parser()
    hits, *_ = reader.page(page([hit("a"), hit("b", other=1, **{name: 5})]))
    found = hits[1].extra or {
        unknown: json.loads(bytes(getattr(hits[1]._source, f"unknown_{n}"))) for n, unknown in enumerate(reader.unknown)
    }
    assert found == {"other": 1, name: 5}


def test_a_document_with_more_unknown_fields_than_are_learnt_keeps_all_of_them() -> None:
    fields = {f"field_{n}": n for n in range(search_response.MOST_UNKNOWN + 20)}
    reader = Parser()
    hits, *_ = reader.page(page([hit(**fields)]))
    assert len(reader.unknown) == search_response.MOST_UNKNOWN
    assert hits[0].extra == fields


@pytest.mark.parametrize("broken", [7, "text", None, ["a"]])
def test_an_entry_that_is_no_hit_becomes_one_that_says_so(broken: Any) -> None:
    hits, *_ = Parser().page(page([hit("a"), broken, hit("c")]))
    assert [one._id for one in hits] == ["a", None, "c"]
    assert hits[1].broken == f"not a JSON object ({json.dumps(broken)})"


@pytest.mark.parametrize("source", [7, "text", ["a"]])
def test_a_source_that_is_no_object_is_as_none(source: Any) -> None:
    hits, *_ = Parser().page(page([{**hit("a"), "_source": source}, hit("b")]))
    assert (hits[0]._id, hits[0]._source, hits[0].extra) == ("a", None, None)
    assert hits[0].broken.startswith("a hit without _source (")
    assert hits[1]._source.state == "COMPLETED"


def test_lines_may_be_hits_or_documents_alone() -> None:
    alone = {"task_id": "b", "state": "FAILED", "task_type": "TRAINING", "own": 1}
    hits = Parser().lines([json.dumps(hit("a")).encode(), json.dumps(alone).encode()])
    assert [(one._id, one._source.state, one.extra) for one in hits] == [
        ("a", "COMPLETED", None),
        ("b", "FAILED", {"own": 1}),
    ]


def test_a_document_alone_keeps_a_task_id_that_differs_from_its_hits_id() -> None:
    (one,) = Parser().lines([b'{"_id":"a","task_id":"b","state":"FAILED"}'])
    assert (one._id, one.extra) == ("a", {"task_id": "b"})


def test_a_line_that_holds_two_hits_is_not_taken_for_two_lines() -> None:
    two = b",".join([json.dumps(hit("a")).encode(), json.dumps(hit("b")).encode()])
    hits = Parser().lines([two, json.dumps(hit("c")).encode()])
    assert [one._id for one in hits] == [None, "c"]
    assert hits[0].broken.startswith("not a JSON object (")


def test_an_object_that_is_no_task_says_so() -> None:
    hits = Parser().lines([json.dumps(hit("a")).encode(), b'{"_id":"b","colour":"red"}', b'{"colour":"red"}'])
    assert (hits[1]._id, hits[1].broken) == ("b", 'a hit without _source ({"_id":"b","colour":"red"})')
    assert hits[2].broken == 'no hit of _search ({"colour":"red"})'


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"<html>", b'{"hits":[]}', b'{"hits":{"hits":{}}}', b'{"error":"x"}', b"[" * 100_000],
)
def test_anything_else_is_no_search_answer(body: bytes) -> None:
    with pytest.raises(DataError, match="not a _search answer"):
        Decoder().page(body)


def test_raw_hits_are_the_bytes_of_each_hit() -> None:
    raw = [b'{"_id":"a", "_source":{"n":1.0}}', b'{"_id":"b",  "_source":{"n":[]}}']
    assert search_response.raw_hits(b'{"hits":{"hits":[' + b",".join(raw) + b"]}}") == raw


def test_raw_hits_of_a_page_with_half_a_character_have_the_values_they_came_with() -> None:
    assert [json.loads(raw) for raw in search_response.raw_hits(page([hit("a"), HALF]))] == [hit("a"), HALF]


def test_numbers_that_python_cannot_hold_stay_texts() -> None:
    digits = "9" * 5000
    assert lenient_json.loads(f"[1e999, -1e999, NaN, {digits}, 1, 0.5]".encode()) == [
        *("1e999", "-1e999", "NaN", digits),
        *(1, 0.5),
    ]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>\n  <body>", "<html> <body>"),
        (b"\x1b[31mred\x00\xff", "\\x1b[31mred\\x00\\ufffd"),
        (b"x" * 500, "x" * 20 + "..."),
        (b"", ""),
    ],
)
def test_an_excerpt_is_short_harmless_and_on_one_line(body: bytes, shown: str) -> None:
    assert lenient_json.excerpt(body, 20 if len(body) > 100 else 60) == shown


@given(st.binary(max_size=60))
@example(b'{"hits":{"hits":[1]},"timed_out":7}')
def test_other_bytes_are_an_error_on_one_printable_line(body: bytes) -> None:
    with pytest.raises(DataError) as caught:
        Parser().page(body)
    assert str(caught.value).isprintable()


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=5))
def test_any_line_becomes_one_hit(lines: list[bytes]) -> None:
    assert len(Parser().lines(lines)) == len(lines)


def test_an_answer_without_shards_and_total_is_parsed_without_them() -> None:
    whole = answer([hit("a")])
    del whole["_shards"], whole["hits"]["total"]
    hits, status = Parser().page(json.dumps(whole).encode())
    assert (len(hits), status.total, status.shards) == (1, None, None)


def test_raw_hits_nested_deeper_than_python_follows_are_their_bytes_too() -> None:
    deep = b'{"_id":"deep","_source":{"response":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}}"
    body = b'{"hits":{"hits":[' + deep + b',{"_id":"plain"}]}}'
    assert search_response.raw_hits(body) == [deep, b'{"_id":"plain"}']
