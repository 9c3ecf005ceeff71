"""Each report on made-up tables, in both engines, against loops over dicts (support/slow_reports.py)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from support import generated, slow_reports
from support.generated import Made

PERIODS = ("90min", "7h", "1d", "1w", "1mo")


def without_error(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without the filter that would change a rate."""
    return {name: value for name, value in options.items() if name != "error"}


def agree(name: str, tasks: Made, options: dict[str, Any]) -> None:
    report = getattr(mltasks, name)
    expected = getattr(slow_reports, name)(tasks, options)
    in_pandas, in_duckdb = report(tasks.pandas(), **options), report(tasks.dataset(), **options)
    assert (
        slow_reports.differences(in_pandas, expected, [*options["by"], *(["period"] if "every" in options else [])])
        == []
    )
    pd.testing.assert_frame_equal(in_pandas, in_duckdb, rtol=1e-12)
    assert in_pandas.attrs == in_duckdb.attrs


@given(
    generated.tasks(), generated.options(periods=("7min", *PERIODS)), st.sampled_from(("completed", "failed", "all"))
)
@settings(max_examples=5)
def test_durations_are_what_a_loop_finds(tasks: Made, options: dict[str, Any], outcome: str) -> None:
    agree("durations", tasks, {**options, "outcome": outcome})


@given(generated.tasks(), generated.options(periods=("7min", *PERIODS)))
@settings(max_examples=5)
def test_failures_are_what_a_loop_finds(tasks: Made, options: dict[str, Any]) -> None:
    agree("failures", tasks, without_error(options))


@given(generated.tasks(), generated.options(periods=PERIODS, window="in_flight"))
@settings(max_examples=10)
def test_workers_are_what_a_naive_sweep_finds(tasks: Made, options: dict[str, Any]) -> None:
    agree("workers", tasks, without_error(options))
