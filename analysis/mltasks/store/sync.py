"""Following a cluster: what was written since the last time, into the store.

One request tells whether anything was: the newest tasks and the count are as they were, or not. What has changed is
read along `_seq_no` and put into the files in steps, which the manifest keeps: an interrupted sync goes on from the
last one. Readers see the state of the last sync that has come to its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import progress
from mltasks.exceptions import DataError
from mltasks.opensearch import cluster_info
from mltasks.opensearch.access import Access
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.decode import Decoder, HitsPage
from mltasks.opensearch.page_reader import PageReader, PageRequest
from mltasks.opensearch.pagination import ANCHORS, IN_FLIGHT, SeqNoPagination
from mltasks.store import index_identity, manifest, recent_writes
from mltasks.store.manifest import ClusterState, Snapshot
from mltasks.store.repair import Repair, find_damage, set_aside
from mltasks.store.sync_result import SyncResult
from mltasks.store.transaction import Transaction
from mltasks.store.upsert import Upsert
from mltasks.tasks import data_warning, metadata, redact, table
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context


def sync_cluster(
    transaction: Transaction, cluster: Cluster, access: Access, step: int, *, repair: bool = False
) -> SyncResult:
    """Bring a cluster's tasks in the store up to date, `step` rows at a time.

    With `repair`, damaged files are set aside and everything is read again.
    Raises ClusterError, DataError and WriteError; what was put into files before stays for the next sync.
    """
    transaction.clean_up(cluster.name)
    before = transaction.state(cluster.name)
    start = before.in_progress or before.published or Snapshot()
    damage = find_damage(transaction.layout, start, repair=repair)
    with progress.progress_bar(cluster.url, access.progress) as report:
        walk = _walk(cluster, access, start.cursor, report)
        if damage.problems:
            start = set_aside(transaction.layout, damage)
            transaction.checkpoint(cluster.name, start)
            walk = _walk(cluster, access, -1, report)
        elif not before.in_progress and before.published and _is_as_it_was(before.published, walk):
            as_of = msgspec.structs.replace(start.reading, as_of_ms=walk.as_of_ms)
            transaction.commit(cluster.name, manifest.replace(start, reading=as_of))
            return SyncResult(
                cluster.name, start.rows, missing=start.missing, not_guaranteed=transaction.not_guaranteed()
            )
        if not _goes_on(cluster, start, walk):
            start = manifest.replace(start, generation=start.generation + 1, cursor=-1, missing=0)
            walk = _walk(cluster, access, -1, report)
        state, new, updated, recovered = _read(transaction, cluster, access, start, walk, step, damage)
        if _lacks_some(cluster, state, walk):
            start = manifest.replace(state, cursor=-1)
            walk = _walk(cluster, access, -1, report)
            state, more, again, late = _read(transaction, cluster, access, start, walk, step, damage)
            new, updated, recovered = new + more, updated + again, recovered + late
    missing = state.present - state.total if _is_quiet(cluster, walk) else None
    state = manifest.replace(state, missing=state.missing if missing is None else missing)
    transaction.commit(cluster.name, state)
    return SyncResult(
        cluster.name,
        state.rows,
        new - recovered,
        updated,
        missing=missing,
        anew=before.published is not None and state.generation > before.published.generation,
        resumed=before.in_progress is not None,
        damaged=tuple(file.path for file in damage.problems),
        recovered=recovered,
        lost=max(0, damage.rows - recovered),
        not_guaranteed=transaction.not_guaranteed(),
    )


def reread_all(transaction: Transaction, cluster: Cluster, access: Access, step: int) -> tuple[int, int]:
    """Read the index from its beginning once more; return how many tasks are new to the store, and updated."""
    start = manifest.replace(transaction.state(cluster.name).published or Snapshot(), cursor=-1)
    with progress.progress_bar(cluster.url, access.progress) as report:
        state, new, updated, _ = _read(transaction, cluster, access, start, _walk(cluster, access, -1, report), step)
    transaction.commit(cluster.name, state)
    return new, updated


def _is_as_it_was(state: Snapshot, walk: SeqNoPagination) -> bool:
    """Tell whether nothing was written or deleted since the state's reading began."""
    return (index_identity.fingerprint(walk.newest), walk.total) == (
        state.fingerprints,
        state.total,
    ) and state.present >= state.total


def _generation(state: Snapshot | None) -> int:
    return -1 if state is None else state.generation


def _is_quiet(cluster: Cluster, walk: SeqNoPagination) -> bool:
    """Tell whether nothing was written or deleted since the walk began: only then do counts say something."""
    last, _ = PageReader(cluster, Decoder(), None).page(PageRequest(ANCHORS, newest=True))
    total = last.total.value if last.total else 0
    return (index_identity.fingerprint(last.table), total) == (index_identity.fingerprint(walk.newest), walk.total)


def _lacks_some(cluster: Cluster, state: Snapshot, walk: SeqNoPagination) -> bool:
    """Tell whether the cluster counts tasks that the store lacks: some became visible later than any overlap.

    What the store has and the cluster has no longer can only become more.
    """
    return state.present - state.total < state.missing and _is_quiet(cluster, walk)


def _walk(cluster: Cluster, access: Access, cursor: int, report: progress.ProgressCallback) -> SeqNoPagination:
    after = None if cursor < 0 else cursor
    walk = SeqNoPagination(cluster, Decoder(cluster.name), after=after, page_size=access.page_size, progress=report)
    if walk.shards > 1:
        raise DataError(
            f"{cluster.url}: the task index has {walk.shards} shards (made before 2.13), each with numbers of its own, "
            "so that it cannot be synced; read it with mltasks fetch"
        )
    return walk


