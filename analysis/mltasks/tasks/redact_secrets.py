"""Secrets in a text, masked: keys, tokens, passwords, what signs a request, and what a URL carries.

Every expression is linear in the text: a run of letters is entered at its beginning only, and taken whole (`++`, `*+`
give nothing back). So a megabyte of anything takes a fraction of a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

Match = re.Match[str]
PEM = re.compile(r"-----BEGIN [^-\n]{1,60}+-----.*?(?:-----END [^-\n]{1,60}+-----|\Z)", re.DOTALL)
URL = re.compile(
    r"""(?<![a-z0-9+.-])[a-z0-9+.-]++://(?:[^\s/"<>]*@)?(?:[^\s"'<>\[\]\\]++|\[[0-9a-f:.%]++\]|\\(?!["']))*+""",
    re.IGNORECASE,
)
ARN = re.compile(r"(?<![\w:])arn:[\w-]*+:[^\s\"'<>,;()\[\]{}\\]++", re.IGNORECASE)
QUERY = re.compile(r"\?[\w.%\[\]-]++=[^\s\"'<>\\]*+")
SHAPES = re.compile(  # of keys that say themselves what they are
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[A-Z0-9]{8,}+|(?:sk|pk|rk)[-_][\w-]{8,}+|eyJ[\w-]{5,}+(?:\.[\w-]*+)*+"
    r"|(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|hf_|AIza|ya29\.|SG\.|npm_|pypi-|dop_v1_|shpat_|dapi|lin_api_)[\w.-]{10,}+)"
)
SCHEME = re.compile(r"(?<![A-Za-z])(Bearer|Basic|Digest|Negotiate|Token|ApiKey)(\s++)([\w.~+/=:-]++)", re.IGNORECASE)
NAME = re.compile(r"""(?<![\w.-])([\w.-]{2,80}+)(\\*+["']?\s?+[:=]\s{0,3}+\\*+["']?)""")  # before a value
QUOTED = r"""(?<=")(?:[^"\\\n]|\\(?!"))*+|(?<=')(?:[^'\\\n]|\\(?!'))*+"""
VALUE = re.compile(rf"""(?:{QUOTED}|[^\s"'<>]++)""")
PROSE = re.compile(
    r"(?<![a-z])((?:password|passphrase|secret|token|api key|access key)(?:\s++[a-z]++){1,4}+\s?+[:=]\s*+)"
    r"([^\s\"'<>]++)",
    re.IGNORECASE,
)
LONG = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{28,}+={0,2}+")
SECRET = re.compile(
    r"(?:password|passwd|passphrase|passcode|pwd|secret|token|signature|credentials?|authorization|cookie|sessionid"
    r"|(?:api|access|account|secret|private|shared|encryption|storage|subscription|signing|license|master)key(?:id)?)$"
)
SCHEMES = ("bearer", "basic", "digest", "negotiate", "token", "apikey")  # before what proves who asks
SHORT_NAMES = {"pass", "auth", "sig", "sid", "otp", "pin", "key"}  # secret as the last part of a name
WEAK = re.compile(r"(?:token|key|auth|sig|sid|pin|otp|credentials?|signature|pass)$")  # words of prose as well
NOTHING = {  # values that are none, or come before one
    *("null", "none", "true", "false", "undefined", "", "is", "not", "was", "has", "aws4-hmac-sha256"),
    *SCHEMES,
}
MARK = "<secret>"


def mask_secrets(text: str) -> str:
    """Return a text without keys, tokens, passwords, URLs and ARNs."""
    lower = text.lower()
    if "-----begin " in lower:
        text = PEM.sub("<key>", text)
    if "://" in lower:
        text = URL.sub("<url>", text)
    if "arn:" in lower:
        text = ARN.sub("<arn>", text)
    if "?" in lower:
        text = QUERY.sub("?<query>", text)
    if any(word in lower for word in SCHEMES):
        text = SCHEME.sub(_mask_scheme, text)
    text = SHAPES.sub(MARK, text)
    if any(word in lower for word in ("pass", "secret", "token", "key")):
        text = PROSE.sub(_mask_prose, text)
    return LONG.sub(_mask_long, replace_values(text, VALUE, _is_wanted, _mask_value))


def mask_login(text: str) -> str:
    """Return a text without the user and the password before a host, as in a URL."""
    return " ".join(_mask_login(word) for word in text.split(" ")) if "@" in text else text


def _mask_login(word: str) -> str:
    before, at, host = word.rpartition("@")
    scheme, mark, login = before.rpartition("://")
    return f"{scheme}{mark}{mask_user(f'{login}{at}{host}', in_url=bool(mark))}"


def mask_user(address: str, *, in_url: bool) -> str:
    """Return what stands behind the scheme of a URL, or alone, without user and password before its last @."""
    user, at, host = address.rpartition("@")
    return f"***@{host}" if at and (in_url or ":" in user) else address


def replace_values(
    text: str, value: re.Pattern[str], is_wanted: Callable[[str, str], bool], mask: Callable[[str, str], str | None]
) -> str:
    """Return a text in which values are replaced: `name=value`, `"name": "value"` and the like.

    `is_wanted(name, between)` tells whether a value is looked at, by what stands before it; `mask(name, value)` returns
    what stands in its place, or None.
    """
    parts, done, place = [], 0, 0
    while pair := NAME.search(text, place):
        place = pair.end()
        held = value.match(text, place) if is_wanted(pair[1], pair[2]) else None
        if held and held[0] and (instead := mask(pair[1], held[0])) is not None:
            parts += [text[done:place], instead]
            done = place = held.end()
    return "".join([*parts, text[done:]])


@lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Tell whether what has this name is a secret, such as `aws_secret_access_key`."""
    lower = name.lower()
    last = re.split(r"[._-]", lower)[-1]
    return last in SHORT_NAMES or SECRET.search(re.sub(r"[._-]", "", lower)) is not None


def _is_wanted(name: str, between: str) -> bool:
    return is_secret_name(name)


def _mask_value(name: str, value: str) -> str | None:
    if value.lower().rstrip(".,;") in NOTHING or value.startswith("<"):
        return None
    return MARK if not WEAK.search(name.lower()) or _is_random(value) else None


def _mask_scheme(match: Match) -> str:
    return f"{match[1]}{match[2]}{MARK}" if _is_random(match[3]) else match[0]


def _mask_prose(match: Match) -> str:
    return f"{match[1]}{MARK}" if _is_random(match[2]) else match[0]


def _is_random(value: str) -> bool:
    """Tell whether a value is no word: it has digits or signs among its letters, or is long."""
    word = value.rstrip(".,;:!?)")
    return len(word) >= 6 and (not word.isalpha() or len(word) >= 24)


def _mask_long(match: Match) -> str:
    """Mask long texts in which small letters, capitals and digits mix, as no word, path, class or id has them."""
    run = match[0]
    pieces = [run] if len(run.rstrip("=")) == 40 else run.rstrip("=").split("/")
    is_secret = any(len(piece) >= 28 and _is_mixed(piece, 1 if len(piece) == 40 else 2) for piece in pieces)
    return MARK if is_secret else run


def _count_classes(piece: str) -> tuple[int, int, int]:
    digits = sum(map(str.isdigit, piece))
    capitals = sum(map(str.isupper, piece))
    return digits, capitals, len(piece) - digits - capitals


def _is_mixed(piece: str, digits: int) -> bool:
    counts = _count_classes(piece)
    return counts[0] >= digits and counts[1] >= 3 and counts[2] >= 3 and not piece.startswith("/")
