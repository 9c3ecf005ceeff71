"""Cases in processes of their own, interleaved and repeated; the shortest time of each, as a ratio to the others'."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Case:
    """Something to measure: `module` of benchmarks.cases, run by `python`; `slow` is run once only.

    `before` is called before each run, outside its time; `moving`: what is read changes from run to run.
    """

    name: str
    module: str
    python: Path = Path(sys.executable)
    slow: bool = False
    arguments: tuple[str, ...] = ()
    before: Callable[[], None] = lambda: None
    moving: bool = False

    def run(self, url: str) -> dict[str, Any]:
        """Return what the case says of itself; CalledProcessError where it fails, its words on our stderr."""
        command: list[str | Path] = [self.python, "-m", f"benchmarks.cases.{self.module}", url, *self.arguments]
        ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, env={})
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return found


@dataclass
class Measured:
    """All runs of a case."""

    case: Case
    runs: list[dict[str, Any]] = field(default_factory=list)

    def least(self, name: str) -> float:
        """Return the smallest value of all runs: what disturbs them only adds."""
        return float(min(run[name] for run in self.runs))

    def found(self, name: str) -> str:
        """Return what all runs have found, or the last one where it moves; "differ" where they do not agree."""
        values = {run.get(name) for run in self.runs[-1 if self.case.moving else 0 :]}
        value = values.pop()
        if values:
            return "differ"
        return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)[:8]


def interleaved(cases: Sequence[Case], url: str, repeats: int) -> list[Measured]:
    """Run the cases in turn, A B C A B C ..., so that what disturbs the machine disturbs them alike."""
    found = [Measured(case) for case in cases]
    for turn in range(repeats):
        for measured in found:
            if turn and measured.case.slow:
                continue
            measured.case.before()
            measured.runs.append(measured.case.run(url))
            seconds = measured.runs[-1]["seconds"]
            print(f"{turn + 1}/{repeats} {measured.case.name}: {seconds:.2f} s", file=sys.stderr)
    return found


def table(found: Sequence[Measured], against: Mapping[str, str]) -> str:
    """Return the Markdown table; `against` names the cases to give ratios to, and the heads of those columns."""
    base = {m.case.name: m.least("seconds") for m in found}
    heads = ["case", "seconds", "spread", "CPU s", "rows/s", *against.values(), "memory MB", "imports MB"]
    heads += ["rows", "ids", "content"]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for measured in found:
        seconds = measured.least("seconds")
        worst = max(run["seconds"] for run in measured.runs)
        lines.append(
            [
                measured.case.name,
                f"{seconds:.3f}",
                f"+{worst / seconds - 1:.0%}" if len(measured.runs) > 1 else "once",
                f"{measured.least('cpu'):.2f}",
                f"{measured.runs[-1]['rows'] / seconds:,.0f}",
                *(f"{seconds / base[name]:.3g}" for name in against),
                f"{measured.least('peak') - measured.least('imports'):.0f}",
                f"{measured.least('imports'):.0f}",
                *(measured.found(name) for name in ("rows", "ids", "content")),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def versions(found: Sequence[Measured]) -> str:
    """Return what each case ran on, one line a case."""
    named = {m.case.name: m.runs[0]["versions"] for m in found if m.runs[0]["versions"]}
    return "\n".join(f"- {name}: {', '.join(f'{k} {v}' for k, v in used.items())}" for name, used in named.items())
