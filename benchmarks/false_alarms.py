"""How often reports cry wolf: simulations in which nothing changes, and, beside them, in which something does.

python -m benchmarks.false_alarms [rounds]; README.md has the results.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mltasks.reports.failing import is_failing
from mltasks.reports.statistics import change, change_point, intervals
from mltasks.reports.statistics.design_effect import BLOCKS, average_design_effect, design_effects

ROUNDS = 2_000
SPAN = 7 * 86_400_000  # ms, of one side
TASKS = 400  # a side
RATE = 0.05
BURST_MS, BURST_TASKS = 180_000, 20
Random = np.random.Generator


class Side(NamedTuple):
    """The tasks of one side: when each was created [ms], in that order, and whether it failed."""

    time: np.ndarray[Any, Any]
    failed: np.ndarray[Any, Any]


Make = Callable[[Random], Side]


def independent(random: Random, rate: float = RATE, tasks: int = TASKS) -> Side:
    """Return tasks that fail independently."""
    return Side(np.sort(random.integers(0, SPAN, tasks)), random.random(tasks) < rate)


def with_bursts(random: Random, bursts: int) -> Side:
    """Return independent tasks, and bursts of 20 more that all fail within three minutes."""
    time, failed = independent(random)
    for begin in random.integers(0, SPAN - BURST_MS, bursts):
        time = np.append(time, begin + random.integers(0, BURST_MS, BURST_TASKS))
        failed = np.append(failed, np.ones(BURST_TASKS, bool))
    order = np.argsort(time)
    return Side(time[order], failed[order])


def with_outages(random: Random) -> Side:
    """Return independent tasks, of which all fail in outages: 2 on average, a fortieth of the time each."""
    time, failed = independent(random)
    length = SPAN // 40
    for begin in random.integers(0, SPAN - length, random.poisson(2)):
        failed = failed | ((time >= begin) & (time < begin + length))
    return Side(time, failed)


def find_design_effects(sides: list[Side]) -> list[float]:
    """Return the design effect of each side as the reports have it, nan where it cannot be told."""
    places = np.repeat(np.arange(len(sides)), [len(side.time) for side in sides])
    blocks = np.concatenate([side.time for side in sides]) * BLOCKS // SPAN
    rows = pd.DataFrame({"side": places, "block": blocks, "failed": np.concatenate([side.failed for side in sides])})
    counts = rows.assign(finished=1).groupby(["side", "block"], as_index=False)[["failed", "finished"]].sum()
    effects = design_effects(counts, ["side"]).set_index("side")["design_effect"].sort_index()
    return [float(effect) for effect in effects]


def count_alarms(random: Random, before: Make, after: Make, rounds: int) -> list[int]:
    """Return how often the 95 % interval of a rate's change is clear of none: plain, by blocks and z, by blocks and t.

    The third is what `compare` does; the fourth is how often it says since when, which it asks only then.
    """
    pairs = [(before(random), after(random)) for _ in range(rounds)]
    effects = find_design_effects([side for pair in pairs for side in pair])
    student = change.quantile_at(0.95)
    alarms = [0, 0, 0, 0]
    for place, pair in enumerate(pairs):
        counts = [(int(side.failed.sum()), len(side.failed)) for side in pair]
        effect = average_design_effect(effects[2 * place : 2 * place + 2], [n for _, n in counts])
        ways = ((1.0, intervals.Z95), (effect, intervals.Z95), (effect, student))
        for way, (divisor, quantile) in enumerate(ways):
            interval = change.rate_difference(counts[0], counts[1], divisor, quantile)
            is_alarm = interval.low > 0 or interval.high < 0
            alarms[way] += is_alarm
        alarms[3] += is_alarm and has_date(*pair)
    return alarms


def has_date(before: Side, after: Side) -> bool:
    """Tell whether it can be said since when the rate is another one."""
    times = np.concatenate([before.time, after.time + SPAN])
    point = change_point.find_change_point(times, np.concatenate([before.failed, after.failed]))
    return point is not None and point.clear


def count_failing(random: Random, rate: float, rounds: int) -> int:
    """Return how often a group that always fails at a rate is called failing after its last task."""
    failed = random.random((rounds, TASKS)) < rate
    runs = np.where(failed.all(axis=1), TASKS, np.argmin(failed[:, ::-1], axis=1))
    return int(is_failing((~failed).sum(axis=1), failed.sum(axis=1), runs).sum())


COMPARISONS: dict[str, tuple[Make, Make]] = {
    "no change, independent": (independent, independent),
    "no change, 2 bursts of 20 a side on average": (
        lambda r: with_bursts(r, int(r.poisson(2))),
        lambda r: with_bursts(r, int(r.poisson(2))),
    ),
    "no change, outages of 5 % of the time": (with_outages, with_outages),
    "one burst of 20 after only": (independent, lambda r: with_bursts(r, 1)),
    "*5 % -> 15 %, 200 tasks a side*": (lambda r: independent(r, RATE, 200), lambda r: independent(r, 0.15, 200)),
}


def main(rounds: int) -> None:
    """Print two tables."""
    random = np.random.default_rng(20_261_127)
    print("| simulation, nominal 5 % | plain Newcombe | 20 blocks, z | as compare: 20 blocks, t | dated |")
    print("|---|---:|---:|---:|---:|")
    for name, (before, after) in COMPARISONS.items():
        print_row(name, count_alarms(random, before, after, rounds), rounds)
    print(f"\n| called failing after {TASKS} tasks | nominal 1 % |\n|---|---:|")
    for rate in (0.01, RATE, 0.2, 0.4):
        print_row(f"always fails at {rate:.0%}", [count_failing(random, rate, rounds)], rounds)


def print_row(name: str, counts: list[int], rounds: int) -> None:
    print(" | ".join([f"| {name}", *(f"{100 * count / rounds:.1f} %" for count in counts)]) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
