"""What one node is started with: its configuration files and its command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from live.java import has_module, major

LOGGING = """\
status = error
appender.file.type = File
appender.file.name = file
appender.file.fileName = ${sys:opensearch.logs.base_path}/server.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def configure(folder: Path, name: str, http: int, transport: int, more: Mapping[str, str] | None = None) -> None:
    """Lay out `folder` for a node that is a cluster of its own on 127.0.0.1, both called `name`.

    `more` are further settings, as they stand in opensearch.yml.
    """
    for part in ("conf", "data", "logs", "snapshots", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    settings = {
        "cluster.name": name,
        "node.name": name,
        "network.host": "127.0.0.1",
        "http.port": http,
        "transport.port": transport,
        "discovery.type": "single-node",
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        "path.repo": folder / "snapshots",
        "http.compression": "true",
        # a developer's disk may be nearly full; the server would then refuse to write
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        **(more or {}),
    }
    text = "".join(f"{key}: {value}\n" for key, value in settings.items())
    (folder / "conf" / "opensearch.yml").write_text(text)
    (folder / "conf" / "log4j2.properties").write_text(LOGGING)


def command(home: Path, java_home: Path, folder: Path, heap: str) -> list[str]:
    """The command line of the node that `configure` laid out in `folder`."""
    version = major(java_home) or 0
    options = [f"-Xms{heap}", f"-Xmx{heap}", "-XX:+UseG1GC", "--add-opens=java.base/java.nio=ALL-UNNAMED"]
    options.append("-XX:TieredStopAtLevel=1")  # a node of minutes does not see what Java's second compiler brings
    # nor is it worth to verify the classes of a release at each start, a tenth of what that takes
    options += ["-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote"]
    if has_module(java_home, "jdk.incubator.vector"):  # a Java that lacks it dies when it is asked for
        options.append("--add-modules=jdk.incubator.vector")
    if version >= 21:
        options.append("--enable-native-access=ALL-UNNAMED")
    else:
        options.append("-Djava.security.manager=allow")
    if version >= 24:
        options.append("--sun-misc-unsafe-memory-access=allow")
    properties = {
        "java.io.tmpdir": folder / "tmp",
        "jna.nosys": "true",
        "file.encoding": "UTF-8",
        "log4j2.disable.jmx": "true",
        "log4j.shutdownHookEnabled": "false",
        "opensearch.path.home": home,
        "opensearch.path.conf": folder / "conf",
        "opensearch.distribution.type": "tar",
        "ai.djl.offline": "true",  # else deploying a local model asks a host on the internet first
    }
    options += [f"-D{key}={value}" for key, value in properties.items()]
    return [
        str(java_home / "bin/java"),
        *options,
        "-cp",
        f"{home}/lib/*",
        "org.opensearch.bootstrap.OpenSearch",
    ]
