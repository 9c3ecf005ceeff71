"""The messages of failed tasks, one row each: a deployment's error may hold several, masked and looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import narwhals as nw
import pandas as pd

from mltasks.engines import operations
from mltasks.reports import error_texts, known_errors
from mltasks.tasks import failure_reason, outcomes

TEXT = "error_text"
KEYS: Mapping[str, Any] = {TEXT: operations.TEXT, "task_type": operations.TEXT}


class ErrorText(NamedTuple):
    """One message of a task's error: masked, as it was, and the nodes that a deployment's error names for it."""

    masked: str | None
    message: str | None
    nodes: tuple[str, ...]


def with_text(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the text that a task's messages are in: its error, else what its response says."""
    text = nw.when(nw.col("error").is_null()).then(nw.col("reason")).otherwise(nw.col("error").cast(nw.String))
    partial = outcomes.has_outcome("partial")
    return frame.with_columns(
        text.alias(TEXT),
        nw.col("task_type").cast(nw.String),
        nw.col("function_name").cast(nw.String),
        nw.when(partial).then(nw.lit(1, dtype=nw.Int8)).otherwise(nw.lit(0, dtype=nw.Int8)).alias("is_partial"),
    )


def explode(counts: pd.DataFrame, table: tuple[known_errors.KnownError, ...]) -> pd.DataFrame:
    """Return counts by KEYS with one row per message: its text masked, as it was, its nodes, and what is known of it.

    Columns added: masked, message, named (a tuple of node ids); error, cause, means, remedy from the known errors.
    """
    pairs = list(counts[list(KEYS)].itertuples(index=False, name=None))
    texts = {pair: _split(*pair) for pair in pairs}
    rows = counts.loc[counts.index.repeat([len(texts[pair]) for pair in pairs])].reset_index(drop=True)
    messages = [message for pair in pairs for message in texts[pair]]
    rows = rows.assign(
        masked=pd.Series([each.masked for each in messages], dtype=object, index=rows.index),
        message=pd.Series([each.message for each in messages], dtype=object, index=rows.index),
        named=pd.Series([each.nodes for each in messages], dtype=object, index=rows.index),
    )
    return rows.assign(**_describe(rows["masked"], table))


def _split(text: str | None, task_type: str | None) -> list[ErrorText]:
    """Return the messages of an error, each masked text once; a deployment may have several."""
    if not isinstance(text, str):
        return [ErrorText(None, None, ())]
    by_node = failure_reason.node_errors(task_type, text)
    if not by_node:
        return [ErrorText(error_texts.mask(text), text, ())]
    groups: dict[str, list[tuple[str, str]]] = {}
    for node, message in by_node.items():
        groups.setdefault(error_texts.mask(message), []).append((message, node))
    return [
        ErrorText(masked, min(message for message, _ in pairs), tuple(node for _, node in pairs))
        for masked, pairs in groups.items()
    ]


def _describe(masked: pd.Series[Any], table: tuple[known_errors.KnownError, ...]) -> dict[str, Any]:
    """Return what the table of known errors says of each masked text."""
    distinct = {text: known_errors.find_known_error(text, table) for text in masked.unique()}
    entries = [(text, distinct[text]) for text in masked]
    return {
        "error": [entry.text or text for text, entry in entries],
        "cause": [entry.cause for _, entry in entries],
        "means": [entry.means or None for _, entry in entries],
        "remedy": [entry.remedy or None for _, entry in entries],
    }
