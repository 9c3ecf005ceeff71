"""`by` as people write it, and which columns of the task table tasks can be grouped by. It needs no table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mltasks.exceptions import UsageError
from mltasks.tasks import schema
from mltasks.tasks.column_names import unknown_column

TIME = "it is a time; use every (--every) for periods"
UNGROUPABLE = {"nodes": "it holds lists", "json": "it holds JSON", "time": TIME}
OTHER_NAMES = dict.fromkeys(("node", "node_name"), "worker_node")  # where no column is called so


def parse_by(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names in `by`, each once: a text, comma-joined for several, or a sequence of such texts."""
    texts = list(by) if isinstance(by, Iterable) and not isinstance(by, str) else [by]
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"by: {text!r} is no column name; give a text or a list of texts")
    parts = [part.strip() for text in texts for part in text.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def check_by(by: str | Sequence[str], others: Collection[str]) -> None:
    """Raise UsageError for a column that the tasks of a cluster do not have, or that is no group.

    `others`: what a report groups by beside them.
    """
    for name in parse_by(by):
        if name in others or name in OTHER_NAMES:
            continue
        if name not in schema.COLUMNS:
            raise unknown_by(name, ())
        if why := why_no_group(name):
            raise cannot_group(name, why)


def why_no_group(name: str) -> str | None:
    """Return why tasks cannot be grouped by a column of the task table; None where they can."""
    if name == "worker_node":  # a task counts in the group of each of its nodes
        return None
    return UNGROUPABLE.get(schema.COLUMNS[name].kind)


def unknown_by(name: str, own: Iterable[str]) -> UsageError:
    """Return the error for a column that there is not; `own`: a user's own columns that can be groups."""
    return unknown_column("by", name, [*filter(_is_group, schema.COLUMNS), *own], OTHER_NAMES)


def cannot_group(name: str, why: str) -> UsageError:
    """Return the error for a column that cannot be a group."""
    return UsageError(f"by: cannot group by {name!r}: {why}")


def _is_group(name: str) -> bool:
    return why_no_group(name) is None
