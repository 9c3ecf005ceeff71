"""A table of faults, each tried at the first question and amid the walk: all tasks or an error, never fewer."""

from __future__ import annotations

import gzip
import subprocess
import sys
from typing import Any

import pytest

from support.fault_matrix import FAULTS, GZIP, HEAD, NUMBERS, http, row, table
from support.stub_cluster import Body, StubCluster


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_gives_all_tasks_or_an_error_as_the_documentation_says(name: str) -> None:
    result = row(name)
    assert result in table()
    assert result.count("no task") == (name == "zero hits of zero")  # for ever, it is what an empty cluster says


def test_the_table_has_these_faults() -> None:
    assert table()[: len(HEAD)] == HEAD
    assert [line.split(" | ")[0] for line in table()[len(HEAD) :]] == [f"| {name}" for name in FAULTS]


BOMB = """
import resource, sys
from mltasks.opensearch.client import Cluster
from mltasks.opensearch.page_reader import PageRequest
cluster = Cluster(sys.argv[1])
cluster.search(PageRequest(1, newest=True).body(None))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = cluster.search(PageRequest(2, newest=True).body(None))
print(answer.too_large, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_gzip_bomb_takes_bounded_memory() -> None:
    bomb = http(gzip.compress(bytes(2**20), 1) * 1024, GZIP)  # a gigabyte, in as many members as MiB

    def change(n: int, asked: Body, answer: Body) -> Any:
        return bomb if asked["size"] == 2 else answer

    with StubCluster(dict(NUMBERS), change) as stub:
        done = subprocess.run([sys.executable, "-c", BOMB, stub.url], capture_output=True, text=True, check=True)
    too_large, growth = done.stdout.split()
    assert too_large == "True"
    assert int(growth) < 320  # MiB; an answer of up to 256 MiB is taken
