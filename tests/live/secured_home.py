"""Assembling a server with the security plugin: OpenSearch and ML Commons 3.6.0 with security 3.4.0.0.

Nobody supports this combination. Maven has no security plugin for 3.6.0, and no other pair that fits exactly, so the
plugin of 3.4 is told here that it belongs to 3.6.0. What a test sees on it holds for this combination: statuses and
messages of a true 3.6 plugin may differ, and its sharing of single resources is not tried at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path

from live.assemble import POM, home, run_maven
from live.cache import cached

VERSION = "3.6.0"
PLUGIN = "org.opensearch.plugin:opensearch-security:3.4.0.0:zip"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def secured_home() -> Path:
    """The folder of an assembled server with the security plugin, made at the first call and kept in the cache.

    Raises MissingError where it is not there yet and Maven, or a Java for it, is not installed.
    """
    plain = home(VERSION)
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return cached(f"{plain.name}-secured-{recipe}", lambda folder: _assemble(plain, folder))


def _assemble(plain: Path, folder: Path) -> None:
    shutil.copytree(plain, folder, copy_function=os.link, dirs_exist_ok=True)  # one disk, and nothing is written there
    plugin = folder / "plugins" / "opensearch-security"
    run_maven("-f", str(POM), COPY, f"-Dartifact={PLUGIN}", f"-DoutputDirectory={plugin}")
    (archive,) = plugin.glob("*.zip")
    with zipfile.ZipFile(archive) as content:
        content.extractall(plugin)
    archive.unlink()
    _edit_descriptor(plugin / "plugin-descriptor.properties")
    for jar in (folder / "lib").glob("bcprov-*.jar"):
        jar.unlink()  # the plugin has these classes too, and ML Commons then uses those
    # rule-framework would bring it; ML Commons has a copy
    (jar,) = (folder / "plugins" / "opensearch-ml").glob("commons-collections4-*.jar")
    os.link(jar, plugin / jar.name)


def _edit_descriptor(path: Path) -> None:
    """Say that the plugin is of this release, and that it extends no module: Maven has no rule-framework."""
    text = path.read_text()
    text = re.sub(r"^opensearch\.version=.*", f"opensearch.version={VERSION}", text, flags=re.M)
    path.write_text(re.sub(r"^extended\.plugins=.*", "extended.plugins=", text, flags=re.M))
