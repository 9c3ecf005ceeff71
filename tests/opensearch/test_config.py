from __future__ import annotations

import os
from pathlib import Path

import pytest

import mltasks
from mltasks import UsageError
from mltasks.opensearch import config
from mltasks.opensearch.access import Access, open_cluster
from mltasks.opensearch.credentials import Credentials, InsecureWarning

SECRET = "s3cret-Value"


def written(folder: Path, text: str) -> str:
    file = folder / "mltasks.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def write_secret(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(0o600)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the current folder one that nobody else can write to, and an empty one for the user's own settings."""
    folder = tmp_path / "here"
    folder.mkdir(mode=0o700)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.delenv("MLTASKS_CONFIG", raising=False)
    (tmp_path / "own" / "mltasks").mkdir(parents=True)
    return folder


def test_the_example_of_the_documentation_is_a_valid_file(tmp_path: Path) -> None:
    section = config.clusters(written(tmp_path, config.EXAMPLE))["prod-eu"]
    assert section.url == "https://search.example:9200"
    assert section.password_env == "PROD_EU_PASSWORD"


def test_a_configured_name_is_a_source_with_its_own_name_and_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret(tmp_path / "secret", f"{SECRET}\n".encode())
    monkeypatch.setenv("TOKEN_OF_US", SECRET)
    text = (
        '[clusters.eu]\nurl = "https://eu:9200"\nuser = "me"\npassword_file = "secret"\n'
        '[clusters.us]\nurl = "https://us:9200"\ntoken_env = "TOKEN_OF_US"\n'
    )
    access = Access(config=written(tmp_path, text))
    eu, us = open_cluster("eu", access), open_cluster("us", access)
    assert eu is not None
    assert us is not None
    assert (eu.name, eu.url, eu.credentials) == ("eu", "https://eu:9200", mltasks.Credentials("me", SECRET))
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
        (
            '[clusters.eu]\nurl = "http://h"\nuser = "me"\npassword_file = "./none"\n',
            "none: cannot be read: No such file or directory",
        ),
        (
            f'[clusters.eu]\nurl = "http://h"\nuser = "me"\npassword_env = "{SECRET}"\n',
            "[clusters.eu]: the variable that password_env names is not set in the environment",
        ),
        (
            f'[clusters.eu]\nurl = "http://h"\nuser = "me"\npassword_file = "{SECRET}"\n',
            "password_file (not repeated here, as it may be the secret itself): cannot be read: No such file",
        ),
        ('[clusters.eu]\nurl = "http://h"\nuser = "me"\n', "--user me: no password"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    access = Access(config=written(tmp_path, text))
    with pytest.raises(UsageError) as error:
        open_cluster("eu", access)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)


def test_a_file_that_is_named_and_not_there_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"--config none\.toml: there is no such file"):
        open_cluster("eu", Access(config="none.toml"))


def test_the_users_own_file_comes_before_the_one_of_the_current_folder(here: Path, tmp_path: Path) -> None:
    assert config.clusters() == {}
    written(here, '[clusters.prod]\nurl = "http://theirs"\n[clusters.here]\nurl = "http://here"\n')
    (tmp_path / "own" / "mltasks" / "config.toml").write_text('[clusters.prod]\nurl = "http://own"\n', encoding="utf-8")
    assert {name: section.url for name, section in config.clusters().items()} == {
        "prod": "http://own",
        "here": "http://here",
    }
    prod = open_cluster("prod", Access())
    assert prod is not None
    assert prod.url == "http://own"
    with pytest.warns(config.ConfigNotice, match=rf"^clusters have their names from {here}/mltasks\.toml$"):
        open_cluster("here", Access())


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o620, 0o700), (0o602, 0o700), (0o600, 0o770), (0o600, 0o777)])
def test_a_file_that_others_could_have_written_is_not_used(here: Path, file_mode: int, folder_mode: int) -> None:
    file = Path(written(here, '[clusters.prod]\nurl = "http://theirs"\n'))
    file.chmod(file_mode)
    here.chmod(folder_mode)
    with pytest.warns(
        config.ConfigNotice, match="is not used: others can write to .*to use it all the same, give --con"
    ):
        assert open_cluster("prod", Access()) is None
    assert open_cluster("prod", Access(config="mltasks.toml")) is not None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("part", ["file", "folder", "target"])
