"""Several sources as one: their rows together, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import deduplicate, metadata, schema, table
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import ClusterInfo, Context

Part = tuple[pa.Table, Context, Filters]


def concat(parts: Sequence[Part]) -> Part:
    """Return the rows of all parts, each task once; the filters are those of the part read last."""
    if len(parts) == 1:
        return parts[0]
    rows = deduplicate.deduplicate(pa.concat_tables([part[0] for part in parts], promote_options="default"))
    read = {reading.cluster for _, ctx, _ in parts for reading in ctx.readings} - {None}
    named = [(part, _name_readings(part, ctx, read)) for part, ctx, _ in parts]
    ctx = table.note_shared_ids(rows, metadata.merge([each for _, each in named]))
    return rows, metadata.replace(ctx, notes=(*ctx.notes, *_unnamed_notes(named))), parts[-1][2]


def _name_readings(rows: pa.Table, ctx: Context, read: set[str | None]) -> Context:
    """Return the Context of a source with a reading for each cluster that its rows name and no metadata does.

    So each of these clusters is as it was when its own source was made, however young another one is.
    """
    if all(reading.cluster is not None for reading in ctx.readings):
        return ctx
    names = [name for name in pc.unique(rows["cluster"]).to_pylist() if name not in read]
    readings: list[ClusterInfo] = []
    for reading in ctx.readings:
        if reading.cluster is not None or not names:
            readings.append(reading)
        else:
            readings += [
                msgspec.structs.replace(reading, cluster=name, from_rows=name is not None)
                for name in sorted(names, key=str)
            ]
    return metadata.replace(ctx, readings=tuple(readings))


def _unnamed_notes(parts: Sequence[tuple[pa.Table, Context]]) -> list[str]:
    """Return the note on open tasks of no cluster whose source is older than another one of no cluster."""
    times = [
        (reading.as_of_ms or 0, rows) for rows, ctx in parts for reading in ctx.readings if reading.cluster is None
    ]
    latest = max((ms for ms, _ in times), default=0)
    if not any(ms < latest and _has_unnamed_open(rows) for ms, rows in times):
        return []
    return [
        "sources that name no cluster are taken as one, read at the latest of their times, "
        f"{metadata.to_iso(latest)}: what is open in an older one counts as open until then; to tell clusters apart, "
        "give the tasks a column cluster (in Python)"
    ]


def _has_unnamed_open(rows: pa.Table) -> bool:
    """Tell whether a task of no cluster has not ended."""
    ended = pa.array([state for state, outcome in schema.STATES.items() if outcome != schema.OPEN])
    is_open = pc.invert(pc.is_in(rows["state"], value_set=ended))
    return bool(pc.any(pc.and_(is_open, pc.is_null(rows["cluster"]))).as_py())
