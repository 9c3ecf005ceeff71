"""A report as a table in GitHub's Markdown."""

from __future__ import annotations

import re

from mltasks.render import cells, header
from mltasks.render.view import View

MARKUP = re.compile(  # the last two: what GitHub makes a link without being told
    r"([\\`*\[\]<>|~$#!&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=[Ww][Ww][Ww])\.)"
)


def to_markdown(view: View) -> str:
    """Return a table in GitHub's Markdown, with what it covers before it and the notes after it."""
    names = [str(name) for name in view.frame.columns]
    words = [view.is_words(name) for name in names]
    lines = [markup(header.covers_line(view.info)), ""]
    if len(view.frame):
        lines.append(f"| {' | '.join(markup(cells.one_line(name)) for name in names)} |")
        lines.append(f"|{'|'.join('---' if word else '---:' for word in words)}|")
    for row in view.frame.itertuples(index=False):
        shown = [markup(view.cell(name, value, saved=True)) for name, value in zip(names, row, strict=True)]
        lines.append(f"| {' | '.join(shown)} |")
    lines += ["", *(f"- {markup(cells.one_line(note))}" for note in view.info.notes)]
    return "\n".join(lines).rstrip() + "\n"


def markup(value: str) -> str:
    """Return a text in which no character is markup."""
    return MARKUP.sub(r"\\\1", value)
