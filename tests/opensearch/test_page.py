from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mltasks.opensearch.page_reader import PageRequest
from support.documents import answer, hit

FIRST = PageRequest(2, after=3, until=90)


def page(total: int, numbers: list[int], **sort: str) -> bytes:
    hits = [hit(f"t{n}", n) | {"sort": [n, *sort.values()]} for n in numbers]
    whole = answer(hits)
    whole["hits"] = {"total": {"value": total, "relation": "gte"}, "hits": hits}  # in the server's order
    return json.dumps(whole, separators=(",", ":")).encode()


def test_what_is_asked_next_shows_at_the_ends_of_a_page() -> None:
    assert FIRST.predict_next(page(3, [5, 8])) == replace(FIRST, after=8)


def test_with_several_shards_too() -> None:
    wanted = replace(FIRST, shards=3)
    assert wanted.predict_next(page(3, [5, 8], id="t8")) == replace(wanted, after=8)


def test_after_the_last_page_of_a_range_it_is_what_the_walk_asks_then() -> None:
    last = PageRequest(7, after=50, exact=True)
    assert FIRST.predict_next(page(2, [5, 8]), last) == last
    assert FIRST.predict_next(page(3, [5, 8]), last) == replace(FIRST, after=8)


@pytest.mark.parametrize("body", [page(0, []), b"", b"<html>", b'{"hits":{"total":{"value":9}', b"}" * 9])
def test_after_what_is_no_page_nothing_is_asked_early(body: bytes) -> None:
    assert FIRST.predict_next(body) is None


def test_after_the_last_page_of_all_nothing_is_asked_early() -> None:
    assert PageRequest(2, after=90).predict_next(page(2, [95, 96])) is None


def test_after_the_newest_tasks_nothing_is_asked_early() -> None:
    assert PageRequest(2, newest=True).predict_next(page(3, [5, 8])) is None


def test_a_document_that_ends_like_a_page_does_not_mislead() -> None:
    body = page(3, [5, 8])
    assert FIRST.predict_next(body[:-1] + b',"x":"\\"sort\\":[7]}]}}"}') is None
