from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from support.command import Command
from support.disk import full_disk

SECRET = "hunter2"  # what must be nowhere in any output
HIT: dict[str, Any] = {
    "_id": "a",
    "_source": {"task_type": "TRAINING", "state": "COMPLETED", "create_time": 1764021600000},
}


def answer(hits: int, total: int, relation: str = "eq") -> str:
    """Return a saved answer of _search as curl gives it."""
    found = {
        "took": 3,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {
            "total": {"value": total, "relation": relation},
            "hits": [{**HIT, "_id": f"a{n}"} for n in range(hits)],
        },
    }
    return json.dumps(found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("failures", "nowhere.parquet"), ("nowhere.parquet: there is no such file", "https://", "demo")),
        (("failures", "dmeo"), ("dmeo: there is no such file", "demo")),
        (("failures", ""), ("the source is empty", "demo")),
        (("failures", "demo", "--since", ""), ("since: cannot read ''", "7d")),
        (("failures",), ("no SOURCE", "demo", "MLTASKS_SOURCE")),
        (("list",), ("no SOURCE", "demo", "MLTASKS_SOURCE")),
        (("get", "demo"), ("get demo: give a SOURCE and an ID", "mltasks get demo ID")),
        (("get", "nosuchtask", "demo"), ("get nosuchtask: the SOURCE comes first", "mltasks get demo nosuchtask")),
        (("get", "demo", "nosuchtask"), ("demo: there is no task nosuchtask", "mltasks list")),
        (("get", "demo", "-osuchtask0123456789"), ("demo: there is no task -osuchtask0123456789", "mltasks list")),
        (("get", "demo", "x", "--refresh"), ("demo: only a cluster can refresh a task", "--refresh")),
        (("durations", "demo", "--by", "nonsense"), ("by: there is no column 'nonsense'", "function_name")),
        (("durations", "demo", "--by", "functon_name"), ("'functon_name'; did you mean 'function_name'?",)),
        (("durations", "demo", "--by", "create_time"), ("cannot group by 'create_time'", "--every")),
        (("durations", "demo", "--by", "response"), ("cannot group by 'response'", "JSON")),
        (("durations", "demo", "--every", "2d"), ("every: cannot read '2d'", "1d")),
        (("durations", "demo", "--every", "1h", "--tz", "Mars"), ("tz: there is no time zone 'Mars'", "Europe/Berlin")),
        (("durations", "demo", "--since", "yesterdayish"), ("since: cannot read 'yesterdayish'", "2026-11-24", "7d")),
        (("list", "demo", "--since", "2026-01-02", "--until", "2026-01-01"), ("since 2026-01-02", "not before until")),
        (("errors", "demo", "--new"), ("Option '--new' requires an argument", "errors --help")),
        (("compare", "demo", "--split"), ("Option '--split' requires an argument", "compare --help")),
        (("durations", "demo", "--outcome", "faild"), ("outcome: there is no outcome 'faild'", "failed")),
        (("failures", "demo", "--state", "FAILED"), ("failures does not take the filter state", "leave it out")),
        (
            ("workers", "demo", "--not-outcome", "open"),
            ("workers does not take the filter not_outcome", "leave it out"),
        ),
        (("report", "demo", "--outcome", "failed"), ("failures does not take the filter outcome", "leave it out")),
        (("failures", "demo", "--query", "{}"), ("demo: a query is for clusters", "--function-name")),
        (("list", "demo", "--query", '{"match_all": {}}'), ("demo: a query is for clusters", "--state")),
        (("list", "demo", "--query", "{"), ("--query: not JSON", "match_all")),
        (("list", "demo", "--query", "[]"), ("--query: not an object", "match_all")),
        (("list", "demo", "--query", '{"query": 1}'), ('--query: "query" is not an object', "match_all")),
        (("failures", f"https://admin:{SECRET}@localhost:9200"), ("https://localhost:9200: credentials", "--user")),
        (("failures", "ftp://localhost"), ("ftp://localhost: not the URL of a cluster", "https://host:9200")),
        (("failures", "demo", "-o", "json"), ("-o json: -o names a file; did you mean --format json?",)),
        (("list", "demo", "-o", "csv"), ("-o csv: -o names a file; did you mean --format csv?",)),
        (("failures", "demo", "-o", "report.xlsx"), ("-o report.xlsx: no format of this suffix", ".csv", "--format")),
        (("failures", "demo", "--format", "xml"), ("'xml' is not one of", "csv", "failures --help")),
        (("failures", "demo", "--format", "parquet"), ("--format parquet", "-o report.parquet")),
        (("failures", "nowhere.parquet", "--plot", "f.pdf"), ("--plot f.pdf: no picture of this suffix", ".svg")),
        (
            ("report", "demo", "-o", "report.pdf"),
            ("-o report.pdf: the page comes as", "report.html, report.md or report.json"),
        ),
        (("publish", "store", ""), ("'': no URL of object storage", "s3://bucket/prefix")),
        (("publish", "store", "/backup"), ("/backup: no URL of object storage", "s3://bucket/prefix")),
        (("sync", "demo"), ("demo: no STORE", "mltasks sync URL history")),
        (("sync", "http://127.0.0.1:1"), ("http://127.0.0.1:1: no STORE", "mltasks sync http://127.0.0.1:1 history")),
        (("sync", "history"), ("history: no SOURCE", "mltasks sync URL history", "MLTASKS_SOURCE")),
        (("list", "demo", "--node", "nope"), ("node: no node is called 'nope'; there are n1, n2, n3",)),
        (("failures", "demo", "-o", "."), ("-o .: is a folder; name a file in it",)),
        (("failures", "demo", "-o", "new.csv/"), ("-o new.csv/: is a folder; name a file in it",)),
        (("report", "demo", "-o", "."), ("-o .: is a folder; name a file in it",)),
        (("fetch", "demo"), ("-o", "fetch --help")),
        (("fetch", "demo", "-o", "tasks.xls"), ("tasks.xls: of no known kind", ".parquet")),
        (("fetch", "demo", "-o", "hits.ndjson.gz"), ("raw hits come from a cluster", ".parquet")),
        (("failures", "demo", "--sort", "nonsense"), ("sort: there is no column 'nonsense'", "failure_rate")),
        (("failures", "demo", "--sort", "tasks:up"), ("sort: there is no order 'up'", "tasks:asc")),
        (("list", "demo", "--columns", "nonsense"), ("columns: there is no column 'nonsense'", "task_id")),
        (("list", "demo", "--columns", "taskid"), ("'taskid'; did you mean 'task_id'?",)),
        (("list", "demo", "--sort", "create_tim"), ("'create_tim'; did you mean 'create_time'?",)),
        (("failures", "demo", "--top", "-1"), ("--top", "-1", "failures --help")),
        (("failures", "demo", "--functon-name", "KMEANS"), ("--functon-name", "--function-name")),
        (("failures", "demo", "more"), ("more: there is no such file", "a URL")),
        (("failures", "demo", "--all"), ("--all and demo at once; use one of them",)),
        (("failures", "--all"), ("--all: no cluster is configured; mltasks doctor --help",)),
        (("doctor", "demo"), ("doctor: demo is no cluster; name a URL",)),
        (("durtions", "demo"), ("no command 'durtions'; did you mean 'durations'?", "mltasks --help")),
        (("nonsense",), ("no command 'nonsense'; there are report, highlights, timeline, failures", "mltasks --help")),
        (("demo",), ("no command 'demo'; the command comes first: mltasks report demo",)),
        (("https://localhost:9200",), ("the command comes first: mltasks report https://localhost:9200",)),
        (("--frce",), ("--frce", "mltasks --help")),
        (
            ("list", "demo", "--password-file", "nowhere"),
            ("--password-file (not repeated here, as it may be the secret itself): cannot",),
        ),
        (
            ("list", "http://127.0.0.1:1", "--ca-certs", "nowhere.pem"),
            ("--ca-certs nowhere.pem: there",),
        ),
        (("list", "http://127.0.0.1:1", "--timeout", "0"), ("--timeout", "list --help")),
        (("list", "demo", "--columns", ","), ("columns: there is no name in ','", "comma-separated")),
        (("failures", "demo", "--sort", ":desc"), ("sort: there is no column in ':desc'", "COLUMN:desc")),
        (("failures", "demo", "--top", "all"), ("--top", "'all' is not a valid whole number", "failures --help")),
        (("failures", "demo", "--tz", ""), ("tz: there is no time zone ''", "Europe/Berlin")),
        (("failures", "demo", "--every", ""), ("every: cannot read ''", "15min")),
        (("failures", "demo", "-o", ""), ("-o: the name is empty", "leave -o out")),
        (("workers", "demo", "--plot", ""), ("--plot: the name is empty", "figure.svg")),
        (("get", "demo", ""), ("get: an ID is empty", "mltasks list")),
        (("sync", "", "history"), ("the source is empty", "a cluster's URL")),
        (("sync", "http://127.0.0.1:1", ""), ("STORE is empty", "the folder of a store")),
        (("verify", ""), ("STORE is empty", "the folder of a store")),
        (("verify", "http://127.0.0.1:1"), ("http://127.0.0.1:1: is not a store", "mltasks sync")),
    ],
)
def test_a_call_that_is_off_is_one_line_with_place_value_and_remedy(
    mltasks: Command, arguments: tuple[str, ...], said: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = mltasks.fails(2, *arguments)
    for part in said:
        assert part in line
    assert SECRET not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("page.json", "<!doctype html><html><body>Log in</body></html>", ("not a _search answer", "mltasks fetch")),
        ("error.json", '{"error": {"reason": "no permissions"}, "status": 403}', ("no permissions", "mltasks fetch")),
        ("ten.json", answer(10, 552), ("incomplete: it holds 10 of 552 tasks", "mltasks fetch URL")),
        ("gte.json", answer(10, 10000, "gte"), ("it holds 10 of more than 10000 tasks", "mltasks fetch URL")),
        ("late.json", answer(1, 1).replace("false", "true"), ("the search timed out", "mltasks fetch URL")),
        (
            "shard.json",
            answer(1, 1).replace('"failed": 0', '"failed": 1'),
            ("1 of 1 shards failed", "mltasks fetch URL"),
        ),
        ("half.ndjson", f'{json.dumps(HIT)}\n{{"_id": "b", "_sou', ("line 2: cut short", "mltasks fetch")),
        ("page.ndjson", "<!doctype html>\n<html>\n", ("line 1", "mltasks fetch")),
        ("other.ndjson", '{"name": "Ada"}\n', ("no hit of _search", "mltasks fetch")),
        ("text.parquet", "PAR1 or not", ("not a readable Parquet file", "mltasks fetch")),
        ("text.ndjson.gz", "no gzip at all", ("not compressed as its suffix .ndjson.gz says", "rename it")),
        ("text.json.zst", "no zstd at all", ("not compressed as its suffix .json.zst says", "rename it")),
        ("cut.ndjson.gz", "", ("cut short or damaged (it is empty)", "mltasks fetch")),
    ],
)
def test_data_that_is_incomplete_or_something_else_is_exit_4_with_a_remedy(
    mltasks: Command, name: str, content: str, said: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content)
    line = mltasks.fails(4, "failures", str(path))
    assert line.startswith(str(path))
    for part in said:
        assert part in line


