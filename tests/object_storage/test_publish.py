"""A published store: readers see one state, whatever happens to who publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mltasks
from mltasks.exceptions import Error
from mltasks.object_storage import s3_client
from mltasks.store import publish as publishing
from mltasks.tasks.metadata import ClusterInfo
from support import stores
from support.command import Command
from support.documents import hit
from support.s3_proxy import Proxy
from support.s3_server import Bucket

URL = "s3://history/prod"
MANIFEST = "prod/_manifest.json"
DAY = 86_400_000


def sync(folder: Path, first: int, last: int, cluster: str = "prod") -> None:
    """Put tasks into a store, one a day backwards from its time, so that they lie in several months."""
    hits = [hit(f"t{n}", create_time=stores.AS_OF - 20 * DAY * n, seq_no=n) for n in range(first, last)]
    stores.put(folder, cluster, hits)


def ids(source: object = URL) -> list[str]:
    return sorted(mltasks.load(source)["task_id"])


def data_files(bucket: Bucket) -> set[str]:
    return bucket.keys(".pq")


def copies(bucket: Bucket) -> set[str]:
    return {Path(key).stem for key in bucket.keys(".parquet")}


def current(bucket: Bucket) -> set[str]:
    manifest = json.loads(bucket.get(MANIFEST))
    files = manifest["clusters"]["prod"]["finished"]["files"]
    return {Path(file["path"]).stem for file in files}


def publish_succeeds(store: Path) -> bool:
    """Tell whether a store was published; what is raised where not is one of our errors."""
    try:
        mltasks.publish(store, URL)
    except Error:
        return False
    return True


@pytest.fixture
def store(tmp_path: Path) -> Path:
    sync(tmp_path / "store", 0, 4)
    return tmp_path / "store"


def test_a_published_store_reads_as_the_store(store: Path, bucket: Bucket, mltasks_command: Command) -> None:
    text = "s3://history/prod: 4 tasks; 3 of 3 files uploaded (0.0 MB)\n"
    assert mltasks_command("publish", str(store), URL).err == text
    assert ids() == ids(store) == ["t0", "t1", "t2", "t3"]
    assert mltasks.failures(URL)["tasks"].sum() == 4
    assert copies(bucket) == current(bucket)
    assert "whole" in mltasks_command("verify", URL).out


def test_the_next_time_only_what_changed_is_uploaded(store: Path, bucket: Bucket, proxy: Proxy) -> None:
    first = mltasks.publish(store, URL)
    proxy.reset()
    again = mltasks.publish(store, URL)
    assert (first.uploaded, again.uploaded, again.files) == (3, 0, 3)
    assert {method for method, _ in proxy.requests} == {"GET"}
    sync(store, 0, 1)
    sync(store, 9, 10)
    before = data_files(bucket)
    changed = mltasks.publish(store, URL)
    assert changed.uploaded == len(data_files(bucket) - before) > 0
    assert ids() == ["t0", "t1", "t2", "t3", "t9"]
    assert copies(bucket) == current(bucket)


def test_what_was_replaced_stays_for_an_hour_and_then_goes(
    store: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    mltasks.publish(store, URL)
    reader = mltasks.scan(URL)
    before = data_files(bucket)
    sync(store, 4, 5)
    sync(store, 20, 21)
    stores.put(store, "prod", [hit("late", create_time=stores.AS_OF, seq_no=99)])
    mltasks.publish(store, URL)
    assert data_files(bucket) > before
    assert mltasks.failures(reader)["tasks"].sum() == 4  # of the state that was there when it was opened
    monkeypatch.setattr(publishing, "STILL_READ_MS", 0)
    assert mltasks.publish(store, URL).removed > 0
    assert {Path(name).stem for name in data_files(bucket)} == current(bucket)


@pytest.mark.parametrize("is_answer_lost", [False, True], ids=["request", "answer"])
def test_an_interruption_at_any_request_leaves_the_old_state_or_the_new_one(
    tmp_path: Path, bucket: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, *, is_answer_lost: bool
) -> None:
    """From the n-th request on there is no server: before it comes there, or before its answer comes back."""
    store = tmp_path / "store"
    sync(store, 0, 1)
    mltasks.publish(store, URL)
    old, new, number, is_over = ["t0"], ["t0"], 0, False
    while not is_over:
        number += 1
        stores.put(store, "prod", [hit(f"t{number}", create_time=stores.AS_OF, seq_no=number)])
        new = sorted([*new, f"t{number}"])
        proxy.reset(cut_from=number - 1, cut_answers=is_answer_lost)
        is_over = publish_succeeds(store)
        manifest_is_new = "PUT" in {m for m, path in proxy.requests if path.endswith("_manifest.json")}
        proxy.reset()
        state = ids()
        assert state in (old, new)
        assert state == old or manifest_is_new
        old = state
    assert number > 6  # the manifest, the list, a data file, the manifest, two copies
    assert state == new == ids(store)
    assert copies(bucket) == current(bucket)
    assert mltasks.publish(store, URL).uploaded == 0


def test_two_publishers_cannot_mix(store: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one has read the manifest, and is at its first upload when the first one publishes all."""
    mltasks.publish(store, URL)
    sync(store, 5, 6)
    put = s3_client.put
    is_first = True

    def put_after_another(*arguments: Any, **options: Any) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            sync(store, 6, 7)
            mltasks.publish(store, URL)
        put(*arguments, **options)

    monkeypatch.setattr(s3_client, "put", put_after_another)
    with pytest.raises(mltasks.WriteError, match="another mltasks publish was faster"):
        mltasks.publish(store, URL)
    assert ids() == ["t0", "t1", "t2", "t3", "t5", "t6"]
    assert mltasks.publish(store, URL).removed > 0  # what the loser had put there
    assert ids() == ["t0", "t1", "t2", "t3", "t5", "t6"]


def test_another_store_or_an_older_state_is_refused(store: Path, bucket: Bucket, tmp_path: Path) -> None:
    mltasks.publish(store, URL)
    sync(tmp_path / "other", 0, 2, cluster="staging")
    with pytest.raises(mltasks.UsageError, match="copy of another store, with the tasks of prod"):
        mltasks.publish(tmp_path / "other", URL)
    older = ClusterInfo(cluster="prod", as_of_ms=stores.AS_OF - DAY)
    stores.put(tmp_path / "older", "prod", [hit("x", create_time=stores.AS_OF - 2 * DAY)], older)
    with pytest.raises(mltasks.UsageError, match="has a later state of prod"):
        mltasks.publish(tmp_path / "older", URL)


def test_half_a_published_store_is_an_error(store: Path, bucket: Bucket, mltasks_command: Command) -> None:
    mltasks.publish(store, URL)
    manifest = bucket.get(MANIFEST)
    bucket.delete(MANIFEST)
    for command in ("failures", "verify"):  # the copies alone would read as a folder of Parquet files
        assert "half a published store" in mltasks_command.fails(4, command, URL)
    bucket.put(MANIFEST, manifest[:200])
    for arguments in (("failures", URL), ("publish", str(store), URL)):
        assert "remove it, and publish the store again" in mltasks_command.fails(4, *arguments)
    bucket.put(MANIFEST, manifest)
    bucket.delete(*data_files(bucket))
    assert ".pq: is missing; publish the store again" in mltasks_command.fails(4, "failures", URL)
    assert mltasks_command("verify", URL).code == 4
    mltasks.publish(store, URL)  # mends it
    assert ids() == ids(store)
