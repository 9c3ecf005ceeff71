from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from mltasks.reports.statistics.design_effect import (
    average_design_effect,
    block_number,
    design_effect_of,
    design_effects,
)
from support import labelled


def blocks(*counts: tuple[str | None, int, int]) -> pd.DataFrame:
    return pd.DataFrame(counts, columns=["key", "failed", "finished"])


def test_a_span_has_twenty_blocks_and_what_is_outside_is_in_the_nearest() -> None:
    frame = nw.from_native(pd.DataFrame({"ms": [0, 99, 100, 199, 1999, 2000, -1, 10**13]}))
    number = frame.select(block=block_number(nw.col("ms"), 0, 2000)).to_native()["block"]
    assert number.tolist() == [0, 0, 1, 1, 19, 19, 0, 19]
    alone = frame.select(block=block_number(nw.col("ms"), 5, 5)).to_native()["block"]
    assert alone.between(0, 19).all()


def test_a_hand_worked_burst() -> None:
    # five blocks of ten tasks, one with five failures: p = 0.1, r = 4, -1, -1, -1, -1, v = 5/4 * 20/2500 = 0.01,
    # d = 50 * 0.01 / 0.09
    (effect,) = design_effects(blocks(("a", 5, 10), *[("a", 0, 10)] * 4), ["key"])["design_effect"]
    assert effect == pytest.approx(50 * 0.01 / 0.09)


def test_blocks_alike_have_no_effect() -> None:
    (effect,) = design_effects(blocks(*[("a", 1, 10)] * 6), ["key"])["design_effect"]
    assert effect == 1.0


def test_what_cannot_be_told_is_missing_and_a_missing_key_is_a_group() -> None:
    rows: list[tuple[str | None, int, int]]
    rows = [("four", 5, 10), *[("four", 0, 10)] * 3, *[("none", 0, 10)] * 9, *[("all", 3, 3)] * 9]
    rows += [("empty", 1, 10), *[("empty", 0, 0)] * 9]
    rows += [(None, 5, 10)]
    rows += [(None, 0, 10)] * 5
    table = design_effects(blocks(*rows), ["key"])
    effects = dict(zip(table["key"].fillna("missing"), table["design_effect"], strict=True))
    assert {key for key, effect in effects.items() if effect == effect} == {"missing"}
    assert len(table) == 5
    assert design_effects(blocks(), ["key"]).empty


def test_the_planted_burst_counts_as_one_event() -> None:
    times, failed = labelled.finished("LINEAR_REGRESSION", "TRAINING")
    after = times >= labelled.SPLIT_MS
    first, last = (labelled.SPLIT_MS + side * 7 * 86_400_000 for side in (-1, 1))
    effects = (
        design_effect_of(times[~after], failed[~after], first, labelled.SPLIT_MS),
        design_effect_of(times[after], failed[after], labelled.SPLIT_MS, last),
    )
    assert effects == pytest.approx((1.15, 28.62), abs=0.01)
    assert average_design_effect(effects, [300, 340]) == pytest.approx(15.7, abs=0.05)


def test_a_side_that_cannot_tell_is_as_the_other() -> None:
    assert average_design_effect([np.nan, 3.0], [10, 20]) == 3.0
    assert average_design_effect([np.nan, np.nan], [10, 20]) == 1.0
    assert average_design_effect([1.0, 4.0], [20, 10]) == 2.0


def test_no_task_has_no_effect() -> None:
    assert np.isnan(design_effect_of([], [], 0, 1))
