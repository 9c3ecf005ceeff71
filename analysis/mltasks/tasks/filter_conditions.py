"""What each kind of filter asks of the derived table, as an expression that every engine can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import narwhals as nw

from mltasks.tasks.letter_case import fold, fold_column, has_any

NodeNames = Mapping[tuple[str | None, str], str]  # (cluster, node id) -> node name
Window = Literal["created", "in_flight"]  # what since and until select by


def window_conditions(since: int | None, until: int | None, window: Window) -> list[nw.Expr]:
    """Return the conditions of a window: created in it, or in flight at any time of it."""
    start, end = nw.col("start_ms"), nw.col("end_ms")
    conditions = []
    if since is not None:
        alive = ~start.is_null() & ((start >= since) | (end > since))
        conditions.append(alive if window == "in_flight" else start >= since)
    if until is not None:
        conditions.append(start < until)
    return conditions


def is_in(column: str, words: Sequence[str]) -> nw.Expr:
    """Return whether a column is one of some words, in any case."""
    return fold_column(column, words).is_in(words)


def contains(column: str, word: str) -> nw.Expr:
    """Return whether a column contains a word, in any case; a missing value contains none."""
    is_contained = fold_column(column, [word]).str.contains(word, literal=True)
    return nw.when(nw.col(column).is_null()).then(nw.lit(value=False)).otherwise(is_contained)


def nodes_of_name(names: NodeNames, words: Sequence[str]) -> list[tuple[str | None, str]]:
    """Return the nodes (cluster, id) whose name contains one of some words; cluster None: wherever the id is."""
    ids_named = [key for key, name in names.items() if has_any(name, words)]
    ids = [node for _, node in names]
    return [(cluster if ids.count(node) > 1 else None, node) for cluster, node in ids_named]


def match_names(names: NodeNames, words: Sequence[str]) -> list[nw.Expr]:
    """Return a condition for each node whose name contains one of some words."""
    conditions = []
    for cluster, node in nodes_of_name(names, words):
        matches = contains("nodes_text", fold(node))
        conditions.append(matches if cluster is None else matches & (nw.col("cluster") == cluster))
    return conditions
