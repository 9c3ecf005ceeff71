"""What every case shares: time, memory, and what was read, as one line of JSON on stdout.

The standard library only: a peer's own interpreter runs this too. Memory is read from /proc, which Linux has.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATH = "/_plugins/_ml/tasks/_search"
TOTAL = rb'"total":\{"value":(\d+)'
INDEX = ".plugins-ml-task"  # read directly by the peers: the task endpoint has no paging that they know
PAGE = 5000  # hits a request, for every case that can be told
Row = tuple[Any, ...]  # id, state, create_time [ms], last_update_time [ms], error, worker nodes


def measure(read: Callable[[str], Any], rows: Callable[[Any], Iterable[Row]] | None, *versions: str) -> None:
    """Time `read` of the URL in argv, then look at the `rows` of what it gave (None: it gave only their number).

    `versions` are the distributions to name.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, at what the imports take
    imports, began, worked = _memory("VmRSS"), time.perf_counter(), time.process_time()
    result = read(sys.argv[1])
    seconds, cpu, peak = time.perf_counter() - began, time.process_time() - worked, _memory("VmHWM")
    found = {"seconds": seconds, "cpu": cpu, "imports": imports, "peak": peak, "rows": result}
    if rows is not None:
        found |= _content(rows(result))
    print(json.dumps(found | {"versions": {name: metadata.version(name) for name in versions}}))


def connected(url: str) -> http.client.HTTPConnection:
    """Return a connection without anything of ours around it."""
    return http.client.HTTPConnection(urlsplit(url).netloc)


def _content(rows: Iterable[Row]) -> dict[str, Any]:
    """Return rows, distinct ids, and the SHA-256 of the rows in one form that is the same for every tool."""
    lines, ids = [], set()
    for task_id, state, created, updated, error, nodes in rows:
        ids.add(task_id)
        text = error if isinstance(error, str) else None
        workers = nodes if isinstance(nodes, str) else ",".join(nodes) if hasattr(nodes, "__iter__") else ""
        lines.append(json.dumps([task_id, state, created, updated, text, workers]))
    lines.sort()  # by the id, which is the first
    return {"rows": len(lines), "ids": len(ids), "content": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def _memory(name: str) -> float:
    """Return a size of this process in MB."""
    (kilobytes,) = re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) / 1024
