"""Rules that tasks should keep, as a TOML file says them; what each may hold, and a file to start with."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mltasks.exceptions import UsageError
from mltasks.reports.registry import REPORTS

ROWS, DATA_AGE, FAILING = "rows", "data_age_s", "failing_s"  # measures that are no column
NUMBERS = ("count", "number", "share", "duration")
ON_NO_DATA = ("ok", "breach")
TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "measure", "report", "window", "severity", "on_no_data"), (str,)),
    **dict.fromkeys(("min", "max"), (int, float)),
    "min_tasks": (int,),
    "by": (list,),
    "where": (dict,),
    "equals": (dict,),
}


WORDS: Mapping[type, str] = {
    str: "text",
    int: "number",
    list: 'list; write ["task_type"]',
    dict: 'table; write { task_type = "TRAINING" }',
}
EXAMPLES = {"name": "trainings succeed", "measure": "failure_rate"}


@dataclass(frozen=True)
class Rule:
    """One rule: a measure of the rows of a report, and between what it has to be."""

    name: str
    measure: str
    report: str = "failures"
    by: tuple[str, ...] | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    equals: Mapping[str, Any] = field(default_factory=dict)
    min: float | None = None
    max: float | None = None
    min_tasks: int = 1
    window: str | None = None
    severity: str = "error"
    on_no_data: str = "ok"


def load_rules(path: str | Path) -> list[Rule]:
    """Return the rules of a TOML file; raises UsageError for a file that cannot be, naming the rule."""
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"rules: cannot read {path}: {error.strerror}; mltasks check --init writes a file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"rules: {path} is no TOML: {error}; mltasks check --init writes a file") from None
    entries = content.get("rule")
    if set(content) - {"rule"} or not isinstance(entries, list) or not entries:
        raise UsageError(f"rules: {path} has no [[rule]] entries; mltasks check --init writes some")
    rules = [parse_rule(entry, f"rules: {path}, rule {place}") for place, entry in enumerate(entries, 1)]
    names = [rule.name for rule in rules]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"rules: {path} has two rules called {twice[0]!r}; give each a name of its own")
    return rules


def read_values(rule: Rule, name: str) -> list[Any]:
    """Return the values of a column that a rule looks for; none where it does not look at it."""
    value = rule.equals.get(name, [])
    return value if isinstance(value, list) else [value]


def parse_rule(entry: Any, place: str) -> Rule:
    """Return a rule as TOML gives it; raises UsageError that names `place`."""
    if not isinstance(entry, dict):
        raise UsageError(f"{place}: a rule is a table; write [[rule]]")
    names = [each.name for each in fields(Rule)]
    for name, value in entry.items():
        if name not in names:
            raise UsageError(f"{place}: there is no {name!r}; there are {', '.join(names)}")
        if not isinstance(value, TYPES[name]) or isinstance(value, bool):
            raise UsageError(f"{place}: {name} = {value!r} is no {WORDS[TYPES[name][0]]}")
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{place}: {name} = {value!r} is no limit; write a number")
    for name in ("name", "measure"):
        if not entry.get(name):
            raise UsageError(f"{place}: {name} is missing; give one, such as {name} = {EXAMPLES[name]!r}")
    rule = Rule(**entry | ({"by": tuple(entry["by"])} if "by" in entry else {}))
    if rule.report not in REPORTS:
        raise UsageError(f"{place}: there is no report {rule.report!r}; there are {', '.join(REPORTS)}")
    numbers = [each.name for each in REPORTS[rule.report].columns if each.kind in NUMBERS]
    if rule.measure not in (ROWS, DATA_AGE, FAILING, *numbers):
        raise UsageError(
            f"{place}: {rule.report} has no measure {rule.measure!r}; there are {', '.join(numbers)}, rows"
        )
    if rule.min is None and rule.max is None:
        raise UsageError(f"{place}: it has neither min nor max; give one")
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        raise UsageError(f"{place}: min = {rule.min:g} is more than max = {rule.max:g}; swap them")
    keys = REPORTS[rule.report].keys if rule.by is None else rule.by
    for name in rule.equals:
        if name not in (columns := list(dict.fromkeys([*keys, *REPORTS[rule.report].column_names]))):
            raise UsageError(f"{place}: equals: {rule.report} has no column {name!r}; there are {', '.join(columns)}")
        for value in read_values(rule, name):
            words = REPORTS[rule.report].orders.get(name, ())
            if words and value not in words:
                raise UsageError(f"{place}: equals: no {name} is {value!r}; there are {', '.join(words)}")
    if rule.on_no_data not in ON_NO_DATA:
        raise UsageError(f"{place}: on_no_data is {rule.on_no_data!r}; write {' or '.join(ON_NO_DATA)}")
    return rule


HEAD = """\
# Rules for mltasks check SOURCE --rules rules.toml: it ends with 1 where one is breached, for cron and CI.
# measure: a column of a report (failure_rate of failures, p95_s of durations, ...), rows, data_age_s, or failing_s.
# report: which one (failures). by: a row is one of these. where: filters. equals: only rows with these values count,
# each a value or a list of values.
# min, max: the limits. min_tasks: rows of fewer tasks do not count. window: created so recently, such as "7d".
# A rate is in breach where the nearer end of its 95 % interval is past the limit. severity: any word of yours.
# on_no_data: ok (as if the rule held) or breach; what cannot be told, such as which tasks are lost where the start
# times of nodes could not be read, is no data, too.
"""
STARTER: Mapping[str, str] = {
    "unfinished": """
[[rule]]
name = "no task is lost"
report = "unfinished"
measure = "rows"
equals = { verdict = "lost" }
max = 0
""",
    "models": """
[[rule]]
name = "no model is down"
report = "models"
measure = "rows"
equals = { verdict = ["down", "given_up"] }
max = 0
""",
    "failures": """
[[rule]]
name = "nothing fails for longer than an hour"
measure = "failing_s"
max = 3600
min_tasks = 3  # failures
""",
    "errors": """
[[rule]]
name = "no new error"
report = "errors"
measure = "rows"
equals = { status = "new" }
max = 0
severity = "warning"
""",
    "": """
[[rule]]
name = "the data is of today"
measure = "data_age_s"
max = 86400
on_no_data = "breach"

# [[rule]]
# name = "trainings succeed"
# measure = "failure_rate"
# by = ["function_name"]
# where = { task_type = "TRAINING" }
# max = 0.2
# min_tasks = 20
# window = "7d"
""",
}


def starter() -> str:
    """Return a file of rules to start with, which hold on a healthy cluster."""
    return HEAD + "".join(text for report, text in STARTER.items() if not report or report in REPORTS)
