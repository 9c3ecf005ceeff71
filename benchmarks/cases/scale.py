"""One report on one file by one engine: FILE ENGINE REPORT; the time and memory of Java are Spark's.

ENGINE is `pandas`, `duckdb`, or the cores that Spark has on this machine, as in `spark[2]`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import mltasks
from mltasks.reports.registry import REPORTS

TICKS = os.sysconf("SC_CLK_TCK")
PLAIN = """
SELECT task_type, function_name, count(1), percentile(seconds, array(0.5D, 0.9D, 0.95D, 0.99D)), avg(seconds),
  max(seconds), count_if(state IN ('FAILED', 'EXPIRED', 'UNREACHABLE'))
FROM (SELECT *, CASE WHEN state IN ('COMPLETED', 'COMPLETED_WITH_ERROR')
  THEN (unix_millis(last_update_time) - unix_millis(create_time)) / 1000D END AS seconds FROM parquet.`{file}`)
GROUP BY task_type, function_name"""  # what one would write for the numbers of `durations`


def main(file: str, engine: str, report: str) -> None:
    """Measure, and print one line of JSON."""
    result: dict[str, Any] = {}
    session = None
    if engine.startswith("spark"):
        began, worked = time.perf_counter(), cpu_seconds()
        session = _open(engine)
        result |= {"session_s": time.perf_counter() - began, "session_cpu": cpu_seconds() - worked}
        began, worked = time.perf_counter(), cpu_seconds()
        session.sql(PLAIN.format(file=file)).toArrow()
        result |= {"plain_s": time.perf_counter() - began, "plain_cpu": cpu_seconds() - worked}
        before = _executor(session)
    began, worked = time.perf_counter(), cpu_seconds()
    table = REPORTS[report].function()(_tasks(file, engine, session))
    result |= {"seconds": time.perf_counter() - began, "cpu": cpu_seconds() - worked, "rows": len(table)}
    if session is not None:
        result |= {name: value - before[name] for name, value in _executor(session).items()}
    print(json.dumps(result | {"peak": sum(_status(process, "VmHWM") for process in _processes()) / 1024}))


def _open(engine: str) -> Any:
    from mltasks.engines import spark_session

    return spark_session.open_session(None, {"master": engine.replace("spark", "local")})


def _tasks(file: str, engine: str, session: Any) -> Any:
    if session is not None:
        return mltasks.scan(file, engine="spark", session=session)
    return mltasks.load(file) if engine == "pandas" else mltasks.scan(file)


def _executor(session: Any) -> dict[str, float]:
    """Return the seconds that tasks took in all so far, and the bytes that they wrote for each other."""
    summary = session.sparkContext._jsc.sc().statusStore().executorList(True).head()
    return {"task_s": summary.totalDuration() / 1000, "shuffled": summary.totalShuffleWrite()}


def _processes() -> list[int]:
    """Return this process, and Java's."""
    parents = {int(path.name): _status(int(path.name), "PPid") for path in Path("/proc").glob("[0-9]*")}
    found = [os.getpid()]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def _status(process: int, name: str) -> int:
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:  # it has ended meanwhile
        return 0
    values = re.findall(rf"{name}:\s+(\d+)", text)
    return int(values[0]) if values else 0


def cpu_seconds() -> float:
    """Return the seconds of a processor that this process and Java have used."""
    ticks = 0
    for process in _processes():
        path = Path(f"/proc/{process}/stat")
        if path.exists():
            ticks += sum(map(int, path.read_text().rpartition(")")[2].split()[11:13]))
    return ticks / TICKS


if __name__ == "__main__":
    main(*sys.argv[1:])
