from __future__ import annotations

import pytest

import mltasks
from mltasks.opensearch.access import Access
from mltasks.tasks import redact


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "no permissions for [indices:data/read/search] and User [name=writer, backend_roles=[a, b], x=null]",
            "no permissions for [indices:data/read/search] and User [name=<user>, backend_roles=[<roles>], x=null]",
        ),
        ("[n2][127.0.0.1:9312] Node not connected", "[n2][<host>] Node not connected"),
        ("http://127.0.0.1:8089/nothing.zip", "<url>"),
        ("artifacts.opensearch.org", "<host>"),
        ("host-1.internal:9200 died at 12:30:45", "<host> died at 12:30:45"),
        ("[::1]:9200 and fe80::1 and 2001:db8:0:0:0:0:0:1", "<host> and <host> and <host>"),
        ("mail to jo.doe@example.com", "mail to <address>"),
        ("timeout after 2 seconds", "timeout after 2 seconds"),
        ("the value isn't Double type", "the value isn't Double type"),
        ("org.opensearch.action.support.ThreadedActionListener$1@6ad17812", None),
        ('{"HzhJ-URiThehJ0SfzNM4NA":"Method is not implemented"}', None),
    ],
)
def test_user_names_addresses_and_hosts_are_masked_and_nothing_else(text: str, masked: str | None) -> None:
    assert redact.text(text) == (text if masked is None else masked)


def test_a_redacted_load_changes_texts_and_no_number() -> None:
    plain, masked = mltasks.load("demo"), mltasks.load("demo", Access(redact=True))
    assert not masked["error"].str.contains(r"127\.0\.0\.1", na=False).any()
    assert not masked["reason"].str.contains(r"127\.0\.0\.1", na=False).any()
    texts = ["error", "reason", "response", "remote_job"]
    assert masked.drop(columns=texts).equals(plain.drop(columns=texts))
    assert masked["error"].isna().equals(plain["error"].isna())
