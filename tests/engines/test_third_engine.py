"""A third engine is a module and a line in ENGINES: with it every report runs, and nothing outside engines/ knows."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import polars as pl
import pytest

import mltasks
from mltasks.engines import base, prepare
from mltasks.engines.base import Engine
from mltasks.reports.registry import REPORTS
from support import engines, generated, polars_engine

TYPED: Engine = polars_engine  # that it has all of the protocol, mypy checks


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register polars as its author would: a module in the folder, a line in the table."""
    monkeypatch.setitem(sys.modules, "mltasks.engines.polars", polars_engine)
    monkeypatch.setitem(base.ENGINES, "polars", {"polars"})


@pytest.mark.parametrize("name", [*REPORTS])
def test_every_report_runs_on_it_as_on_the_others(name: str) -> None:
    scanned = mltasks.scan("demo")
    rows = prepare.to_arrow(scanned)
    for some in (rows, rows.slice(0, 0)):
        datasets = engines.datasets(some, scanned.context)
        expected, table = (REPORTS[name].function()(datasets[engine]) for engine in ("pandas", "polars"))
        pd.testing.assert_frame_equal(table, expected, rtol=1e-12)
        assert table.attrs == expected.attrs


@pytest.mark.parametrize("name", ["durations", "failures", "workers"])
@pytest.mark.parametrize("options", [{"by": ["worker_node", "team"]}, {"by": "task_type", "every": "6h"}], ids=str)
def test_a_frame_of_it_is_taken_as_users_have_it(name: str, options: dict[str, Any]) -> None:
    tasks = generated.made(
        {"team": "red", "worker_node": ["n-1", "n-2"]}, {"team": None, "state": "FAILED"}, {"worker_node": []}
    )
    frame = pl.DataFrame(tasks.arrow)
    report = getattr(mltasks, name)
    table = report(frame, **options, as_of=generated.AS_OF)
    expected = report(tasks.arrow, **options, as_of=generated.AS_OF)
    pd.testing.assert_frame_equal(table, expected, rtol=1e-12)
