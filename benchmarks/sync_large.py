"""A sync of twenty changes into a store of twenty million tasks in 36 months: seconds, and MB read and written.

    python -m benchmarks.sync_large [--size 20000000]

The store is made without a cluster; the syncs go to an index in memory that has the newest tasks only. Each sync is
a process of its own, measured after its imports; MB read are those of all files, also from the system's cache.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import mltasks
from benchmarks import many
from mltasks.engines.data_files import GONE
from mltasks.store import id_index, manifest
from mltasks.store.layout import FULL, StoreLayout
from mltasks.store.manifest import Fingerprint, Snapshot, StoredFile
from mltasks.store.paths import partition
from mltasks.store.transaction import open_transaction
from mltasks.store.upsert import ENDED
from mltasks.tasks import arrow_schema
from mltasks.tasks.metadata import ClusterInfo
from support.documents import TRAINING
from support.fake_cluster import FakeCluster, fake_cluster

NAME = "made-up"
MONTHS = 36
LATE = 10_000  # tasks that the index in memory has
CHANGES = 20
MONTH_MS = 20 * 86_400_000  # of each month, in which the tasks are created


def make_store(folder: Path, size: int, now_ms: int) -> list[tuple[str, int]]:
    """Make a store of so many tasks as syncs leave it; return id and time of creation of one finished task a month.

    Each month has full files, one after the other in time, and one with the open tasks; each file has an index of ids
    of its own. To save time, only the first file of a month has content of its own: a sync never opens the others, but
    for their indices.
    """
    rows = next(many._blocks(many._shapes(), 500_000)).cast(arrow_schema.STORED_SCHEMA).drop_columns("cluster")
    rows = rows.append_column(GONE, pa.nulls(rows.num_rows, GONE.type))
    is_open = pc.invert(pc.is_in(rows["state"], value_set=ENDED))
    done, unfinished = rows.filter(pc.invert(is_open)).slice(0, FULL), rows.filter(is_open)
    month = size // MONTHS
    unfinished = unfinished.slice(0, month * unfinished.num_rows // rows.num_rows)
    chance = np.random.default_rng(5)
    files: list[StoredFile] = []
    samples: list[tuple[str, int]] = []
    with open_transaction(folder) as transaction:
        layout = transaction.layout
        for number in range(MONTHS):
            begin = pd.Timestamp(now_ms, unit="ms", tz="UTC").normalize().replace(day=1) - pd.DateOffset(months=number)
            where, begin_ms = partition(NAME, f"{begin:%Y-%m}"), int(begin.timestamp() * 1000)
            opened = layout.write(where, _moved(unfinished, begin_ms, MONTH_MS, chance), 0)
            count = -(-(month - opened.rows) // FULL)
            span_ms = MONTH_MS // count
            first = layout.write(where, _moved(done, begin_ms, span_ms, chance), 0)
            samples.append(_sample(layout, first))
            files += [first, opened]
            for place in range(1, count):
                path, later = f"{where}/{secrets.token_hex(8)}.pq", place * span_ms
                times = {"first_ms": begin_ms + later, "last_ms": begin_ms + later + span_ms}
                copy = msgspec.structs.replace(first, path=path, **times)
                os.link(layout.data_path(first), layout.data_path(copy))
                hashes = chance.integers(0, 2**64, FULL, np.uint64)
                layout.data_path(copy).with_suffix(".ids").write_bytes(id_index.build(hashes))
                files.append(copy)
        snapshot = Snapshot(
            files=tuple(files),
            cursor=size,
            total=size,
            fingerprints=(Fingerprint("late-0", size, 1),),
            reading=ClusterInfo(cluster=NAME, as_of_ms=now_ms),
        )
        transaction.commit(NAME, snapshot)
    return samples


def _moved(rows: pa.Table, begin_ms: int, span_ms: int, chance: np.random.Generator) -> pa.Table:
    """Return tasks as those of another time, with ids of their own."""
    times = np.sort(begin_ms + chance.integers(0, span_ms, rows.num_rows))
    new = {
        "task_id": many._ids(chance, rows.num_rows),
        "create_time": pa.array(times).cast(many.TIME),
        "last_update_time": pa.array(times + 9000).cast(many.TIME),
    }
    return pa.table({name: new.get(name, rows[name]) for name in rows.column_names})


def _sample(layout: StoreLayout, file: StoredFile) -> tuple[str, int]:
    """Return id and time of creation of a task in a file."""
    rows = layout.read_columns(file, ["task_id", "create_time"]).slice(file.rows // 2, 1)
    return rows["task_id"][0].as_py(), rows["create_time"].cast(pa.int64())[0].as_py()


def measure(url: str, folder: str) -> dict[str, Any]:
    """Sync once; what it took, and what it did."""
    cluster = mltasks.Cluster(url, name=NAME)
    before, begun, spent = _io(), time.perf_counter(), time.process_time()
    result = mltasks.Store(folder).sync(cluster, mltasks.Access(progress=False))
    seconds, cpu, after = time.perf_counter() - begun, time.process_time() - spent, _io()
    cluster.close()
    return {
        "seconds": seconds,
        "cpu": cpu,
        "read": (after["rchar"] - before["rchar"]) / 1e6,
        "written": (after["wchar"] - before["wchar"]) / 1e6,
        "new": result.new,
        "updated": result.updated,
    }


def _io() -> dict[str, int]:
    lines = Path("/proc/self/io").read_text().splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("sync_large", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000_000)
    size = parser.parse_args().size
    now_ms = time.time_ns() // 1_000_000
    with tempfile.TemporaryDirectory() as folder, fake_cluster(unseen=size) as cluster:
        store = Path(folder, "store")
        samples = make_store(store, size, now_ms)
        for n in range(LATE):
            _write(cluster, f"late-{n}", now_ms - (LATE - n) * 50, "RUNNING" if n > LATE - 100 else "COMPLETED")
        current = manifest.read(store)
        assert current is not None
        files = current.snapshots()[NAME].files
        data, rows = sum(file.bytes for file in files) / 1e9, sum(file.rows for file in files)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}")
        print(f"{rows:,} tasks, {len(files)} files, {data:.1f} GB")
        print("| sync | seconds | CPU s | MB read | MB written | new | updated |\n|---|---:|---:|---:|---:|---:|---:|")
        _run("10,000 new tasks", cluster.url, store)
        _run("nothing new", cluster.url, store)
        for turn in range(3):
            for n in range(CHANGES // 2):
                _write(cluster, f"new-{turn}-{n}", now_ms + n, "RUNNING")
                _write(cluster, f"late-{LATE - 1 - 10 * turn - n}", now_ms - n * 50, "COMPLETED")
            _run("20 changes: new tasks, and late ones that end", cluster.url, store)
        cluster.unseen -= len(samples[:CHANGES])  # from now on the index in memory has them
        for times in ("", ", once more"):
            for task_id, created in samples[:CHANGES]:
                _write(cluster, task_id, created, "FAILED")
            _run(f"20 changes: finished tasks of as many months{times}", cluster.url, store)


def _write(cluster: FakeCluster, task_id: str, created: int, state: str) -> None:
    cluster.write(task_id, **{**TRAINING, "state": state, "create_time": created, "last_update_time": created + 9})


def _run(name: str, url: str, store: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_warm_up).result()
        found = pool.submit(measure, url, str(store)).result()
    numbers = [f"{found['seconds']:.2f}", f"{found['cpu']:.2f}", f"{found['read']:.1f}", f"{found['written']:.1f}"]
    print(f"| {' | '.join([name, *numbers, str(found['new']), str(found['updated'])])} |", flush=True)


def _warm_up() -> None:
    """Import what the first sync does, and open a connection."""
    with tempfile.TemporaryDirectory() as folder, fake_cluster() as cluster:
        cluster.write("task", **TRAINING)
        mltasks.Store(Path(folder, "store")).sync(cluster.url, mltasks.Access(progress=False))


if __name__ == "__main__":
    main()
