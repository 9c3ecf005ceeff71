"""What users import: its names, signatures, wrong keywords, sources, and how it shows itself."""

from __future__ import annotations

import ast
import inspect
import pickle
import pkgutil
import socket
import traceback
from pathlib import Path
from types import FunctionType
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import mltasks
from mltasks.exceptions import KeywordError, UsageError
from mltasks.reports.declaration import CHANGES_RATE
from mltasks.reports.registry import REPORTS
from mltasks.tasks import filter_declarations
from support import stub
from support.documents import hit
from support.fake_cluster import fake_cluster

FUNCTIONS = [name for name in mltasks.__all__ if isinstance(getattr(mltasks, name), FunctionType)]
FILTERS = {*filter_declarations.HELP, "tz"}


def parameters(name: str) -> set[str]:
    return {*inspect.signature(getattr(mltasks, name)).parameters}


def test_no_public_name_is_a_modules() -> None:
    assert {module.name for module in pkgutil.iter_modules(mltasks.__path__)}.isdisjoint(mltasks.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_public_function_returns_has_a_public_name(name: str) -> None:
    returned = inspect.signature(getattr(mltasks, name)).return_annotation
    assert returned in (*mltasks.__all__, "pd.DataFrame", "None")


@pytest.mark.parametrize("name", ["load", "scan", "fetch"])
def test_the_signature_of_what_reads_names_every_filter(name: str) -> None:
    assert parameters(name) >= {*FILTERS, "access", "query"}


@pytest.mark.parametrize("name", [*REPORTS])
def test_the_signature_of_a_report_names_every_filter_that_it_takes(name: str) -> None:
    report = REPORTS[name]
    own = {option.name for option in report.options}
    taken = {*filter_declarations.HELP} - {*report.refused} - own
    assert taken <= parameters(name), f"{name} lacks {taken - parameters(name)}"
    assert not {*report.refused} & (parameters(name) - own), f"{name} has what it refuses"
    assert {"as_of", "access", "query", *own} <= parameters(name)


def test_the_signature_of_the_page_names_the_filters_that_leave_a_rate_what_it_is() -> None:
    assert parameters("report") == {"tasks", "as_of", "access", "query", *(FILTERS - {*CHANGES_RATE})}


def test_the_stub_for_editors_is_what_the_functions_say() -> None:
    written, wanted = (_definitions(text) for text in (stub.STUB.read_text("utf-8"), stub.text()))
    assert written == wanted, "make format writes it anew"


def _definitions(text: str) -> dict[str, str]:
    """Return the statements of a stub by name, however they are laid out."""
    found = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef):
            doc = inspect.cleandoc(ast.get_docstring(statement) or "")
            statement.body = []
            found[statement.name] = ast.dump(statement) + doc
        elif isinstance(statement, ast.ImportFrom | ast.Import):
            for name in statement.names:
                found[name.asname or name.name] = f"{getattr(statement, 'module', '')}.{name.name}"
        else:
            found[ast.dump(statement)] = ""
    return found


@pytest.mark.parametrize(
    ("name", "keyword", "near"),
    [
        *((name, "freq", "every") for name, report in REPORTS.items() if report.has_periods),
        *((name, "groupby", "by") for name, report in REPORTS.items() if report.takes_by),
        *((name, "from", "since") for name in ("load", "scan", "fetch", "report", *REPORTS)),
        *((name, "algorithm", "function_name") for name in ("load", "scan", "fetch", "report", *REPORTS)),
        *((name, "auth", "access") for name in ("load", "scan", "fetch", "get", "report", *REPORTS)),
        *(("load", near, name) for near, name in (("status", "state"), ("to", "until"), ("timezone", "tz"))),
        ("load", "Task-Type", "task_type"),
        ("fetch", "overwrite", "force"),
        ("get", "refersh", "refresh"),
        ("write_parquet", "overwrite", "force"),
        ("by_node", "df", "tasks"),
        ("parse_json", "col", "column"),
        ("show", "limit", "top"),
    ],
)
def test_a_wrong_keyword_is_answered_with_the_near_one(name: str, keyword: str, near: str) -> None:
    with pytest.raises(KeywordError) as caught:
        getattr(mltasks, name)(**{keyword: "x"})
    assert str(caught.value) == f"{name}: there is no keyword {keyword!r}; did you mean {near!r}?"
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, UsageError)


def test_a_keyword_that_nothing_is_near_to_is_answered_with_those_there_are() -> None:
    with pytest.raises(KeywordError, match=r"^show: there is no keyword 'zzz'; there are table, sort, top$"):
        mltasks.show(pd.DataFrame(), zzz=1)  # type: ignore[call-arg]


