from __future__ import annotations

from pathlib import Path

import pytest

import mltasks
from mltasks import UsageError
from mltasks.opensearch import config
from mltasks.opensearch.access import Access, open_cluster

SECRET = "s3cret-Value"


def written(folder: Path, text: str) -> str:
    file = folder / "mltasks.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_the_example_of_the_documentation_is_a_valid_file(tmp_path: Path) -> None:
    section = config.clusters(written(tmp_path, config.EXAMPLE))["prod-eu"]
    assert section.url == "https://search.example:9200"
    assert section.password_env == "PROD_EU_PASSWORD"


def test_a_configured_name_is_a_source_with_its_own_name_and_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("TOKEN_OF_US", SECRET)
    text = (
        '[clusters.eu]\nurl = "http://eu:9200"\nuser = "me"\npassword_file = "secret"\n'
        '[clusters.us]\nurl = "http://us:9200"\ntoken_env = "TOKEN_OF_US"\n'
    )
    access = Access(config=written(tmp_path, text))
    eu, us = open_cluster("eu", access), open_cluster("us", access)
    assert eu is not None
    assert us is not None
    assert (eu.name, eu.url, eu.credentials) == ("eu", "http://eu:9200", mltasks.Credentials("me", SECRET))
    assert (us.name, us.credentials) == ("us", mltasks.Credentials(token=SECRET))
    assert open_cluster("demo", access) is None
    assert open_cluster("asia", access) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[clusters.eu]\nurl = 5\n", "Expected `str`, got `int` - at `$.clusters[...].url`"),
        ('[clusters.eu]\nurl = "http://h"\npasword_env = "X"\n', "Object contains unknown field `pasword_env`"),
        ("[clusters.eu]\n", "Object missing required field `url`"),
        ("[clusters.eu", "mltasks.toml: "),
        ('[clusters.eu]\nurl = "http://h"\nuser = "me"\npassword_env = "NOT_SET"\n', "password_env NOT_SET is not set"),
        ('[clusters.eu]\nurl = "http://h"\nuser = "me"\npassword_file = "none"\n', "No such file or directory"),
        ('[clusters.eu]\nurl = "http://h"\nuser = "me"\n', "--user me: no password"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    access = Access(config=written(tmp_path, text))
    with pytest.raises(UsageError) as error:
        open_cluster("eu", access)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_named_and_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"--config none\.toml: there is no such file"):
        open_cluster("eu", Access(config="none.toml"))


def test_the_file_is_looked_for_here_and_in_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.delenv("MLTASKS_CONFIG", raising=False)
    assert config.clusters() == {}
    (tmp_path / "own" / "mltasks").mkdir(parents=True)
    (tmp_path / "own" / "mltasks" / "config.toml").write_text('[clusters.own]\nurl = "http://own"\n', encoding="utf-8")
    assert list(config.clusters()) == ["own"]
    written(tmp_path, '[clusters.here]\nurl = "http://here"\n')
    assert list(config.clusters()) == ["here"]


def test_several_sources_are_one_table_with_what_is_known_of_each(tmp_path: Path) -> None:
    tasks = mltasks.load("demo")
    mltasks.write_parquet(tasks.assign(cluster="other"), tmp_path / "other.parquet")
    both = mltasks.load(["demo", str(tmp_path / "other.parquet")])
    assert both["cluster"].value_counts().to_dict() == {"ml-fixture": 552, "other": 552}
    found = mltasks.failures(both, by="cluster")
    assert list(found["failed"]) == [156, 156]
