"""Mask secrets on stderr: passwords and tokens that somebody typed where they do not belong, such as in a URL."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import TextIO

from mltasks.tasks.redact_secrets import mask_user

MASK = "***"
SHORTEST = 4  # letters of a secret that is masked wherever it stands; a shorter one is part of too many words
VARIABLES = (
    *("MLTASKS_PASSWORD", "MLTASKS_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"),
)
TOKEN = re.compile(r"[^\s'\"<>]+")
PARTS = re.compile(
    r"(?P<scheme>(?:.*?:/+)?)(?P<rest>.*?)(?P<end>[:;,.)\]]*)", re.DOTALL
)  # a URL, or what looks like it
PORT = re.compile(r"([^/:@\[\]?#]+):(?!\d{1,5}(?:[/?#:]|$))[^/?#]+")  # a host, and what cannot be its port


class MaskedStream(io.TextIOBase):
    """A stream that masks what is written to it; everything else is as on the stream behind it."""

    def __init__(self, stream: TextIO, arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        words = (*arguments, *(part for a in arguments for part in a.split("=", 1)[1:]))
        masked = {word: mask_word(word) for word in words if mask_word(word) != word}
        self._forms = masked | {repr(word)[1:-1]: repr(shown)[1:-1] for word, shown in masked.items()}
        pieces = {piece for word in words for piece in _pieces(word)} | {
            environment.get(name, "") for name in VARIABLES
        }
        self._pieces = sorted((piece for piece in pieces if len(piece) >= SHORTEST), key=len, reverse=True)

    def write(self, text: str) -> int:
        """Write a text, masked."""
        return self._stream.write(self.mask(text))

    def mask(self, text: str) -> str:
        """Return a text as it is written."""
        for form, masked in self._forms.items():
            text = text.replace(form, masked)
        for piece in self._pieces:
            text = text.replace(piece, MASK)
        return TOKEN.sub(lambda token: mask_word(token[0]), text)

    def flush(self) -> None:
        """Flush the stream behind it."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Tell whether the stream behind it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of the stream behind it."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # at run time a read-only property, which its type stubs call an attribute
        """The encoding of the stream behind it."""
        return self._stream.encoding


def mask_word(word: str) -> str:
    """Return a word without user and password, the parameters of a URL, and what stands in place of its port."""
    scheme, rest, end = _parts(word)
    rest = mask_user(rest, in_url=bool(scheme))
    if scheme or re.match(r"[\w.-]+:\d+[/?#]", rest) or re.search(r"[?#&]\w+=", rest):
        address, mark, parameters = _split_parameters(rest)
        rest = f"{address}{mark}{MASK if parameters else ''}"
    if scheme:
        rest = PORT.sub(rf"\1:{MASK}", rest, count=1) if PORT.match(rest) else rest
    return f"{scheme}{rest}{end}"


def _parts(word: str) -> tuple[str, str, str]:
    match = PARTS.fullmatch(word)
    return (match["scheme"], match["rest"], match["end"]) if match else ("", word, "")


def _split_parameters(rest: str) -> tuple[str, str, str]:
    match = re.search(r"[?#;]", rest)
    return (rest, "", "") if match is None else (rest[: match.start()], match[0], rest[match.end() :])


def _pieces(word: str) -> list[str]:
    """Return what is secret in a word, as it may stand in a message that does not repeat the word as a whole."""
    scheme, rest, _ = _parts(word)
    user, at, _ = rest.rpartition("@")
    pieces = [user.partition(":")[2]] if at and (scheme or ":" in user) else []
    if scheme:
        parameters = _split_parameters(rest)[2]
        pieces += [parameters, *(value for _, _, value in (p.partition("=") for p in parameters.split("&")))]
    return pieces
