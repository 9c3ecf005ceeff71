"""Reports on ever more tasks by each engine: time, processor time and memory, and what more workers would take.

    python -m benchmarks.scale [--sizes 1000000,10000000] [--reports durations,failures,workers] [--engines ...]

Any report of the registry; each is a process of its own. Engines: pandas, duckdb:1GB (with so much memory), spark[2]
(with so many cores of this machine; SPARK_DRIVER_MEMORY gives it more than 1 GB).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import many
from benchmarks.measure import ROOT

ENGINES = ("pandas", "duckdb:1GB", "duckdb:2GB", "spark[1]", "spark[2]")
REPORTS = ("durations", "failures", "workers")
HEADS = ("tasks", "report", "engine", "seconds", "CPU s", "MB in all", "session s", "plain SQL, CPU s", "MB shuffled")
WORKERS = (1, 2, 4, 8, 16)


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("scale", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[10**6, 10**7])
    parser.add_argument("--reports", type=lambda text: text.split(","), default=list(REPORTS))
    parser.add_argument("--engines", type=lambda text: text.split(","), default=list(ENGINES))
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {load:.1f} before it began\n")
    print(f"| {' | '.join(HEADS)} |\n|---:|---|---|{'---:|' * (len(HEADS) - 3)}")
    measured: dict[tuple[str, int], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            began = time.process_time()
            file = many.in_a_file(Path(folder), size)
            print(f"{size:,} tasks made: {time.process_time() - began:.0f} CPU s", file=sys.stderr)
            for report in options.reports:
                for engine in options.engines:
                    result = run(file, engine, report)
                    print(_row(size, report, engine, result), flush=True)
                    if result is not None and engine.startswith("spark"):
                        measured.setdefault((report, size), result)
            file.unlink()
    print(_model(measured))


def run(file: Path, engine: str, report: str) -> dict[str, Any] | None:
    """Return what the case says of itself; None where it failed, its words on our stderr."""
    name, _, memory = engine.partition(":")
    command = [sys.executable, "-m", "benchmarks.cases.scale", str(file), name, report]
    environment = os.environ | ({"MLTASKS_MEMORY": memory} if memory else {})
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if ran.returncode:
        return None
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def _row(size: int, report: str, engine: str, result: dict[str, Any] | None) -> str:
    cells = [f"{size:,}", report, engine]
    if result is None:
        return f"| {' | '.join([*cells, 'failed'])} {'| ' * (len(HEADS) - 4)}|"
    cells += [f"{result['seconds']:.1f}", f"{result['cpu']:.1f}", f"{result['peak']:,.0f}"]
    if "session_s" in result:
        plain = f"{result['plain_cpu']:.1f}" if report == "durations" else ""
        cells += [f"{result['session_s']:.1f}", plain, f"{result['shuffled'] / 1e6:,.1f}"]
    else:
        cells += ["", "", ""]
    return f"| {' | '.join(cells)} |"


def _model(measured: dict[tuple[str, int], dict[str, Any]]) -> str:
    """Return what N workers of a core would take for the largest size, from processor times of the least and that one.

    seconds = fixed + tasks / (rate * N): the fixed part, and the rate in tasks per second of a core, are those of the
    line through both sizes, on the first of Spark's engines that is asked for. It takes for granted that every worker
    reads as fast as this machine does, that the work is spread evenly, and that what is shuffled travels in no time.
    """
    lines = ["", f"| report | fixed CPU s | tasks/s a core | {' | '.join(f'{n} workers, s' for n in WORKERS)} |"]
    lines.append(f"|---|---:|---:|{'---:|' * len(WORKERS)}")
    for report in dict.fromkeys(report for report, _ in measured):
        sizes = sorted(size for name, size in measured if name == report)
        if len(sizes) < 2:
            continue
        first, last = (measured[report, size]["cpu"] for size in (sizes[0], sizes[-1]))
        rate = (sizes[-1] - sizes[0]) / (last - first)
        fixed = max(0.0, first - sizes[0] / rate)
        cells = [f"{fixed + sizes[-1] / rate / n:.1f}" for n in WORKERS]
        lines.append(f"| {report} | {fixed:.1f} | {rate:,.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
