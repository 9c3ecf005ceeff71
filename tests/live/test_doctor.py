"""The doctor at a real cluster."""

from __future__ import annotations

import pytest

from live.server import Server
from mltasks.cli.main import main


def test_a_healthy_cluster_is_described_line_by_line(quiet_cluster: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", quiet_cluster.url]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = {line[4:19].strip(): (line[:2], line[19:]) for line in lines[1:] if line[:2].strip()}
    assert found["reachable"] == ("ok", quiet_cluster.url)
    assert found["version"] == ("ok", f"OpenSearch/{quiet_cluster.version} (opensearch)")
    assert found["TLS"][0] == "--"
    assert found["tasks"][1].endswith(" tasks can be read")
    assert found["shards"][0] == found["node names"][0] == "ok"
    assert found["task time-out"] == ("ok", "600 s")


def test_a_path_without_ml_commons_is_a_problem_with_a_proposal(
    quiet_cluster: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", f"{quiet_cluster.url}/x"]) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert "!! tasks answers 400: no handler found" in shown
    assert "-> ML Commons is not installed there, or the URL has a path too many" in shown
