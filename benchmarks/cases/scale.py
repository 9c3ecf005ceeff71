"""One report on one file by one engine: FILE ENGINE REPORT; the time and memory of Java are Spark's.

ENGINE is `pandas`, `duckdb`, the cores that Spark has on this machine, as in `spark[2]`, or the URL of a cluster's
master, whose executors are not counted in `cpu` and `peak`, but in `stages`.
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
        _read_stages(session)  # those of the plain SQL
    began, worked = time.perf_counter(), cpu_seconds()
    table = REPORTS[report].function()(_tasks(file, engine, session))
    result |= {"seconds": time.perf_counter() - began, "cpu": cpu_seconds() - worked, "rows": len(table)}
    if session is not None:
        result["stages"] = _read_stages(session)
        began = time.perf_counter()
        REPORTS[report].function()(_tasks(file, engine, session))
        result |= {"warm_s": time.perf_counter() - began, "warm_stages": _read_stages(session)}
    print(json.dumps(result | {"peak": sum(_status(process, "VmHWM") for process in _processes()) / 1024}))


def _open(engine: str) -> Any:
    from mltasks.engines import spark_session

    master = engine if engine.startswith("spark://") else engine.replace("spark", "local")
    return spark_session.open_session(None, {"master": master})


def _tasks(file: str, engine: str, session: Any) -> Any:
    if session is not None:
        return mltasks.scan(file, engine="spark", session=session)
    return mltasks.load(file) if engine == "pandas" else mltasks.scan(file)


def _read_stages(session: Any) -> list[dict[str, float]]:
    """Return what is known of each stage that ran since the last call: tasks of Spark's own are called parts here."""
    context = session.sparkContext
    store, gateway = context._jsc.sc().statusStore(), context._gateway
    defaults = False, False, gateway.new_array(gateway.jvm.double, 0), gateway.jvm.java.util.ArrayList()
    seen = vars(session).setdefault("_stages_seen", set())
    stages = store.stageList(None, *defaults).iterator()
    found = []
    while stages.hasNext():
        stage = stages.next()
        if stage.stageId() in seen or stage.status().toString() != "COMPLETE":
            continue
        seen.add(stage.stageId())
        parts = store.taskList(stage.stageId(), stage.attemptId(), stage.numTasks()).iterator()
        took = []
        while parts.hasNext():
            took.append(parts.next().duration().get() / 1000)
        found.append(
            {
                "rows": stage.inputRecords(),
                "shuffled": stage.shuffleWriteBytes(),
                "work_s": sum(took),
                "longest_s": max(took, default=0.0),
            }
        )
    return found


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
