"""Rows from a cluster into the files of a store: each task once, in its newest form, few files rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.engines import data_files
from mltasks.store import manifest
from mltasks.store.layout import FULL, GONE, NewDataFile, StoreLayout, encode_file
from mltasks.store.manifest import Snapshot, StoredFile
from mltasks.store.older_versions import Positions, Stale, find_older_versions
from mltasks.store.paths import months, partition
from mltasks.tasks import arrow_schema, deduplicate, schema

THREADS = 2  # for what is made of files that change
SMALL = 1_000  # rows: a file up to this size is always merged with new rows
ENDED = pa.array([state for state, outcome in schema.STATES.items() if outcome != schema.OPEN])
Tier = tuple[str, bool]  # a partition, and whether its open tasks are meant or the others


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
        numbers, (after, until) = rows["seq_no"].to_numpy(), self._once
        older = find_older_versions(self._layout, state, rows, self._own, (numbers <= after) | (numbers > until))
        new = rows.filter(pa.array(~(older.is_known | older.is_present)))
        rows = rows.filter(pa.array(~older.is_known))
        rows = rows.append_column(GONE, pa.nulls(rows.num_rows, arrow_schema.ARROW["time"]))
        rows = rows.select(data_files.FILE_SCHEMA.names)
        files = tuple(self._rewritten(state, older.stale, self._by_tier(rows)))
        return UpsertResult(manifest.replace(state, files=files), rows.num_rows - new.num_rows, new)

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
        others = [file for file in state.files if file.path not in taken]
        yield from (file for file in others if file.path not in stale)
        yield from self._shrink([file for file in others if file.path in stale], stale)
        for tier, rows in fresh.items():
            parts = [self._read_fresh(file, stale) for file in merged[tier]]
            own = all(file.path in self._own for file in merged[tier])
            rows = pa.concat_tables([*parts, rows], promote_options="default") if parts else rows
            yield from self._save(_encode(tier[0], rows, state.generation), own=own)

    def _shrink(self, files: list[StoredFile], stale: dict[str, Stale]) -> Iterator[StoredFile]:
        """Yield what files become without their stale rows: read and written one by one, made anew several at once."""
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(files), THREADS):
                batch = files[start : start + THREADS]
                contents = [stale[file.path].content or self._layout.read_content(file) for file in batch]
                indexes = [self._layout.shrink_index(file, stale[file.path].hashes) for file in batch]
                places = [stale[file.path].places for file in batch]
                for file, parts in zip(
                    batch, pool.map(self._encode_rest, batch, contents, places, indexes), strict=True
                ):
                    yield from self._save(parts, own=file.path in self._own)

    def _encode_rest(
        self, file: StoredFile, content: bytes, stale: Positions, index: bytes | None
    ) -> list[NewDataFile]:
        """Return what a file becomes without some rows; `index`: of the ids of the others, if it is known."""
        rows = _drop(self._layout.read(file, content), stale)
        return _encode(file.partition, rows, file.generation, index)

    def _read_fresh(self, file: StoredFile, stale: dict[str, Stale]) -> pa.Table:
        """Return the rows of a file but for its stale ones."""
        if file.path not in stale:
            return self._layout.read(file)
        return _drop(self._layout.read(file, stale[file.path].content), stale[file.path].places)

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

    def _save(self, parts: list[NewDataFile], *, own: bool) -> Iterator[StoredFile]:
        for part in parts:
            self._layout.save(part)
            if own:
                self._own.add(part.file.path)
            yield part.file


def _encode(where: str, rows: pa.Table, generation: int, index: bytes | None = None) -> list[NewDataFile]:
    """Return the data files, none larger than is FULL, that rows become; `index`: of all their ids, if it is known."""
    slices = [rows.slice(start, FULL) for start in range(0, rows.num_rows, FULL)]
    return [encode_file(where, part, generation, index if len(slices) == 1 else None) for part in slices]


def _drop(rows: pa.Table, places: Positions) -> pa.Table:
    kept = np.ones(rows.num_rows, bool)
    kept[places] = False
    return rows.filter(pa.array(kept))
