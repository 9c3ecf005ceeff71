from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltasks.opensearch.deep_json import DEEPEST, SHALLOW, DeepValues, TooDeepError

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=25)
@given(values, values, st.integers(SHALLOW + 1, SHALLOW + 30), st.sampled_from([None, 2]))
def test_what_is_cut_out_comes_back_to_the_letter(core: Any, beside: Any, depth: int, indent: int | None) -> None:
    value = core
    for level in range(depth):
        value = {"a": beside, "b": value} if level % 2 else [value, beside]
    raw = json.dumps(value, indent=indent)
    deep = DeepValues()
    shallow = deep.cut(raw.encode())
    json.loads(shallow)
    assert deep.restore(shallow.decode()) == raw
    assert len(deep.values) >= 1


def test_a_parser_that_follows_a_hundred_levels_can_read_what_is_left() -> None:
    before = sys.getrecursionlimit()
    shallow = DeepValues().cut(b"[" * DEEPEST + b"]" * DEEPEST)
    assert shallow.count(b"[") == SHALLOW
    assert sys.getrecursionlimit() == before


def test_what_is_not_deep_stays_as_it_is() -> None:
    raw = b'{"a":[1,{"b":"\\"]}"}], "broken" 7}'
    assert DeepValues().cut(raw) == raw


def test_a_value_inside_of_a_string_comes_back_escaped() -> None:
    deep = DeepValues()
    shallow = deep.cut(b'["' + b'x",["' * SHALLOW + b'y"]' + b"]" * SHALLOW)
    assert deep.values == ['["y"]']
    assert json.loads(deep.restore(json.dumps({"hit": shallow.decode()})))["hit"].endswith('["y"]' + "]" * SHALLOW)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 50_000])
def test_more_levels_than_any_server_holds_are_an_error(levels: int) -> None:
    with pytest.raises(TooDeepError, match="JSON of more than 5000 levels"):
        DeepValues().cut(b'{"a":' * levels + b"1" + b"}" * levels)


@pytest.mark.parametrize(
    "core",
    [b"[1,]", b"{1:2}", b'{"a"}', b'{"a":}', b"[1 2]", b"[,]", b"[nul]", b"[1}", b'{"a":1,}', b"[:1]", b"[", b"]"],
)
def test_a_deep_value_that_is_broken_is_an_error(core: bytes) -> None:
    with pytest.raises(TooDeepError, match="JSON"):
        DeepValues().cut(b"[" * SHALLOW + core + b"]" * SHALLOW)


def test_a_text_that_stands_for_what_cannot_be_cut_comes_back_as_it_was() -> None:
    deep, line = DeepValues(), b"[" * 50_000
    text = deep.cut_or_put_aside(line).decode()
    assert deep.restore(text) == line.decode()
