"""Tasks updated as ML Commons updates them: one after the other, each with a new state and time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from live.made_up import TASKS
from live.server import Server

STATES = ("CREATED", "RUNNING", "COMPLETED", "FAILED")


class Updater:
    """Updates tasks from threads of its own, `rate` a second in all, for as long as its `with` block runs.

    A thread waits for the answer to each update, so that `each` server's threads bound what can be reached.
    Every second update asks for an immediate refresh, as ML Commons does; the others become visible with the next
    refresh of each copy, as they do where ML Commons is at work by other ways. No task is made or deleted.
    """

    def __init__(
        self, servers: Sequence[Server], ids: Sequence[str], rate: float, seed: int = 1, each: int = 2
    ) -> None:
        self.updates = 0
        self._servers, self._ids, self._rate, self._seed = servers, ids, rate, seed
        self._end = threading.Event()
        self._failures: list[BaseException] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(len(servers) * each)]

    def _run(self, number: int) -> None:
        chance = random.Random(self._seed * 100 + number)
        server = self._servers[number % len(self._servers)]
        refresh = "?refresh=true" if number // len(self._servers) % 2 == 0 else ""
        pause = len(self._threads) / self._rate
        try:
            while not self._end.wait(chance.uniform(0, 2 * pause)):
                change = {"state": chance.choice(STATES), "last_update_time": time.time_ns() // 1_000_000}
                path = f"/{TASKS}/_update/{chance.choice(self._ids)}{refresh}"
                status, answer = server.request("POST", path, {"doc": change})
                if status not in (200, 409):  # two threads may have chosen one task
                    raise RuntimeError(f"{status} {answer}")
                with self._lock:
                    self.updates += 1
        except BaseException as failure:  # a thread's error is nobody's: __exit__ raises it in the test
            self._failures.append(failure)

    def __enter__(self) -> Updater:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)
        if self._failures and error is None:
            raise self._failures[0]
