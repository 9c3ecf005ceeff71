"""The one TaskDataWarning of a load, pointing to the line of the user's that called for it."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Mapping
from importlib import resources

from mltasks.exceptions import TaskDataWarning
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.metadata import Context
from mltasks.tasks.plural import count_of


def warn_once(ctx: Context, tally: UnreadableCounts, unknown: Mapping[str, int]) -> None:
    """Warn once, with counts: of what could not be read, with a sample of each, and of states that nobody knows.

    `unknown` are the tasks by such a state; those without one are under the empty text.
    """
    said = []
    if tally.counts:
        counts = "; ".join(f"{name} {n} ({tally.samples[name]})" for name, n in sorted(tally.counts.items()))
        said.append(f"values that could not be read are null and kept in the column extra: {counts}")
    if unknown:
        counts = ", ".join(f"{ascii(state)[1:-1]} ({n})" for state, n in sorted(unknown.items()) if state)
        said += [f"states that this version does not know are counted as open: {counts}"] if counts else []
        said += [f"{count_of(unknown[''])} without a state, counted as open"] if "" in unknown else []
    if tally.other_indices:
        said.append(tally.describe_left_out())
    if said:
        warnings.warn(f"{ctx.source}: {'; '.join(said)}", TaskDataWarning, stacklevel=_calls_up())


def _calls_up() -> int:
    """Return how many calls up the caller of mltasks is, whatever was called."""
    ours = f"{resources.files('mltasks')}{os.sep}"
    frame, calls = inspect.currentframe(), 0
    while frame is not None and frame.f_code.co_filename.startswith(ours):
        frame, calls = frame.f_back, calls + 1
    return calls
