from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mltasks import atomic_write
from mltasks.exceptions import UsageError, WriteError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(place: Path, work: Callable[[Path], object], force: bool = False) -> None:
    with atomic_write.atomic_path(place, force) as part:
        work(part)


def test_a_file_appears_under_its_name_when_it_is_complete(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    with atomic_write.atomic_path(place) as part:
        part.write_text("all of it")
        assert not place.exists()
        assert part.parent == tmp_path
    assert (names(tmp_path), place.read_text()) == (["t.csv"], "all of it")


@pytest.mark.parametrize("before", [None, "old"])
def test_nothing_is_left_and_nothing_harmed_when_the_writing_fails(tmp_path: Path, before: str | None) -> None:
    place = tmp_path / "t.csv"
    if before:
        place.write_text(before)
    with pytest.raises(ZeroDivisionError):
        write(place, lambda part: part.write_text("half of") / 0, force=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"t.csv": before} if before else {})


def test_a_file_that_is_there_is_overwritten_by_force_only(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    place.write_text("old")
    with pytest.raises(UsageError, match=r"t\.csv: exists already; .*--force"):
        write(place, lambda part: part.write_text("new"))
    assert place.read_text() == "old"
    write(place, lambda part: part.write_text("new"), force=True)
    assert place.read_text() == "new"


def test_a_file_that_somebody_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    with pytest.raises(UsageError, match="exists already"):
        write(place, lambda part: (part.write_text("ours"), place.write_text("theirs")))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"t.csv": "theirs"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (".", "is a folder; name a file in it"),
        ("missing/t.csv", "there is no folder .*missing; make it first"),
        ("x" * 300, "no name for a file"),
    ],
)
def test_a_place_where_no_file_can_be_is_refused_before_any_work(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        atomic_write.check_writable(tmp_path / name, force=True)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has /proc, a folder that takes no file")
def test_a_folder_that_takes_no_file_is_a_write_error() -> None:
    with pytest.raises(WriteError, match=r"^/proc/t\.csv: cannot be written: "):
        write(Path("/proc/t.csv"), lambda part: part.write_text("x"))


def test_the_longest_name_that_fits_can_be_written(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 251 + ".csv")
    write(place, lambda part: part.write_text("x"))
    assert place.read_text() == "x"


def test_a_write_that_the_system_refuses_is_a_write_error(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    with pytest.raises(WriteError, match=r"t\.csv: cannot be written: Is a directory") as caught:
        write(place, lambda part: part.parent.write_text("a folder is no file, whoever runs the tests"))
    assert caught.value.exit_code == 5
    assert names(tmp_path) == []


def test_a_link_leads_to_its_target_and_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "there.csv", tmp_path / "t.csv"
    target.write_text("old")
    link.symlink_to(target)
    write(link, lambda part: part.write_text("new"), force=True)
    assert (link.is_symlink(), target.read_text()) == (True, "new")


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    place.write_text("old")
    place.chmod(0o640)
    write(place, lambda part: part.write_text("new"), force=True)
    assert place.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_through_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "t.csv"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as thread:
        text = thread.submit(pipe.read_text)
        write(pipe, lambda part: part.write_text("all of it"))
        assert text.result() == "all of it"
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux names open files in /proc")
def test_a_link_to_a_pipe_without_a_name_is_written_through() -> None:
    """As `/dev/stdout` is one, where another command reads what is printed."""
    end, beginning = os.pipe()
    write(Path(f"/proc/self/fd/{beginning}"), lambda part: part.write_text("rows"))
    assert os.read(end, 100) == b"rows"
    os.close(beginning)
    os.close(end)
