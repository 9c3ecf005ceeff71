"""Changing the task index without pause, for the tests of a walk over a moving target."""

from __future__ import annotations

import math
import random
import threading
from types import TracebackType

from live.made_up import TASKS, Document, documents, fill
from live.server import Server

BATCH = 20
DELETES, UPDATES = 0.2, 0.3  # of all changes; the rest create


class Writer:
    """Creates, updates and deletes tasks from a thread of its own for as long as its `with` block runs.

    It begins by adding `seed` tasks, and changes only these and those that it makes later, about `rate` a second, and
    no more than `allow` allows if that is called; `changes` counts them. After the block,

    - `kept` are the ids that existed from before it until after it (some were updated meanwhile);
    - `created` and `deleted` are those that it made in the block, and those that it deleted, of either sort;
    - `left` are those that are there at the end, which the test removes.
    """

    def __init__(self, server: Server, rate: float = 300, seed: int = 500) -> None:
        self.kept = frozenset(fill(server, seed))
        self.created: set[str] = set()
        self.deleted: set[str] = set()
        self.left: set[str] = set(self.kept)
        self._server = server
        self._rate = rate
        self._allowed = math.inf
        self.changes = 0
        self._failure: BaseException | None = None
        self._end = threading.Event()
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="task-writer", daemon=True)

    def allow(self, changes: int) -> None:
        """Allow so many changes from now on: else a slower machine would have to bear more of them."""
        with self._progress:
            self._allowed = self.changes + changes
            self._progress.notify_all()

    def wait_for(self, changes: int, timeout: float = 240) -> None:
        """Return once at least so many changes were made since the block began."""
        with self._progress:
            self._progress.wait_for(lambda: self.changes >= changes or self._failure is not None, timeout)
        if self._failure is not None:
            raise self._failure
        if self.changes < changes:
            raise TimeoutError(f"{self.changes} of {changes} changes in {timeout} s")

    def _run(self) -> None:
        chance = random.Random(5)
        made = documents(seed=7)
        try:
            while not self._end.wait(BATCH / self._rate):
                with self._progress:
                    self._progress.wait_for(lambda: self.changes < self._allowed or self._end.is_set())
                self._write(chance, dict(next(made) for _ in range(BATCH)))
        except BaseException as failure:  # a thread's error is nobody's: __exit__ raises it in the test
            self._failure = failure
        with self._progress:
            self._progress.notify_all()

    def _write(self, chance: random.Random, tasks: dict[str, Document]) -> None:
        """One batch of changes, visible when it returns."""
        lines: list[object] = []
        there = list(self.left)
        for new_id, task in tasks.items():
            pick = chance.random()
            old_id = chance.choice(there)
            if pick < DELETES and old_id in self.left:
                lines.append({"delete": {"_id": old_id}})
                self.left.discard(old_id)
                self.deleted.add(old_id)
            elif pick < DELETES + UPDATES and old_id in self.left:
                lines += [{"index": {"_id": old_id}}, task]
            else:
                lines += [{"index": {"_id": new_id}}, task]
                self.left.add(new_id)
                self.created.add(new_id)
        self._server.bulk(TASKS, lines)
        with self._progress:
            self.changes += len(tasks)
            self._progress.notify_all()

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._progress:
            self._end.set()
            self._progress.notify_all()
        self._thread.join(60)
        self.kept -= self.deleted
        if self._failure is not None and error is None:
            raise self._failure
