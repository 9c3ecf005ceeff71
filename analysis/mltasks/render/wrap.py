"""How texts share the width of a terminal: what is too long goes on in the next line, and nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells

GAP = 1  # blanks between columns
NARROWEST = 8  # a column of texts is not made narrower than this
KEPT_WHOLE = 16  # a word up to this long is broken only where all columns are as narrow as their words
WORDS = re.compile(r" *[^ ]+")
SHELL_WORDS = re.compile(r"(?:[^ ']|'[^']*')+")
INSIDE = r"(?:[^ _,./-]|[,.-](?=[0-9>]))"  # of a part: numbers, their signs, dates and arrows are not broken
PARTS = re.compile(rf"{INSIDE}*(?:(?![,.-][0-9>])[ _,./-])+|{INSIDE}+")  # of names such as LOGISTIC_REGRESSION


def wrap_text(text: str, width: int, parts: re.Pattern[str] = PARTS) -> list[str]:
    """Return a text as lines of at most `width` cells, broken after its parts where that is possible."""
    lines = [""]
    for part in parts.findall(text):
        if cell_len(lines[-1]) + cell_len(part.rstrip(" ")) <= width:
            lines[-1] += part
            continue
        fresh = part.lstrip(" ") if parts is WORDS else part
        lines += chop_cells(fresh, width) if cell_len(fresh.rstrip(" ")) > width else [fresh]
    stripped = [line.rstrip(" ") for line in lines]
    return [line for line in stripped if line] or [""]


def wrap_paragraph(text: str, width: int, first: str = "", then: str | None = None) -> str:
    """Return a sentence as lines of at most `width` cells, with `first` before the first and `then` before others."""
    then = " " * cell_len(first) if then is None else then
    lines = wrap_text(text, max(width - cell_len(first), NARROWEST), WORDS)
    return "\n".join(f"{then if n else first}{line}" for n, line in enumerate(lines))


def wrap_command(text: str, width: int, first: str = "") -> str:
    """Return a command as lines of at most `width` cells that a shell takes as one; no word is broken for it."""
    lines: list[str] = []
    for word in SHELL_WORDS.findall(text):
        fits = bool(lines) and cell_len(first) + cell_len(lines[-1]) + cell_len(word) + len("  \\") <= width
        lines = [*lines[:-1], f"{lines[-1]} {word}"] if fits else [*lines, word]
    return " \\\n".join(f"{first}{'  ' if n else ''}{line}" for n, line in enumerate(lines))


def longest_part(cells: Sequence[str]) -> int:
    """Return the width of the longest word, or part of a name, in some cells."""
    return max((cell_len(part.rstrip(" ")) for cell in cells for part in PARTS.findall(cell)), default=0)


def widths(columns: Sequence[Sequence[str]], narrows: Sequence[bool], width: int | None) -> list[int]:
    """Return how wide columns of cells are: as their widest line, the widest texts narrowed until they fit `width`.

    `narrows` tells which columns may become narrower. Where even the narrowest do not fit, the table is wider.
    """
    least = [min(longest_part(cells), KEPT_WHOLE) for cells in columns]
    needed = [max(cell_len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    over = 0 if width is None else sum(needed) + GAP * (len(needed) - 1) - width
    while over > 0:
        able = [n for n, may in enumerate(narrows) if may and needed[n] > max(least[n], NARROWEST)]
        if not able:  # words are broken only where the table fits then
            able = [n for n, may in enumerate(narrows) if may and needed[n] > NARROWEST]
            if sum(needed[n] - NARROWEST for n in able) < over:
                break
        widest = max(able, key=lambda n: needed[n])
        needed[widest] -= 1
        over -= 1
    return needed
