"""Rows from a cluster into the files of a store: each task once, in its newest form, few files rewritten."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines import data_files
from mltasks.store import id_index, manifest
from mltasks.store.layout import GONE, StoreLayout
from mltasks.store.manifest import Snapshot, StoredFile
from mltasks.store.paths import months, partition
from mltasks.tasks import arrow_schema, deduplicate, schema

FULL = 15_000  # rows: a file does not grow beyond; it is what a change of one finished task writes anew
KEPT = 40  # full files: of so many the bytes are kept in memory until they are written anew
SMALL = 1_000  # rows: a file up to this size is always merged with new rows
SAME = ("seq_no", "primary_term", "version", "last_update_time")  # with these, a task is in the same form
ENDED = pa.array([state for state, outcome in schema.STATES.items() if outcome != schema.OPEN])
Positions = np.ndarray[Any, np.dtype[np.int64]]
Tier = tuple[str, bool]  # a partition, and whether its open tasks are meant or the others


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
class UpsertResult:
    """The snapshot with the rows in it; how many tasks replace an older version, and those that are new."""

    state: Snapshot
    updated: int
    new_rows: pa.Table

    @property
    def new(self) -> int:
        """How many tasks are new."""
        return int(self.new_rows.num_rows)


class Upsert:
    """What one reading of a cluster puts into the files.

    It comes upon no task a second time, but for those with a `_seq_no` up to `after` (they were read before) or
    behind `until` (they were written again meanwhile). So files that hold nothing but its own - `own`, and those that
    it writes - are searched for these only.
    """

    def __init__(
        self,
        layout: StoreLayout,
        cluster: str,
        as_of_ms: int,
        after: int = -1,
        until: int = -1,
        own: Iterable[str] = (),
    ) -> None:
        self._layout = layout
        self._cluster = cluster
        self._as_of_ms = as_of_ms
        self._once = after, until
        self._own = set(own)

    def add(self, state: Snapshot, rows: pa.Table) -> UpsertResult:
        """Put rows as the cluster gave them into the files; those that are there already, as new or newer, stay out.

        Within one generation of the index the greater seq_no is newer. What a later generation says replaces what
        an earlier one said, whatever the numbers. Raises WriteError and DataError; `state` stays valid then.
        """
        rows = deduplicate.deduplicate(rows)
        is_known, present = np.zeros(rows.num_rows, bool), np.zeros(rows.num_rows, bool)
        stale = self._find_stale(state, rows, is_known, present)
        new = rows.filter(pa.array(~(is_known | present)))
        rows = rows.filter(pa.array(~is_known))
        rows = rows.append_column(GONE, pa.nulls(rows.num_rows, arrow_schema.ARROW["time"]))
        rows = rows.select(data_files.FILE_SCHEMA.names)
        files = tuple(self._rewritten(state, stale, self._by_tier(rows)))
        return UpsertResult(manifest.replace(state, files=files), rows.num_rows - new.num_rows, new)

    def _find_stale(self, state: Snapshot, rows: pa.Table, is_known: Any, present: Any) -> dict[str, Stale]:
        """Return which files hold older versions of the rows; mark those that are `present` at all.

        `is_known`: those that need no new version. Since a task is in one file, and hardly ever gets another time of
        creation, most are found in the few files of their time, the small ones first, and looked for nowhere else.
        """
        ids, numbers = rows["task_id"].combine_chunks(), rows["seq_no"].to_numpy()
        hashes = id_index.hash_ids(pc.fill_null(ids, "").to_pylist())
        has_no_id = ids.is_null().to_numpy(zero_copy_only=False)
        is_known |= has_no_id & (numbers <= state.cursor)  # such a one was read before
        after, until = self._once
        again = (numbers <= after) | (numbers > until)
        created = rows["create_time"].cast(pa.int64()).fill_null(0).to_numpy()
        stale: dict[str, Stale] = {}
        for file, is_of_its_time in _search_order(state.files, created):
            candidates = np.flatnonzero(again & ~present if file.path in self._own else ~present)
            if not len(candidates):
                continue
            of_its_time = (created[candidates] >= (file.first_ms or 0)) & (created[candidates] <= (file.last_ms or 0))
            candidates = candidates[of_its_time == is_of_its_time]
            if len(candidates):
                candidates = candidates[self._layout.may_contain(file, hashes[candidates])]
            if not len(candidates):
                continue
            content = self._layout.read_content(file) if file.rows <= FULL else None
            stored = self._layout.read_columns(file, ["task_id", GONE, *SAME], content)
            matches = pc.index_in(stored["task_id"], value_set=ids.take(candidates), skip_nulls=True).combine_chunks()
            places = np.flatnonzero(matches.is_valid().to_numpy(zero_copy_only=False))
            coming = candidates[matches.drop_null().to_numpy()]
            newer = _is_newer(stored.take(places), rows.take(coming), file.generation == state.generation)
            is_known[coming[newer]] = True
            present[coming] = True
            if not newer.all():
                kept = content if len(stale) < KEPT else None
                older = Stale(places[~newer], hashes[coming[~newer]], kept)
                stale[file.path] = stale[file.path].add(older) if file.path in stale else older
        return stale

    def _by_tier(self, rows: pa.Table) -> dict[Tier, pa.Table]:
        """Return the rows by their partition, and the open ones apart."""
        month = months(rows, self._as_of_ms)
        is_open = pc.invert(pc.is_in(rows["state"], value_set=ENDED)).combine_chunks()
        tiers = {}
        for name in pc.unique(month).to_pylist():
            for flag in (False, True):
                part = rows.filter(pc.and_(pc.equal(month, name), pc.equal(is_open, flag)))
                if part.num_rows:
                    tiers[partition(self._cluster, name), flag] = part
        return tiers

    def _rewritten(self, state: Snapshot, stale: dict[str, Stale], fresh: dict[Tier, pa.Table]) -> Iterator[StoredFile]:
        """Yield the files as they are then: without stale rows, small ones merged with the fresh rows.

        What a file loses and what is merged is written once: the old files stay as they are.
        """
        merged = {tier: self._files_to_merge(state, tier, rows.num_rows) for tier, rows in fresh.items()}
        taken = {file.path for files in merged.values() for file in files}
        for file in state.files:
            if file.path in taken:
                continue
            if file.path not in stale:
                yield file
            elif (rows := self._read_fresh(file, stale)).num_rows:
                index = self._layout.shrink_index(file, stale[file.path].hashes) if file.rows <= FULL else None
                own = file.path in self._own
                yield from self._written(file.partition, rows, file.generation, own=own, index=index)
        for tier, rows in fresh.items():
            parts = [self._read_fresh(file, stale) for file in merged[tier]]
            own = all(file.path in self._own for file in merged[tier])
            rows = pa.concat_tables([*parts, rows], promote_options="default") if parts else rows
            yield from self._written(tier[0], rows, state.generation, own=own)

    def _read_fresh(self, file: StoredFile, stale: dict[str, Stale]) -> pa.Table:
        """Return the rows of a file but for its stale ones."""
        if file.path not in stale:
            return self._layout.read(file)
        rows = self._layout.read(file, stale[file.path].content)
        kept = np.ones(rows.num_rows, bool)
        kept[stale[file.path].places] = False
        return rows.filter(pa.array(kept))

    def _files_to_merge(self, state: Snapshot, tier: Tier, rows: int) -> list[StoredFile]:
        """Return the files to merge some new rows with: small ones, and those not larger than all before together.

        So a row is rewritten as often as the logarithm of its file's size, and a partition has few files. Open tasks,
        which will change, stay in small files of their own; what is done lies in large ones that are left alone.
        """
        where, is_open = tier
        files = [f for f in state.files if f.partition == where and f.generation == state.generation]
        files = sorted((f for f in files if (f.open == f.rows) == is_open), key=lambda file: file.rows)
        merged: list[StoredFile] = []
        for file in files:
            if file.rows > max(rows, SMALL) or file.rows + rows % FULL > FULL:
                break
            merged.append(file)
            rows += file.rows
        return merged

    def _written(
        self, where: str, rows: pa.Table, generation: int, *, own: bool, index: bytes | None = None
    ) -> Iterator[StoredFile]:
        """Yield the files that some rows of a partition become; `index`: of their ids, if it is known."""
        for start in range(0, rows.num_rows, FULL):
            file = self._layout.write(where, rows.slice(start, FULL), generation, index=index)
            if own:
                self._own.add(file.path)
            yield file


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