def test_a_parquet_file_of_something_else_is_exit_4_and_names_what_is_missing(mltasks: Command, tmp_path: Path) -> None:
    pd.DataFrame({"name": ["Ada"], "age": [36]}).to_parquet(tmp_path / "people.parquet")
    line = mltasks.fails(4, "failures", str(tmp_path / "people.parquet"))
    assert "people.parquet" in line
    assert "it has: name, age" in line
    assert "mltasks fetch" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("failures", "demo", "-o", "there.csv"),
        ("workers", "demo", "--plot", "there.png"),
        ("report", "demo", "-o", "there.html"),
        ("list", "demo", "-o", "there.json"),
        ("get", "demo", "uHCeD6IBiXUMJeGlU9P0", "-o", "there.md"),
        ("fetch", "demo", "-o", "there.parquet"),
    ],
)
def test_a_file_that_is_there_is_left_alone(
    mltasks: Command, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(arguments[-1]).write_text("before")
    line = mltasks.fails(2, *arguments)
    assert line == f"{arguments[-1]}: exists already; choose another name, or overwrite it with --force"
    assert Path(arguments[-1]).read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == [arguments[-1]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("failures", "demo", "-o", "r.csv"),
        ("failures", "demo", "-o", "r.parquet"),
        ("failures", "demo", "--plot", "r.svg"),
        ("failures", "demo", "--plot", "r.png"),
        ("report", "demo", "--since", "1m", "-o", "r.html"),
        ("list", "demo", "-o", "r.md"),
        ("get", "demo", "uHCeD6IBiXUMJeGlU9P0", "-o", "r.txt"),
        ("fetch", "demo", "-o", "r.parquet"),
    ],
)
def test_a_file_that_cannot_be_written_is_exit_5_and_leaves_nothing(
    mltasks: Command, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with full_disk():
        line = mltasks.fails(5, *arguments)
    assert line.startswith(f"{arguments[-1]}: cannot be written: ")
    assert line.endswith("File too large")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("failures", "demo", "-o"), ("fetch", "demo", "-o")])
