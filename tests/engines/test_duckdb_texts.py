"""Texts become numbers where DuckDB sorts them, and JSON is parsed once for each text, as far as memory goes."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from mltasks.engines import duckdb_json, duckdb_relation, duckdb_sql
from mltasks.tasks import arrow_schema

MANY = duckdb_sql.ENCODED + 1


def relation(count: int, response: str) -> duckdb.DuckDBPyRelation:
    """Return failed tasks, whose responses are worked out in SQL."""
    rows = duckdb_relation.relation(arrow_schema.STORED_SCHEMA.empty_table())
    made = duckdb_relation.connection_of(rows).sql(f"SELECT {response} AS response FROM range({count}) AS made(i)")
    others = [f"CAST(NULL AS {dtype}) AS {name}" for name, dtype in zip(rows.columns, rows.types, strict=True)]
    return made.project(", ".join("response" if name.endswith(" AS response") else name for name in others))


@pytest.mark.parametrize(("count", "is_parsed"), [(3, True), (MANY, False)])
def test_a_reason_is_worked_out_once_for_each_text_unless_there_are_too_many(count: int, *, is_parsed: bool) -> None:
    tasks = relation(count, """format('{{"error_message": "m{}"}}', i)""")
    rows = duckdb_json.add_reasons(tasks, duckdb_relation.connection_of(tasks))
    assert (duckdb_sql.REASON in rows.columns) == is_parsed
    table = duckdb_sql.project(rows, ["reason"], {}).aggregate("count(DISTINCT reason), min(reason)")
    assert table.fetchall() == [(count, "m0")]


@pytest.mark.parametrize(("count", "are_numbers"), [(3, True), (MANY, False)])
def test_texts_are_sorted_as_numbers_unless_there_are_too_many(count: int, *, are_numbers: bool) -> None:
    tasks = relation(count, "format('it''s {}', i)").project(f"response, {count} - row_number() OVER () AS place")
    connection = duckdb_relation.connection_of(tasks)
    with duckdb_sql.encode_texts(tasks, connection) as rows:
        assert str(rows.types[0]).startswith("ENUM") == are_numbers
        first = next(batch for batch in duckdb_sql.iter_sorted(rows, "place") if batch.num_rows)
        assert first["place"].to_pylist()[:3] == [0, 1, 2]
        assert first["response"].cast(pa.string()).to_pylist()[0] == f"it's {count - 1}"
    assert connection.sql("SELECT type_name FROM duckdb_types() WHERE NOT internal").fetchall() == []


def test_rows_without_a_text_are_sorted_as_they_are() -> None:
    tasks = relation(2, "NULL::VARCHAR")
    connection = duckdb_relation.connection_of(tasks)
    with duckdb_sql.encode_texts(tasks.project("response, 1 AS place"), connection) as rows:
        assert [row for batch in duckdb_sql.iter_sorted(rows, "place") for row in batch.to_pylist()] == [
            {"response": None, "place": 1}
        ] * 2
