"""How much less a share is certain because failures come in bursts: the design effect, from counts by block of time.

An outage of a minute fails twenty tasks; to take them as twenty independent ones makes an interval far too narrow. So
the time is cut into 20 blocks of equal length: the more the shares of the blocks differ, the fewer independent tasks
there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

BLOCKS = 20
FEWEST = 5  # blocks with tasks; with fewer, nothing can be said


def block_number(time: nw.Expr, low: Any, high: Any) -> nw.Expr:
    """Return the number, 0 to 19, of the block of [low, high) that a time lies in; all are whole numbers [ms].

    `low` and `high`: numbers, or expressions where each row has a span of its own. A time outside is in the nearest
    block.
    """
    low, high = (end if isinstance(end, nw.Expr) else nw.lit(end) for end in (low, high))
    width = nw.when(high > low).then(high - low).otherwise(nw.lit(1))
    number = (time - low) * BLOCKS // width
    return nw.when(number < 0).then(nw.lit(0)).when(number >= BLOCKS).then(nw.lit(BLOCKS - 1)).otherwise(number)


def design_effects(
    blocks: pd.DataFrame, keys: Sequence[str], failed: str = "failed", finished: str = "finished"
) -> pd.DataFrame:
    """Return one row per group: the keys and `design_effect`, missing where it cannot be told.

    `blocks`: one row per group and block, with the counts of failed and of finished tasks. It cannot be told where
    fewer than 5 blocks have tasks, or where all or none failed; what to take then is the caller's choice.

    With r_i = x_i - n_i p and m blocks it is max(1, n v / (p (1 - p))), v = m / (m - 1) * sum r_i**2 / n**2: the
    variance of the share between blocks against that of independent tasks. J. N. K. Rao and A. J. Scott, "A simple
    method for the analysis of clustered binary data", Biometrics 48 (1992) 577-585; blocks of time as in the batch
    means of simulation output.
    """
    rows = blocks[blocks[finished] > 0]
    by = list(keys)
    groups = rows.groupby(by, dropna=False, sort=False, observed=True)
    n, x = (groups[name].transform("sum").astype("float64") for name in (finished, failed))
    rest = rows[failed] - rows[finished] * (x / n)
    sums = rows[by].assign(n=n, x=x, squares=rest**2, blocks=1).groupby(by, dropna=False, sort=False, observed=True)
    table = sums.agg({"n": "first", "x": "first", "squares": "sum", "blocks": "sum"}).reset_index()
    effects = _variance_ratios(*(table[name].to_numpy("float64") for name in ("n", "x", "squares", "blocks")))
    return table[by].assign(design_effect=effects)


def count_by_block(numbers: np.ndarray) -> np.ndarray:
    """Return how often each block is there; `numpy.bincount` would take eight bytes for each number."""
    return np.array([np.count_nonzero(numbers == number) for number in range(BLOCKS)])


def design_effect_of_blocks(failed: np.ndarray, finished: np.ndarray) -> float:
    """Return the design effect of one group from its counts per block; not a number where it cannot be told."""
    x, n = failed[finished > 0].astype("float64"), finished[finished > 0].astype("float64")
    if not len(n):
        return float("nan")
    squares = np.square(x - n * (x.sum() / n.sum())).sum()
    return float(_variance_ratios(*(np.array([value]) for value in (n.sum(), x.sum(), squares, float(len(n)))))[0])


def _variance_ratios(n: np.ndarray, x: np.ndarray, squares: np.ndarray, m: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = x / n
        ratios = m / (m - 1) * squares / n / (share * (1 - share))
    is_known = (m >= FEWEST) & (x > 0) & (x < n)
    return np.where(is_known, np.maximum(ratios, 1.0), np.nan)


def design_effect_of(time: Any, failed: Any, low: int, high: int) -> float:
    """Return the design effect of tasks in memory: their times [ms] in [low, high), and whether each failed."""
    number = np.clip((np.asarray(time, "int64") - low) * BLOCKS // max(high - low, 1), 0, BLOCKS - 1)
    return design_effect_of_blocks(*(np.bincount(number, each, BLOCKS) for each in (np.asarray(failed), None)))


def average_design_effect(effects: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the mean of several sides' design effects by their size; an unknown one is as the others, else 1."""
    pairs = [(effect, size) for effect, size in zip(effects, sizes, strict=True) if effect == effect]
    total = sum(size for _, size in pairs)
    return sum(effect * size for effect, size in pairs) / total if total else 1.0
