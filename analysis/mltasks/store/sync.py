"""Following a cluster: what was written since the last time, into the store.

One request tells whether anything was: the newest tasks and the count are as they were, or not. What has changed is
read along `_seq_no` and put into the files in steps, which the manifest keeps: an interrupted sync goes on from the
last one. Readers see the state of the last sync that has come to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mltasks import context, progress, reading, redact
from mltasks.access import Access
from mltasks.cells import Tally
from mltasks.cluster import Cluster
from mltasks.decode import Decoder, Page
from mltasks.errors import DataError
from mltasks.pages import Reader, Wanted
from mltasks.paging import ANCHORS, IN_FLIGHT, Walk
from mltasks.store import manifest, marks
from mltasks.store.intake import Intake
from mltasks.store.manifest import State
from mltasks.store.writing import Writing


@dataclass(frozen=True)
class Synced:
    """What a sync did with the tasks of one cluster, and how many of them are in the store now.

    `new` tasks, and those `updated`, which are there in a newer form. `gone`: found to be deleted on the cluster,
    and marked. `missing`: how many more the cluster has no longer, by the count; None where tasks were being written,
    so that the count says nothing. `anew`: the index is another one than before and was read from its beginning.
    `resumed`: an interrupted sync was finished.
    """

    cluster: str
    tasks: int
    new: int = 0
    updated: int = 0
    gone: int = 0
    missing: int | None = 0
    anew: bool = False
    resumed: bool = False


def follow(writing: Writing, cluster: Cluster, access: Access, step: int) -> Synced:
    """Bring a cluster's tasks in the store up to date, `step` rows at a time.

    Raises ClusterError, DataError and WriteError; what was put into files before stays for the next sync.
    """
    before = writing.followed(cluster.name)
    start = before.unfinished or before.finished or State()
    with progress.shown(cluster.url, access.progress) as report:
        walk = _walk(cluster, access, start.cursor, report)
        newest = marks.of(walk.newest)
        if before.finished and not before.unfinished and (newest, walk.total) == (start.marks, start.total):
            as_it_was = msgspec.structs.replace(start.reading, as_of_ms=walk.as_of_ms)
            writing.finish(cluster.name, manifest.replace(start, reading=as_it_was))
            return Synced(cluster.name, start.rows, missing=start.present - start.total)
        anew = not _goes_on(cluster, start, walk)
        if anew:
            start = manifest.replace(start, generation=start.generation + 1, cursor=-1)
            walk = _walk(cluster, access, start.cursor, report)
        found = _read(writing, cluster, access, manifest.replace(start, marks=newest), walk, step)
        if found.missing is not None and found.missing < 0 <= start.cursor:  # a write became visible very late
            start = manifest.replace(writing.followed(cluster.name).finished or start, cursor=-1)
            more = _read(writing, cluster, access, start, _walk(cluster, access, -1, report), step)
            found = replace(more, new=found.new + more.new, updated=found.updated + more.updated)
        if found.missing is not None and found.missing < 0:
            raise DataError(f"{cluster.url}: {-found.missing} tasks could not be found, though counted; try again")
    return replace(found, anew=anew, resumed=before.unfinished is not None)


def _walk(cluster: Cluster, access: Access, cursor: int, report: progress.Report) -> Walk:
    after = None if cursor < 0 else cursor
    walk = Walk(cluster, Decoder(cluster.name), after=after, page_size=access.page_size, progress=report)
    if walk.shards > 1:
        raise DataError(
            f"{cluster.url}: the task index has {walk.shards} shards (made before 2.13), each with numbers of its own, "
            "so that it cannot be synced; read it with mltasks fetch"
        )
    return walk


def _goes_on(cluster: Cluster, start: State, walk: Walk) -> bool:
    """Tell whether the index is the one that the state was read from."""
    if not start.marks:
        return start.cursor < 0
    highest = max(start.cursor, *(mark.seq_no for mark in start.marks))
    if walk.last_seq_no is None or walk.last_seq_no < highest:
        return False
    return marks.same_index(start.marks, marks.look(cluster, start.marks))


def _read(writing: Writing, cluster: Cluster, access: Access, start: State, walk: Walk, step: int) -> Synced:
    """Read what the state lacks, put it into the files, and make that the state that readers see."""
    reached = -1 if walk.last_seq_no is None else walk.last_seq_no
    intake = Intake(writing.shelf, cluster.name, walk.as_of_ms, settled=reached - IN_FLIGHT)
    state, new, updated = start, 0, 0
    for rows, tally in _steps(chain(_overlap(cluster, access, start.cursor), walk), step):
        change = intake.add(state, redact.table(rows) if access.redact else rows)
        new, updated = new + change.new, updated + change.updated
        state = _with_tally(change.state, tally, access)
        state = manifest.replace(state, cursor=max(state.cursor, pc.max(rows["seq_no"]).as_py()))
        writing.step(cluster.name, state)
    last, _ = Reader(cluster, Decoder(), None).page(Wanted(ANCHORS, newest=True))
    newest, cursor = marks.of(last.table), max(state.cursor, reached)
    state = manifest.replace(
        state,
        cursor=cursor,
        marks=tuple(mark for mark in newest if mark.seq_no <= cursor) or state.marks,
        total=last.total.value if last.total else 0,
        reading=context.since(start.reading, reading.told(cluster, walk.as_of_ms)),
    )
    writing.finish(cluster.name, state)
    quiet = last.last_seq_no is None or last.last_seq_no <= cursor
    return Synced(cluster.name, state.rows, new, updated, missing=state.present - state.total if quiet else None)


def _overlap(cluster: Cluster, access: Access, cursor: int) -> Iterator[Page]:
    """Yield again what was written shortly before the cursor; its unreadable values were counted the first time."""
    if cursor >= 0:
        until = {"range": {"_seq_no": {"lte": cursor}}}
        after = max(cursor - IN_FLIGHT, 0) or None
        for page in Walk(cluster, Decoder(cluster.name), until, after=after, page_size=access.page_size):
            yield replace(page, tally=Tally())


def _steps(pages: Iterable[Page], size: int) -> Iterator[tuple[pa.Table, Tally]]:
    """Yield the rows of several pages together, about `size` of them, and what could not be read in them."""
    gathered: list[pa.Table] = []
    tally, waiting = Tally(), 0
    for page in pages:
        gathered.append(page.table)
        tally.add(page.tally)
        waiting += page.table.num_rows
        if waiting >= size:
            yield pa.concat_tables(gathered), tally
            gathered, tally, waiting = [], Tally(), 0
    if gathered:
        yield pa.concat_tables(gathered), tally


def _with_tally(state: State, tally: Tally, access: Access) -> State:
    redact.samples(tally, access.redact)
    counts = {name: state.unreadable.get(name, 0) + n for name, n in tally.counts.items()}
    return manifest.replace(
        state, unreadable={**state.unreadable, **counts}, samples={**tally.samples, **state.samples}
    )
