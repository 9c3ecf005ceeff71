"""Data files that are missing, cut or damaged: noticed by every sync, set aside by `sync --repair` and read again."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.exceptions import DataError
from mltasks.store import manifest
from mltasks.store.layout import StoreLayout
from mltasks.store.manifest import Snapshot, StoredFile


@dataclass(frozen=True)
class Repair:
    """What is wrong with the files of a snapshot, and what was in it before."""

    problems: dict[StoredFile, str]
    before: Snapshot

    @property
    def rows(self) -> int:
        """The tasks that were in the damaged files."""
        return sum(file.rows for file in self.problems)

    def count_recovered(self, new: pa.Table) -> int:
        """Return how many tasks that are new to the files were in the damaged ones.

        Written before the last sync, or created before it and written since: they were there.
        """
        written = pc.less_equal(new["seq_no"], self.before.cursor)
        created = pc.less(new["create_time"].cast(pa.int64()), self.before.reading.as_of_ms or 0)
        return pc.sum(pc.or_kleene(written, created)).as_py() or 0


def find_damage(layout: StoreLayout, snapshot: Snapshot, *, repair: bool) -> Repair:
    """Return what is wrong with the files of a snapshot; raises DataError unless it is to be repaired.

    A sync looks at the size of every file, a repair at all bytes.
    """
    damage = Repair(layout.find_damaged_files(snapshot.files, whole=repair), snapshot)
    if damage.problems and not repair:
        first, *others = damage.problems.values()
        more = f" (and {len(others)} more)" if others else ""
        raise DataError(f"{first}{more}; {layout.remedy}")
    return damage


def set_aside(layout: StoreLayout, damage: Repair) -> Snapshot:
    """Move the damaged files out of the way; return the snapshot without them, to be read from the beginning."""
    for file in damage.problems:
        layout.set_aside(file)
    files = tuple(file for file in damage.before.files if file not in damage.problems)
    return manifest.replace(damage.before, files=files, cursor=-1, missing=0)
