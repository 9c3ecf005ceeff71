"""Reports on ever more tasks by each engine: time, processor time and memory, and what more workers would take.

    PYTHONPATH=tests python -m benchmarks.scale [--sizes 1000000,10000000] [--reports durations,workers] [--engines ...]

Any report of the registry; each is a process of its own. Engines: pandas, duckdb:1GB (with so much memory), spark[2]
(with so many cores of this machine; SPARK_DRIVER_MEMORY gives it more than 1 GB), cluster[2] (a standalone cluster on
loopback of so many workers, of one core and 1 GB each).
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

import pyspark

from benchmarks import many, workers_model
from benchmarks.measure import ROOT
from spark import servers

ENGINES = ("pandas", "duckdb:1GB", "duckdb:2GB", "spark[2]", "cluster[1]", "cluster[2]")
REPORTS = ("durations", "failures", "workers")
HEADS = ("tasks", "report", "engine", "seconds", "CPU s", "MB in all", "session s", "plain SQL, CPU s", "MB shuffled")
ON_LOOPBACK = {
    "SPARK_HOME": str(Path(pyspark.__file__).parent),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "SPARK_PUBLIC_DNS": "127.0.0.1",
    "SPARK_DAEMON_MEMORY": "256m",
    "PYSPARK_PYTHON": sys.executable,
}


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
    measured: dict[tuple[str, int], dict[str, Any]] = {}  # by report and size, then by engine
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            began = time.process_time()
            file = many.in_a_file(Path(folder), size)
            print(f"{size:,} tasks made: {time.process_time() - began:.0f} CPU s", file=sys.stderr)
            for report in options.reports:
                for engine in options.engines:
                    result = run(file, engine, report)
                    print(_row(size, report, engine, result), flush=True)
                    if result is not None:
                        measured.setdefault((report, size), {})[engine] = result
            file.unlink()
    print(workers_model.describe(measured))


def run(file: Path, engine: str, report: str) -> dict[str, Any] | None:
    """Return what the case says of itself; None where it failed, its words on our stderr."""
    name, _, memory = engine.partition(":")
    if name.startswith("cluster"):
        with tempfile.TemporaryDirectory() as folder:
            own = ON_LOOPBACK | {"SPARK_LOCAL_DIRS": folder}
            with servers.cluster(own, Path(folder), int(name[len("cluster[") : -1])) as url:
                return _run_case(file, url, report, own)
    return _run_case(file, name, report, {"MLTASKS_MEMORY": memory} if memory else {})


def _run_case(file: Path, engine: str, report: str, environment: dict[str, str]) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "benchmarks.cases.scale", str(file), engine, report]
    ran = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, env=os.environ | environment
    )
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
        cells += [
            f"{result['session_s']:.1f}",
            plain,
            f"{sum(stage['shuffled'] for stage in result['stages']) / 1e6:,.1f}",
        ]
    else:
        cells += ["", "", ""]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
