from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import mltasks
from mltasks.engines.duckdb_errors import translate_errors
from mltasks.exceptions import DataError, UsageError
from support import endless_query


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("file") / "t.parquet"
    mltasks.write_parquet(mltasks.load("demo", since="10m"), path)
    return path.read_bytes()


def raised(error: Exception) -> BaseException:
    try:
        with translate_errors():
            raise error
    except BaseException as translated:
        return translated


def test_whatever_duckdb_raises_is_an_error_of_the_data_and_one_line() -> None:
    kinds = [getattr(duckdb, name) for name in dir(duckdb) if name.endswith(("Exception", "Error"))]
    assert len(kinds) > 20
    for kind in kinds:
        translated = raised(kind("it broke\nwith details"))
        if kind is duckdb.OutOfMemoryException:
            assert isinstance(translated, UsageError)
            assert str(translated).startswith("memory: it broke; set MLTASKS_MEMORY to more")
        elif kind is duckdb.InterruptException:
            assert isinstance(translated, KeyboardInterrupt)
        else:
            assert isinstance(translated, DataError)
            assert str(translated).startswith("the tasks cannot be read: it broke; ")
            assert str(translated).endswith("f a store, mltasks verify tells more")
            assert ("replaced" in str(translated)) == issubclass(kind, duckdb.IOException)


def test_an_interrupt_in_a_query_or_in_a_function_of_ours_is_one() -> None:
    assert isinstance(raised(RuntimeError("Query interrupted")), KeyboardInterrupt)
    assert isinstance(raised(duckdb.InvalidInputException("Python exception: KeyboardInterrupt")), KeyboardInterrupt)
    other = RuntimeError("something of ours")
    assert raised(other) is other


def test_a_process_that_is_interrupted_in_a_query_knows_it() -> None:
    call = [sys.executable, endless_query.__file__]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stdout
        assert ran.stdout.readline() == "in the query\n"
        ran.send_signal(signal.SIGINT)
        assert ran.wait() == 130
        assert ran.stderr
        assert ran.stderr.read() == ""


@pytest.mark.parametrize("place", range(4, 2000, 222))
def test_a_file_with_a_bit_turned_is_read_or_refused(place: int, written: bytes, tmp_path: Path) -> None:
    damaged = bytearray(written)
    damaged[len(written) * place // 2000] ^= 0x10
    path = tmp_path / "t.parquet"
    path.write_bytes(damaged)
    with contextlib.suppress(DataError, UsageError):  # any other error would be a bug
        assert len(mltasks.failures(mltasks.scan(path), by="worker_node,reason")) > 0
