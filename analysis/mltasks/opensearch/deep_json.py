"""JSON nested deeper than recursive parsers follow (1000 levels in Python): deep values cut out, and put back later.

OpenSearch takes documents of some thousand levels, and a parser's limit is a setting of the whole process. So what is
deeper than SHALLOW is replaced by a short text, without recursion, before the parser sees it.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field

from mltasks.exceptions import DataError

SHALLOW = 100  # levels that are left to the parser
DEEPEST = 5000  # levels of a document that is still read
MARK = "mltasks:deep:"  # a text in place of a deep value begins so
TOKEN = re.compile(rb'\s*(?:("(?:[^"\\]|\\.)*+")|([{\[])|([}\]])|([,:])|([^\s"{}\[\],:]++))', re.DOTALL)
STRING, OPEN, CLOSE, PUNCTUATION = 1, 2, 3, 4
PAIRS = {b"{": b"}", b"[": b"]"}


class TooDeepError(DataError):
    """JSON of more than DEEPEST levels, or deep JSON that is broken."""


@dataclass
class DeepValues:
    """The values cut out of the texts given to `cut`; `restore` puts them back into text made of these."""

    mark: str = field(default_factory=lambda: f"{MARK}{secrets.token_hex(8)}")  # which no document holds
    values: list[str] = field(default_factory=list)

    def cut(self, raw: bytes) -> bytes:
        """Return JSON of at most SHALLOW levels; raises TooDeepError."""
        parts, begin = [], 0
        for start, end in _deep_spans(raw):
            parts += [raw[begin:start], self._put_aside(raw[start:end])]
            begin = end
        return b"".join([*parts, raw[begin:]])

    def cut_or_put_aside(self, raw: bytes) -> bytes:
        """Return JSON of at most SHALLOW levels; of what cannot be cut, a text that stands for the whole of it."""
        try:
            return self.cut(raw)
        except TooDeepError:
            return self._put_aside(raw)

    def restore(self, text: str) -> str:
        """Return a text with the values back in their places, escaped where the place is inside of a string."""
        if self.mark not in text:
            return text
        return re.sub(rf'(\\?)"{self.mark}:(\d+)\\?"', lambda m: self._value(int(m[2]), escaped=bool(m[1])), text)

    def _value(self, number: int, *, escaped: bool) -> str:
        value = self.values[number]
        return json.dumps(value)[1:-1] if escaped else value

    def _put_aside(self, raw: bytes) -> bytes:
        self.values.append(raw.decode("utf-8", "surrogateescape"))
        return f'"{self.mark}:{len(self.values) - 1}"'.encode()


def _deep_spans(raw: bytes) -> list[tuple[int, int]]:
    """Return where the values below SHALLOW levels begin and end; raises TooDeepError, also where those are broken.

    What is cut out is seen by no parser, so its grammar is checked here: every bracket is closed by its own, and
    values, commas, colons and keys take turns.
    """
    spans: list[tuple[int, int]] = []
    closers: list[bytes] = []
    place = start = 0
    before, is_key = b",", False  # the last token (b"v" for any value), and whether the next one has to be a key
    while match := TOKEN.match(raw, place):
        kind, token, place = match.lastindex, match[match.lastindex or 0], match.end()
        is_deep = len(closers) > SHALLOW
        if kind == OPEN:
            _check(before in b",:[" and not is_key, is_deep)
            if len(closers) == SHALLOW:
                start = match.start(OPEN)
            closers.append(PAIRS[token])
            if len(closers) > DEEPEST:
                raise TooDeepError(f"not a _search answer: JSON of more than {DEEPEST} levels")
            before, is_key = token, token == b"{"
        elif kind == CLOSE:
            _check(
                bool(closers) and token == closers[-1] and before in b"v{[" and PAIRS.get(before, token) == token, True
            )
            closers.pop()
            if len(closers) == SHALLOW:
                spans.append((start, place))
            before, is_key = b"v", False
        elif kind == PUNCTUATION:
            _check(before == b"v" if token == b"," else before == b"k", is_deep)
            before, is_key = token, token == b"," and bool(closers) and closers[-1] == b"}"
        else:
            _check(before in b",:[{" and (kind == STRING or (not is_key and _is_scalar(token))), is_deep)
            before, is_key = (b"k" if is_key else b"v"), False
    if closers:
        raise TooDeepError("not a _search answer: JSON that ends inside of a value")
    return spans


def _check(holds: bool, needed: bool) -> None:
    if needed and not holds:
        raise TooDeepError("not a _search answer: broken JSON of many levels")


def _is_scalar(token: bytes) -> bool:
    try:
        json.loads(token)
    except ValueError:
        return False
    return True
