from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltasks.cli.main import COMMANDS
from mltasks.cli.mask import MaskedStream, mask_word
from support.command import Command

SECRET = "s3cret-Pass/w#rd"
URLS = (
    f"http://u:{SECRET}@127.0.0.1:9",
    f"https://u:{SECRET}@127.0.0.1:9/path",
    f"u:{SECRET}@127.0.0.1:9",
    f"http://127.0.0.1:9?token={SECRET}",
    f"127.0.0.1:9?token={SECRET}",
    f"http://127.0.0.1:9/#{SECRET}",
    f"http://u:{SECRET}",
    f"https://127.0.0.1:9/_search?api_key={SECRET}",
    "prod",  # whose file has the password where the name of a variable belongs
)
COMMAND_LINES = (
    *(("SOURCE",), ("SOURCE", "--debug")),
    *((name, "SOURCE") for name in COMMANDS),
    *((name, "SOURCE", "--all") for name in COMMANDS),
    *((name, "SOURCE", "--debug") for name in COMMANDS),
    *((name, "demo", "SOURCE") for name in COMMANDS),
    ("get", "SOURCE", "ID"),
    ("get", "demo", "SOURCE"),
    ("get", "SOURCE", "ID", "--refresh"),
    ("sync", "SOURCE", "store"),
    ("sync", "SOURCE", "store", "--reconcile"),
    ("sync", "demo", "SOURCE"),
    ("fetch", "SOURCE", "-o", "tasks.parquet"),
    ("fetch", "demo", "-o", "SOURCE"),
    ("failures", "demo", "--config", "SOURCE"),
    ("failures", "demo", "--user", "SOURCE"),
    ("failures", "demo", "--user=SOURCE"),
    ("failures", "https://127.0.0.1:9", "--user", "me", "--password-file", SECRET),
    ("failures", "https://127.0.0.1:9", "--user", "me", f"--password-file={SECRET}"),
    ("failures", "https://127.0.0.1:9", "--token-file", SECRET),
    ("failures", "https://127.0.0.1:9", f"--password={SECRET}"),
    ("failures", "https://127.0.0.1:9", "--password", SECRET),
    ("failures", "https://127.0.0.1:9", f"-p{SECRET}"),
    ("failures", "https://127.0.0.1:9", "--header", f"Authorization: Basic {SECRET}"),
    ("failures", "https://127.0.0.1:9", f"--header=Authorization: Bearer {SECRET}"),
    ("failures", "https://127.0.0.1:9", "--query", "SOURCE"),
    ("failures", "https://127.0.0.1:9", "--query", '{"match": {"error": "SOURCE"}'),
    ("failures", "demo", "--query", '{"match": {"error": "SOURCE"}}'),
)
SECTIONS = (  # of a configuration, in which a secret stands where it does not belong
    f'url = "http://u:{SECRET}@127.0.0.1:9"',
    f'url = "u:{SECRET}@127.0.0.1:9"',
    f'url = "https://127.0.0.1:9?token={SECRET}"',
    *(f'url = "https://127.0.0.1:9"\n{key} = "{SECRET}"' for key in ("password", "token", "api_key", "token_env")),
    *(f'url = "https://127.0.0.1:9"\nuser = "me"\n{key} = "{SECRET}"' for key in ("password_file", "password_env")),
    f'url = "https://127.0.0.1:9"\nheaders = {{Authorization = "{SECRET}"}}',
    f'url = "https://127.0.0.1:9"\npassword_env = ["{SECRET}"]',
    f'url = "https://127.0.0.1:9\npassword = "{SECRET}"',
    f"password = {SECRET}",
)


@pytest.mark.parametrize("number", range(len(URLS)))
def test_no_command_repeats_a_password(
    mltasks: Command, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "mltasks").mkdir()
    section = f'[clusters.prod]\nurl = "https://127.0.0.1:9"\nuser = "me"\npassword_env = "{SECRET}"\n'
    (tmp_path / "mltasks" / "config.toml").write_text(section)
    url = URLS[number]
    for line in COMMAND_LINES[number % 4 :: 4]:  # each meets two or three of the URLs
        ran = mltasks(*(word.replace("SOURCE", url) for word in line))
        assert SECRET not in ran.out + ran.err, line
        assert "w#rd" not in ran.out + ran.err, line


@pytest.mark.parametrize("section", SECTIONS, ids=range(len(SECTIONS)))
def test_no_command_repeats_a_secret_of_a_configuration(
    mltasks: Command, section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "own.toml"
    config.write_text(f"[clusters.prod]\n{section}\n")
    for line in (("failures", "prod"), ("doctor", "--all"), ("sync", "--all", "store")):
        ran = mltasks(*line, "--config", str(config))
        assert ran.code in (2, 3), line
        assert SECRET not in ran.out + ran.err, line
        assert "w#rd" not in ran.out + ran.err, line


@pytest.mark.parametrize("name", ["MLTASKS_SOURCE", "MLTASKS_USER", "MLTASKS_PASSWORD_FILE", "MLTASKS_TOKEN_FILE"])
def test_no_command_repeats_a_secret_of_the_environment(
    mltasks: Command, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLTASKS_USER", "me")
    bare = () if name in ("MLTASKS_SOURCE", "MLTASKS_USER") else (SECRET,)  # a name that is nothing more is a name
    for value in (*bare, f"u:{SECRET}@127.0.0.1:9", f"http://u:{SECRET}@127.0.0.1:9"):
        monkeypatch.setenv(name, value)
        ran = mltasks("failures", *(() if name == "MLTASKS_SOURCE" else ("https://127.0.0.1:9",)))
        assert ran.code in (2, 3)
        assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize(
    ("word", "masked"),
    [
        ("http://u:PW@host:9200/x", "http://***@host:9200/x"),
        ("u:p@w@host", "***@host"),
        ("http:/u:PW@host:", "http:/***@host:"),
        ("https://host?token=PW", "https://host?***"),
        ("https://host/x;pw=PW", "https://host/x;***"),
        ("http://u:PW/x", "http://u:***/x"),
        ("https://[::1]:9200/x:", "https://[::1]:9200/x:"),
        ("host:9200", "host:9200"),
        ("jo.doe@example.com", "jo.doe@example.com"),
        ("tasks.parquet", "tasks.parquet"),
        ("C:/tasks.parquet", "C:/tasks.parquet"),
    ],
)
def test_only_what_is_secret_in_a_word_is_masked(word: str, masked: str) -> None:
    assert mask_word(word) == masked


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8).filter(lambda text: text not in "https://u:@host"))
def test_no_password_of_a_url_is_written_whatever_is_in_it(password: str) -> None:
    stream, url = io.StringIO(), f"https://u:{password}@host"
    print(f"{url} {url!r}: no", file=MaskedStream(stream, [url], {}))
    assert password not in stream.getvalue()


def test_passwords_of_the_environment_are_masked_and_short_words_stay() -> None:
    stream = io.StringIO()
    masked = MaskedStream(stream, ["report", "demo"], {"MLTASKS_PASSWORD": "hunter2", "MLTASKS_TOKEN": "a"})
    print("what hunter2 may read", file=masked)
    assert stream.getvalue() == "what *** may read\n"
