"""What a server needs before tasks can be made on it: settings, data to train on, a connector, two agents."""

from __future__ import annotations

import random
from dataclasses import dataclass

from live.server import Server

DOCUMENTS = 1000
SETTINGS = {
    "only_run_on_ml_node": False,
    "allow_registering_model_via_url": True,
    "allow_custom_deployment_plan": True,
    # else some ten seconds after its start the server deploys the remote models again: tasks that nobody made
    "model_auto_redeploy.enable": False,
    # the limits look at the whole machine, which may be busy with other things
    "jvm_heap_memory_threshold": 100,
    "native_memory_threshold": 100,
    "disk_free_space_threshold": "1mb",
    "trusted_connector_endpoints_regex": [r"^https?://(localhost|127\.0\.0\.1)(:\d+)?/.*$"],
    "connector.private_ip_enabled": True,
}


@dataclass(frozen=True)
class Prepared:
    """The ids of what `prepare` made: a connector to nowhere, an agent that succeeds and one that fails."""

    connector: str
    lister: str
    asker: str


def prepare(server: Server) -> Prepared:
    """Change the settings, fill the indices `flowers` and `series`, make connector and agents."""
    settings = {f"plugins.ml_commons.{name}": value for name, value in SETTINGS.items()}
    server.ask("PUT", "/_cluster/settings", {"persistent": settings})
    _fill_indices(server)
    connector = {
        "name": "nowhere",
        "description": "a provider that no test asks",
        "version": 1,
        "protocol": "http",
        "credential": {"key": "none"},  # its encryption needs a library that is easily forgotten, see pom.xml
        "actions": [
            {
                "action_type": "predict",
                "method": "POST",
                "url": "http://127.0.0.1:9/predict",
                "headers": {"Authorization": "Bearer ${credential.key}"},
                "request_body": '{ "prompt": "${parameters.prompt}" }',
            }
        ],
    }
    connector_id = server.ask("POST", "/_plugins/_ml/connectors/_create", connector)["connector_id"]
    lister = _register_agent(server, "ListIndexTool", {"input": "${parameters.question}"})
    asker = _register_agent(server, "MLModelTool", {"model_id": "no-such-model", "prompt": "${parameters.question}"})
    return Prepared(connector_id, lister, asker)


def _register_agent(server: Server, tool: str, parameters: dict[str, str]) -> str:
    agent = {"name": tool, "type": "flow", "tools": [{"type": tool, "name": tool, "parameters": parameters}]}
    agent_id: str = server.ask("POST", "/_plugins/_ml/agents/_register", agent)["agent_id"]
    return agent_id


def _fill_indices(server: Server) -> None:
    """Three kinds of flowers and a series of values. Ids are given, so that a second call adds nothing."""
    chance = random.Random(7)
    flowers: list[object] = []
    series: list[object] = []
    for number in range(DOCUMENTS):
        kind = number % 3
        flower = {
            # never a whole number: ML Commons refuses a column of integers and doubles
            "length": round(chance.gauss(1.4 + 2 * kind, 0.2), 2) + 0.001,
            "width": round(chance.gauss(0.3 + 0.8 * kind, 0.1), 2) + 0.001,
            "depth": round(chance.gauss(3, 0.3), 2) + 0.001,
            "species": "abc"[kind],
        }
        value = {
            "timestamp": 1_700_000_000_000 + number * 60_000,
            "value": round(chance.gauss(10, 1), 3) + 0.0001,
        }
        flowers += [{"index": {"_id": str(number)}}, flower]
        series += [{"index": {"_id": str(number)}}, value]
    server.bulk("flowers", flowers)
    server.bulk("series", series)
