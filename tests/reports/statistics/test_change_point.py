from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltasks.reports.statistics.change_point import ChangePoint, find_change_point
from support import labelled


def at(times: pd.Series[int], place: int) -> str:
    return f"{pd.Timestamp(times.iloc[place], unit='ms'):%m-%d %H:%M}"


def scan(function_name: str, task_type: str = "TRAINING") -> tuple[ChangePoint, pd.Series[int]]:
    times, failed = labelled.finished(function_name, task_type)
    result = find_change_point(times, failed)
    assert result is not None
    return result, times


def test_the_planted_change_is_found_at_its_time() -> None:
    result, times = scan("LOGISTIC_REGRESSION")
    assert result.clear
    assert result.evidence == pytest.approx(26.5, abs=0.1)
    assert [at(times, place) for place in result[:3]] == ["11-14 00:40", "11-13 10:11", "11-14 11:45"]


def test_what_is_no_clear_change_is_none() -> None:
    assert scan("REMOTE", "DEPLOY_MODEL")[0].evidence == pytest.approx(16.9, abs=0.2)
    assert scan("KMEANS")[0].evidence == pytest.approx(7.1, abs=0.1)
    burst, _ = scan("LINEAR_REGRESSION")  # 66 if its forty failures were independent
    assert burst.evidence < 10
    assert not burst.clear


def test_a_hand_made_change_is_where_it_was_made() -> None:
    failed = [0] * 60 + [1, 0] * 30
    result = find_change_point(np.arange(len(failed)) * 1000, failed)
    assert result is not None
    assert result.clear
    assert result.place in (60, 61)
    assert result.first <= 60 <= result.last


def test_too_few_tasks_or_one_outcome_have_no_change() -> None:
    assert find_change_point(range(19), [0] * 9 + [1] * 10) is None
    same = find_change_point(range(100), [1] * 100)
    assert same is not None
    assert not same.clear