def test_a_folder_that_is_not_there_is_named_before_any_work(
    mltasks: Command, command: tuple[str, ...], tmp_path: Path
) -> None:
    line = mltasks.fails(2, *command, f"{tmp_path}/no/such/t.parquet")
    assert f"there is no folder {tmp_path}/no/such" in line


def test_a_closed_port_is_exit_3(mltasks: Command) -> None:
    line = mltasks.fails(3, "failures", "http://127.0.0.1:1", "--timeout", "1")
    assert "http://127.0.0.1:1" in line


def test_debug_shows_the_traceback_before_the_line(mltasks: Command) -> None:
    for arguments in (("--debug", "failures", "demo", "--by", "x"), ("failures", "demo", "--by", "x", "--debug")):
        ran = mltasks(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("Traceback (most recent call last)")
        assert ran.err.splitlines()[-1].startswith("mltasks: by: there is no column 'x'")


def test_errors_show_hostile_values_harmless(mltasks: Command) -> None:
    line = mltasks.fails(2, "failures", "demo", "--by", "\x1b[31mred\n\u202e")
    assert r"\x1b[31mred\n\u202e" in line.replace("\\\\", "\\")
    assert "\x1b" not in line


def test_no_secret_is_in_any_output(mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "token").write_bytes(b"\xff" + SECRET.encode())
    monkeypatch.setenv("MLTASKS_PASSWORD", SECRET)
    for arguments in (
        ("list", "http://127.0.0.1:1", "--user", "admin"),
        ("--debug", "list", "http://127.0.0.1:1", "--user", "admin", "--password-file", f"{tmp_path / 'password'}"),
        ("--debug", "list", "demo", "--token-file", f"{tmp_path / 'token'}"),
        ("--debug", "list", f"http://admin:{SECRET}@127.0.0.1:1"),
        ("list", "http://127.0.0.1:1"),
    ):
        ran = mltasks(*arguments)
        assert ran.code in (2, 3)
        assert SECRET not in ran.out + ran.err


def test_values_that_cannot_be_read_are_one_line_of_warning_and_no_error(mltasks: Command, tmp_path: Path) -> None:
    lines = [{"_id": f"a{n}", "_source": {**HIT["_source"], "create_time": "soon\n\x1b[31m"}} for n in range(3)]
    (tmp_path / "odd.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = mltasks("failures", str(tmp_path / "odd.ndjson"), "--format", "json")
    assert ran.code == 0
    assert ran.rows[0]["tasks"] == 3
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith(f"mltasks: warning: {tmp_path / 'odd.ndjson'}: ")
    assert "create_time 3" in ran.err
    assert "\x1b" not in ran.err


def test_no_command_is_what_mltasks_is_and_commands_that_work_on_stderr_and_exit_2(mltasks: Command) -> None:
    ran = mltasks()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("mltasks reports on the tasks of OpenSearch ML Commons: ")
    assert len(re.findall(r"^  mltasks \w+ demo", ran.err, re.MULTILINE)) == 3


def test_that_a_file_with_clusters_is_not_used_is_said_once(
    mltasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "mltasks.toml").touch()
    (tmp_path / "mltasks.toml").chmod(0o666)
    lines = mltasks("failures", "nowhere").err.splitlines()
    assert [("is not used" in line, "there is no such file" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]
