"""Filters as OpenSearch query DSL: a superset, since mappings differ between releases.

The frame is filtered again after decoding.
"""

from __future__ import annotations

import re
from typing import Any

from mltasks.tasks import schema
from mltasks.tasks.filter_conditions import Window
from mltasks.tasks.filter_declarations import FILTERS
from mltasks.tasks.filters import Filters

Query = dict[str, Any]


def query(filters: Filters, own: Query | None = None, *, window: Window = "created") -> Query | None:
    """Return the query that selects at least what the filters select, and what `own` selects; None for everything.

    `window` as in `Filters.expression`. The filters by cluster, node, model name and error text are not pushed
    down: they are no exact terms in the index.
    """
    must = [own] if own else []
    must += _window_queries(filters, window)
    for name in [each.name for each in FILTERS if each.kind == "exact" and each.is_pushed_down]:
        words = getattr(filters, name)
        if words and all(word.isascii() for word in words):  # the index knows no lower case of other letters
            must.append(_any(_match_folded(name, word) for word in words))
    if filters.outcome and schema.OPEN not in filters.outcome:  # open has states that nobody knows yet
        states = [state for outcome in filters.outcome for state in schema.states_of(outcome)]
        must.append(_any(match_word("state", state) for state in states))
    if not must:
        return None
    return {"bool": {"filter": must}}


def _window_queries(filters: Filters, window: Window) -> list[Query]:
    since, until = filters.since_ms, filters.until_ms
    must: list[Query] = []
    if until is not None:
        must.append({"range": {"create_time": {"lt": until}}})
    if since is not None:
        created = {"range": {"create_time": {"gte": since}}}
        if window == "in_flight":
            ended = [state for state in schema.STATES if schema.STATES[state] != schema.OPEN]
            still_open = {"bool": {"must_not": [match_word("state", state) for state in ended]}}
            must.append(_any([created, {"range": {"last_update_time": {"gte": since}}}, still_open]))
        else:
            must.append(created)
    return must


def match_word(field: str, word: str) -> Query:
    """Match a word in any case, also where the index was made without its mapping (text with a keyword beside it)."""
    match = {"value": word, "case_insensitive": True}
    return _any([{"term": {field: match}}, {"term": {f"{field}.keyword": match}}])


def _match_folded(field: str, word: str) -> Query:
    """Match what has this word when it is folded: the dotted capital I and the Kelvin sign become plain letters, too.

    The index knows of no case but that of ASCII, so that another letter may stand for these two.
    """
    if not set("ik") & set(word):
        return match_word(field, word)
    pattern = re.sub(r"[ik]", "?", re.sub(r"([*?\\\\])", r"\\\1", word))
    match = {"value": pattern, "case_insensitive": True}
    return _any([{"wildcard": {field: match}}, {"wildcard": {f"{field}.keyword": match}}])


def _any(queries: Any) -> Query:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}
