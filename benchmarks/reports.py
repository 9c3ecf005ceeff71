"""The reports beside hand-written pandas for the same numbers (by_hand.py), on pandas and on DuckDB.

    python -m benchmarks.reports [--sizes 1000000,5000000] [--repeats 5] [--reports durations,workers]

The tasks are the captured ones at times of their own (many.py), in a file in the system's temporary folder. Each case
is a process of its own, ours and by hand in turn; where the numbers are not the same, it stops with an error.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks import by_hand, many, measure
from benchmarks.measure import Case

SIZES = (1_000_000, 5_000_000)
ENGINES = {"pandas": "pandas", "duckdb": "DuckDB, from the file"}
HEAD = ["report", "engine", "by hand s", "ours s", "x faster", "x less CPU", "rows/s", "by hand MB", "ours MB"]


def compare(path: Path, size: int, name: str, engine: str, repeats: int) -> list[str]:
    """Return the line of a report; AssertionError where the numbers are not the same."""
    cases = [Case(f"{name}, {engine}, {who}", "report", arguments=(name, engine, who)) for who in ("hand", "ours")]
    hand, ours = measure.interleaved(cases, str(path), repeats)
    same(*(pd.DataFrame(found.runs[-1]["rows"]) for found in (hand, ours)))
    seconds, spent = ([found.least(what) for found in (hand, ours)] for what in ("seconds", "cpu"))
    memory = [found.least("peak") - (found.least("imports") if engine == "duckdb" else 0) for found in (hand, ours)]
    return [
        name,
        ENGINES[engine],
        *(f"{each:.2f}" for each in seconds),
        f"{seconds[0] / seconds[1]:.2f}",
        f"{spent[0] / spent[1]:.2f}",
        f"{size / seconds[1]:,.0f}",
        *(f"{each:,.0f}" for each in memory),
    ]


def same(hand: pd.DataFrame, ours: pd.DataFrame) -> None:
    """Raise AssertionError where two tables differ in what both should have."""
    keys = [name for name in (*by_hand.KEYS, "worker_node", "period") if name in hand]
    one, other = (table[hand.columns].sort_values(keys, ignore_index=True) for table in (hand, ours))
    pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-9)


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("reports", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[*SIZES])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--reports", type=lambda text: text.split(","), default=list(by_hand.REPORTS))
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            path = many.in_a_file(Path(folder), size)
            print(f"\n## {size:,} tasks\n\n| {' | '.join(HEAD)} |\n|---|---|{'---:|' * (len(HEAD) - 2)}", flush=True)
            for name in options.reports:
                for engine in ENGINES:
                    print(f"| {' | '.join(compare(path, size, name, engine, options.repeats))} |", flush=True)


if __name__ == "__main__":
    main()