def _goes_on(cluster: Cluster, start: Snapshot, walk: SeqNoPagination) -> bool:
    """Tell whether the index is the one that the state was read from."""
    if not start.fingerprints:
        return start.cursor < 0
    highest = max(start.cursor, *(mark.seq_no for mark in start.fingerprints))
    if walk.last_seq_no is None or walk.last_seq_no < highest:
        return False
    return index_identity.same_index(start.fingerprints, index_identity.fetch_fingerprint(cluster, start.fingerprints))


def _read(
    transaction: Transaction,
    cluster: Cluster,
    access: Access,
    start: Snapshot,
    walk: SeqNoPagination,
    step: int,
    damage: Repair | None = None,
) -> tuple[Snapshot, int, int, int]:
    """Read what a snapshot lacks and put it into the files; return the snapshot then, and three counts of tasks.

    They are new, updated, and of the new ones those recovered of damaged files.
    Fingerprints and count are those at the start of the walk: whatever was written since is seen by the next sync.
    """
    reached = -1 if walk.last_seq_no is None else walk.last_seq_no
    until, own = _own_files(start, reached, transaction.state(cluster.name))
    intake = Upsert(transaction.layout, cluster.name, walk.as_of_ms, start.cursor, until, own)
    newest = index_identity.fingerprint(walk.newest)
    state, new, updated = manifest.replace(start, fingerprints=newest, total=walk.total), 0, 0
    if start.cursor < 0:  # all of it is read, and what is unreadable counted, anew
        state = manifest.replace(state, full_read_at=reached, unreadable={}, samples={}, recent=b"")
    names = cluster_info.read_cluster_info(cluster, walk.as_of_ms) if access.redact else None
    unreadable, unknown, recovered = UnreadableCounts(), Counter[str](), 0
    for rows, tally in _steps(chain(_overlap(cluster, access, start.cursor), walk), step):
        unreadable.add(tally)
        unknown += table.unknown_states(rows.filter(pc.greater(rows["seq_no"], start.cursor)))
        coming = rows.filter(pa.array(~recent_writes.is_known(state.recent, rows)))
        if not coming.num_rows:
            continue
        state = manifest.replace(state, recent=recent_writes.remember(state.recent, rows))
        change = intake.add(state, redact.table(coming, names) if access.redact else coming)
        new, updated = new + change.new, updated + change.updated
        recovered += damage.count_recovered(change.new_rows) if damage and damage.problems else 0
        state = _with_tally(change.state, tally, access)
        state = manifest.replace(state, cursor=max(state.cursor, pc.max(rows["seq_no"]).as_py()))
        transaction.checkpoint(cluster.name, state)
    redact.samples(unreadable, access.redact)
    data_warning.warn_once(Context(source=cluster.url), unreadable, unknown)
    reading = metadata.carry_forward(start.reading, cluster_info.read_cluster_info(cluster, walk.as_of_ms))
    if access.redact:  # the store knows the cluster by the name that it has there
        reading = msgspec.structs.replace(redact.reading(reading), cluster=cluster.name)
    return manifest.replace(state, cursor=max(state.cursor, reached), reading=reading), new, updated, recovered


def _own_files(start: Snapshot, reached: int, before: ClusterState) -> tuple[int, list[str]]:
    """Return behind which number tasks can come again that this reading has put into files, and these files.

    A first reading of an index that was interrupted is one reading: what it has put there can only have been written
    again after it had begun.
    """
    if before.in_progress and start.cursor >= 0 and start.generation > _generation(before.published):
        own = [file.path for file in start.files if file.generation == start.generation]
        return start.full_read_at - IN_FLIGHT, own
    return reached - IN_FLIGHT, []


def _overlap(cluster: Cluster, access: Access, cursor: int) -> Iterator[HitsPage]:
    """Yield again what was written shortly before the cursor; its unreadable values were counted the first time."""
    if cursor >= 0:
        until = {"range": {"_seq_no": {"lte": cursor}}}
        after = max(cursor - IN_FLIGHT, 0) or None
        for page in SeqNoPagination(cluster, Decoder(cluster.name), until, after=after, page_size=access.page_size):
            yield replace(page, tally=UnreadableCounts())


def _steps(pages: Iterable[HitsPage], size: int) -> Iterator[tuple[pa.Table, UnreadableCounts]]:
    """Yield the rows of several pages together, about `size` of them, and what could not be read in them."""
    gathered: list[pa.Table] = []
    tally, waiting = UnreadableCounts(), 0
    for page in pages:
        gathered.append(page.table)
        tally.add(page.tally)
        waiting += page.table.num_rows
        if waiting >= size:
            yield pa.concat_tables(gathered), tally
            gathered, tally, waiting = [], UnreadableCounts(), 0
    if gathered:
        yield pa.concat_tables(gathered), tally


def _with_tally(state: Snapshot, tally: UnreadableCounts, access: Access) -> Snapshot:
    redact.samples(tally, access.redact)
    counts = {name: state.unreadable.get(name, 0) + n for name, n in tally.counts.items()}
    return manifest.replace(
        state, unreadable={**state.unreadable, **counts}, samples={**tally.samples, **state.samples}
    )
