"""Error texts without what differs from task to task, so that failures of one cause are one group.

One regular expression takes all kinds in their order, and no text is masked beyond its first 2 000 characters: texts
can come from anybody, and each is read once, whatever it holds.
"""

from __future__ import annotations

import re
from itertools import pairwise

MOST = 2_000  # characters of a text
DOMAINS = (  # last parts of host names; without a list, every dotted word would be a host
    *("com", "org", "net", "io", "co", "ai", "dev", "app", "cloud", "edu", "gov", "info", "invalid", "example"),
    *("internal", "local", "localdomain", "lan", "corp", "home", "test", "svc", "aws", "eu", "de", "uk", "fr", "nl"),
    *("ch", "at", "it", "es", "se", "no", "fi", "dk", "pl", "cn", "jp", "kr", "in", "sg", "au", "br", "ca", "us", "ru"),
)
WORD = r"(?<![\w./:@-])"  # no word, path or host goes on from before: so each word is tried once
ENDS = "|".join(rf"(?<=\.{domain})" for domain in DOMAINS)
HOST = rf"(?:localhost(?![\w-])|[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++(?:{ENDS}))"
EXTENSION = "|".join(rf"(?<=\.\w{{{n}}})" for n in range(1, 9))
KINDS = {  # placeholder -> pattern, the first that matches at a place wins
    # a status says what went wrong, and a number of a model's name which one it is: they stay
    "keep": r"\b(?:status(?: code)?|code|HTTP(?:/\d(?:\.\d)?)?|[Ee]rrno)[ :=]{1,3}\d{1,3}(?!\d)",
    "hash": r"(?<=\w)@[0-9a-f]{4,16}+(?!\w)",
    "url": r"(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s\"'<>(){}\[\]]++",
    "email": r"(?<![\w.+-])[\w.+-]{1,64}+@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++",
    "time": r"(?<!\d)\d{4}[-./]\d\d[-./]\d\d(?!\d)(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d++)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    "uuid": r"(?<![\w-])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![\w-])",
    "address": r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?+(?![\w.]*\w)",
    "bracket": r"\[(?P<inside>[^\[\]\s:=,]{1,255}+)\]",
    "node": r"(?<=name = )[^\s,/\]]++(?=/)",  # of a thread pool's name
    "host": WORD + HOST + r"(?::\d{1,5})?(?!\w)",
    "path": rf"(?<![\w./:-])(?:/[^\s:;,'\"()\[\]<>]++|[\w.-]++(?:/[\w.-]++)++(?:{EXTENSION}))",
    "id": r"(?<![\w-])(?:[\w-]{22}|[\w-]{20})(?![\w-])",
    "hex": r"(?<![\w-])(?=[a-f]*+\d|[A-F]*+\d)(?:[0-9a-f]{8,128}+|[0-9A-F]{8,128}+)(?![\w-])",
    "size": r"(?<![\w.-])\d++(?:\.\d++)?+ ?(?:[kmgtKMGT]i?[bB]|[bB]|bytes)(?!\w)",
    "duration": r"(?<![\w.-])\d++(?:\.\d++)?+(?:nanos|micros|ms|s|m|h|d)(?!\w)",
    "n": r"(?<![\w.-])[+-]?\d++(?:[.,]\d++)*+(?![\w-])",
}
PATTERN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS.items()))
SPACES = re.compile(r"\s+")
SHOWN = {"address": "<host>", "uuid": "<id>", "hash": "@<hash>"}


def mask(text: str) -> str:
    """Return a text with placeholders such as <id>, <host>, <path> and <n>; the same text always gives the same."""
    return PATTERN.sub(_placeholder, SPACES.sub(" ", text[:MOST]).strip())


def _placeholder(match: re.Match[str]) -> str:
    kind = str(match.lastgroup if match["bracket"] is None else "bracket")
    value = match[0]
    if kind == "keep" or (kind == "id" and not _is_id(value)):
        return value
    return _bracket(match["inside"]) if kind == "bracket" else SHOWN.get(kind, f"<{kind}>")


def _bracket(inside: str) -> str:
    """Return what stands in brackets as a name, a number or a time; a kind of exception or a method stays."""
    if inside.endswith("_exception") or (inside.isupper() and inside.isalpha()):
        return f"[{inside}]"
    masked = PATTERN.sub(_placeholder, inside)
    single = masked.startswith("<") and masked.endswith(">") and masked.count("<") == 1
    return f"[{masked if single else '<name>'}]"


def _is_id(word: str) -> bool:
    """Tell whether a word of 20 or 22 characters is an id in base64; `text-embedding-3-small` has 22, too."""
    small, capital = any(c.islower() for c in word), any(c.isupper() for c in word)
    turns = sum(a.islower() and b.isupper() for a, b in pairwise(word))
    return small and capital and (any(c.isdigit() for c in word) or turns > 3)
