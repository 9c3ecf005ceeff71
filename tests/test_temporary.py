from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mltasks import atomic_write, temporary

KILLED = "import os, signal, sys; from pathlib import Path; from mltasks import temporary; "


def die(code: str, *arguments: str) -> None:
    """Run code in a process that is killed at its end."""
    call = [sys.executable, "-c", f"{KILLED}{code}; os.kill(os.getpid(), signal.SIGKILL)", *arguments]
    assert subprocess.run(call, check=False).returncode == -9


def test_a_file_that_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    die("held = temporary.file_beside(Path(sys.argv[1])); held.__enter__().write_text('half')", str(tmp_path / "t.csv"))
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_write.atomic_path(tmp_path / "t.csv") as part:
        part.write_text("all of it")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"t.csv": "all of it"}


def test_a_file_that_is_being_written_stays(tmp_path: Path) -> None:
    with atomic_write.atomic_path(tmp_path / "a.csv") as first, atomic_write.atomic_path(tmp_path / "b.csv") as second:
        first.write_text("a")
        second.write_text("b")
        temporary.remove_stale_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_files_of_others_stay(tmp_path: Path) -> None:
    for name in (".mltasks-0123456789abcdef.part", "t.part", ".mltasks-x.held.part"):
        (tmp_path / name).touch()
    temporary.remove_stale_files(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_a_killed_process_left_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    die("folder = temporary.make_folder(); Path(folder.name, 'spilled').write_text('x')")
    (tmp_path / "mltasks-of-somebody-else").mkdir()
    (left,) = tmp_path.glob("mltasks-*/spilled")
    with temporary.make_folder() as first, temporary.make_folder() as second:
        assert not left.parent.exists()
        assert Path(first).exists()
        assert Path(second).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mltasks-of-somebody-else"]
