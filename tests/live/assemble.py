"""Assembling an OpenSearch server with ML Commons from Maven artifacts."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import NamedTuple

from live.cache import cached
from live.java import MissingError, java

__all__ = ["RELEASES", "MissingError", "Release", "home", "java"]

POM = Path(__file__).with_name("pom.xml")


class Release(NamedTuple):
    """What one release needs: Maven's arguments, and the major version of its Java, at least and at most."""

    maven: tuple[str, ...]
    java: tuple[int, int | None]


RELEASES = {
    "3.6.0": Release((), (21, None)),
    "2.19.1": Release(("-P!v3", "-Dos.version=2.19.1", "-Dlog4j.version=2.21.0"), (17, 17)),
}

# The modules that are no plugins: Maven has their jars without the descriptor that the distribution adds.
# The classes are called ...ModulePlugin in 3.x and ...Plugin in 2.x.
MODULES = {
    "transport-netty4": (
        "transport-netty4-client-*.jar",
        r"org/opensearch/transport/Netty4(Module)?Plugin\.class",
    ),
    "reindex": ("reindex-client-*.jar", r"org/opensearch/index/reindex/Reindex(Module)?Plugin\.class"),
    "lang-painless": ("lang-painless-*.jar", r"org/opensearch/painless/Painless(Module)?Plugin\.class"),
}

# 2.x runs under Java's security manager, and the modules' policies are not in their jars either.
POLICIES = {
    "transport-netty4": (
        'java.net.SocketPermission "*", "accept,connect"',
        'java.lang.RuntimePermission "setContextClassLoader"',
        'java.lang.RuntimePermission "getClassLoader"',
        'java.io.FilePermission "/proc/sys/net/core/somaxconn", "read"',
        'java.util.PropertyPermission "sun.nio.ch.bugLevel", "write"',
    ),
    "lang-painless": (
        'java.lang.RuntimePermission "createClassLoader"',
        'java.lang.RuntimePermission "getClassLoader"',
    ),
}


def home(version: str = "3.6.0") -> Path:
    """The folder of an assembled server of `version`, made at the first call and kept in the cache.

    Raises MissingError where it is not there yet and Maven, or a Java for it, is not installed.
    """
    if version not in RELEASES:
        raise ValueError(f"no recipe for OpenSearch {version}, only for {', '.join(RELEASES)}")
    recipe = hashlib.sha256(POM.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]
    return cached(f"opensearch-{version}-{recipe}", lambda folder: _assemble(version, folder))


def _assemble(version: str, folder: Path) -> None:
    run_maven("-f", str(POM), "process-resources", f"-Dhome={folder}", *RELEASES[version].maven)
    shutil.rmtree(folder / ".build", ignore_errors=True)
    for name in ("bin", "config", "extensions"):  # the server wants them and may not make them itself here
        (folder / name).mkdir(exist_ok=True)
    for module in MODULES:
        _describe(folder / "modules" / module, version)
    if version.startswith("2."):
        for module, permissions in POLICIES.items():
            grants = " ".join(f"permission {permission};" for permission in permissions)
            (folder / "modules" / module / "plugin-security.policy").write_text(f"grant {{ {grants} }};\n")


def run_maven(*arguments: str) -> None:
    """Run Maven; MissingError where there is none, RuntimeError with its words where it fails."""
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingError("no Maven: install it (Debian: `apt-get install maven`), it assembles the server once")
    command = [maven, "-B", "-q", *arguments]
    environment = {**os.environ, "JAVA_HOME": str(java(at_least=17))}
    answer = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,  # the first time on a machine it downloads about 400 MB
    )
    if answer.returncode != 0:
        raise RuntimeError(f"Maven could not assemble the server:\n{answer.stdout[-3000:]}")


def _describe(module: Path, version: str) -> None:
    """Write the plugin-descriptor.properties of one module."""
    pattern, class_file = MODULES[module.name]
    with zipfile.ZipFile(next(module.glob(pattern))) as jar:
        found = next(name for name in jar.namelist() if re.fullmatch(class_file, name))
    values = {
        "name": module.name,
        "description": module.name,
        "version": version,
        "opensearch.version": version,
        "java.version": "11",
        "classname": found.removesuffix(".class").replace("/", "."),
        "extended.plugins": "",
        "has.native.controller": "false",
    }
    text = "".join(f"{key}={value}\n" for key, value in values.items())
    (module / "plugin-descriptor.properties").write_text(text)
