"""Texts made harmless wherever they are shown; a module of its own, since an error's one line needs no pandas."""

from __future__ import annotations

import re

CONTROL = re.compile(  # C0, C1, what is invisible or turns the order of letters, what neither UTF-8 nor XML can hold
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def escape_control(text: str) -> str:
    r"""Return a text whose control characters (terminal escapes, bidirectional marks) are written out as \x1b."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """Return a harmless text on one line."""
    return escape_control(text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\t", "\\t"))
