"""A cluster of two nodes on 127.0.0.1, so that the task index has a replica, as on every cluster of several nodes."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path

from live import node
from live.assemble import RELEASES, home, java
from live.cache import cache_folder
from live.made_up import TASKS
from live.server import Server
from support.ports import free_ports

HEAP = "700m"
VERSION = "3.6.0"


class TwoNodes:
    """Two servers that are one cluster; a context manager. `nodes` are both, either answers for the cluster."""

    def __init__(self) -> None:
        self.nodes: list[Server] = []
        self._stack = ExitStack()

    def __enter__(self) -> TwoNodes:
        java_home, server_home = java(*RELEASES[VERSION].java), home(VERSION)
        cluster = f"mltasks-{secrets.token_hex(4)}"
        ports = [free_ports(2) for _ in range(2)]
        seeds = ", ".join(f'"127.0.0.1:{transport}"' for _, transport in ports)
        with self._stack:
            for number, (http, transport) in enumerate(ports, 1):
                server = Server(f"http://127.0.0.1:{http}", cluster, VERSION)
                server.folder = Path(tempfile.mkdtemp(prefix="running-", dir=cache_folder()))
                self._stack.enter_context(server)
                settings = {
                    "node.name": f"n{number}",
                    "discovery.type": "zen",
                    "discovery.seed_hosts": f"[{seeds}]",
                    "cluster.initial_cluster_manager_nodes": "[n1]",
                }
                node.configure(server.folder, cluster, http, transport, settings)
                server._launch(node.command(server_home, java_home, server.folder, HEAP), server.folder)
                self.nodes.append(server)
            for server in self.nodes:
                server._wait()
            self._stack = self._stack.pop_all()
        self.nodes[0].ask("GET", "/_cluster/health?wait_for_nodes=2&timeout=60s")
        return self

    def make_index(self) -> None:
        """Make an empty task index with a replica, as ML Commons makes it; the one before is removed."""
        server = self.nodes[0]
        server.request("DELETE", f"/{TASKS}")
        settings = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
        mappings = {"properties": {name: {"type": "keyword"} for name in ("state", "task_type", "function_name")}}
        server.ask("PUT", f"/{TASKS}", {"settings": settings, "mappings": mappings})
        server.ask("GET", f"/_cluster/health/{TASKS}?wait_for_status=green&timeout=60s")

    def __exit__(self, *error: object) -> None:
        self._stack.close()
