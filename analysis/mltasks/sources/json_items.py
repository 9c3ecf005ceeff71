"""The JSON values in a text, each with its place: one document, lines, an array, or several documents in a row.

Whatever the encoding (UTF-8, UTF-16, UTF-32, with or without a byte-order mark), the line ends, blank lines, and the
commas or brackets around lines of JSON.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from mltasks.exceptions import DataError
from mltasks.opensearch import lenient_json
from mltasks.opensearch.lenient_json import excerpt

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BOM = b"\xef\xbb\xbf"
BRACKETS = (b"", b"[", b"]")  # lines of nothing else stand between those of values
REMEDY = "save the tasks with mltasks fetch URL"
JSON_DECODER = json.JSONDecoder(parse_float=str, parse_constant=str)  # only the ends of the values are of interest


class Item(NamedTuple):
    """One JSON value as UTF-8, and where it stands: "line 3", "hit 3", or "" for the whole text."""

    place: str
    raw: bytes


def split(file: BinaryIO, name: str) -> Iterator[Item]:
    """Yield the values of a text, in their order; raises DataError naming the line of what is not JSON, or is cut.

    Lines of JSON objects are read one by one, anything else whole.
    """
    lines = _utf8_lines(file, name)
    head = list(_until_second_value(lines))
    values = [value for value in map(strip, head) if value not in BRACKETS]
    if len(values) > 1 and _is_object(values[0]):
        yield from _lines(itertools.chain(head, lines), name)
    else:
        yield from _documents(b"".join(itertools.chain(head, lines)), name)


def elements(item: Item) -> list[Item]:
    """Return the elements of a JSON array as items."""
    try:
        values = msgspec.json.decode(item.raw, type=list[msgspec.Raw])
        raws = [bytes(value) for value in values]
    except lenient_json.REFUSED:
        raws = [json.dumps(value).encode() for value in lenient_json.loads(item.raw)]
    before = f"{item.place}, " if item.place else ""
    return [Item(f"{before}hit {number}", raw) for number, raw in enumerate(raws, 1)]


def member_names(raw: bytes) -> frozenset[str]:
    """Return the names in a JSON object; none where it is something else."""
    try:
        return frozenset(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    except (*lenient_json.REFUSED, RecursionError):
        pass
    try:
        value = lenient_json.loads(raw)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(value if isinstance(value, dict) else ())


def strip(line: bytes) -> bytes:
    """Return a line without blanks, byte-order marks, and the commas of an array around it."""
    return line.strip().removeprefix(BOM).strip(b" \t\r\n,")


def _utf8_lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    start = file.read(4)
    whole = io.BufferedReader(_JoinedStream(start, file))
    encoding = json.detect_encoding(start)
    if encoding in ("utf-8", "utf-8-sig"):
        yield from whole
        return
    try:
        for line in io.TextIOWrapper(whole, encoding, errors="surrogatepass", newline="\n"):
            yield line.encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: cut short or damaged ({encoding}: {error.reason}); {REMEDY}") from error


class _JoinedStream(io.RawIOBase):
    """A stream of which some bytes were read already."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        data = self._start or self._rest.read(len(target))
        size = min(len(data), len(target))
        target[:size] = data[:size]
        self._start = data[size:]
        return size


def _until_second_value(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines up to the second one that holds more than brackets."""
    count = 0
    for line in lines:
        yield line
        count += strip(line) not in BRACKETS
        if count == 2:
            return


def _lines(lines: Iterator[bytes], name: str) -> Iterator[Item]:
    for number, line in enumerate(lines, 1):
        value = strip(line)
        if value not in BRACKETS:
            if not line.endswith(b"\n") and not _is_json(value):
                raise DataError(f"{name}, line {number}: cut short (it ends {excerpt(line[-40:], 40)}); {REMEDY}")
            yield Item(f"line {number}", value)


def _documents(body: bytes, name: str) -> Iterator[Item]:
    """Yield the documents of a text: one, or several in a row."""
    body = body.removeprefix(BOM).rstrip()
    if _is_one_value(body):
        yield Item("", body.lstrip())
        return
    text = body.decode("utf-8", "surrogateescape")
    place = 0
    while (start := _after_blanks(text, place)) < len(text):
        try:
            _, place = JSON_DECODER.raw_decode(text, start)
        except ValueError as error:
            raise _not_json(text, error, name) from None
        except RecursionError:  # the decoder of hits follows deeper ones
            place = len(text)
        number = text.count("\n", 0, start) + 1
        is_only = place == len(text) and start == _after_blanks(text, 0)
        yield Item("" if is_only else f"line {number}", text[start:place].encode("utf-8", "surrogateescape"))


def _is_one_value(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (*lenient_json.REFUSED, RecursionError):
        return False
    return True


def _after_blanks(text: str, place: int) -> int:
    while text[place : place + 1] in {" ", "\t", "\r", "\n", ",", "\ufeff"}:
        place += 1
    return place


def _not_json(text: str, error: ValueError, name: str) -> DataError:
    """Return the error for a text that is not JSON: what it is instead, as far as that can be told."""
    place = error.pos if isinstance(error, json.JSONDecodeError) else 0
    number = text.count("\n", 0, place) + 1
    if '"""' in text:
        number = text.count("\n", 0, text.index('"""')) + 1
        return DataError(
            f"{name}, line {number}: a text in triple quotes, as the console shows it, is not JSON; save the answer "
            "with curl, or the tasks with mltasks fetch URL"
        )
    line = text.split("\n", number)[number - 1].encode("utf-8", "surrogateescape")
    if text.lstrip().startswith("<"):
        number = text.count("\n", 0, text.index("<")) + 1
        what = f"a web page, not a _search answer ({excerpt(text[:200].encode('utf-8', 'replace'), 60)})"
    elif text.lstrip()[:1] in {"{", "["} and _is_cut(text, place, str(error)):
        what = f"cut short (it ends {excerpt(text[-40:].encode('utf-8', 'surrogateescape'), 40)})"
    else:
        what = f"not JSON ({excerpt(line, 60)})"
    return DataError(f"{name}, line {number}: {what}; {REMEDY}")


def _is_cut(text: str, place: int, message: str) -> bool:
    """Tell whether what is wrong with a text is that its end is missing."""
    return place >= len(text) or (message.startswith("Unterminated string") and "\n" not in text[place:])


def _is_object(value: bytes) -> bool:
    return value.startswith(b"{") and _is_json(value)


def _is_json(value: bytes) -> bool:
    try:
        lenient_json.loads(value)
    except ValueError:
        return False
    except RecursionError:  # deeper than this looks
        return True
    return True
