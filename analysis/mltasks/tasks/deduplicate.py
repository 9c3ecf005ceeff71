"""Each task once: of two rows with one cluster and id the latest version wins."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import schema


def deduplicate(table: pa.Table) -> pa.Table:
    """Return each (cluster, task_id) once, in its latest version; a task without an id is kept as it is.

    The greater seq_no wins, else the later last_update_time, else the later position.
    """
    keys = table.select(schema.KEY)
    if _count(keys) == table.num_rows:  # half the time
        return table
    table, keys = table.combine_chunks(), keys.combine_chunks()
    order = pa.table(
        {
            "cluster": keys["cluster"],
            "task_id": keys["task_id"],
            "seq_no": pc.fill_null(table["seq_no"], -1),
            "updated": pc.fill_null(table["last_update_time"].cast(pa.int64()), -(2**62)),
            "row": pa.array(range(table.num_rows), pa.int64()),
        }
    )
    ordered = order.sort_by([(name, "ascending") for name in ("seq_no", "updated", "row")])
    last = ordered.group_by(list(schema.KEY), use_threads=False).aggregate([("row", "last")])["row_last"]
    without_id = pc.indices_nonzero(pc.is_null(keys["task_id"]))
    rows = pa.concat_arrays([last.combine_chunks(), without_id.cast(pa.int64())]).unique()
    return table.take(rows.sort())


def _count(keys: pa.Table) -> int:
    """Return the number of different (cluster, task_id)."""
    if len(pc.unique(keys["cluster"])) <= 1:  # as most tables are; to count the ids of one takes no groups
        count: int = pc.count_distinct(keys["task_id"], mode="all").as_py()
    else:
        count = keys.group_by(list(schema.KEY), use_threads=False).aggregate([]).num_rows
    return count
