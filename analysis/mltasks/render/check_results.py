"""The results of rules as text, JSON, JUnit XML and OpenMetrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from xml.etree import ElementTree

from mltasks.render.cells import one_line
from mltasks.reports.check import NO_DATA, Result
from mltasks.tasks.plural import count_of


def to_text(results: Sequence[Result]) -> str:
    """Return a line for each breach, and one for each rule that holds."""
    lines, untold = [], 0
    for name, group in groupby(results, key=lambda result: result.rule):
        rows = list(group)
        breaches = [result for result in rows if result.is_breach]
        lines += [one_line(f"{row.severity}: {name}: {row.sentence()}") for row in breaches]
        if not breaches:
            none = all(row.verdict == NO_DATA for row in rows)
            why = f": {rows[0].missing}" if rows[0].missing else ""
            untold += none
            lines.append(one_line(f"no data: {name}{why}" if none else f"ok: {name}"))
    count = sum(result.is_breach for result in results)
    rules = len({result.rule for result in results})
    breaches_in_words = f"{count:,} {'breach' if count == 1 else 'breaches'}"
    lines.append(f"{count_of(rules, 'rule')}, {breaches_in_words}" + (f", {untold:,} without data" if untold else ""))
    return "\n".join(lines) + "\n"


def to_json(results: Sequence[Result]) -> str:
    """Return one object: whether all rules hold, and the results."""
    rows = [{**result._asdict(), "sentence": result.sentence()} for result in results]
    return json.dumps({"ok": not any(result.is_breach for result in results), "results": rows}, indent=2) + "\n"


def to_junit(results: Sequence[Result]) -> str:
    """Return JUnit XML: a test case for each result, a failure for each breach."""
    breaches, missing = (
        sum(flags) for flags in zip(*((r.is_breach, r.verdict == NO_DATA) for r in results), strict=True)
    )
    counts = {"tests": str(len(results)), "failures": str(breaches), "skipped": str(missing), "errors": "0"}
    suites = ElementTree.Element("testsuites", {})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "mltasks check", **counts})
    for result in results:
        name = _clean(f"{result.rule}: {result.group}" if result.group else result.rule)
        case = ElementTree.SubElement(suite, "testcase", {"classname": "mltasks.check", "name": name})
        if result.is_breach:
            message = {"message": _clean(result.sentence()), "type": _clean(result.severity)}
            ElementTree.SubElement(case, "failure", message).text = _clean(result.sentence())
        elif result.verdict == NO_DATA:
            ElementTree.SubElement(case, "skipped", {"message": _clean(result.missing or "no data")})
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return "".join(c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in one_line(text))


GAUGES: Mapping[str, tuple[str, Callable[[Result], float | None]]] = {
    "value": ("What a rule measured.", lambda result: result.value),
    "value_low": ("Lower end of the 95 % interval of a rate.", lambda result: result.low),
    "value_high": ("Upper end of the 95 % interval of a rate.", lambda result: result.high),
    "breached": ("1 where a rule is breached.", lambda result: int(result.is_breach)),
    "no_data": ("1 where nothing could be measured.", lambda result: int(result.value is None)),
}


def to_openmetrics(results: Sequence[Result]) -> str:
    """Return OpenMetrics: the gauges of each result, by rule and group; what is not known is left out."""
    lines = []
    for name, (meaning, measure) in GAUGES.items():
        lines += [f"# TYPE mltasks_check_{name} gauge", f"# HELP mltasks_check_{name} {meaning}"]
        numbers = ((result, measure(result)) for result in results)
        lines += [f"mltasks_check_{name}{{{_labels(r)}}} {number!r}" for r, number in numbers if number is not None]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _labels(result: Result) -> str:
    labels = {"rule": result.rule, "group": result.group, "measure": result.measure, "severity": result.severity}
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())


def _escape(value: str) -> str:
    return one_line(value).replace("\\", "\\\\").replace('"', '\\"')


FORMATS: Mapping[str, Callable[[Sequence[Result]], str]] = {
    "text": to_text,
    "json": to_json,
    "junit": to_junit,
    "openmetrics": to_openmetrics,
}
