"""What several reports ask of the same tasks, worked out once: for a report that is made of others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Result = TypeVar("Result")
# by the id of what it is of, which is kept beside it, so that no other object has that id meanwhile
_RESULTS: ContextVar[dict[tuple[int, Hashable], tuple[Any, Any]] | None] = ContextVar("results", default=None)
SELECTION = "selection"


@contextmanager
def share_results() -> Iterator[None]:
    """Keep results until the end of the block; tasks are taken as unchanged until then."""
    if _RESULTS.get() is not None:
        yield
        return
    token = _RESULTS.set({})
    try:
        yield
    finally:
        _RESULTS.reset(token)


def is_sharing() -> bool:
    """Tell whether results are kept."""
    return _RESULTS.get() is not None


def compute_once(owner: Any, name: Hashable, compute: Callable[[], Result]) -> Result:
    """Return what `compute` does; while results are shared, what it has returned before for that object and name."""
    results = _RESULTS.get()
    if results is None:
        return compute()
    key = (id(owner), name)
    if key not in results:
        results[key] = owner, compute()
    result: Result = results[key][1]
    return result


def mark_selection(frame: Any, tasks: Any, selection: Hashable) -> None:
    """Say that a frame has all tasks of a selection from `tasks`, so that other frames of the same share its counts."""
    compute_once(frame, SELECTION, lambda: (tasks, selection))


def compute_once_of_selection(frame: Any, name: Hashable, compute: Callable[[], Result]) -> Result:
    """Return what `compute_once` does for the selection that a frame is marked with; one without a mark shares none."""
    results = _RESULTS.get()
    mark = results.get((id(frame), SELECTION)) if results is not None else None
    if mark is None:
        return compute()
    tasks, selection = mark[1]
    return compute_once(tasks, (name, selection), compute)
