"""What goes wrong as lines on standard error: warnings, and how a text becomes one line."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from mltasks.exceptions import ConfigNotice, InsecureWarning, TaskDataWarning

SAID_ONCE = (InsecureWarning, ConfigNotice)


def print_only_ours() -> None:
    """Print our warnings and no others; of a secret and of a file with clusters each text once.

    Python's own memory of what it has shown is lost when a library changes what is shown, as many do for a moment.
    """
    warnings.simplefilter("ignore")
    for category in (TaskDataWarning, *SAID_ONCE):
        warnings.simplefilter("always", category)
    said = set[str]()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        line = f"{'' if issubclass(category, ConfigNotice) else 'warning: '}{one_line(message)}"
        if line not in said or not issubclass(category, SAID_ONCE):
            print(f"mltasks: {line}", file=sys.stderr)
        said.add(line)

    warnings.showwarning = show


def one_line(text: Any) -> str:
    """Return a text on one line, without what a terminal would take for a command."""
    from mltasks.render import harmless_text  # only where there is something to say

    return harmless_text.one_line(str(text))
