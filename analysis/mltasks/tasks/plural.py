"""Counts in sentences: "1 task", "2 tasks"."""

from __future__ import annotations


def plural(n: int, noun: str = "task") -> str:
    """Return the word for so many."""
    return noun if n == 1 else f"{noun}s"


def count_of(n: int, noun: str = "task") -> str:
    """Return so many with their word."""
    return f"{n:,} {plural(n, noun)}"
