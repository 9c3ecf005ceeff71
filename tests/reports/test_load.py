from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mltasks.reports.load import Level

LIVES = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 12)), min_size=1, max_size=25)


@given(LIVES, st.sets(st.integers(0, 25)))
def test_a_level_is_what_counting_each_instant_finds_wherever_the_lives_are_cut(
    lives: list[tuple[int, int]], cuts: set[int]
) -> None:
    spans = sorted((begin, begin + lasted) for begin, lasted in lives)
    in_flight = [sum(begin <= instant < end for begin, end in spans) for instant in range(50)]
    level = Level()
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(spans)), len(spans)]
    for first, last in pairwise(places):
        begins, ends = np.array(spans[first:last]).T
        level.add(begins, ends)
    assert (level.active_ms, level.peak) == (sum(n > 0 for n in in_flight), max(in_flight))
