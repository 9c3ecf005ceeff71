"""Several sources as one: their rows together, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from mltasks.tasks import deduplicate, metadata, table
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import Context

Part = tuple[pa.Table, Context, Filters]


def concat(parts: Sequence[Part]) -> Part:
    """Return the rows of all parts, each task once; the filters are those of the part read last."""
    if len(parts) == 1:
        return parts[0]
    rows = deduplicate.deduplicate(pa.concat_tables([part[0] for part in parts], promote_options="default"))
    return rows, table.note_shared_ids(rows, metadata.merge([part[1] for part in parts])), parts[-1][2]
