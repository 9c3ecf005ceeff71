"""Whether it is worse: failure rates and durations before and after a time, or of one node and the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from mltasks.engines import operations, prepare
from mltasks.reports import compare_evidence, compare_sides, report_info, totals, verdicts
from mltasks.reports.compare_sides import Side
from mltasks.reports.declarations.compare import check_sides
from mltasks.reports.grouping import NODE
from mltasks.reports.statistics import change, change_point, kaplan_meier
from mltasks.reports.statistics.change import Change, QuantileLimits
from mltasks.reports.statistics.design_effect import average_design_effect, count_by_block, design_effect_of_blocks
from mltasks.reports.verdicts import Intervals
from mltasks.tasks.filter_options import Words
from mltasks.tasks.group_columns import parse_by
from mltasks.tasks.plural import count_of
from mltasks.tasks.times import Moment

QUANTILES = {"p50": 0.5, "p95": 0.95}
SIDES = ("before", "after")
MANY_OPEN = 0.05  # of a side's tasks: then the median is that of all of them, by Kaplan and Meier
INTERVAL = ("change", "change_low", "change_high")
COLUMNS = (
    *("verdict", "evidence", "tasks_before", "tasks_after", "failed_before", "failed_after"),
    *("rate_before", "rate_after", *(f"rate_{name}" for name in INTERVAL), "design_effect", "rate_verdict"),
    *("changed", "changed_low", "changed_high"),
    *("p50_before_s", "p50_after_s", "p50_ratio", "p50_ratio_low", "p50_ratio_high", "p50_verdict"),
    *("p95_before_s", "p95_after_s", "p95_ratio", "p95_ratio_low", "p95_ratio_high", "p95_verdict"),
)
COUNTS = ("tasks_before", "tasks_after", "failed_before", "failed_after")
TEXTS = ("verdict", "evidence", "rate_verdict", "p50_verdict", "p95_verdict")
TIMES = ("changed", "changed_low", "changed_high")


class CompareOptions(TypedDict, total=False):
    """Filters of `compare`, whose own since, until and node say what is compared."""

    cluster: Words
    task_type: Words
    function_name: Words
    model: Words
    not_task_type: Words


def compare(
    tasks: Any,
    by: str | Sequence[str] = ("task_type", "function_name"),
    *,
    split: Moment = None,
    since: Moment = None,
    until: Moment = None,
    against: str | None = None,
    node: str | None = None,
    as_of: Any = None,
    **options: Unpack[CompareOptions],
) -> pd.DataFrame:
    """Return whether tasks fail more often or take longer than before, one row per group.

    Three ways: `split`, a time, before and after which tasks were created; `since` with `against="previous"` (or the
    time at which the other side begins), such as the last 7 days against the 7 before; `node`, its tasks (after)
    against those of all other nodes (before). Without any, the time that the tasks cover is cut in its middle.

    Intervals are Newcombe's for rates, and Woodruff's limits by log-MOVER for quantiles, on tasks / design_effect.
    Where more than 5 % of a side is open, the median is Kaplan and Meier's of all of its tasks.

    Verdicts: worse or better (clear of no change in all comparisons together, and at least 5 points, or a factor
    of 1.25), worse? or better? (clear in this one only), same (less than that, for sure), unclear, too few (fewer than
    10 finished tasks on a side), only before, only after.

    Parameters
    ----------
    split : str, datetime or int, optional
        The time before and after which tasks were created.
    since : str, datetime or int, optional
        Where the later side begins, such as ``"7d"``.
    until : str, datetime or int, optional
        Where the later side ends.
    against : str, optional
        With `since`: ``"previous"`` (as long a time before it), or when the other side begins.
    node : str, optional
        The node, by id or name, to compare with all others.

    Examples
    --------
    >>> table = mltasks.compare("demo", by="task_type", split="2026-11-24 22:05")
    >>> table[["task_type", "verdict"]].values.tolist()[:2]
    [['AGENT_EXECUTION', 'unclear'], ['BATCH_PREDICTION', 'too few']]
    """
    words = {"split": split, "since": since, "until": until, "against": against, "node": node}
    check_sides({**words, "by": by})
    keys = parse_by(by) if node is None else (*parse_by(by), NODE)
    prepared = prepare.prepare(tasks, keys, dict(options), as_of=as_of, taken=COLUMNS, wanted=["status_code"])
    report_info.reject_filters("compare", prepared)
    everything = totals.count_totals(prepared)
    window = compare_sides.read_window(prepared, (everything.first_ms, everything.last_ms), words)
    prepared = replace(prepared, filters=replace(prepared.filters, since_ms=window.low, until_ms=window.high))
    grouped = compare_sides.with_sides(prepared, window, node)
    sides = compare_sides.read_sides(grouped)
    comparisons = _count_comparisons(sides)
    strict = change.quantile_at(1 - 0.05 / max(comparisons, 1))
    rows = [dict(zip(grouped.keys, key, strict=True)) | _compare(*pair, strict) for key, pair in sides.items()]
    table = pd.DataFrame(rows, columns=[*grouped.keys, *COLUMNS]).astype(dict(grouped.types))
    if node is None:
        table = _with_change_points(table, grouped)
    table["evidence"] = [
        compare_evidence.describe({str(name): value for name, value in row.items()}) for row in table.to_dict("records")
    ]
    table = table.astype(dict.fromkeys(TEXTS, operations.TEXT) | dict.fromkeys(COUNTS, "int64"))
    table = table.astype({name: "float64" for name in COLUMNS if name not in (*TEXTS, *COUNTS, *TIMES)})
    for name in TIMES:
        table[name] = pd.to_datetime(table[name].astype("float64"), unit="ms", utc=True).dt.as_unit("ms")
    table = grouped.finish(table) if grouped.shown or len(table) else table.drop(columns=list(grouped.keys))
    covered = totals.count_totals(replace(prepared, frame=_select_window(prepared, window)))
    notes = [*report_info.RATE_NOTES, window.note, *_notes(table, comparisons)]
    notes += totals.undated_note(everything, "on no side")
    result = table[[*grouped.shown, *COLUMNS]]
    return report_info.attach_info(result, "compare", prepared, covered, notes, keys=grouped.shown)


def _select_window(prepared: prepare.Tasks, window: compare_sides.Window) -> Any:
    import narwhals as nw

    start = nw.col("start_ms")
    return prepared.frame.filter((start >= window.low) & (start < window.high))


def _count_comparisons(sides: Mapping[Any, tuple[Side, Side]]) -> int:
    """Return how many comparisons the report makes: rates and medians of groups with enough tasks on both sides.

    A 95th percentile says more of what its median says, and is judged by the same limits.
    """
    rates = sum(min(side.finished for side in pair) >= verdicts.FEWEST for pair in sides.values())
    return rates + sum(_enough(pair, QUANTILES["p50"]) for pair in sides.values())


def _enough(pair: tuple[Side, Side], rank: float) -> bool:
    """Tell whether a quantile of both sides can have a value: n >= 1 / (1 - rank), and never fewer than 10."""
    return min(len(side.took_ms) for side in pair) >= max(verdicts.FEWEST, round(1 / (1 - rank)))


def _compare(before: Side, after: Side, strict: float) -> dict[str, Any]:
    pair = (before, after)
    row: dict[str, Any] = {}
    for name, side in zip(SIDES, pair, strict=True):
        row |= {f"tasks_{name}": side.tasks, f"failed_{name}": side.failed}
        row[f"rate_{name}"] = side.failed / side.finished if side.finished else math.nan
    scarce = _scarce(pair)
    row |= _compare_rates(pair, strict) if min(side.finished for side in pair) >= verdicts.FEWEST else {}
    for name, rank in QUANTILES.items():
        row |= _compare_quantiles(pair, name, rank, strict) if _enough(pair, rank) else {}
    row = {f"{name}_verdict": scarce for name in ("rate", *QUANTILES)} | row
    row["verdict"] = verdicts.combine(row["rate_verdict"], row["p50_verdict"], row["p95_verdict"])
    return row


def _scarce(pair: tuple[Side, Side]) -> str:
    if pair[1].tasks == 0:
        return verdicts.ONLY_BEFORE
    return verdicts.ONLY_AFTER if pair[0].tasks == 0 else verdicts.TOO_FEW


def _compare_rates(pair: tuple[Side, Side], strict: float) -> dict[str, Any]:
    effect = average_design_effect([side.design_effect for side in pair], [side.finished for side in pair])
    counts = [(side.failed, side.finished) for side in pair]
    intervals = Intervals(
        *(change.rate_difference(counts[0], counts[1], effect, quantile) for quantile in (_at_95(), strict))
    )
    shown = dict(zip(("rate_change", "rate_change_low", "rate_change_high"), intervals.shown, strict=True))
    return {**shown, "design_effect": effect, "rate_verdict": verdicts.judge_rate(intervals)}


def _at_95() -> float:
    return change.quantile_at(0.95)


def _compare_quantiles(pair: tuple[Side, Side], name: str, rank: float, strict: float) -> dict[str, Any]:
    effects = [_effect_of_slow_tasks(side, rank) for side in pair]
    effect = average_design_effect(effects, [len(side.took_ms) for side in pair])
    both: list[Change] = []
    row: dict[str, Any] = {}
    for quantile in (_at_95(), strict):
        limits = [_limits(side, pair, rank, effect, quantile) for side in pair]
        row |= {f"{name}_{side}_s": _finite(each.value / 1000) for side, each in zip(SIDES, limits, strict=True)}
        ratio = change.quantile_ratio(*limits) if all(math.isfinite(each.value) for each in limits) else None
        if ratio is None:
            return {**row, f"{name}_verdict": verdicts.UNCLEAR}
        both.append(ratio)
    shown = zip((f"{name}_ratio", f"{name}_ratio_low", f"{name}_ratio_high"), both[0], strict=True)
    verdict = verdicts.judge_ratio(Intervals(*both))
    if not all(math.isfinite(_limits(side, pair, rank, effect, _at_95()).high) for side in pair):
        verdict = verdicts.TOO_FEW  # too few for an upper limit
    return {**row, **{column: _finite(value) for column, value in shown}, f"{name}_verdict": verdict}


def _limits(side: Side, pair: tuple[Side, Side], rank: float, effect: float, quantile: float) -> QuantileLimits:
    if rank == QUANTILES["p50"] and any(each.open > MANY_OPEN * each.tasks for each in pair):
        return kaplan_meier.median(side.took_ms, side.lasted_ms, quantile * math.sqrt(effect))
    return change.quantile_limits(side.took_ms, rank, effect, quantile)


def _effect_of_slow_tasks(side: Side, rank: float) -> float:
    """Return the design effect of the share of tasks that took longer than a quantile."""
    first = np.searchsorted(side.took_ms, np.quantile(side.took_ms, rank), side="right")
    return design_effect_of_blocks(count_by_block(side.blocks[first:]), count_by_block(side.blocks))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _with_change_points(table: pd.DataFrame, grouped: Any) -> pd.DataFrame:
    """Add since when the rate is another one, to the groups where it changed."""
    clear = table["rate_verdict"].isin([verdicts.WORSE, verdicts.BETTER, verdicts.MAYBE_WORSE, verdicts.MAYBE_BETTER])
    keys = list(grouped.keys)
    wanted = [compare_sides.key_of(values) for values in table.loc[clear, keys].itertuples(index=False, name=None)]
    outcomes = compare_sides.read_outcomes(grouped, wanted) if wanted else {}
    for place, values in zip(table.index[clear], wanted, strict=True):
        rows = outcomes[values]
        start = rows["start_ms"].to_numpy()
        point = change_point.find_change_point(start, rows["is_failed"])
        if point is not None and point.clear:
            table.loc[place, list(TIMES)] = [float(start[n]) for n in (point.place, point.first, point.last)]
    return table


def _notes(table: pd.DataFrame, comparisons: int) -> list[str]:
    notes = [f"worse and better hold for all {comparisons} comparisons together; with a ? for the one alone"]
    if table.empty or table["verdict"].isin([verdicts.WORSE, verdicts.BETTER, verdicts.SAME]).any():
        return notes if comparisons else []
    counts = (count_of(len(table), "group"), count_of(comparisons, "comparison"))
    maybe = notes if table["verdict"].isin([verdicts.MAYBE_WORSE, verdicts.MAYBE_BETTER]).any() else []
    return [*maybe, f"too little data to tell: of {' with '.join(counts)} none is clear"]
