"""Following a real server: `mltasks sync` where nothing, or 2000 tasks have changed, beside reading everything again.

    make bench-sync                                    a million tasks: some 10 minutes, on a quiet machine
    make bench-sync OPTIONS='--size 200000'            fewer

The cases, one process each, in turn, each turn with changes of its own:

- one request: the newest 50 tasks and the count, which is the least that a sync has to ask
- no change: a sync after which nothing was written
- 2000 changes, late: 1000 new tasks and updates of 1000 among the newest 20 000, as on a cluster at work
- 2000 changes, anywhere: the updates are spread over all tasks, so that every file of the store changes
- mltasks fetch: reading everything again, which is what there is without a store

The made-up tasks lie within two weeks: the store has few folders, and one of them nearly all tasks. Columns as in
benchmarks.fetch; content is that of the last turn, and the same for the store and for the file fetched after it.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks import measure
from benchmarks.filling import fill
from benchmarks.measure import Case
from live import made_up, workload
from live.server import Server

HALF = 1000  # of the changes: as many new tasks as updates
LATE = 20_000  # tasks, of which some are updated
FETCH, REQUEST = "mltasks fetch", "one request"


def change(server: Server, ids: Sequence[str], chance: random.Random) -> None:
    """Write new tasks, created now, and update some of `ids`."""
    now = time.time_ns() // 1_000_000
    lines: list[object] = []
    for task_id in chance.sample(ids, HALF):
        lines += [{"update": {"_id": task_id}}, {"doc": {"state": "FAILED", "last_update_time": now}}]
    for task_id, task in islice(made_up.documents(chance.randrange(2**32)), HALF):
        spent = task["last_update_time"] - task["create_time"]
        lines += [{"index": {"_id": task_id}}, {**task, "create_time": now, "last_update_time": now + spent}]
    server.bulk(made_up.TASKS, lines)


def cases(server: Server, ids: Sequence[str], store: Path) -> list[Case]:
    """Return the cases for a server with `ids` on it, and a store that has followed it."""
    chance = random.Random(5)
    sync = Case("no change", "sync", arguments=(str(store),), moving=True)
    return [
        Case(REQUEST, "request", moving=True),
        replace(sync, name="2000 changes, late", before=lambda: change(server, ids[-LATE:], chance)),
        replace(sync, name="2000 changes, anywhere", before=lambda: change(server, ids, chance)),
        sync,
        Case(FETCH, "fetch", moving=True),
    ]


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("sync", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}")
    with Server.start() as server, tempfile.TemporaryDirectory() as folder:
        real = sum(workload.make_all(server).values())
        ids = fill(server, options.size - real)
        store = Path(folder, "store")
        first = Case("first sync", "sync", arguments=(str(store),)).run(server.url)
        print(f"first sync: {first['seconds']:.2f} s, {first['rows']:,} rows\n")
        found = measure.interleaved(cases(server, ids, store), server.url, options.repeats)
        print(measure.table(found, {REQUEST: "x request", FETCH: "x fetch"}))


if __name__ == "__main__":
    main()
