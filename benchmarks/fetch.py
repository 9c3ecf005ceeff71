"""Reading all tasks of a real server: `mltasks fetch` and `load` beside the limit, and beside other tools.

    make bench                                      all of it: some 20 minutes, on a quiet machine
    make bench OPTIONS='--sizes 200000'             the smaller size only
    make bench OPTIONS='--without-peers'            the limit and our own
    make bench OPTIONS='--url http://host:9200'     a server as it is: nothing is started, nothing is filled

It starts an OpenSearch with ML Commons (as the tests do), lets it record some real tasks, and fills it with tasks
shaped like real ones. The cases, one process each, in turn, A B C A B C ...:

- limit: pages of 5000 along `_seq_no` from the task endpoint, received and thrown away
- mltasks fetch: to a Parquet file; mltasks.load: to pandas
- peers, each in an environment of its own, made on the first run under /var/tmp/mltasks-bench
  (MLTASKS_BENCH_CACHE): opensearchpy.helpers.scan + pandas.json_normalize, awswrangler's opensearch.search,
  opensearch-py-ml's opensearch_to_pandas. They know no paging on the endpoint and read the index itself, which
  only a server without the security plugin allows; a page of the index costs the server less than one of the endpoint.

Seconds are the shortest of all turns, imports and the start of the process left out; spread is how much longer the
longest took; memory is the peak beside that of the imports. rows, ids (distinct) and content (the beginning of a
SHA-256 over id, state, times, error and nodes) say whether a tool read everything, and the same.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator

from benchmarks import environments, measure
from benchmarks.filling import fill
from benchmarks.measure import Case
from live import made_up, workload
from live.server import Server

SIZES = (200_000, 1_000_000)
WARM_UP = 4  # turns that are thrown away at first: the server's first pages are several times slower
LIMIT, FETCH, LOAD = Case("limit", "limit"), Case("mltasks fetch", "fetch"), Case("mltasks.load", "load")
AGAINST = {LIMIT.name: "x limit", FETCH.name: "x fetch", LOAD.name: "x load"}
SLOW_FROM = 500_000  # tasks; a slow peer takes over a minute there, and comes only with --all-peers


def peers(size: int, every: bool) -> Iterator[Case]:
    """Yield the peers that are measured at a size."""
    yield Case("scan + json_normalize", "scan", environments.python("scan", ["opensearch-py", "pandas"]))
    yield Case("awswrangler", "awswrangler", environments.python("awswrangler", ["awswrangler[opensearch]"]))
    if every or size < SLOW_FROM:
        python = environments.python("opensearch-py-ml", ["opensearch-py-ml"])
        yield Case("opensearch-py-ml", "opensearch_py_ml", python, slow=True)


def compare(server: Server, size: int, options: argparse.Namespace, warm_up: int) -> None:
    """Measure with the `size` tasks that a server holds now, and print the table."""
    cases = [LIMIT, FETCH, LOAD]
    if not options.without_peers:
        cases += peers(size, options.all_peers)
    for case in cases[:4] * warm_up:  # the endpoint's pages, and with a peer the index's
        case.run(server.url)
    found = measure.interleaved(cases, server.url, options.repeats)
    print(f"\n## {size:,} tasks on OpenSearch {server.version}\n\n{measure.table(found, AGAINST)}\n")
    print(measure.versions(found), flush=True)


def filled(server: Server, sizes: list[int]) -> Iterator[int]:
    """Fill a new server up to each size; yields the number of tasks that it then holds."""
    count = sum(workload.make_all(server).values())
    for size in sorted(sizes):
        fill(server, size - count)
        count = size
        yield count


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("fetch", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[*SIZES])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--all-peers", action="store_true")
    parser.add_argument("--url")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}")
    if options.url:
        server = Server.running(options.url)
        size = server.ask("GET", f"/{made_up.TASKS}/_count")["count"]
        compare(server, size, options, WARM_UP)
        return
    with Server.start() as server:
        for turn, size in enumerate(filled(server, options.sizes)):
            compare(server, size, options, 0 if turn else WARM_UP)


if __name__ == "__main__":
    main()
