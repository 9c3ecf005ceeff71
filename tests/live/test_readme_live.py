"""The README's commands for clusters, on a real one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from live.server import Server
from mltasks.cli.main import main
from mltasks.opensearch import config
from support.readme import commands, configuration, of_a_cluster


def test_the_commands_for_clusters_run_as_they_stand_but_for_the_url(
    quiet_cluster: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = re.sub(r"(user|password_env|ca_certs) = .*\n", "", configuration())  # this server wants no login
    (tmp_path / "mltasks.toml").write_text(keys.replace("https://localhost:9200", quiet_cluster.url), encoding="utf-8")
    run = [line for line in commands() if line[0] == "mltasks" and of_a_cluster(line)]
    for line in run:
        arguments = [quiet_cluster.url if "localhost" in word else word for word in line[1:]]
        assert main(arguments) == 0, capsys.readouterr().err
        assert capsys.readouterr().out or line[1] in ("fetch", "sync")
    assert [line[1] for line in run] == ["report", "fetch", "durations", "sync", "failures", "doctor", "failures"]
    assert {path.name for path in tmp_path.iterdir()} == {"mltasks.toml", "report.html", "tasks.parquet", "history"}


def test_the_configuration_of_the_readme_is_a_valid_one(tmp_path: Path) -> None:
    file = tmp_path / "mltasks.toml"
    file.write_text(configuration(), encoding="utf-8")
    (section,) = config.clusters(str(file)).values()
    assert (section.user, section.password_env, section.ca_certs) == ("reader", "MLTASKS_PASSWORD", "ca.pem")
