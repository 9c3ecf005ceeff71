from __future__ import annotations

from pathlib import Path

import pytest

from mltasks.exceptions import UsageError
from mltasks.render import write
from support.views import failures, view


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        (None, None, "table"),
        ("csv", None, "csv"),
        (None, "r.csv", "csv"),
        (None, "R.CSV", "csv"),
        (None, "a.b/r.md", "markdown"),
        ("json", "r.csv", "json"),
        ("parquet", "anything", "parquet"),
    ],
)
def test_the_format_is_named_or_told_by_the_suffix(name: str | None, path: str | None, kind: str) -> None:
    assert write.format_of(name, path) == kind


@pytest.mark.parametrize("kind", write.FORMATS)
def test_a_format_that_is_taken_for_a_file_is_answered_with_the_option(kind: str) -> None:
    with pytest.raises(UsageError, match=f"-o {kind}: -o names a file; did you mean --format {kind}"):
        write.format_of(None, kind)


def test_texts_are_written_in_utf_8_without_anything_for_a_terminal(tmp_path: Path) -> None:
    shown = view(failures(["語"]), ["task_type"], report="failures")
    write.write_report(shown, "table", str(tmp_path / "r.txt"))
    written = (tmp_path / "r.txt").read_text(encoding="utf-8")
    assert "語" in written
    assert "\x1b" not in written


def test_stdout_gets_the_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    shown = view(failures(["A"]), ["task_type"], report="failures")
    write.write_report(shown, "markdown", None)
    assert capsys.readouterr().out == write.text_of(shown, "markdown")
