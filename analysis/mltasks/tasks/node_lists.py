"""Lists of node ids in all their spellings: comma-joined texts of old releases, and what tools make of lists."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mltasks.tasks import schema
from mltasks.tasks.json_values import Cell, text

NOT_OF_A_NODE = r"""\s,;|\[\](){}<>"'\\"""  # brackets, quotes, separators: none of them is part of a node's id
NODE = re.compile(rf"""\"([^"]*)"|'([^']*)'|([^{NOT_OF_A_NODE}]+)""")
BETWEEN_NODES = re.compile(f"[{NOT_OF_A_NODE}]+")
CALL = re.compile(
    r"\s*(?:array|list|set|frozenset)\((.*?)(?:,\s*dtype=[^)]*)?\)\s*", re.DOTALL
)  # of Python, around a list
NO_NODE = ("null", "NULL", "None", "nan", "NaN", "<NA>")  # how a missing one is written
ODD_LIST = rf"^$|^,|,,|,$|[{NOT_OF_A_NODE.replace(',', '')}]|(^|,)({'|'.join(NO_NODE)})(,|$)"
ODD_NODE = rf"^$|[{NOT_OF_A_NODE}]|^({'|'.join(NO_NODE)})$"


def nodes(value: Any) -> Cell:
    """Read node ids: a list (null entries dropped), or a text; up to 2.4 it is one, comma-joined for several.

    The text of a list, as JSON, Python, NumPy and databases write it, is read as that list.
    """
    parts = value if isinstance(value, list) else [value]
    texts = [text(part) for part in parts if not isinstance(part, dict | list)]
    ids = [node for joined, _ in texts for node in _split_nodes(joined or "")]
    return ids, len(texts) == len(parts) and all(readable for _, readable in texts)


def _split_nodes(joined: str) -> list[str]:
    call = CALL.fullmatch(joined)
    joined = call[1] if call else joined
    tokens = [(quoted.strip() or other.strip() or bare) for quoted, other, bare in NODE.findall(joined)]
    return [node for token in tokens for node in BETWEEN_NODES.split(token) if node and node not in NO_NODE]


def are_tidy(lists: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether lists of node ids are as `json_values.nodes` makes them: no nulls, brackets, commas, empty ids."""
    nodes = pc.unique(pc.list_flatten(lists))
    odd = pc.match_substring_regex(nodes, ODD_NODE)
    return not (lists.null_count or nodes.null_count or pc.any(odd).as_py())


def split_nodes(joined: object) -> list[str]:
    """Return the node ids of one comma-joined text; none of a missing one."""
    return joined.split(",") if isinstance(joined, str) and joined else []


def split_lists(texts: pa.Array, column: schema.Column) -> pa.Array:
    """Return comma-joined texts as lists; a missing one is an empty list."""
    return pc.coalesce(pc.split_pattern(texts, ","), pa.scalar([], column.type))


def are_comma_joined(texts: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether lists of node ids are texts as `load` gives them, with nothing but commas between the ids."""
    return not pc.any(odd_list(pc.unique(texts))).as_py()


def odd_list(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell which texts are other than node ids with commas between them."""
    return pc.match_substring_regex(texts, ODD_LIST)


def join_lists(lists: pa.Array) -> pa.Array:
    """Return lists of texts as one text each, comma-joined; an empty list is null."""
    texts = pc.binary_join(lists, ",")
    return pc.if_else(pc.equal(pc.list_value_length(lists), 0), pa.scalar(None, pa.string()), texts)
