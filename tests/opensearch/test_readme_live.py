"""The README's commands for clusters, on a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltasks.cli import main
from opensearch.server import Server
from support.readme import commands, of_a_cluster


def test_the_commands_for_clusters_run_as_they_stand_but_for_the_url(
    quiet_cluster: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = [line for line in commands() if line[0] == "mltasks" and of_a_cluster(line)]
    for line in run:
        arguments = [quiet_cluster.url if "localhost" in word else word for word in line[1:]]
        assert main(arguments) == 0, capsys.readouterr().err
    assert len(run) == 3
    assert capsys.readouterr().out.splitlines()[-1].startswith(("TEXT_EMBEDDING,", "RCF_SUMMARIZE,", "SAMPLE_ALGO,"))
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "tasks.parquet"}
