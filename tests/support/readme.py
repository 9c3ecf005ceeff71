"""The README's commands and code, as its readers would type them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def lines() -> list[str]:
    """Return the command lines as they stand."""
    return re.findall(r"^\$ (.*)$", "\n".join(re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)), re.MULTILINE)


def commands() -> list[list[str]]:
    """Return the command lines in words, comments left out."""
    return [shlex.split(line, comments=True) for line in lines()]


def code() -> list[str]:
    """Return the blocks of Python."""
    return re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def configuration() -> str:
    """Return the file in which clusters have names."""
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    return str(block)


def of_a_cluster(command: list[str]) -> bool:
    """Tell whether a command needs a cluster, or what was made of one before."""
    return any("localhost" in word or word in ("tasks.parquet", "history", "--all") for word in command)
