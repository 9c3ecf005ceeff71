"""A virtual environment for each peer, made once, outside the repository: peers want other versions than we do."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

PLACE = "MLTASKS_BENCH_CACHE"
DEFAULT = "/var/tmp/mltasks-bench"


def python(name: str, wants: Sequence[str]) -> Path:
    """Return the interpreter of the environment `name`, made anew where it was made for other requirements."""
    folder = Path(os.environ.get(PLACE) or DEFAULT, name)
    found, made = folder / "bin" / "python", folder / "made-for.txt"
    text = "\n".join([sys.version, *wants])
    if not made.exists() or made.read_text() != text:
        print(f"making {folder} with {' '.join(wants)}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True, symlinks=True)
        subprocess.run([found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wants], check=True)
        made.write_text(text)
    return found
