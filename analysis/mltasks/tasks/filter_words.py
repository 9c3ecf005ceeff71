"""The words of filters as people write them: one text or several, comma-separated, in any case. It needs no table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.tasks import schema
from mltasks.tasks.filter_declarations import FILTERS, WORDS
from mltasks.tasks.letter_case import fold


def parse_filters(options: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the words of each filter that is given; raises UsageError for an empty one and an unknown outcome."""
    words = {name: parse_words(value, name) for name, value in options.items() if name in WORDS and value is not None}
    outcomes = {name: parse_outcomes(words[name], name) for name in ("outcome", "not_outcome") if name in words}
    return words | outcomes


def parse_words(value: Any, name: str) -> tuple[str, ...]:
    """Return the words of one filter, folded, each once."""
    texts = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"{name}: {text!r} is not a text; give one text or a list of texts")
    if next((each.takes_commas for each in FILTERS if each.name == name), True):
        parts = [part.strip() if "," in text else part for text in texts for part in text.split(",")]
        texts = [part for part in parts if part] or parts[:1]
    if "" in texts and name != "cluster":  # a cluster may be called so
        raise UsageError(f"{name}: the value is empty; give one, or leave {name} out")
    return tuple(dict.fromkeys(map(fold, texts)))


def parse_outcomes(words: Iterable[str], name: str = "outcome") -> tuple[str, ...]:
    """Return outcomes by name; `completed` stands for succeeded and partial."""
    names = tuple(o for word in words for o in (schema.COMPLETED if word == "completed" else (word,)))
    for word in names:
        if word not in schema.OUTCOMES:
            import difflib  # here, as all that only some calls need

            near = difflib.get_close_matches(word, (*schema.OUTCOMES, "completed"), 1)
            hint = f"did you mean {near[0]}? " if near else ""
            there = ", ".join(schema.OUTCOMES)
            raise UsageError(f"{name}: there is no outcome {word!r}; {hint}there are {there}, completed")
    return names
