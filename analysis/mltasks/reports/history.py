"""How far back tasks are known: what is new, and what got worse, can be told of no shorter time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mltasks.engines import prepare
from mltasks.engines.dataset import NO_FILTERS
from mltasks.reports import totals
from mltasks.reports.totals import Totals
from mltasks.tasks import filter_options, filters
from mltasks.tasks.filters import Filters
from mltasks.tasks.schema import DAY_MS

WEEK_MS = 7 * DAY_MS
TOO_SHORT = "what is new cannot be told"  # how a note begins where that is so


@dataclass(frozen=True)
class History:
    """The time that tasks are known of, [begin_ms, as_of_ms]; None where there are none."""

    begin_ms: int | None
    as_of_ms: int | None
    last_ms: int | None  # the latest create_time
    filters: Filters = NO_FILTERS  # that the tasks were read with

    @property
    def length_ms(self) -> int:
        """How long it is [ms]."""
        return 0 if self.begin_ms is None or self.as_of_ms is None else max(self.as_of_ms - self.begin_ms, 0)

    def window(self, chosen: Filters) -> Filters:
        """Return the filters of a report together with those that the tasks were read with."""
        return filters.combine(self.filters, chosen)

    def span_days(self) -> int:
        """Return of how many days something can be called new: 7, or of a shorter history half its days; 0: none."""
        return min(7, self.length_ms // (2 * DAY_MS))


def read_history(tasks: prepare.Tasks, covered: Totals | None = None) -> History:
    """Return the history of some tasks, which are selected by no `since` but that of their reading.

    `covered`: their census, where it is there already.
    """
    covered = covered or totals.count_totals(tasks)
    begin = begin_of(tasks, covered.first_ms)
    read_with = filter_options.parse(tasks.context.filters, tasks.context.as_of_ms)
    return History(begin, tasks.context.as_of_ms, covered.last_ms, filters.combine(read_with, tasks.filters))


def begin_of(tasks: prepare.Tasks, first_ms: int | None) -> int | None:
    """Return since when tasks are known: the first create_time, or the `since` that they were read with.

    It is that `since` where the first task was created within a day of it: two weeks of tasks do not begin with one.
    """
    since = since_ms(filters.merge_descriptions(tasks.context.filters, tasks.filters.describe()))
    return since if since is not None and first_ms is not None and first_ms - since <= DAY_MS else first_ms


def since_ms(description: Mapping[str, Any]) -> int | None:
    """Return the `since` of a description of filters in ms."""
    return (
        None if "since" not in description else round(datetime.fromisoformat(description["since"]).timestamp() * 1000)
    )
