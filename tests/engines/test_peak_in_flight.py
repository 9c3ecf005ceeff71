from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mltasks.engines.peak_in_flight import ConcurrencySweep

LIVES = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 12), st.integers(0, 2)), min_size=1, max_size=40)
FAR = 253_402_300_799_999  # a time [ms] in the year 9999


def levels(lives: list[tuple[int, int, int]], cuts: set[int], apart: int = 1) -> ConcurrencySweep:
    """Add lives, (begin, end, group), in some parts."""
    found = ConcurrencySweep()
    for first, last in pairwise([0, *sorted(cut for cut in cuts if 0 < cut < len(lives)), len(lives)]):
        part = np.array(sorted(lives[first:last], key=lambda life: life[2]), "int64")  # stable: by begin in a group
        found.add(part[:, 2] * apart, part[:, 0], part[:, 1])
    return found


@given(LIVES, st.sets(st.integers(0, 40)))
def test_a_level_is_what_counting_each_instant_finds_wherever_the_lives_are_cut(
    drawn: list[tuple[int, int, int]], cuts: set[int]
) -> None:
    lives = sorted((begin, begin + lasted, group) for begin, lasted, group in drawn)
    found = levels(lives, cuts)
    for group in {group for _, _, group in lives}:
        in_flight = [sum(begin <= now < end and of == group for begin, end, of in lives) for now in range(50)]
        assert found.active_ms[group] == sum(n > 0 for n in in_flight)
        assert found.peak[group] == max(in_flight)


def test_no_lives_are_no_groups() -> None:
    found = ConcurrencySweep()
    found.add(*(np.empty(0, "int64") for _ in range(3)))
    assert (found.active_ms.tolist(), found.peak.tolist()) == ([], [])


def test_many_groups_over_eight_thousand_years_stay_apart() -> None:
    lives = [(1, FAR, 0), (2, 5, 1), (FAR - 9, FAR, 1)]
    found = levels(lives, set(), apart=100_000)
    assert (found.active_ms[[0, 100_000]].tolist(), found.peak[[0, 100_000]].tolist()) == ([FAR - 1, 12], [1, 1])


def test_an_end_at_the_instant_of_a_begin_in_the_next_part_comes_first() -> None:
    found = levels([(1, 5, 0), (5, 9, 0)], {1})
    assert (found.active_ms.tolist(), found.peak.tolist()) == ([8], [1])
