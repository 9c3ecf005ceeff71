"""What a report adds to plain Spark SQL for the same numbers, both in one session that is warm.

    python -m benchmarks.overhead [--size 1000000 | --source FILE] [--reports durations,failures] [--master local[2]]
        [--turns 2]

Plain SQL is what one would write by hand in a notebook: counts, percentiles, windows, without what a report does for
every input (times that cannot be, tasks of several nodes, intervals, runs, notes). Seconds are the least of the turns.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import mltasks
from benchmarks import many
from benchmarks.cases.scale import cpu_seconds
from mltasks.engines import spark_session
from mltasks.reports.registry import REPORTS

GROUP = "GROUP BY task_type, function_name"
FAILED = "state IN ('FAILED', 'EXPIRED', 'UNREACHABLE')"
COMPLETED = "state IN ('COMPLETED', 'COMPLETED_WITH_ERROR')"
OPEN = "state IN ('CREATED', 'RUNNING', 'CANCELLING')"
SECONDS = f"CASE WHEN {COMPLETED} THEN (unix_millis(last_update_time) - unix_millis(create_time)) / 1000D END"
COUNTS = f"count(1), count_if({COMPLETED}), count_if({FAILED}), count_if({OPEN})"
EVENTS = """(SELECT {key} AS key, instant, sum(step) AS step FROM (
  SELECT {key}, stack(2, unix_millis(create_time), 1, unix_millis(last_update_time), -1) AS (instant, step) FROM {rows})
  GROUP BY 1, 2)"""
PEAK = "SELECT key, max(level) FROM (SELECT key, sum(step) OVER (PARTITION BY key ORDER BY instant) AS level FROM {e})"
BY_NODE = "(SELECT *, explode(worker_node) AS node FROM tasks)"
BY_DAY = "(SELECT *, date_trunc('DAY', create_time) AS day FROM tasks)"
DURATIONS = f"""SELECT task_type, function_name, {COUNTS}, percentile(s, array(0.5D, 0.9D, 0.95D, 0.99D)),
  avg(s), max(s) FROM (SELECT *, {SECONDS} AS s FROM tasks) {GROUP}"""
FAILURES = (
    f"""SELECT task_type, function_name, {COUNTS}, max(CASE WHEN {COMPLETED} THEN last_update_time END)
  FROM tasks {GROUP}""",
    f"""SELECT task_type, function_name, count(1), min(create_time) FROM tasks JOIN (
  SELECT task_type AS t, function_name AS f, max(CASE WHEN {COMPLETED} THEN create_time END) AS last FROM tasks {GROUP})
  ON task_type <=> t AND function_name <=> f WHERE {FAILED} AND (last IS NULL OR create_time > last) {GROUP}""",
)
ERRORS = f"""SELECT task_type, error, count(1), min(create_time), max(create_time), max_by(task_id, create_time)
  FROM tasks WHERE {FAILED} GROUP BY task_type, error"""
UNFINISHED = (
    f"SELECT task_type, function_name, percentile(s, 0.99D) FROM (SELECT *, {SECONDS} AS s FROM tasks) {GROUP}",
    f"SELECT task_id, task_type, function_name, state, create_time, last_update_time FROM tasks WHERE {OPEN}",
)
MODELS = f"""SELECT model_id, count_if(task_type = 'DEPLOY_MODEL'), {COUNTS}, max_by(state, create_time),
  max(CASE WHEN {COMPLETED} THEN last_update_time END) FROM tasks WHERE model_id IS NOT NULL GROUP BY model_id"""
COMPARE = f"""SELECT task_type, function_name, create_time < timestamp'{{split}}', {COUNTS},
  percentile(s, array(0.5D, 0.95D)) FROM (SELECT *, {SECONDS} AS s FROM tasks) {GROUP}, 3"""
PLAIN: dict[str, tuple[str, ...]] = {
    "durations": (DURATIONS,),
    "failures": FAILURES,
    "workers": (
        f"""SELECT node, {COUNTS}, sum(unix_millis(last_update_time) - unix_millis(create_time))
  FROM {BY_NODE} GROUP BY node""",
        PEAK.format(e=EVENTS.format(key="node", rows=BY_NODE)) + " GROUP BY key",
    ),
    "errors": (ERRORS,),
    "timeline": (
        f"SELECT day, {COUNTS} FROM {BY_DAY} GROUP BY day",
        f"SELECT date_trunc('DAY', last_update_time), {COUNTS} FROM tasks GROUP BY 1",
        PEAK.format(e=EVENTS.format(key="day", rows=BY_DAY)) + " GROUP BY key",
    ),
    "unfinished": UNFINISHED,
    "models": (MODELS,),
    "compare": (COMPARE,),
    "highlights": (*FAILURES, ERRORS, *UNFINISHED, MODELS, COMPARE),
}


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser("overhead", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=10**6)
    parser.add_argument("--source", help="tasks to measure on, as mltasks.load takes them, instead of made-up ones")
    parser.add_argument("--reports", type=lambda text: text.split(","), default=list(PLAIN))
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    what = options.source or f"{options.size:,} tasks"
    print(f"{what}, {options.master}, load average {os.getloadavg()[0]:.1f} before it began\n")
    print("| report | plain SQL: CPU s | seconds | report: CPU s | seconds | adds, CPU s | collects |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        if options.source:
            file = Path(folder, "tasks.parquet")
            mltasks.write_parquet(mltasks.load(options.source), file)
        else:
            file = many.in_a_file(Path(folder), options.size)
        session = spark_session.open_session(None, {"master": options.master})
        session.read.parquet(str(file)).createOrReplaceTempView("tasks")
        collects = _count_collects(session)
        for name in options.reports:
            print(_measure(session, file, name, options.turns, collects), flush=True)
        session.stop()


def _measure(session: Any, file: Path, name: str, turns: int, collects: list[int]) -> str:
    """Return a row: the first turn warms up, and does not count."""
    created = pq.read_table(file, columns=["create_time"])["create_time"]
    middle = pc.quantile(created.cast(pa.int64()), 0.5, interpolation="nearest")[0].as_py() / 1000
    split = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(middle))
    arguments = {"split": split} if name == "compare" else {}

    def plain() -> None:
        for statement in PLAIN[name]:
            session.sql(statement.replace("{split}", split)).toArrow()

    def report() -> None:
        collects[0] = 0
        REPORTS[name].function()(mltasks.scan(file, engine="spark", session=session), **arguments)

    plain_times, report_times = [], []
    for turn in range(turns + 1):
        pair = _take_time(plain), _take_time(report)
        if turn:
            plain_times.append(pair[0])
            report_times.append(pair[1])
    (wall, cpu), (report_wall, report_cpu) = (
        tuple(map(min, zip(*times, strict=True))) for times in (plain_times, report_times)
    )
    cells = [name, f"{cpu:.1f}", f"{wall:.1f}", f"{report_cpu:.1f}", f"{report_wall:.1f}", f"{report_cpu - cpu:.1f}"]
    return f"| {' | '.join([*cells, str(collects[0])])} |"


def _take_time(run: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds, and those of processors, Java's among them."""
    began, worked = time.perf_counter(), cpu_seconds()
    run()
    return time.perf_counter() - began, cpu_seconds() - worked


def _count_collects(session: Any) -> list[int]:
    """Return a list whose number grows with each result that comes back of Spark."""
    kind, count = type(session.range(1)), [0]
    original = kind.toArrow

    def count_and_collect(frame: Any) -> Any:
        count[0] += 1
        return original(frame)

    kind.toArrow = count_and_collect
    return count


if __name__ == "__main__":
    main()
