from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltasks
from mltasks.engines import prepare
from mltasks.engines.dataset import Dataset
from mltasks.exceptions import UsageError
from mltasks.reports import report_info
from mltasks.tasks import filter_declarations, filter_options, filter_words, filters, letter_case, metadata, schema
from mltasks.tasks.filter_options import FilterOptions
from mltasks.tasks.filters import Filters
from mltasks.tasks.metadata import ClusterInfo, Context, Node
from support.documents import CREATED, hit, write_lines

HOUR = 3_600_000
AS_OF = CREATED + 10 * HOUR
DEPLOY_ERROR = json.dumps({"node-2": "out of Memory"})
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*states that this version does not know:mltasks.exceptions.TaskDataWarning"
)  # one of the tasks is in such a state
TASKS = [
    hit("old", 1, create_time=CREATED, last_update_time=CREATED + HOUR),
    hit("kmeans", 2, create_time=CREATED + HOUR, state="FAILED", error="Index MISSING"),
    hit("agent", 3, create_time=CREATED + 2 * HOUR, state="FAILED", task_type="AGENT_EXECUTION", function_name="AGENT",
        worker_node=["node-2"], model_id=None, response={"error_message": "Failed to find model"}),
    hit("deploy", 4, create_time=CREATED + 3 * HOUR, state="COMPLETED_WITH_ERROR", task_type="DEPLOY_MODEL",
        function_name="REMOTE", worker_node=["node-1", "node-2"], model_id="Model-2", error=DEPLOY_ERROR),
    hit("odd", 5, create_time=AS_OF, last_update_time=AS_OF, state="MOULTING", task_type=None, function_name=None,
        worker_node=[], model_id=None),
]  # fmt: skip
ALL = ["old", "kmeans", "agent", "deploy", "odd"]
CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ALL),
    ({"since": CREATED + HOUR}, ["kmeans", "agent", "deploy", "odd"]),
    ({"since": CREATED + HOUR + 1}, ["agent", "deploy", "odd"]),
    ({"until": CREATED + HOUR}, ["old"]),
    ({"until": CREATED + HOUR + 1}, ["old", "kmeans"]),
    ({"since": CREATED, "until": CREATED + 2 * HOUR}, ["old", "kmeans"]),
    ({"since": "2023-11-14 23:13:20", "until": "2023-11-15T01:13:20Z"}, ["kmeans", "agent"]),
    ({"since": "2023-11-15T00:13:20+01:00"}, ["kmeans", "agent", "deploy", "odd"]),
    ({"since": "8h"}, ["agent", "deploy", "odd"]),
    ({"since": "9h", "until": "480m"}, ["kmeans"]),
    ({"until": "0d"}, ["old", "kmeans", "agent", "deploy"]),
    ({"since": "1w"}, ALL),
    ({"state": "failed"}, ["kmeans", "agent"]),
    ({"state": "EXPIRED"}, []),
    ({"state": "failed, Moulting"}, ["kmeans", "agent", "odd"]),
    ({"state": ["COMPLETED,FAILED", "moulting,"]}, ["old", "kmeans", "agent", "odd"]),
    ({"error": "missing,find"}, []),
    ({"state": ["Failed", "moulting"]}, ["kmeans", "agent", "odd"]),
    ({"not_state": "Failed"}, ["old", "deploy", "odd"]),
    ({"not_state": ["failed", "COMPLETED"]}, ["deploy", "odd"]),
    ({"outcome": "completed"}, ["old", "deploy"]),
    ({"outcome": ["Partial", "open"]}, ["deploy", "odd"]),
    ({"not_outcome": "completed"}, ["kmeans", "agent", "odd"]),
    ({"task_type": "training"}, ["old", "kmeans"]),
    ({"not_task_type": "training"}, ["agent", "deploy", "odd"]),
    ({"function_name": "KMeans"}, ["old", "kmeans"]),
    ({"function_name": ("agent", "remote")}, ["agent", "deploy"]),
    ({"node": "NODE-2"}, ["agent", "deploy"]),
    ({"node": "node"}, ["old", "kmeans", "agent", "deploy"]),
    ({"node": "nOde-9,node-2"}, ["agent", "deploy"]),
    ({"node": ["node-9", "-1"]}, ["old", "kmeans", "deploy"]),
    ({"model": "model-2"}, ["deploy"]),
    ({"model": "MODEL"}, ["old", "kmeans", "deploy"]),
    ({"error": "missing"}, ["kmeans"]),
    ({"error": "FIND model"}, ["agent"]),
    ({"error": "Memory"}, ["deploy"]),
    ({"error": ["memory", "find"]}, ["agent", "deploy"]),
    ({"error": "f.*d"}, []),
    ({"state": "FAILED", "node": "node-1"}, ["kmeans"]),
    ({"state": "FAILED", "not_task_type": "TRAINING", "since": "8h"}, ["agent"]),
    ({"state": None, "since": None}, ALL),
    ({"state": []}, ALL),
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, Dataset]:
    """The tasks in a file, in a frame, and for DuckDB."""
    path = write_lines(tmp_path_factory.mktemp("filters") / "t.ndjson", TASKS)
    return path, mltasks.load(path), mltasks.scan(path)


