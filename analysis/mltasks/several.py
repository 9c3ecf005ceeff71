"""Several sources as one: their rows together, and what is known of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from mltasks import table
from mltasks.context import Context
from mltasks.filters import Filters

Part = tuple[pa.Table, Context, Filters]


def combined(parts: Sequence[Part]) -> Part:
    """Return the rows of all parts, each task once; the filters are those of the part read last."""
    if len(parts) == 1:
        return parts[0]
    rows = table.newest(pa.concat_tables([part[0] for part in parts], promote_options="default"))
    return rows, merged([part[1] for part in parts]), parts[-1][2]


def merged(contexts: Sequence[Context]) -> Context:
    """Return what is known of several readings as one Context."""
    counts: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for ctx in contexts:
        counts.update(ctx.unreadable)
        samples = {**ctx.samples, **samples}
    return Context(
        source=", ".join(dict.fromkeys(ctx.source for ctx in contexts)),
        readings=tuple(reading for ctx in contexts for reading in ctx.readings),
        filters=contexts[-1].filters,
        complete=all(ctx.complete for ctx in contexts),
        unreadable=dict(counts),
        samples=samples,
        notes=tuple(dict.fromkeys(f"{ctx.source}: {note}" for ctx in contexts for note in ctx.notes)),
    )
