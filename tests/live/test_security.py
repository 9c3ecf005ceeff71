"""A real cluster behind the security plugin: every way to log in, and what the least of rights is enough for.

It runs OpenSearch and ML Commons 3.6.0 with the security plugin 3.4.0.0, a combination that nobody supports: there is
no security plugin for 3.6.0 to be had (secured_home.py says more).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import mltasks
from live.logins import LOGINS, log_in, password
from live.secured import TASKS, SecuredServer
from mltasks import Access, Cluster, ClusterError, Credentials
from mltasks.opensearch.credentials import InsecureWarning
from mltasks.opensearch.retry_policy import RetryPolicy
from mltasks.reports import report_info
from mltasks.reports.registry import REPORTS
from support.command import Command

SEARCH = "/_plugins/_ml/tasks/_search"


# These two come first: the server is as they want it when it has just started.


def test_a_cluster_whose_users_are_not_loaded_yet_says_so(unready: SecuredServer) -> None:
    waits: list[float] = []
    credentials = Credentials(ca_certs=str(unready.conf / "ca.pem"), token=unready.token())
    with pytest.raises(ClusterError) as error:
        mltasks.load(Cluster(unready.url, credentials, retry_policy=RetryPolicy(sleep=waits.append)))
    assert str(error.value) == (
        f"{unready.url} answers 503 again and again: OpenSearch Security not initialized; its users are not loaded: "
        "try later if it has just started, else securityadmin.sh has to be run there"
    )
    assert len(waits) > 3


def test_whoever_waits_gets_the_tasks_once_the_users_are_loaded(unready: SecuredServer) -> None:
    credentials = Credentials(ca_certs=str(unready.conf / "ca.pem"), token=unready.token())
    policy = RetryPolicy(sleep=lambda seconds: unready.open())
    assert len(mltasks.load(Cluster(unready.url, credentials, retry_policy=policy))) == TASKS


@pytest.mark.parametrize("way", LOGINS)
def test_every_way_to_log_in_reads_all_tasks(secured: SecuredServer, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hits = secured.ask("POST", SEARCH, {"size": 1000})["hits"]["hits"]
    log_in(monkeypatch, LOGINS[way](secured))
    tasks = mltasks.load(secured.url)
    assert len(tasks) == TASKS
    assert dict(zip(tasks["task_id"], tasks["state"], strict=True)) == {h["_id"]: h["_source"]["state"] for h in hits}


def test_a_user_with_nothing_but_ml_read_access_can_run_every_command(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Command
) -> None:
    log_in(monkeypatch, password(secured))
    file, page = str(tmp_path / "t.parquet"), tmp_path / "r.html"
    assert command("fetch", secured.url, "-o", file).code == 0
    for report in ("failures", "durations", "list"):
        found = command(report, secured.url, "--format", "json").rows
        of_file = command(report, file, "--format", "json").rows
        pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(of_file), rtol=1e-12)  # of two engines
        assert len(found) > 0
    assert {row["worker_node"] for row in command("workers", secured.url, "--format", "json").rows} >= {
        node for nodes in mltasks.load(file)["worker_node"].dropna() for node in nodes.split(",") if node
    }
    store = str(tmp_path / "history")
    assert command("sync", secured.url, store, "--reconcile").code == 0
    assert command("failures", store, "--format", "json").rows == command("failures", file, "--format", "json").rows
    assert command("report", secured.url, "-o", str(page)).code == 0
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    some = mltasks.load(file)["task_id"].iloc[0]
    assert [row["task_id"] for row in command("get", secured.url, some, "--format", "json").rows] == [some]


def test_what_a_reader_may_not_ask_is_missing_and_nothing_else(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, password(secured, "admin"))
    seen_by_admin = mltasks.workers(mltasks.scan(secured.url), as_of="2100-01-01")
    log_in(monkeypatch, password(secured))
    seen_by_reader = mltasks.workers(mltasks.scan(secured.url), as_of="2100-01-01")
    assert secured.name in list(seen_by_admin["node_name"])
    assert seen_by_reader["node_name"].isna().all()
    columns = ["tasks", "completed", "failed", "task_s"]
    seen = [seen_by_admin.set_index("worker_node"), seen_by_reader.set_index("worker_node")]
    by_admin, by_reader = (table[table["tasks"] > 0].sort_index()[columns] for table in seen)
    assert by_reader.equals(by_admin)


def test_what_a_reader_may_not_ask_is_said_once_by_every_report_and_its_rows_are_there(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = secured.url.removeprefix("https://")
    said = {
        f"the node names of {place} could not be read: the user may not ask for them",
        f"the task time-out of {place} is not known and is taken as 600 s",
    }
    rows = {}
    for user, expected in (("reader", said), ("admin", set())):
        log_in(monkeypatch, password(secured, user))
        tasks = mltasks.scan(secured.url)
        tables = {name: report.function()(tasks) for name, report in REPORTS.items()}
        for table in tables.values():
            notes = report_info.read_info(table).notes
            assert set(notes) & said == expected
            assert len(notes) == len(set(notes))
        rows[user] = {name: len(table) for name, table in tables.items() if name != "workers"}  # an idle node is a row
        (info,) = tasks.context.readings
        assert info.model_index is not None  # ml_read_access is enough for that
        assert info.held_tasks is not None
    assert rows["reader"] == rows["admin"]


def test_the_password_of_a_file_and_flags_do_the_same_as_the_environment(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Command
) -> None:
    log_in(monkeypatch, {})
    file = tmp_path / "password"
    file.touch(0o600)
    file.write_text(secured.passwords["reader"] + "\n", encoding="utf-8")
    trusted = ["--ca-certs", str(secured.conf / "ca.pem")]
    flags = [*trusted, "--user", "reader", "--password-file", str(file)]
    assert command("failures", secured.url, *flags, "--by", "").code == 0
    file.write_text(secured.token(), encoding="utf-8")
    assert command("failures", secured.url, *trusted, "--token-file", str(file), "--by", "").code == 0


def test_a_certificate_is_trusted_unseen_only_where_asked_for_and_with_one_warning(secured: SecuredServer) -> None:
    user, word = "reader", secured.passwords["reader"]
    with pytest.raises(ClusterError, match="unknown authority"):
        mltasks.load(secured.url, Access(Credentials(user, word)))
    with pytest.warns(InsecureWarning) as warned:
        tasks = mltasks.load(secured.url, Access(Credentials(user, word, insecure=True)))
    assert len(tasks) == TASKS
    assert len(warned) == 1


def test_insecure_is_one_warning_line_of_the_command(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    log_in(monkeypatch, {"MLTASKS_TOKEN": secured.token()})
    ran = command("failures", secured.url, "--insecure", "--by", "")
    assert ran.code == 0
    assert ran.err.startswith("mltasks: warning: --insecure: ")
    assert ran.err.count("\n") == 1


def test_the_doctor_says_who_signed_the_certificate_and_what_the_user_may_not_read(
    secured: SecuredServer, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    log_in(monkeypatch, password(secured, "reader"))
    ran = command("doctor", secured.url)
    shown = " ".join(ran.out.split())
    assert ran.code == 0
    assert "ok TLS signed by " in shown
    assert "ok user reader, with the roles " in shown
    assert "-- node names cannot be read; reports show node ids" in shown
    assert "-> add the permission cluster:monitor/nodes/info" in shown
    assert "-- task time-out cannot be read; it is taken as 600 s" in shown
    assert "-> add the permission cluster:monitor/state" in shown