@pytest.mark.parametrize(("options", "ids"), CASES)
def test_a_filter_gives_the_same_tasks_at_load_and_in_a_report(
    everything: tuple[Path, pd.DataFrame, Dataset], options: dict[str, Any], ids: list[str]
) -> None:
    path, frame, scanned = everything
    for source in (path, frame):
        assert mltasks.load(source, **options)["task_id"].tolist() == ids
    for tasks in (frame, scanned):
        in_report = prepare.prepare(tasks, "task_id", options, taken=()).frame.collect()
        assert sorted(in_report["task_id"].to_list()) == sorted(ids)


@pytest.mark.parametrize(("options", "ids"), CASES[14:22])
def test_a_report_takes_the_filters(
    everything: tuple[Path, pd.DataFrame, Dataset], options: dict[str, Any], ids: list[str]
) -> None:
    found = mltasks.durations(everything[2], by="task_id", **report_options(options))
    assert found["task_id"].tolist() == sorted(ids)


def report_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the filters as `durations` takes them: its own `outcome` is what it measures."""
    found = dict(options)
    if "outcome" in found:
        wanted = filter_words.parse_outcomes([word.lower() for word in as_list(found.pop("outcome"))])
        found["not_outcome"] = [outcome for outcome in schema.OUTCOMES if outcome not in wanted]
    return found


def as_list(words: str | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else words


def test_a_node_and_a_model_go_by_their_names_too() -> None:
    tasks = mltasks.load(TASKS)
    known = ClusterInfo(as_of_ms=AS_OF, nodes={"node-2": Node("Bigbox")}, models={"Model-2": "MiniLM-L6"})
    tasks.attrs[metadata.KEY] = Context(source="x", readings=(known,)).to_json()
    assert mltasks.load(tasks, node="BIG")["task_id"].tolist() == ["agent", "deploy"]
    assert mltasks.load(tasks, model="minilm")["task_id"].tolist() == ["deploy"]
    with pytest.raises(
        UsageError, match=r"^node: no node is called 'bigboxx'; did you mean Bigbox\? there are Bigbox, "
    ):
        mltasks.load(tasks, node="Bigboxx")
    with pytest.raises(
        UsageError, match=r"^model: no model is called 'minilm-l9'; did you mean MiniLM-L6\? there are "
    ):
        mltasks.load(tasks, model="MiniLM-L9")
    idle = ClusterInfo(as_of_ms=AS_OF, nodes={"node-7": Node("Idle")}, models={"Model-7": "Unused"})
    tasks.attrs[metadata.KEY] = Context(source="x", readings=(idle,)).to_json()
    assert mltasks.load(tasks, node="idle").empty
    assert mltasks.workers(tasks, node="node-7")["tasks"].tolist() in ([], [0])
    assert mltasks.load(tasks, model="unused").empty


def test_where_no_names_were_read_a_word_may_be_one_and_the_report_says_so() -> None:
    assert mltasks.load([], node="node-1", model="Model-1").empty
    tasks = mltasks.load(TASKS)
    for name, table in (("node", mltasks.models(tasks, node="x-9")), ("model", mltasks.models(tasks, model="x-9"))):
        note = f"the names of {name}s are not part of what was read: {name} is looked for in ids only"
        assert note in report_info.read_info(table).notes


def test_a_cluster_goes_by_its_name_exactly() -> None:
    assert len(mltasks.load("demo", cluster="ML-Fixture")) == 552
    with pytest.raises(
        UsageError, match=r"^cluster: no task has 'ml'; did you mean ml-fixture\? there are ml-fixture$"
    ):
        mltasks.load("demo", cluster="ml")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"task_type": "TRAIN"}, "task_type: no task has 'train'; did you mean TRAINING? there are AGENT_EXECUTION, "),
        ({"not_task_type": "TRAINNG"}, "not_task_type: no task has 'trainng'; did you mean TRAINING? there are "),
        ({"state": ["FAILED", "FAILD"]}, "state: no task has 'faild'; did you mean FAILED? there are CANCELLED, "),
        ({"state": "MOULTIN"}, "state: no task has 'moultin'; did you mean MOULTING? there are CANCELLED, "),
        (
            {"function_name": "k_means"},
            "function_name: no task has 'k_means'; did you mean KMEANS? there are AD_LIBSVM",
        ),
    ],
)
def test_a_value_that_no_release_knows_and_no_task_has_is_an_error_wherever_it_is_given(
    tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    path = write_lines(tmp_path / "t.ndjson", TASKS)
    everything = mltasks.load(path)
    ways: tuple[Callable[[], Any], ...] = (
        lambda: mltasks.load(path, **options),
        lambda: mltasks.load(everything, **options),
        lambda: mltasks.durations(mltasks.scan(path, **options)),
        lambda: mltasks.durations(everything, **options),
    )
    for select in ways:
        with pytest.raises(UsageError) as caught:
            select()
        assert str(caught.value).startswith(says)


def test_a_value_that_a_window_leaves_out_is_no_mistake() -> None:
    assert mltasks.load(TASKS, state="moulting", until=CREATED + 1).empty
    assert mltasks.load(TASKS, task_type="BATCH_INGEST").empty
    assert mltasks.load(TASKS, node="node-2", until=CREATED + 1).empty


def test_a_value_may_be_that_of_one_of_several_sources(tmp_path: Path) -> None:
    paths = [write_lines(tmp_path / f"{place}.ndjson", [task]) for place, task in enumerate((TASKS[0], TASKS[4]))]
    assert mltasks.load(paths, state="moulting")["task_id"].tolist() == ["odd"]
    assert mltasks.durations(mltasks.scan(paths, state="moulting"), by="state")["tasks"].tolist() == [1]


@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("options", "ids"),
    [({"since": "9h"}, ["agent", "odd"]), ({"until": "9h"}, ["old"]), ({"until": "1h"}, ["old", "agent"])],
)
def test_relative_times_count_from_the_latest_of_all_sources_in_any_order(
    tmp_path: Path, places: tuple[int, int], options: dict[str, Any], ids: list[str]
) -> None:
    early, late = ([TASKS[0]], [TASKS[2], TASKS[4]])
    paths = [write_lines(tmp_path / name, hits) for name, hits in (("a.ndjson", early), ("b.ndjson", late))]
    paths = [paths[place] for place in places]
    assert sorted(mltasks.load(paths, **options)["task_id"]) == sorted(ids)
    assert sorted(mltasks.durations(mltasks.scan(paths, **options), by="task_id")["task_id"]) == sorted(ids)


@pytest.mark.parametrize("word", ["İSTANBUL", "istanbul", "ΣΑΣ", "σας", "σασ", "ÄRGER", "ärger"])
def test_letters_fold_alike_in_every_engine(word: str) -> None:
    names = ("İstanbul", "ISTANBUL", "ΣΑΣ", "σας", "ÄRGER", "other")
    tasks = mltasks.load([hit(f"{place}", place, function_name=name) for place, name in enumerate(names, start=1)])
    expected = [name for name in names if letter_case.fold(name) == letter_case.fold(word)]
    assert len(expected) in (1, 2)
    for source in (tasks, mltasks.scan(tasks)):
        assert sorted(mltasks.durations(source, by="function_name", function_name=word)["function_name"]) == sorted(
            expected
        )


def test_a_task_without_a_readable_time_is_in_no_window() -> None:
    tasks = pd.concat(
        [mltasks.load(TASKS), mltasks.load([hit("null", 9, create_time=None), hit("zero", 9, create_time=0)])]
    )
    assert set(mltasks.load(tasks)["task_id"]) == {*ALL, "null", "zero"}
    assert set(mltasks.load(tasks, since=0)["task_id"]) == set(ALL)
    assert set(mltasks.load(tasks, until=AS_OF + 1)["task_id"]) == set(ALL)


def test_failed_agents_are_found_by_what_they_answered() -> None:
    found = mltasks.load("demo", error="failed to find model")
    assert set(found["task_type"]) == {"AGENT_EXECUTION"}
    assert found["error"].isna().all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stat": "FAILED"}, "load: there is no keyword 'stat'; did you mean 'state'?"),
        ({"worker_node": "n1"}, "load: there is no keyword 'worker_node'; did you mean 'node'?"),
        ({"zzz": "n1"}, "load: there is no keyword 'zzz'; there are source, access, since, until, task_type, "),
        ({"state": ""}, "state: the value is empty; give one, or leave state out"),
        ({"outcome": "done"}, "outcome: there is no outcome 'done'; there are succeeded, partial, failed, cancelled, "),
        ({"not_outcome": ["failed", "x"]}, "not_outcome: there is no outcome 'x'; there are"),
        ({"since": "soon"}, "since: cannot read 'soon' as a time"),
        ({"since": "2h", "until": "3h"}, "since 2023-11-15T06:13:20.000Z is not before until 2023-11-15T05:13:20.000Z"),
        ({"since": CREATED, "until": CREATED}, "since 2023-11-14T22:13:20.000Z is not before until"),
        ({"state": 5}, "state: 5 is not a text; give one text or a list of texts"),
        ({"state": ["FAILED", None]}, "state: None is not a text; give one text or a list of texts"),
    ],
)
def test_a_filter_that_cannot_be_read_is_a_usage_error(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        mltasks.load(TASKS, **options)
    assert str(caught.value).startswith(says)
    assert caught.value.exit_code == 2


def test_filters_are_told_as_they_were_read() -> None:
    tasks = mltasks.load(TASKS, since="2h", state=["Failed", "failed"], outcome="completed")
    ctx = metadata.read_attrs(tasks.attrs)
    assert ctx is not None
    assert ctx.filters == {
        "since": "2023-11-15T06:13:20.000Z",
        "state": ["failed"],
        "outcome": ["succeeded", "partial"],
    }


def test_two_filters_are_told_as_the_narrower_window_and_the_words_of_both() -> None:
    before = Filters(since_ms=1, until_ms=9, state=("a",))
    chosen = Filters(since_ms=3, until_ms=None, state=("b",), node=("n",))
    assert filters.combine(before, chosen) == Filters(since_ms=3, until_ms=9, state=("a", "b"), node=("n",))


def test_filters_are_false_where_nothing_is_filtered() -> None:
    assert not filter_options.parse({"since": None, "state": None}, None)
    assert filter_options.parse({"since": 0}, None)


sampled = st.fixed_dictionaries(
    {},
    optional={
        "since": st.integers(CREATED, AS_OF - 1),
        "state": st.lists(st.sampled_from([*schema.STATES, "moulting"]), min_size=1, max_size=3),
        "task_type": st.sampled_from(["training", "deploy_model"]),
        "node": st.sampled_from(["node-1", "2"]),
    },
)


@settings(max_examples=8)
@given(sampled)
def test_a_not_twin_selects_exactly_the_other_tasks(options: dict[str, Any]) -> None:
    tasks = mltasks.load(TASKS)
    for name in ("state", "task_type"):
        if word := options.pop(name, None):
            chosen, others = (
                set(mltasks.load(tasks, **options, **{key: word})["task_id"]) for key in (name, f"not_{name}")
            )
            assert chosen.isdisjoint(others)
            assert chosen | others == set(mltasks.load(tasks, **options)["task_id"])


def test_filters_are_declared_once_and_the_signatures_name_them() -> None:
    assert FilterOptions.__optional_keys__ == {*filter_declarations.HELP, "tz"}
    assert {field.name for field in dataclasses.fields(Filters)} == {
        *filter_declarations.WORDS,
        "since_ms",
        "until_ms",
        "confirmed",
    }
    assert set(filter_declarations.TWINS) == {each.name for each in filter_declarations.FILTERS if each.has_twin}
