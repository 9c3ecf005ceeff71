"""The files that tasks are read from and written to: each suffix, how it is opened, and what a damaged file raises."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from mltasks.exceptions import UsageError
from mltasks.object_storage.path import Place

Mode = Literal["rb", "wb"]


@dataclass(frozen=True)
class Format:
    """How a file is opened as bytes (`None`: it is Parquet, which opens itself), and what a cut or damaged one raises.

    `magic` is how its bytes begin, where they tell.
    """

    open: Callable[[Path, Mode], BinaryIO] | None
    damage: tuple[type[Exception], ...] = ()
    magic: bytes = b""


def _open_plain(path: Path, mode: Mode) -> BinaryIO:
    return path.open(mode)


def _open_gzip(path: Path, mode: Mode) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, mode, compresslevel=6))


def _open_zstd(path: Path, mode: Mode) -> BinaryIO:
    import pyarrow as pa  # here, since shells complete names by FORMATS

    if mode == "wb":
        return cast(BinaryIO, pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd"))
    return cast(BinaryIO, io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd")))


PARQUET = Format(None, magic=b"PAR1")
PLAIN = Format(_open_plain)
GZIP = Format(_open_gzip, (EOFError, zlib.error, gzip.BadGzipFile), b"\x1f\x8b")
ZSTD = Format(_open_zstd, (OSError,), b"\x28\xb5\x2f\xfd")
COMPRESSIONS = {"": PLAIN, ".gz": GZIP, ".zst": ZSTD}
TEXTS = (".json", ".ndjson", ".jsonl")  # what is in them, their content tells: export tools call lines .json, too
FORMATS = {
    ".parquet": PARQUET,
    **{text + suffix: compression for text in TEXTS for suffix, compression in COMPRESSIONS.items()},
}
WHOLE = (".json", ".json.gz", ".json.zst")  # of these, an empty file is not one of no tasks
JSON_BEGINS = (b"{", b"[")  # of a file that a client has decompressed under its old name
WRITABLE = (".parquet", ".ndjson.gz", ".ndjson.zst")  # what `fetch` writes


def suffix_of(path: str | Path) -> str | None:
    """Return the suffix of a path as FORMATS has it, whatever its case; None where it is of no known kind."""
    name = Path(path).name.lower()
    return max((suffix for suffix in FORMATS if name.endswith(suffix)), key=len, default=None)


def check_writable(place: Place) -> str:
    """Return the suffix of a place that tasks are written to; raises UsageError where it is of another kind."""
    suffix = suffix_of(place.name)
    if suffix not in WRITABLE:
        raise UsageError(f"{place}: of no known kind; tasks are written to {' or '.join(WRITABLE)}")
    return suffix


def format_of_text(path: Path) -> Format:
    """Return how to open a file of text: by its content where that tells, else by its suffix."""
    with path.open("rb") as file:
        start = file.read(4)
    by_suffix = PLAIN if start[:1] in JSON_BEGINS else FORMATS[suffix_of(path) or ".json"]
    return next((other for other in (GZIP, ZSTD) if start.startswith(other.magic)), by_suffix)


def has_magic(path: Path, format_: Format) -> bool:
    """Tell whether a file begins as its format does; one that is empty, or ends in it, does too."""
    with path.open("rb") as file:
        return format_.magic.startswith(file.read(len(format_.magic)))


def suffix_of_content(start: bytes) -> str:
    """Return the suffix that a file of this beginning should have."""
    suffixes = (suffix for suffix, format_ in FORMATS.items() if format_.magic and start.startswith(format_.magic))
    return next(suffixes, ".json")
