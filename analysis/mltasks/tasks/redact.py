"""User names, addresses and hosts in texts, masked: for a report that leaves the house. Best effort, not a proof."""

from __future__ import annotations

import re

import pyarrow as pa

from mltasks.tasks.json_values import UnreadableCounts

TEXTS = ("error", "response", "remote_job", "user", "extra")
HEX, SOME = "[0-9a-f]{1,4}", "(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?"  # parts of an IPv6 address
MASKS = (
    (re.compile(r"(\bname=)[^,\]\s]+"), r"\1<user>"),  # User [name=reader, backend_roles=[..]]
    (re.compile(r"(\bbackend_roles=\[)[^\]]*\]"), r"\1<roles>]"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>\]]+", re.IGNORECASE), "<url>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<address>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b"), "<host>"),
    (re.compile(rf"(?<![\w:])\[?(?:{HEX}(?::{HEX}){{3,7}}|{SOME}::{SOME})\]?(?::\d{{1,5}})?(?![\w:])", re.I), "<host>"),
    (re.compile(r"\b(?:[a-z0-9-]+\.)*[a-z0-9-]*[a-z][a-z0-9-]*:\d{2,5}\b", re.IGNORECASE), "<host>"),
    (re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|internal|local|lan|corp|cloud)\b", re.IGNORECASE), "<host>"),
)


def text(value: str) -> str:
    """Return a text with user names, URLs, addresses and hosts masked."""
    for pattern, mask in MASKS:
        value = pattern.sub(mask, value)
    return value


def samples(tally: UnreadableCounts, wanted: bool) -> None:
    """Mask the samples of what could not be read, too."""
    if wanted:
        tally.samples = {name: text(sample) for name, sample in tally.samples.items()}


def table(rows: pa.Table) -> pa.Table:
    """Return stored columns with their free texts masked."""
    for name in TEXTS:
        found = [None if value is None else text(value) for value in rows[name].to_pylist()]
        rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), pa.array(found, pa.string()))
    return rows
