from __future__ import annotations

from mltasks.engines import shared_results
from mltasks.engines.shared_results import compute_once, compute_once_of_selection, mark_selection, share_results


def test_a_result_is_worked_out_once_while_results_are_shared() -> None:
    owner, calls = object(), []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    assert [compute_once(owner, "a", compute) for _ in range(2)] == [1, 2]
    with share_results():
        assert [compute_once(owner, "a", compute) for _ in range(2)] == [3, 3]
        with share_results():
            assert compute_once(owner, "a", compute) == 3
        assert compute_once(owner, "b", compute) == 4
        assert compute_once(object(), "a", compute) == 5
    assert not shared_results.is_sharing()
    assert compute_once(owner, "a", compute) == 6


def test_frames_of_one_selection_share_and_one_that_was_changed_does_not() -> None:
    tasks, calls = object(), []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    with share_results():
        first, same, other, changed = (object() for _ in range(4))
        for frame, selection in ((first, "all"), (same, "all"), (other, "late")):
            mark_selection(frame, tasks, selection)
        counts = [compute_once_of_selection(frame, "n", compute) for frame in (first, same, other, changed, changed)]
    assert counts == [1, 1, 2, 3, 4]
