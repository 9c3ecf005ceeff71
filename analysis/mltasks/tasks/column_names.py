"""Names of columns as people write them: the error for one that there is not, and `COLUMN:desc`. It needs no table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mltasks.exceptions import UsageError

NO_NAMES: Mapping[str, str] = MappingProxyType({})


def unknown_column(
    option: str, name: str, names: Iterable[str], other_names: Mapping[str, str] = NO_NAMES
) -> UsageError:
    """Return the error for a column that there is not: the one that its name is most like, or all there are.

    `other_names`: what columns are called, too.
    """
    names = list(dict.fromkeys(names))
    near = _find_near(name, names, other_names)
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(names)}"
    return UsageError(f"{option}: there is no column {name!r}; {hint}")


def parse_sort(sort: str) -> tuple[str, str]:
    """Return the column to sort by and the order, asc, desc or empty; raises UsageError for another order."""
    name, _, order = sort.partition(":")
    if not name:
        raise UsageError(f"sort: there is no column in {sort!r}; write COLUMN, COLUMN:asc or COLUMN:desc")
    if order not in ("", "asc", "desc"):
        raise UsageError(f"sort: there is no order {order!r}; write {name}, {name}:asc or {name}:desc")
    return name, order


def _find_near(name: str, names: Iterable[str], other_names: Mapping[str, str]) -> str | None:
    """Return the column that a name is most like, whatever its letters' case and whatever stands between its words."""
    import difflib  # here, as all that only some calls need

    columns = {**{_fold(each): each for each in names}, **other_names}
    near = difflib.get_close_matches(_fold(name), columns, 1)
    return columns[near[0]] if near else None


def _fold(name: str) -> str:
    return re.sub(r"[ -]", "_", name.lower())
