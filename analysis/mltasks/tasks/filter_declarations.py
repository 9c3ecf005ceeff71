"""The filters there are, declared once; Python, the command line and the query to a cluster read them from here."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Filter(NamedTuple):
    """One filter: what it compares, and how.

    `kind`: "time"; "exact" for the whole text in any case; "contains" for a part of it; "outcome" for what a state
    means.
    """

    name: str
    kind: Literal["time", "exact", "contains", "outcome"]
    help: str
    columns: tuple[str, ...] = ()
    is_pushed_down: bool = False  # to a cluster, as a superset
    has_twin: bool = False  # not_<name>, which selects the others
    takes_commas: bool = True  # whether a comma separates values


FILTERS = (
    Filter("since", "time", "From then on: 2026-11-24, monday, or 7d before the data ends.", is_pushed_down=True),
    Filter("until", "time", "Before then; times are UTC: '2026-11-24 22:00'.", is_pushed_down=True),
    Filter(
        "task_type",
        "exact",
        "Only of this type, such as TRAINING (several: TRAINING,PREDICTION).",
        ("task_type",),
        is_pushed_down=True,
        has_twin=True,
    ),
    Filter("function_name", "exact", "Only of this function, such as KMEANS.", ("function_name",), is_pushed_down=True),
    Filter("state", "exact", "Only in this state, such as FAILED.", ("state",), is_pushed_down=True, has_twin=True),
    Filter(
        "outcome",
        "outcome",
        "Only succeeded, partial, failed, cancelled, open or completed.",
        is_pushed_down=True,
        has_twin=True,
    ),
    Filter("node", "contains", "Only on nodes whose id or name contains this.", ("nodes_text",)),
    Filter("model", "contains", "Only of models whose id or name contains this.", ("model_id",)),
    Filter("error", "contains", "Only with an error that contains this.", ("error", "reason"), takes_commas=False),
    Filter("cluster", "exact", "Only of this cluster.", ("cluster",)),
)
TWINS = {"task_type": "Not of this type.", "state": "Not in this state.", "outcome": "Not with this outcome."}
HELP = {each.name: each.help for each in FILTERS} | {f"not_{name}": text for name, text in TWINS.items()}
EXACT = tuple(each.name for each in FILTERS if each.kind == "exact")
WORDS = tuple(name for name in HELP if name not in ("since", "until"))
