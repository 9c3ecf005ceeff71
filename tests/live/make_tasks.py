"""Real tasks, made through the real API: each function sends one request and returns the id of its task."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

from live.server import Server

ML = "/_plugins/_ml"

# What each algorithm is trained with: index, columns, parameters.
ALGORITHMS: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "kmeans": (
        "flowers",
        ["length", "width", "depth"],
        {"centroids": 3, "iterations": 20, "distance_type": "COSINE"},
    ),
    "linear_regression": ("flowers", ["length", "depth", "width"], {"target": "width", "epochs": 5}),
    "logistic_regression": ("flowers", ["length", "width", "species"], {"target": "species", "epochs": 5}),
    "rcf_summarize": ("flowers", ["length", "width"], {"max_k": 4, "initial_k": 10}),
    "ad_libsvm": ("flowers", ["length", "width"], {"gamma": 0.1, "nu": 0.2}),
    "batch_rcf": ("series", ["value"], {"number_of_trees": 30, "shingle_size": 1}),
    "fit_rcf": (
        "series",
        ["timestamp", "value"],
        {"time_field": "timestamp", "number_of_trees": 30, "shingle_size": 8},
    ),
}

# Trainings that the server accepts and that fail, each with another error: algorithm, and what is changed.
BAD_TRAININGS: list[tuple[str, dict[str, Any]]] = [
    ("kmeans", {"parameters": {"centroids": 0}}),
    ("kmeans", {"index": "no_such_index"}),
    ("kmeans", {"query": {"query": {"term": {"species": "none"}}}}),
    ("kmeans", {"columns": ["species"]}),
    ("kmeans", {"size": 20_000}),  # more than a search may ask for
    ("linear_regression", {"parameters": {"target": "nope"}}),
    ("logistic_regression", {"columns": ["species"]}),  # nothing to tell the species by
    ("batch_rcf", {"parameters": {"number_of_trees": -5}}),
    ("fit_rcf", {"parameters": {"time_field": "nope", "shingle_size": 8}}),
]


def train(
    server: Server,
    kind: str,
    *,
    index: str | None = None,
    columns: list[str] | None = None,
    parameters: dict[str, Any] | None = None,
    size: int = 1000,
    query: dict[str, Any] | None = None,
) -> str:
    """Train a model of one of the ALGORITHMS in the background; what is given replaces what stands there."""
    usual_index, usual_columns, usual_parameters = ALGORITHMS[kind]
    body = {
        "parameters": usual_parameters if parameters is None else parameters,
        "input_query": {"_source": columns or usual_columns, "size": size, **(query or {})},
        "input_index": [index or usual_index],
    }
    return _task(server.ask("POST", f"{ML}/_train/{kind}?async=true", body))


def train_sample(server: Server) -> str:
    """Train with the rows in the request itself: such a task has another input_type."""
    columns = [{"name": "total_sum", "column_type": "DOUBLE"}, {"name": "is_error", "column_type": "BOOLEAN"}]
    row = {"values": [{"column_type": "DOUBLE", "value": 7}, {"column_type": "BOOLEAN", "value": False}]}
    body = {"parameters": {"sample_param": 10}, "input_data": {"column_metas": columns, "rows": [row]}}
    return _task(server.ask("POST", f"{ML}/_train/sample_algo?async=true", body))


def write_model(folder: Path) -> Path:
    """A zip file, readable by all, that can be registered as a model but is none: deploying it fails."""
    path = folder / "model.zip"
    tokenizer = '{"version":"1.0","model":{"type":"WordPiece","vocab":{"[UNK]":0}}}'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tokenizer.json", tokenizer)
        archive.writestr("model.pt", os.urandom(100_000))
    folder.chmod(0o755)
    path.chmod(0o644)
    return path


def register_local(server: Server, model: Path, *, url: str | None = None, digest: str | None = None) -> str:
    """Register the model of `write_model`. With another `url` or `digest` than its own that fails."""
    body = {
        "name": f"local-{secrets.token_hex(4)}",
        "version": "1.0.0",
        "model_format": "TORCH_SCRIPT",
        "function_name": "TEXT_EMBEDDING",
        "model_config": {
            "model_type": "bert",
            "embedding_dimension": 384,
            "framework_type": "sentence_transformers",
        },
        "model_content_hash_value": digest or hashlib.sha256(model.read_bytes()).hexdigest(),
        "url": url or model.absolute().as_uri(),
    }
    return _task(server.ask("POST", f"{ML}/models/_register", body))


def bad_registers(server: Server, model: Path) -> list[str]:
    """Four registrations that fail: a closed port, a missing file, a missing page, another content."""
    return [
        register_local(server, model, url="http://127.0.0.1:9/model.zip"),
        register_local(server, model, url=model.absolute().as_uri() + ".gone"),
        register_local(server, model, url=f"{server.url}/nothing.zip"),
        register_local(server, model, digest="0" * 64),
    ]


def register_remote(server: Server, connector: str) -> str:
    """Register a model that lives at a provider."""
    body = {
        "name": f"remote-{secrets.token_hex(4)}",
        "function_name": "remote",
        "description": "a model at a provider",
        "connector_id": connector,
    }
    return _task(server.ask("POST", f"{ML}/models/_register", body))


def deploy(server: Server, model_id: str) -> str:
    """Deploy a registered or trained model. Only that of a remote one succeeds here."""
    return _task(server.ask("POST", f"{ML}/models/{model_id}/_deploy"))


def run_agent(server: Server, agent_id: str) -> str:
    """Run an agent in the background; OpenSearch 2.x cannot."""
    return _task(server.ask("POST", f"{ML}/agents/{agent_id}/_execute?async=true", {"parameters": {"question": "x"}}))


def _task(answer: dict[str, Any]) -> str:
    task_id: str = answer["task_id"]
    return task_id
