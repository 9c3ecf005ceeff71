"""What a real server refuses becomes one line with place, words and remedy, and the exit code of the design."""

from __future__ import annotations

from pathlib import Path

import pytest

from live.server import Server
from mltasks.cli.main import main


@pytest.mark.parametrize(
    ("path", "arguments", "code", "said"),
    [
        ("/x", [], 3, "no handler found for uri [/x/_plugins/_ml/tasks/_search]"),
        ("", ["--query", '{"nope": {}}'], 2, "answers 400: the query is rejected: unknown query [nope]"),
        ("", ["--query", '{"range": {"create_time": {"gte": "soon"}}}'], 2, "rejected: failed to parse date"),
        ("", ["--by", "nonsense"], 2, "by: there is no column 'nonsense'"),
    ],
)
def test_a_refusal_is_one_line(
    quiet_cluster: Server, path: str, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["failures", f"{quiet_cluster.url}{path}", *arguments]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert said in output.err
    assert output.err.count("\n") == 1


def test_https_to_a_plain_port_says_to_write_http(quiet_cluster: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["failures", quiet_cluster.url.replace("http://", "https://")]) == 3
    assert "the port does not speak TLS; write http:// instead of https://" in capsys.readouterr().err


def test_a_failed_fetch_leaves_no_file(quiet_cluster: Server, tmp_path: Path) -> None:
    assert main(["fetch", quiet_cluster.url, "--query", '{"nope": {}}', "-o", str(tmp_path / "t.parquet")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_fetch_does_not_overwrite_without_force(quiet_cluster: Server, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"mine")
    assert main(["fetch", quiet_cluster.url, "-o", str(path)]) == 2
    assert path.read_bytes() == b"mine"
    assert main(["fetch", quiet_cluster.url, "-o", str(path), "--force"]) == 0
    assert path.read_bytes()[:4] == b"PAR1"
