"""What a report declares of itself: name, question, columns, keys, filters, figure; it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "text",
    "id",  # a text to be copied, kept in one piece
    "time",  # shown as that time
    "ago",  # a time, shown by how long before `as_of` it was
    "period",  # the start of one
    "flag",
    "count",  # a whole number
    "ordinal",  # a whole number that names something, without separators
    "number",
    "share",  # from 0 to 1, shown in per cent
    "duration",  # in the column's unit, s or ms
]
OUTCOME_FILTERS = ("state", "not_state", "outcome", "not_outcome", "error")
CHANGES_RATE: Mapping[str, str] = MappingProxyType(dict.fromkeys(OUTCOME_FILTERS, "it would change the failure rate"))


def refusal(report: str, name: str, why: str) -> str:
    """Return why a report does not take a filter, and what to do, in one line."""
    return f"{report} does not take the filter {name}: {why}; leave it out here"


class ReportColumn(NamedTuple):
    """One column of a report; `note` says in one line what it holds."""

    name: str
    kind: Kind
    unit: str
    note: str


class ReportOption(NamedTuple):
    """A keyword that one report takes beside those of all, and the option of the same name at the command line."""

    name: str
    metavar: str
    help: str
    kind: Literal["text", "texts", "integer", "number", "flag"] = "text"


class Report(NamedTuple):
    """The declaration of a report; its function has its name, in the module of this name."""

    name: str
    title: str  # of its section and its figure
    question: str  # one line, in the list of commands
    help: str  # what to know when reading it
    columns: tuple[ReportColumn, ...]  # beside the keys that `by` names
    narrow: tuple[str, ...]  # the columns that are shown in 80 columns
    worst_first: tuple[str, ...]  # people read the rows with the greatest of these first
    examples: tuple[str, ...]
    keys: tuple[str, ...] = ("task_type", "function_name")  # `by` where nobody says otherwise
    takes_by: bool = True
    has_periods: bool = True  # whether it takes `every` and `tz`
    window: Literal["created", "in_flight"] = "created"  # what since and until select by
    refused: Mapping[str, str] = MappingProxyType({})  # filters that it does not take -> why not
    options: tuple[ReportOption, ...] = ()
    check: Callable[[Mapping[str, Any]], None] | None = None  # raises UsageError for what is wrong with the keywords
    orders: Mapping[str, tuple[str, ...]] = MappingProxyType({})  # texts of a column in the order of their weight
    repeats: bool = False  # whether the command can show it time and again, as a cluster changes
    now_only: tuple[str, ...] = ()  # columns about now: missing where there are periods
    figure: str | None = None  # the drawing in render.plot, None: it has no figure
    looks_back: bool = False  # whether it compares with as long a time before `since`
    on_page: bool = True  # whether the page has a section of it

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of its columns, in their order."""
        return tuple(column.name for column in self.columns)

    def function(self) -> Any:
        """Return the function that makes its table."""
        return getattr(import_module(f"mltasks.reports.{self.name}"), self.name)