def test_a_file_of_another_user_is_not_used(here: Path, part: str) -> None:
    file = Path(written(here, '[clusters.prod]\nurl = "http://theirs"\n'))
    if part == "target":
        file = file.rename(here / "target")
        (here / "mltasks.toml").symlink_to(file)
    os.chown(here if part == "folder" else file, 12345, -1)
    with pytest.warns(config.ConfigNotice, match="is not used: .* belongs to another user"):
        assert open_cluster("prod", Access()) is None


def test_a_file_or_folder_wins_over_a_configured_name_where_either_can_be_meant(here: Path) -> None:
    access = Access(config=written(here, '[clusters.prod]\nurl = "http://own"\n'))
    (here / "prod").mkdir()
    assert open_cluster("prod", access) is None
    assert open_cluster("prod", access, prefer_files=False) is not None


@pytest.mark.parametrize(
    "content", [SECRET.encode(), f"{SECRET}\r\n".encode(), SECRET.encode("utf-8-sig"), f"{SECRET}\n".encode("utf-16")]
)
def test_a_byte_order_mark_and_a_line_break_are_no_part_of_a_secret(tmp_path: Path, content: bytes) -> None:
    write_secret(tmp_path / "secret", content)
    assert config.read_secret(tmp_path, "secret", "--password-file") == SECRET


def test_a_file_with_several_lines_is_no_secret_but_for_instance_a_private_key(tmp_path: Path) -> None:
    write_secret(tmp_path / "key", f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n".encode())
    with pytest.raises(UsageError, match="has several lines") as error:
        config.read_secret(tmp_path, "key", "--password-file")
    assert SECRET not in str(error.value)


def test_a_secret_that_everybody_can_read_is_taken_with_a_warning(tmp_path: Path) -> None:
    write_secret(tmp_path / "secret", SECRET.encode())
    (tmp_path / "secret").chmod(0o644)
    with pytest.warns(InsecureWarning, match=r"every user of this machine can read it; chmod 600 .*secret$"):
        assert config.read_secret(tmp_path, "secret", "--password-file") == SECRET


def test_a_byte_order_mark_of_the_file_is_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "mltasks.toml"
    file.write_bytes('[clusters.eu]\nurl = "http://h"\n'.encode("utf-8-sig"))
    assert list(config.clusters(str(file))) == ["eu"]


def test_several_sources_are_one_table_with_what_is_known_of_each(tmp_path: Path) -> None:
    tasks = mltasks.load("demo")
    mltasks.write_parquet(tasks.assign(cluster="other"), tmp_path / "other.parquet")
    both = mltasks.load(["demo", str(tmp_path / "other.parquet")])
    assert both["cluster"].value_counts().to_dict() == {"ml-fixture": 552, "other": 552}
    found = mltasks.failures(both, by="cluster")
    assert list(found["failed"]) == [156, 156]


@pytest.mark.parametrize("option", ["ca_certs", "client_cert", "client_key"])
def test_a_secret_in_the_place_of_a_file_is_not_repeated(tmp_path: Path, option: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'[clusters.a]\nurl = "https://h:9200"\n{option} = "hunter2/!x"\n')
    section = config.clusters(str(file))["a"]
    with pytest.raises(UsageError, match=f"{option}: there is no such file .not repeated here") as raised:
        config.credentials("a", section, file)
    assert "hunter2" not in str(raised.value)
    with pytest.raises(UsageError, match=r"--ca-certs: there is no such file \(not repeated here"):
        Credentials(ca_certs="hunter2")
    with pytest.raises(UsageError, match=r"--ca-certs /nowhere/ca\.pem: there is no such file"):
        Credentials(ca_certs="/nowhere/ca.pem")
