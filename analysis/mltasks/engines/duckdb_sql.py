"""SQL on DuckDB relations of tasks: the columns that reports compute with, and what they do with rows."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines.data_files import GONE
from mltasks.tasks import failure_reason, schema
from mltasks.tasks.metadata import to_iso

Relation = duckdb.DuckDBPyRelation
BATCH = 400_000  # rows handed over at once, at least
ENCODED = 50_000  # different texts that become numbers for a sort, at most
ENUMS = itertools.count()  # no two of a connection have a name
NUMBER = "group_n"
DEPLOYED = f"task_type IN {schema.DEPLOYMENTS} AND starts_with(error, '{{')"
ANSWERED = "error IS NULL AND (contains(response, 'error_message') OR contains(response, '\\'))"
# JSON that every parser reads alike: nothing escaped, no comma before a bracket (which DuckDB allows)
PLAIN = "json_valid(error) AND NOT regexp_matches(error, '\\\\|,\\s*[]}]')"
NAMED = "json_keys(error)"
REASON = "reason:text"  # of a task whose error or response takes a JSON parser, where that was called before
# What needs no Python, which is slow when it is called for many rows, comes first. CASE within CASE: AND would work out
# both sides for all rows.
PARSED = {
    "reason": f"CASE WHEN ({DEPLOYED}) OR ({ANSWERED}) THEN python ELSE error END",
    "failed_nodes": f"CASE WHEN {DEPLOYED} THEN CASE WHEN {PLAIN} THEN "
    f"CASE WHEN len(list_distinct({NAMED})) = len({NAMED}) THEN {NAMED} ELSE python END ELSE python END ELSE [] END",
}
OTHERS = (  # of nodes that are there twice the first; most tasks have one node, and nothing to leave out
    "CASE WHEN len(worker_node) > 1 OR len(failed_nodes) > 0 THEN list_filter(worker_node, lambda node, place: "
    "list_position(worker_node, node) = place AND NOT list_contains(failed_nodes, node)) ELSE worker_node END"
)


def prune(tasks: Relation, since_ms: int | None, until_ms: int | None) -> Relation:
    """Return the tasks created in a window, and of a Parquet file read only the row groups that can hold some."""
    for limit, compares in ((since_ms, ">="), (until_ms, "<")):
        if limit is not None:
            tasks = tasks.filter(f"create_time {compares} TIMESTAMPTZ {quote_text(str(to_iso(limit)))}")
    return tasks


def project(tasks: Relation, wanted: Collection[str], own: Mapping[str, str]) -> Relation:
    """Return the stored columns, times as integers [ms], nodes as one text, and the wanted columns of PARSED.

    `own`: the user's own columns to keep, and the names to keep them under.
    """
    columns = {column.name: column.name for column in schema.STORED}
    columns |= {
        "created_ms": "epoch_us(create_time) // 1000",  # epoch_ms takes three times as long
        "updated_ms": "epoch_us(last_update_time) // 1000",
        "nodes_text": "nullif(array_to_string(worker_node, ','), '')",
    }
    if has_gone(tasks):
        columns["gone_ms"] = f"epoch_us({GONE.name}) // 1000"
    for name in PARSED:
        if name in wanted or (name == "failed_nodes" and "other_nodes" in wanted):
            takes = ", ".join(failure_reason.JSON_COLUMNS[name].takes)
            columns[name] = PARSED[name].replace("python", f"task_{name}({takes})")
    if "reason" in wanted and REASON in tasks.columns:
        columns["reason"] = quote_name(REASON)
    columns |= {name: quote_name(column) for column, name in own.items()}
    rows = tasks.project(", ".join(f"{expression} AS {quote_name(name)}" for name, expression in columns.items()))
    return rows.project(f"*, {OTHERS} AS other_nodes") if "other_nodes" in wanted else rows


def has_gone(tasks: Relation) -> bool:
    """Tell whether there is a column that says when tasks were found gone."""
    return GONE.name in tasks.columns and str(tasks.types[tasks.columns.index(GONE.name)]) == "TIMESTAMP WITH TIME ZONE"


def explode_nodes(tasks: Relation) -> Relation:
    """Return one row per task and node; see `operations.explode_nodes`."""
    others = "CASE WHEN len(other_nodes) > 0 THEN other_nodes ELSE [NULL]::VARCHAR[] END"
    lists = f"CASE WHEN len(failed_nodes) > 0 THEN list_concat(failed_nodes, other_nodes) ELSE {others} END"
    rows = tasks.project(f"* EXCLUDE (failed_nodes, other_nodes), {lists} AS nodes, len(failed_nodes) AS failed_n")
    rows = rows.project("* EXCLUDE (nodes), unnest(nodes) AS worker_node, generate_subscripts(nodes, 1) AS place")
    return rows.project("* EXCLUDE (failed_n, place), place <= failed_n AS named, failed_n > 0 AS names_some")


def left_join(rows: Relation, table: Relation, keys: Sequence[str]) -> Relation:
    """Return the rows with the other columns of a small table beside them; see `operations.left_join`."""
    names = [quote_name(key) for key in keys]
    same = " AND ".join(f"task_rows.{name} IS NOT DISTINCT FROM group_rows.{name}" for name in names)
    others = [f"group_rows.{quote_name(name)}" for name in table.columns if name not in keys]
    joined = rows.set_alias("task_rows").join(table.set_alias("group_rows"), same, "left")
    return joined.project(", ".join(["task_rows.*", *others]))


def explode_range(tasks: Relation, first: str, last: str, name: str) -> Relation:
    """Return each row once for each whole number from `first` to `last`, which becomes the column `name`."""
    return tasks.project(f"*, unnest(range({first}, {last} + 1)) AS {name}")


@contextmanager
def encode_texts(rows: Relation, connection: duckdb.DuckDBPyConnection) -> Iterator[Relation]:
    """Hand out the rows with enums in the place of texts, which are sorted, and written to disk, as whole numbers.

    Where the rows have more than ENCODED different texts, they are handed out as they are.
    """
    texts = [name for name, dtype in zip(rows.columns, rows.types, strict=True) if str(dtype) == "VARCHAR"]
    names = ", ".join(map(quote_name, texts))
    words = rows.aggregate(names, names).limit(ENCODED + 1).to_arrow_table() if texts else None
    if words is None or words.num_rows > ENCODED:
        yield rows
        return
    enums: dict[str, str] = {}
    try:
        for name in texts:
            enum = f"texts_{next(ENUMS)}"
            different = pc.drop_null(words[name].unique()).to_pylist()
            values = ", ".join(map(quote_text, different or [""]))
            connection.execute(f"CREATE TYPE {enum} AS ENUM ({values})")
            enums[name] = enum
        columns = [f"{quote_name(name)}::{enum} AS {quote_name(name)}" for name, enum in enums.items()]
        yield rows.project(f"* REPLACE ({', '.join(columns)})")
    finally:  # a connection may live as long as a notebook
        for enum in enums.values():
            connection.execute(f"DROP TYPE {enum}")


def with_signed_places(rows: pa.Table) -> pa.Table:
    """Return rows whose enums point to their texts by signed numbers: not every Arrow takes DuckDB's to pandas."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            type_ = pa.dictionary(pa.int32(), field.type.value_type)
            parts = [
                pa.DictionaryArray.from_arrays(part.indices.cast(type_.index_type), part.dictionary)
                for part in rows.column(place).chunks
            ]
            rows = rows.set_column(place, field.name, pa.chunked_array(parts, type_))
    return rows


def number_groups(
    rows: Relation, groups: pa.Table, keys: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> tuple[Relation, Relation]:
    """Return the different keys among some groups with a number each, from 0, and the rows with that number."""
    names = ", ".join(map(quote_name, keys))
    different = connection.from_arrow(groups).aggregate(names, names)
    numbers = different.project(f"*, row_number() OVER () - 1 AS {NUMBER}").to_arrow_table()
    numbered = connection.from_arrow(numbers)
    return numbered, left_join(rows, numbered, keys)


def iter_sorted(rows: Relation, *by: str) -> Iterator[pa.Table]:
    """Yield the rows in the order of some columns, missing ones last; what memory cannot hold is sorted on disk."""
    reader = rows.order(", ".join(f"{quote_name(name)} NULLS LAST" for name in by)).to_arrow_reader(BATCH)
    yield reader.schema.empty_table()  # there is something to take the types from, whatever comes
    held: list[pa.RecordBatch] = []
    for batch in reader:  # smaller ones than was asked for
        held.append(batch)
        if sum(each.num_rows for each in held) >= BATCH:
            yield pa.Table.from_batches(held)
            held.clear()
    if held:
        yield pa.Table.from_batches(held)


def quote_name(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
