"""Older versions of the rows that a cluster gives: which files of a store hold them, and where in these."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.store import id_index
from mltasks.store.layout import FULL, GONE, StoreLayout
from mltasks.store.manifest import Snapshot, StoredFile

SAME = ("seq_no", "primary_term", "version", "last_update_time")  # with these, a task is in the same form
KEPT = 40  # of so many files, no larger than one of today, the bytes are kept in memory until they are made anew
Positions = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Stale:
    """The rows of a file that are no longer right: where they are, and the hashes of their ids.

    `content`: the bytes of the file, while there is memory for them: they are wanted once more.
    """

    places: Positions
    hashes: id_index.Hashes
    content: bytes | None = None

    def add(self, others: Stale) -> Stale:
        """Return them with others of the same file."""
        places, hashes = np.append(self.places, others.places), np.append(self.hashes, others.hashes)
        return Stale(places, hashes, self.content)


@dataclass(frozen=True)
class OlderVersions:
    """The stale rows by file; of the rows that come, which need no new version, and which are there in any version."""

    stale: dict[str, Stale]
    is_known: Mask
    is_present: Mask


def find_older_versions(
    layout: StoreLayout, state: Snapshot, rows: pa.Table, own: Collection[str], again: Mask
) -> OlderVersions:
    """Find the rows in the files; in those that are `own`, only the ones that can come `again`.

    Since a task is in one file, and hardly ever gets another time of creation, most are found in the few files of their
    time, the small ones first, and looked for nowhere else. Raises DataError.
    """
    ids, numbers = rows["task_id"].combine_chunks(), rows["seq_no"].to_numpy()
    hashes = id_index.hash_ids(pc.fill_null(ids, "").to_pylist())
    has_no_id = ids.is_null().to_numpy(zero_copy_only=False)
    is_known, is_present = has_no_id & (numbers <= state.cursor), np.zeros(rows.num_rows, bool)
    created = rows["create_time"].cast(pa.int64()).fill_null(0).to_numpy()
    stale: dict[str, Stale] = {}
    for file, is_of_its_time in _search_order(state.files, created):
        candidates = np.flatnonzero(again & ~is_present if file.path in own else ~is_present)
        if not len(candidates):
            continue
        of_its_time = (created[candidates] >= (file.first_ms or 0)) & (created[candidates] <= (file.last_ms or 0))
        candidates = candidates[of_its_time == is_of_its_time]
        if len(candidates):
            candidates = candidates[layout.may_contain(file, hashes[candidates])]
        if not len(candidates):
            continue
        content = layout.read_content(file) if file.rows <= FULL else None
        stored = layout.read_columns(file, ["task_id", GONE, *SAME], content)
        matches = pc.index_in(stored["task_id"], value_set=ids.take(candidates), skip_nulls=True).combine_chunks()
        places = np.flatnonzero(matches.is_valid().to_numpy(zero_copy_only=False))
        coming = candidates[matches.drop_null().to_numpy()]
        newer = _is_newer(stored.take(places), rows.take(coming), file.generation == state.generation)
        is_known[coming[newer]] = True
        is_present[coming] = True
        if not newer.all():
            kept = content if len(stale) < KEPT else None
            older = Stale(places[~newer], hashes[coming[~newer]], kept)
            stale[file.path] = stale[file.path].add(older) if file.path in stale else older
    return OlderVersions(stale, is_known, is_present)


def _search_order(files: Iterable[StoredFile], created: Any) -> Iterator[tuple[StoredFile, bool]]:
    """Yield the files that tasks were created in the time of, small ones first, with True; then all, with False."""
    files = sorted(files, key=lambda file: file.rows)
    times = np.sort(created)
    first, last = (np.array([getattr(f, name) or 0 for f in files], np.int64) for name in ("first_ms", "last_ms"))
    is_near = np.searchsorted(times, last, "right") > np.searchsorted(times, first, "left")
    yield from ((file, True) for file, near in zip(files, is_near, strict=True) if near)
    yield from ((file, False) for file in files)


def _is_newer(stored: pa.Table, coming: pa.Table, one_index: bool) -> Any:
    """Tell of which tasks the stored form is the coming one, or newer."""
    if one_index:
        newer = pc.greater_equal(stored["seq_no"], coming["seq_no"])
    else:
        newer = functools.reduce(pc.and_, (pc.equal(stored[name], coming[name]) for name in SAME))
    there_after_all = pc.is_valid(stored[GONE])
    return pc.and_(newer, pc.invert(there_after_all)).fill_null(False).to_numpy()