def test_a_filter_that_a_report_refuses_is_refused_before_the_source_is_read() -> None:
    says = r"^workers does not take the filter state: it would change the failure rate; leave it out here$"
    with pytest.raises(UsageError, match=says):
        mltasks.workers("no such source", state="FAILED")  # type: ignore[call-arg]
    with pytest.raises(UsageError, match=r"^report does not take the filter error"):
        mltasks.report("no such source", error="x")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_found_again_under_its_public_name(name: str) -> None:
    assert pickle.loads(pickle.dumps(getattr(mltasks, name))) is getattr(mltasks, name)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same tasks in every form that a report takes."""
    folder = tmp_path_factory.mktemp("sources")
    tasks = mltasks.load("demo")
    mltasks.write_parquet(tasks, folder / "tasks.parquet")
    is_training = tasks["task_type"] == "TRAINING"
    for name, part in {"a": tasks[is_training], "b": tasks[~is_training]}.items():
        mltasks.write_parquet(part, folder / f"{name}.parquet")
    return {
        "a name": "demo",
        "a path": folder / "tasks.parquet",
        "a list": [str(folder / "a.parquet"), folder / "b.parquet"],
        "a Dataset": mltasks.scan("demo"),
        "an Arrow table": pa.Table.from_pandas(tasks),
        "a frame": tasks,
    }


@pytest.mark.parametrize("kind", ["a name", "a path", "a list", "a Dataset", "an Arrow table"])
def test_a_report_takes_every_kind_of_source(kind: str, sources: dict[str, Any]) -> None:
    options: dict[str, Any] = {"by": "task_type", "since": "15m", "not_task_type": "DEPLOY_MODEL"}
    if kind == "an Arrow table":
        options |= {"since": "2026-11-24 22:00", "as_of": "2026-11-24 22:16"}  # it has no Context
    expected = mltasks.failures(sources["a frame"], **options)
    assert len(expected) > 2
    pd.testing.assert_frame_equal(mltasks.failures(sources[kind], **options), expected)


@pytest.mark.parametrize("name", [*REPORTS])
def test_every_report_takes_a_source(name: str, sources: dict[str, Any]) -> None:
    report = getattr(mltasks, name)
    pd.testing.assert_frame_equal(report("demo"), report(sources["a Dataset"]))


def test_times_of_a_source_count_back_from_the_as_of_of_the_call(sources: dict[str, Any]) -> None:
    options: dict[str, Any] = {"since": "1h", "as_of": "2026-11-24 23:10", "by": []}
    table = mltasks.failures("demo", **options)
    assert table["tasks"].tolist() == mltasks.failures(sources["a frame"], **options)["tasks"].tolist() == [104]


def test_a_page_takes_a_source_too(sources: dict[str, Any]) -> None:
    page = mltasks.report(sources["a Dataset"], since="5m", tz="Asia/Tokyo")
    assert "100 tasks of ml-fixture" in page.markdown()


def test_a_report_of_a_cluster_takes_access_and_query_and_one_of_a_store_its_path(tmp_path: Path) -> None:
    with fake_cluster() as cluster:
        for name, state in (("a", "FAILED"), ("b", "COMPLETED"), ("c", "COMPLETED")):
            cluster.write(name, **hit(name, state=state)["_source"])
        access = mltasks.Access(page_size=2, progress=False)
        table = mltasks.failures(cluster.url, by=[], access=access)
        assert table[["tasks", "failed"]].values.tolist() == [[3, 1]]
        chosen = mltasks.failures(cluster.url, by=[], query={"ids": {"values": ["a", "b"]}})
        assert chosen[["tasks", "failed"]].values.tolist() == [[2, 1]]
        one = mltasks.get(cluster.url, ["b", "a"], access=mltasks.Access(query={"ids": {"values": ["a", "b"]}}))
        assert one["task_id"].tolist() == ["b", "a"]
        store = mltasks.Store(tmp_path / "history")
        assert isinstance(store.sync(cluster.url, access=access), mltasks.SyncResult)
    for tasks in (store, store.path, str(store.path)):
        pd.testing.assert_frame_equal(mltasks.failures(tasks, by=[]), table)


def test_a_query_is_given_once_and_to_clusters_only(sources: dict[str, Any]) -> None:
    query: dict[str, Any] = {"match_all": {}}
    with pytest.raises(UsageError, match=r"^query: given twice, by itself and in access; give it once$"):
        mltasks.load("demo", query=query, access=mltasks.Access(query=query))
    for tasks in (sources["a frame"], sources["a path"], sources["a Dataset"]):
        with pytest.raises(UsageError, match="a query is for clusters; on a file use the filters"):
            mltasks.failures(tasks, query=query)


def test_objects_show_themselves_in_one_line(sources: dict[str, Any], tmp_path: Path) -> None:
    assert repr(sources["a Dataset"]) == "<Dataset of demo, as of 2026-11-24T22:15:10.637Z>"
    assert repr(mltasks.scan("demo", task_type="training")) == (
        "<Dataset of demo, task_type training, as of 2026-11-24T22:15:10.637Z>"
    )
    assert repr(mltasks.Store(tmp_path)) == f"<Store at {tmp_path}, not made yet>"
    assert repr(mltasks.Cluster("http://LOCALHOST:9200", name="prod")) == "<Cluster prod at http://LOCALHOST:9200>"
    page = mltasks.report("demo", since="1m")
    assert repr(page) == f"<Page with {', '.join(page.tables)}>"


def test_a_refused_connection_is_a_short_traceback() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        access = mltasks.Access(deadline=0.5)
        with pytest.raises(mltasks.ClusterError) as caught:
            mltasks.failures(url, access=access)
    text = "".join(traceback.format_exception(caught.value))
    assert text.count("Traceback") == 1
    assert "urllib3" not in text
    assert str(caught.value) in text.splitlines()[-1]
