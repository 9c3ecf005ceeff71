"""Reports on more tasks than fit in memory, in a file a month as a store has them: seconds, and memory in all.

    python -m benchmarks.large [--size 20000000] [--reports durations,workers]

Each report is a process of its own, with the memory that reports take unless told otherwise (MLTASKS_MEMORY).
"""

from __future__ import annotations

import argparse
import os
import pickle
import platform
import tempfile
from pathlib import Path

from benchmarks import many
from benchmarks.cases.large import REPORTS
from benchmarks.measure import Case


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("large", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000_000)
    parser.add_argument("--reports", type=lambda text: text.split(","), default=list(REPORTS))
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder, "tasks.pickle")
        known.write_bytes(pickle.dumps(many.by_month(Path(folder), options.size)))
        print("| report | seconds | CPU s | MB in all | rows |\n|---|---:|---:|---:|---:|")
        for name in options.reports:
            found = Case(name, "large", arguments=(name,)).run(str(known))
            numbers = [f"{found['seconds']:.1f}", f"{found['cpu']:.0f}", f"{found['peak']:,.0f}", f"{found['rows']:,}"]
            print(f"| {' | '.join([name, *numbers])} |", flush=True)


if __name__ == "__main__":
    main()
