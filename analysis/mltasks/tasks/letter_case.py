"""Texts alike in any case: letter by letter, so that every engine does the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import narwhals as nw


def fold(text: str) -> str:
    """Return a text in lower case, letter by letter, so that every engine can do the same.

    The dotted capital I becomes i (its own lower case has two letters), and a final sigma is a sigma.
    """
    return "".join("σ" if char == "ς" else "i" if char == "İ" else char.lower() for char in text)


def has_any(text: str, words: Sequence[str]) -> bool:
    """Tell whether a text contains one of some words, in any case."""
    return any(word in fold(text) for word in words)


def fold_column(column: str, words: Sequence[str]) -> nw.Expr:
    """Return a column as `fold` does; letters that none of the words has are left as they may be."""
    import narwhals as nw  # here, since errors of usage fold words without it

    letters = set("".join(words))
    text = nw.col(column)
    if "i" in letters or "\u0307" in letters:
        text = text.str.replace_all("İ", "i", literal=True)
    text = text.str.to_lowercase()
    return text.str.replace_all("ς", "σ", literal=True) if "σ" in letters else text
