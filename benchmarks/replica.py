"""Five hundred walks and two hundred reconciles over a cluster of two nodes, whose copies refresh each at its own time.

    PYTHONPATH=tests python -m benchmarks.replica [--walks 500] [--reconciles 200] [--at-once 4]

Tasks are updated all the while, some 25 a second where nothing else runs, every second one without an immediate
refresh. What came of it stands in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mltasks
from live.made_up import fill
from live.test_replica import missing_and_twice
from live.two_nodes import TwoNodes
from live.updater import Updater
from mltasks.opensearch.client import Cluster

TASKS, RATE, THREADS = 1500, 60, 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walks", type=int, default=500)
    parser.add_argument("--reconciles", type=int, default=200)
    parser.add_argument(
        "--at-once", type=int, default=4, help="walks at a time; fewer leave more of the machine to the updates"
    )
    options = parser.parse_args()
    with TwoNodes() as two_nodes, tempfile.TemporaryDirectory() as folder:
        two_nodes.make_index()
        ids = fill(two_nodes.nodes[0], TASKS, seed=41)
        begun = time.monotonic()
        with (
            Updater(two_nodes.nodes, ids, RATE, each=THREADS) as updater,
            ThreadPoolExecutor(options.at_once + 1) as pool,
        ):
            walks = [pool.submit(missing_and_twice, two_nodes, ids, number) for number in range(options.walks)]
            marked = pool.submit(reconcile, two_nodes, Path(folder) / "store", options.reconciles).result()
            lacking = [walk.result() for walk in walks]
            rate = updater.updates / (time.monotonic() - begun)
    print(f"{rate:.0f} updates a second, {time.monotonic() - begun:.0f} s")
    print(f"{len(lacking)} walks: {sum(bool(missing) for missing, _ in lacking)} with missing tasks,")
    print(f"  {sum(bool(twice) for _, twice in lacking)} with a write twice")
    print(f"{options.reconciles} reconciles: {marked} tasks marked as gone")


def reconcile(two_nodes: TwoNodes, store: Path, times: int) -> int:
    """Sync and reconcile so often, and return how many tasks were marked as gone."""
    cluster = Cluster(two_nodes.nodes[0].url, name="pair")
    marked = sum(mltasks.Store(store).sync(cluster, reconcile=True).gone for _ in range(times))
    cluster.close()
    return marked


if __name__ == "__main__":
    main()
