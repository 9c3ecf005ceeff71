"""A manifest that no sync has written: exit 4, and nothing outside the store is touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import mltasks
from mltasks.store import manifest
from support.stores import put

FROZEN = Path(__file__).parents[1] / "data" / "0.1.0" / "store"
Change = Callable[[dict[str, Any]], object]
PATHS = (
    *("../../etc/x", "/etc/x", "", ".", "cluster=west/../x/0123456789abcdef.pq", "a\0b"),
    *("cluster=west/created=2025-11/0123456789ABCDEF.pq", "cluster=west/created=2025-11/0123456789abcdef.pq\n"),
    *("cluster=prod%20eu/created=2025-11/0123456789abcdef.pq", "cluster=west/created=../0123456789abcdef.pq"),
    *("cluster=west/created=2025-11/0123456789abcdef.parquet", "_manifest.json", "x" * 5000),
)
NUMBERS: tuple[Any, ...] = (-1, 2**63, 2**64, 10**30, 10**400, 1e308, -(2**70), "7", None, True, [], {})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shutil.copytree(FROZEN, tmp_path / "store")
    return tmp_path / "store"


def change(store: Path, apply: Change) -> None:
    content = json.loads((store / manifest.NAME).read_text())
    apply(content)
    (store / manifest.NAME).write_text(json.dumps(content))


def tree(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "_lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def refused(store: Path) -> bool:
    """Tell whether every way in refuses a store, with one line, and leaves all as it was; False if none does."""
    before = tree(store.parent)
    messages = []
    for use in (
        lambda: mltasks.failures(mltasks.scan(store), by=[]),
        lambda: mltasks.Store(store).verify(),
        lambda: mltasks.Store(store).holds(),
        lambda: mltasks.Store(store).files(),
    ):
        try:
            use()
        except mltasks.DataError as error:
            messages.append(str(error))
    try:
        put(store, "west", [])
    except (mltasks.DataError, mltasks.WriteError):
        assert tree(store.parent) == before
    return len(messages) == 4 and not any("\n" in message for message in messages)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_no_sync_writes_is_refused_and_nothing_is_touched(store: Path, path: str) -> None:
    change(store, lambda m: m["clusters"]["west"]["finished"]["files"][0].update(path=path))
    assert refused(store)


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the numbers of a manifest are."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*at, key))
    elif isinstance(value, int):
        yield at


PLACES = sorted(
    {at[:3] + at[3:4] + at[-1:]: at for at in leaves(json.loads((FROZEN / manifest.NAME).read_text()))}.values(),
    key=str,
)


@pytest.mark.parametrize("at", PLACES, ids=lambda at: ".".join(map(str, at)))
def test_no_number_in_a_manifest_is_a_bug(store: Path, at: tuple[Any, ...]) -> None:
    for number in NUMBERS:

        def apply(content: dict[str, Any], number: Any = number) -> None:
            for key in at[:-1]:
                content = content[key]
            content[at[-1]] = number

        shutil.copy(FROZEN / manifest.NAME, store / manifest.NAME)
        change(store, apply)
        for use in (mltasks.Store(store).holds, mltasks.Store(store).verify, mltasks.Store(store).dataset):
            with suppress(mltasks.DataError):
                use()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": 1, "clusters": ' + '{"a":' * 100_000,
        '{"format": 1, "clusters": {"a": {"finished": ' + "[" * 5000 + "]" * 5000 + "}}}",
        '{"format": 1, "clusters": {"\\u0000": {"finished": null, "unfinished": 7}}}',
        '{"format": 1, "clusters": {"\\ud800": {}}}',
        "\0",
        "",
        "null",
        '{"format": 1e400}',
    ],
    ids=range(9),
)
def test_a_text_that_is_no_manifest_is_refused(store: Path, text: str) -> None:
    (store / manifest.NAME).write_text(text)
    assert refused(store)


@pytest.mark.parametrize(
    "apply",
    [
        lambda m: m["clusters"].update({"east": m["clusters"].pop("west")}),
        lambda m: m["clusters"]["west"]["finished"]["reading"].update(cluster="east"),
        lambda m: m["clusters"]["west"]["finished"]["files"].append(m["clusters"]["west"]["finished"]["files"][0]),
        lambda m: m["clusters"]["west"]["finished"]["files"][0].update(sha256="0" * 63 + "\n"),
    ],
    ids=["another cluster's files", "another cluster's metadata", "a file twice", "no hash"],
)
def test_what_contradicts_itself_is_refused(store: Path, apply: Change) -> None:
    change(store, apply)
    assert refused(store)


def test_files_that_are_kept_a_while_are_named_only_to_be_kept(store: Path) -> None:
    outside = store.parent / "mine.txt"
    outside.write_text("mine")
    change(store, lambda m: m.update(replaced={"../../mine.txt": 0, "../mine.txt": 2**62, "/etc/passwd": -1}))
    put(store, "west", [])
    assert outside.read_text() == "mine"
    assert mltasks.Store(store).verify() == []
