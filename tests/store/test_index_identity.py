from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mltasks.store.index_identity import same_index
from mltasks.store.manifest import Fingerprint

NEWEST = 5  # how many marks are kept here


class Index:
    """An index as far as its numbers go: each write of a task takes the next one, as does each deletion."""

    def __init__(self) -> None:
        self.tasks: dict[str, Fingerprint] = {}
        self.writes = 0
        self.made = 0

    def write(self, task_id: str | None = None, name: str = "task") -> None:
        if task_id is None:
            self.made += 1
            task_id = f"{name}-{self.made}"
        self.tasks[task_id] = Fingerprint(task_id, self.writes, 1)
        self.writes += 1

    def do(self, kind: str, pick: int) -> None:
        there = sorted(self.tasks)
        if kind == "create" or not there:
            self.write()
        elif kind == "update":
            self.write(there[pick % len(there)])
        else:
            del self.tasks[there[pick % len(there)]]
            self.writes += 1

    def marks(self) -> list[Fingerprint]:
        return sorted(self.tasks.values(), key=lambda mark: mark.seq_no)[-NEWEST:]

    def look(self, marks: list[Fingerprint]) -> list[Fingerprint]:
        ids, numbers = {m.task_id for m in marks}, {m.seq_no for m in marks}
        return [m for m in self.tasks.values() if m.task_id in ids or m.seq_no in numbers]


CHANGES = st.lists(st.tuples(st.sampled_from(["create", "update", "delete"]), st.integers(0, 99)), max_size=30)


@given(CHANGES, CHANGES)
def test_an_index_is_known_again_as_long_as_one_of_its_marks_is_there(
    first: list[tuple[str, int]], then: list[tuple[str, int]]
) -> None:
    index = Index()
    index.write()
    for change in first:
        index.do(*change)
    marks = index.marks()
    for change in then:
        index.do(*change)
    left = {mark.task_id for mark in marks} & index.tasks.keys()
    assert same_index(marks, index.look(marks)) == bool(left)


@given(st.integers(1, 12), st.integers(0, 40))
def test_an_index_made_anew_is_another_one_however_many_tasks_it_has(before: int, after: int) -> None:
    old, new = Index(), Index()
    for _ in range(before):
        old.write()
    for _ in range(after):
        new.write(name="other")
    assert not same_index(old.marks(), new.look(old.marks()))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 12))
def test_a_restored_index_that_has_caught_up_is_another_one(kept: int, lost: int, more: int) -> None:
    index, restored = Index(), Index()
    for _ in range(kept):
        index.write()
        restored.write()
    for _ in range(lost):
        index.write()
    for _ in range(lost + more):  # with fewer than were lost, its greatest number has fallen, which tells
        restored.write(name="other")
    assert not same_index(index.marks(), restored.look(index.marks()))


def test_a_copy_of_an_index_has_the_ids_but_other_numbers() -> None:
    marks = [Fingerprint("a", 7, 1), Fingerprint("b", 9, 1)]
    assert not same_index(marks, [Fingerprint("a", 0, 1), Fingerprint("b", 1, 1)])
    assert not same_index(marks, [Fingerprint("a", 7, 2), Fingerprint("b", 9, 1)])


def test_a_task_written_again_has_a_greater_number_and_no_lower_term() -> None:
    marks = [Fingerprint("a", 7, 3)]
    assert same_index(marks, [Fingerprint("a", 12, 3)])
    assert same_index(marks, [Fingerprint("a", 12, 4)])
    assert not same_index(marks, [Fingerprint("a", 12, 2)])


def test_nothing_found_again_is_another_index() -> None:
    assert not same_index([Fingerprint("a", 7, 1)], [])
