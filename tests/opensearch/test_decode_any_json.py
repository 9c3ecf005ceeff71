"""Whatever the documents of a page hold: no row and no value is lost, and both parsers read the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.opensearch.decode import Decoder
from mltasks.opensearch.search_response import SOURCE_COLUMNS
from mltasks.tasks import node_lists, schema
from support.documents import CREATED, decoded_page, hit, page

texts = st.text(st.characters(categories=None), max_size=8)
scalars = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.integers(-(2**70), 2**70)),
    *(st.floats(allow_nan=False, allow_infinity=False), texts),
    st.sampled_from(["n1,n2", "2023-11-14", "true", "7", "7.0", "NaN", str(CREATED), CREATED, 10**20]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
names = st.sampled_from([column.name for column in SOURCE_COLUMNS])
unknown_names = texts.filter(lambda name: not name.startswith("_"))  # OpenSearch refuses to index such a field
documents = st.fixed_dictionaries(
    {"_source": st.dictionaries(names | unknown_names, values, max_size=8)},
    optional={"_id": values, "_seq_no": values, "_primary_term": values, "_version": values},
)


@given(st.lists(documents, max_size=4))
def test_no_value_of_any_document_is_lost(hits: list[dict[str, Any]]) -> None:
    rows = decoded_page(page(hits))
    assert len(rows) == len(hits)
    for row, document in zip(rows, hits, strict=True):
        meta = {name: value for name, value in document.items() if name != "_source"}
        for name, value in {**document["_source"], **meta}.items():
            column = {"_id": "task_id"}.get(name, name.removeprefix("_") if name in meta else name)
            kept = name in row.extra and same(row.extra[name], value)
            known = name in meta or name in {c.name for c in SOURCE_COLUMNS}
            assert kept or (known and holds(schema.COLUMNS[column].kind, row.cells[column], value)), (name, value, row)


@given(st.lists(documents, max_size=4))
def test_the_forgiving_parser_reads_what_the_fast_one_reads(hits: list[dict[str, Any]]) -> None:
    fast = decoded_page(page(hits))
    careful = decoded_page(page([*hits, hit("half", error="\ud800")]))[: len(hits)]
    lines = Decoder().lines([json.dumps(one, separators=(",", ":")).encode() for one in hits]).table.to_pylist()
    for one, other, line in zip(fast, careful, lines, strict=True):
        assert one.extra == other.extra == json.loads(line["extra"] or "{}")
        assert {**one.cells, "extra": 0} == {**other.cells, "extra": 0} == {**line, "extra": 0}


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def holds(kind: schema.Kind, cell: Any, value: Any) -> bool:
    """Tell whether a cell says what the document said."""
    if value is None:
        return cell in (None, [])
    match kind:
        case "text":
            return bool(cell == value) if isinstance(value, str) else same(json.loads(cell), value)
        case "json":
            return same(json.loads(cell), value)
        case "nodes":
            parts = value if isinstance(value, list) else [value]
            parts = [part if isinstance(part, str) else json.dumps(part) for part in parts if part is not None]
            return bool(cell == [node for part in parts for node in node_lists.nodes(part)[0]])
        case "time":
            return cell is not None and (isinstance(value, str) or cell.timestamp() * 1000 == pytest.approx(value))
        case "flag":
            return str(cell).lower() == str(value).strip().lower()
        case "number" | "integer":
            return cell is not None and float(cell) == float(value)
