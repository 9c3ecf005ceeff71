"""The page in Markdown, short enough for a chat or a pull request: verdict, what to do, numbers, the worst rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from mltasks.render import cells, header, page_head
from mltasks.render.highlights import find_points
from mltasks.render.markdown import markup
from mltasks.render.sort_and_top import make_view
from mltasks.render.view import View, is_news_unknown
from mltasks.reports import verdict_line
from mltasks.reports.functions import join_functions
from mltasks.reports.highlights import list_untold

LONGEST = 4000  # characters, the least that chats take
LONGEST_CELL = 80
MOST = 8  # rows of a table, and points
MOST_OF_ITEM = 3  # things that need the same


class Part(NamedTuple):
    """A table of the text: which one, its heading, its columns."""

    of: str
    title: str
    columns: tuple[str, ...]


PARTS = (
    Part("clusters", "Clusters", ("cluster", "tasks", "failed", "failure_rate", "lost", "new_errors")),
    Part("open_groups", "Unfinished", ("verdict", "task_type", "function_name", "tasks", "age_s", "remedy")),
    Part("errors", "Errors", ("error", "status", "tasks", "last_seen", "remedy")),
    Part(
        "functions", "Functions", ("task_type", "function_name", "tasks", "failed", "failure_rate", "p95_s", "change")
    ),
)


def write_markdown(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return the page as text of less than 4,000 characters: of long tables the worst rows, and how many there are."""
    for rows in range(MOST, -1, -1):
        text = _write(tables, rows, LONGEST_CELL)
        if len(text) < LONGEST:
            return text
    return f"{_write(tables, 0, 24)[: LONGEST - 3].rstrip()}\n\n"


def _write(tables: Mapping[str, pd.DataFrame], rows: int, longest: int) -> str:
    views = {name: make_view(table) for name, table in tables.items()}
    views["functions"] = make_view(join_functions(tables))
    info = views["failures"].info
    verdict = verdict_line.write_verdict(tables["highlights"]) if "highlights" in tables else None
    sentence = verdict.text if verdict and info.tasks else "There is no task, and so nothing to report."
    blocks = [f"# {markup(sentence)}", markup(header.covers_line(info))]
    points = find_points(tables.get("highlights"))
    items = page_head.describe_points(tables, points, [])
    lines = [_write_item(item, longest) for item in items[: max(rows, 1)]]
    rest = len(items) - len(lines)
    untold = list_untold(views["highlights"].info.notes) if "highlights" in views and info.tasks else []
    lines += [f"- and {rest} more"] if rest > 0 else []
    blocks.append("\n".join([*lines, *(f"- ? {markup(note)}" for note in untold)]))
    if info.tasks:
        blocks.append(_write_numbers(tables.get("headline")))
        for part in PARTS if rows else ():
            if part.of in views and len(views[part.of].frame):
                blocks.append(_write_table(views[part.of], part, rows, longest))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _write_item(item: page_head.Item, longest: int) -> str:
    points = [
        f"**{_text(point.subject, longest)}**: {_text(point.reason, 2 * longest)}"
        for point, _ in item.points[:MOST_OF_ITEM]
    ]
    rest = len(item.points) - len(points)
    more = [f"and {rest} more"] if rest else []
    remedy = [f"what to do: {_text(item.advice.remedy, 2 * longest)}"] if item.advice.remedy else []
    return f"- {'; '.join([*points, *more, *remedy])}"


def _write_numbers(headline: pd.DataFrame | None) -> str:
    tiles = page_head.make_tiles(headline)
    if not tiles:
        return ""
    shown = [[tile["label"], " ".join(filter(None, [tile["value"], tile["part"]])), tile["change"]] for tile in tiles]
    rows = [[row[place] for row in shown] for place in (0, 1, 2) if place < 2 or any(row[2] for row in shown)]
    return _join_rows(rows, [False] * len(tiles))


def _write_table(view: View, part: Part, rows: int, longest: int) -> str:
    names = [name for name in part.columns if name in view.frame and not (name == "status" and is_news_unknown(view))]
    table = view.frame.head(rows)
    lines = [[name.removesuffix("_s").replace("_", " ") for name in names]]
    for row in table.to_dict("records"):
        lines.append([_text(view.cell(name, row[name], saved=name == "last_seen"), longest) for name in names])
    count = len(view.frame)
    title = f"**{part.title}**" if count <= rows else f"**{part.title}** (the first {rows} of {count:,})"
    return f"{title}\n\n{_join_rows(lines, [view.is_words(name) for name in names])}"


def _join_rows(rows: Sequence[Sequence[str]], words: Sequence[bool]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'|'.join('---' if word else '---:' for word in words)}|", *lines[1:]])


def _text(text: str, longest: int) -> str:
    plain = cells.one_line(text)
    return markup(plain if len(plain) <= longest else f"{plain[:longest].rstrip()}…")
