"""`get` with `wait`: the states are asked for, ever less often, until all tasks have ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mltasks
from mltasks.opensearch import wait
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.retry_policy import RetryPolicy
from support.command import Command
from support.stub_cluster import StubCluster

States = Callable[[str, int], str]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


class Changing(StubCluster):
    """A cluster whose tasks are in a state that depends on how often the states were asked for."""

    def __init__(self, states: States, ids: tuple[str, ...] = ("task-1",)) -> None:
        super().__init__({task_id: number for number, task_id in enumerate(ids, 1)}, self._change)
        self.polls = 0
        self.states = states

    def _change(self, number: int, asked: dict[str, Any], answer: dict[str, Any]) -> Any:
        self.polls += asked.get("_source") == ["state"]
        for hit in answer["hits"]["hits"]:
            hit["_source"] = {**hit["_source"], "state": self.states(hit["_id"], self.polls)}
        return answer


def after(polls: int, end: str) -> States:
    """Return that a task is running until the states were asked for so many times."""
    return lambda task_id, asked: end if asked >= polls else "RUNNING"


def waiting(stub: StubCluster) -> tuple[Cluster, list[float]]:
    """Return a cluster for which no time goes by, and how long it was given."""
    pauses: list[float] = []
    return Cluster(stub.url, retry_policy=RetryPolicy(sleep=pauses.append)), pauses


def test_it_asks_ever_less_often_until_the_task_has_ended() -> None:
    with Changing(after(12, "COMPLETED")) as stub:
        cluster, pauses = waiting(stub)
        tasks = mltasks.get(cluster, "task-1", wait="10m")
        assert tasks["state"].tolist() == ["COMPLETED"]
        assert pauses == pytest.approx([min(0.5 * 1.5**n, 15.0) for n in range(11)])
        assert stub.polls == 12


def test_a_task_that_has_ended_is_not_waited_for() -> None:
    with Changing(after(0, "FAILED")) as stub:
        cluster, pauses = waiting(stub)
        assert mltasks.get(cluster, "task-1", wait="10m")["outcome"].tolist() == ["failed"]
        assert (stub.polls, pauses) == (0, [])


def test_it_waits_for_all_and_names_those_that_have_not_ended() -> None:
    def states(task_id: str, asked: int) -> str:
        return "COMPLETED" if task_id == "task-1" else "RUNNING"

    with Changing(states, ("task-1", "task-2", "task-3")) as stub:
        cluster, pauses = waiting(stub)
        with pytest.raises(mltasks.DataError) as caught:
            mltasks.get(cluster, ["task-1", "task-2", "task-3"], wait="30s")
        assert str(caught.value) == (
            f"{stub.url}: not ended after 30 s: task-2 is RUNNING, task-3 is RUNNING; wait longer with --timeout, "
            "or see what mltasks unfinished says of it"
        )
        assert sum(pauses) <= 30


def test_an_answer_that_cannot_be_read_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Changing(after(3, "COMPLETED")) as stub:
        true = stub.change

        def change(number: int, asked: dict[str, Any], answer: dict[str, Any]) -> Any:
            answer = true(number, asked, answer)
            return {"hits": None} if asked.get("_source") == ["state"] and stub.polls == 1 else answer

        stub.change = change
        cluster, pauses = waiting(stub)
        assert mltasks.get(cluster, "task-1", wait="10m")["state"].tolist() == ["COMPLETED"]
        assert len(pauses) == 2


@pytest.mark.parametrize(
    ("state", "code"),
    [("COMPLETED", 0), ("COMPLETED_WITH_ERROR", 0), ("FAILED", 1), ("EXPIRED", 1), ("CANCELLED", 1)],
)
def test_the_exit_code_says_how_it_ended(state: str, code: int, command: Command) -> None:
    with Changing(after(1, state)) as stub:
        ran = command("get", stub.url, "task-1", "--wait", "--timeout", "10m")
    assert ran.code == code
    assert state in ran.out
    assert stub.polls == 1


def test_a_time_out_is_exit_4_and_one_line(command: Command) -> None:
    with Changing(after(10**9, "COMPLETED")) as stub:
        said = command.fails(4, "get", stub.url, "task-1", "--wait", "--timeout", "0.01s")
    assert said.startswith(f"{stub.url}: not ended after 0.01 s: task-1 is RUNNING; ")


def test_a_time_out_for_answers_is_still_one(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with Changing(after(1, "COMPLETED")) as stub:
        assert command("get", stub.url, "task-1", "--timeout", "30").code == 0
        monkeypatch.setenv("MLTASKS_TIMEOUT", "30")  # as one sets it for all commands: no limit of the waiting
        monkeypatch.setattr(wait, "FIRST_S", 0.0)
        assert command("get", stub.url, "task-1", "--wait").code == 0
    assert command.fails(2, "get", "demo", "x", "--timeout", "soon").startswith("--timeout: cannot read 'soon'")


def test_what_is_open_in_a_file_does_not_end(command: Command) -> None:
    open_task = mltasks.load("demo", outcome="open")["task_id"].iloc[0]
    said = command.fails(2, "get", "demo", f"{open_task}", "--wait")
    assert said == "demo: only a cluster has tasks that end while one waits; leave out --wait (wait)"
