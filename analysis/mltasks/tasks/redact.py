"""Secrets, users, hosts and addresses, masked wherever tasks may name them. Best effort, not a proof.

Texts are masked by expressions; names of nodes and clusters, which look like any word, by what is known of the cluster.
A name is replaced by one that stays the same, so that what belongs together can still be told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import arrow, metadata, schema
from mltasks.tasks.filters import Filters
from mltasks.tasks.json_values import UnreadableCounts
from mltasks.tasks.letter_case import fold
from mltasks.tasks.metadata import ClusterInfo, Context
from mltasks.tasks.redact_names import is_host_name, is_user_name, mask_names
from mltasks.tasks.redact_secrets import is_secret_name, mask_secrets

TEXTS = ("error", "response", "remote_job", "user", "extra", "reason")
LITERAL = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|(?<=:)(\s*+)-?\d[\d.eE+-]*+')  # what can be masked in JSON
WORD = re.compile(r"[\w-]++(?:\.[\w-]++)*+")
Names = Mapping[str, str]  # a name -> what stands in its place
NO_NAMES: Names = {}


def text(value: str, names: Names = NO_NAMES) -> str:
    """Return a text with secrets, users, URLs, addresses, hosts and `names` masked."""
    for name in names:
        if not WORD.fullmatch(name):
            value = value.replace(name, names[name])
    if names:
        value = WORD.sub(lambda word: names.get(word[0], word[0]), value)
    return mask_names(mask_secrets(value))


def json_text(value: str, names: Names = NO_NAMES, *, whole: bool = False) -> str:
    """Return a text that may be JSON, masked: JSON value by value, and whole where its key says that it is a secret.

    `whole`: mask every text in it. What is not masked stays as it was written.
    """
    if value.lstrip()[:1] not in ("{", "["):
        return text(value, names)
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return text(value, names)
    key = ""

    def mask(literal: re.Match[str]) -> str:
        nonlocal key
        if literal[1] is None:
            return f'{literal[3]}"<secret>"' if is_secret_name(key) else literal[0]
        raw = msgspec.json.decode(f'"{literal[1]}"', type=str)
        masked = text(raw, names)
        if literal[2] is not None:
            key = raw
        elif raw and raw != "null":
            marks = ((is_secret_name, "<secret>"), (is_user_name, "<user>"), (is_host_name, "<host>"))
            by_key = next((mark for holds, mark in marks if holds(key)), "<user>" if whole else "")
            masked = by_key if by_key and not masked.startswith("<") else masked
        return literal[0] if masked == raw else msgspec.json.encode(masked).decode() + (literal[2] or "")

    return LITERAL.sub(mask, value)


def samples(tally: UnreadableCounts, wanted: bool, names: Names = NO_NAMES) -> None:
    """Mask the samples of what could not be read, too."""
    if wanted:
        tally.samples = {name: text(sample, names) for name, sample in tally.samples.items()}


def table(rows: pa.Table, ctx: Context | ClusterInfo | None = None) -> pa.Table:
    """Return tasks with their free texts and the addresses of clusters masked; what users added is free text."""
    names = names_of(ctx)

    def mask(value: str | None) -> str | None:
        return None if value is None else json_text(value, names)

    def mask_whole(value: str | None) -> str | None:
        return None if value is None else json_text(value, names, whole=True)

    for place, field in enumerate(rows.schema):
        if field.type not in (pa.string(), pa.large_string()):
            continue
        is_text = field.name in TEXTS or field.name not in schema.COLUMNS
        convert = cluster_name if field.name == "cluster" else mask_whole if field.name == "user" else mask
        if is_text or field.name == "cluster":
            column = arrow.combine_chunks(rows[field.name])
            rows = rows.set_column(place, field, arrow.map_distinct(column, field.type, convert))
    return rows


def context(ctx: Context) -> Context:
    """Return what is known of a reading without addresses and names of nodes."""
    names = names_of(ctx)
    return metadata.replace(
        ctx,
        source=text(ctx.source, names),
        readings=tuple(map(reading, ctx.readings)),
        filters={name: _mask_value(value, names) for name, value in ctx.filters.items()},
        samples={name: text(sample, names) for name, sample in ctx.samples.items()},
        notes=tuple(text(note, names) for note in ctx.notes),
    )


def reading(info: ClusterInfo) -> ClusterInfo:
    """Return what a cluster told without its address and the names of its nodes."""

    def mask(nodes: Mapping[str, metadata.Node]) -> dict[str, metadata.Node]:
        return {key: msgspec.structs.replace(node, name=node_name(key)) for key, node in nodes.items()}

    return msgspec.structs.replace(
        info,
        cluster=cluster_name(info.cluster),
        nodes=None if info.nodes is None else mask(info.nodes),
        former_nodes=mask(info.former_nodes),
    )


def filter_words(chosen: Filters, rows: pa.Table, ctx: Context) -> Filters:
    """Return filters that select of masked tasks what they select of these; one by error is applied before."""
    labels = dict.fromkeys(pc.unique(pc.list_flatten(rows["worker_node"])).to_pylist(), "") | ctx.names()
    nodes: list[str] = []
    for word in chosen.node:
        is_name = any(word in fold(name) for name in labels.values())
        nodes += [fold(key) for key, name in labels.items() if key and (word in fold(key) or word in fold(name))]
        nodes += [] if is_name else [word]
    readings = {reading.cluster for reading in ctx.readings} | {*pc.unique(rows["cluster"]).to_pylist()}
    masked = {fold(name): fold(cluster_name(name) or "") for name in readings if name is not None}
    clusters = [masked.get(word, word) for word in chosen.cluster]
    return replace(chosen, node=tuple(dict.fromkeys(nodes)), cluster=tuple(dict.fromkeys(clusters)), error=())


def names_of(ctx: Context | ClusterInfo | None) -> Names:
    """Return the names of nodes and the addresses of clusters, and what stands in their place."""
    readings: Sequence[ClusterInfo] = () if ctx is None else (ctx,) if isinstance(ctx, ClusterInfo) else ctx.readings
    clusters = {r.cluster: cluster_name(r.cluster) or "" for r in readings if r.cluster}
    nodes = {
        node.name: node_name(key)
        for r in readings
        for nodes in (r.former_nodes, r.nodes or {})
        for key, node in nodes.items()
        if node.name
    }
    return {name: mask for name, mask in {**clusters, **nodes}.items() if name != mask}


def cluster_name(name: str | None) -> str | None:
    """Return a cluster's name; what is an address, and not a name that somebody gave, is replaced."""
    is_address = name is not None and re.search(r"[.:/]|\Alocalhost\Z", name)
    return f"cluster-{_digest(name or '')}" if is_address else name


def node_name(node_id: str) -> str:
    """Return what stands in place of a node's name: always the same for one node."""
    return f"node-{_digest(node_id)}"


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=3).hexdigest()


def _mask_value(value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [_mask_value(item, names) for item in value]
    return json_text(value, names) if isinstance(value, str) else value
