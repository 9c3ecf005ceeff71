"""Counts by block of time beside the groups of a report, for the design effect of failures that come in bursts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pandas as pd

from mltasks.reports.grouping import TaskGroups
from mltasks.reports.statistics.design_effect import BLOCKS, block_number, design_effects

BLOCK = "time_block"
COUNTS = ("completed", "failed")


def with_blocks(grouped: TaskGroups, low: int | None, high: int | None) -> TaskGroups:
    """Add the block of time that each task was created in: 20 from `low` to `high` [ms], or 20 in each period.

    A task without a plausible create_time is in the first block.
    """
    start = nw.col("start_ms").fill_null(low or 0).cast(nw.Int64)
    if grouped.periods is None:
        number = block_number(start, low or 0, (high or 0) + 1)
    else:
        number = start // max(1, grouped.periods.usual_ms // BLOCKS)
    return grouped.with_frame(grouped.frame.with_columns(number.alias(BLOCK)))


def with_design_effect(table: pd.DataFrame, blocks: pd.DataFrame, types: Mapping[str, Any]) -> pd.DataFrame:
    """Add `design_effect` to one row per group from its counts by block; 1 where it cannot be told."""
    keys = list(types)
    counts = blocks.assign(finished=blocks["completed"] + blocks["failed"])
    effects = design_effects(counts, keys)
    table = table.merge(effects.astype(dict(types)), on=keys, how="left")
    return table.assign(design_effect=table["design_effect"].astype("float64").fillna(1.0))
