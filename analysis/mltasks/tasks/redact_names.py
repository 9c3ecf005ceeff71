"""Users, hosts and addresses in a text, masked; the expressions are linear, see redact_secrets.py."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from mltasks.tasks.redact_secrets import QUOTED, replace_values

Match = re.Match[str]
ROLES = re.compile(r"(?<!\w)((?:backend_)?roles=\[)[^\]]*+(?:\]|\Z)")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|%40)(?![0-9a-f]{1,8}(?![\w.-]))[\w-]++(?:\.[\w-]++)*+")
VALUE = re.compile(rf"""(?:{QUOTED}|[^\s,;&"'<>()\[\]{{}}\\]++)""")
HOME = re.compile(r"(/(?:home|users)/)[^/\s\"'<>:,;\\]++", re.IGNORECASE)
PROFILE = re.compile(
    r"((?<!\\)\\++(?:users|documents and settings)\\++)(?:[^\\/:*?\"<>|\r\n]{1,64}+(?=\\)|[^\s\\\"'<>]++)",
    re.IGNORECASE,
)
SHARE = re.compile(r"(?<![\w\\:])(\\\\(?:\\\\)?)[\w.-]++(?=\\)")
USER = re.compile(
    r"(?<![a-z])((?:user(?:name)?|principal|owner|roles?) )"
    r"(?:\[(?!name=|<)[^\]\n]{1,200}+\]|\"[^\"\n<]{1,200}+\"|'[^'\n<]{1,200}+')",
    re.IGNORECASE,
)
ACTOR = re.compile(r"(?<![a-z])((?:for|by|as|of|from) user )[\w.@\\-]++", re.IGNORECASE)
ROLE = re.compile(r"(?<![\w-])((?:assumed-role|role|federated-user|instance-profile)/)[^\s\"'<>,;()\[\]{}\\]++")
ACCOUNT = re.compile(r"(?<![a-z])(account(?: id)?[ :=#]{0,3}+)\d{12}(?!\d)", re.IGNORECASE)
SUBSCRIPTION = re.compile(r"(/subscriptions/)[0-9a-f-]{36}+", re.IGNORECASE)
EC2 = re.compile(r"(?<![\w-])ip(?:-\d{1,3}){4}(?![\w-])[\w.-]*+(?::\d{1,5}+)?")
MASKS = (  # words that must be there, an expression, and what stands in place of it
    (("/home/", "/users/"), HOME, r"\1<user>"),
    (("\\users", "\\documents and"), PROFILE, r"\1<user>"),
    (("\\\\",), SHARE, r"\1<host>"),
    (("user", "principal", "owner", "role"), USER, r"\1[<user>]"),
    (("user",), ACTOR, r"\1<user>"),
    (("role/", "-user/", "instance-profile/"), ROLE, r"\1<role>"),
    (("account",), ACCOUNT, r"\1<account>"),
    (("/subscriptions/",), SUBSCRIPTION, r"\1<account>"),
    (("ip-",), EC2, "<host>"),
)
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2}(?!\d))?(?::\d{1,5}+)?(?!\.?\d)")
IPV6 = re.compile(r"(?<![\w:.])(\[?)([0-9a-f]*+:[0-9a-f:.]*+(?:%\w++)?)(\]?)(:\d{1,5}+)?(?!\w)", re.IGNORECASE)
PORT = re.compile(r"(?<![\w.:-])([\w.-]++):(\d{2,5}+)(?!\w)")
DOTTED = re.compile(r"(?<![\w.-])(?=[\w-]++\.)[\w.-]++")
MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)
USER_NAMES = re.compile(
    r"(?:user|username|userid|uid|owner|principal|author|emails?|createdby|updatedby|requestedby|requestedtenant)$"
)
HOST_NAMES = re.compile(r"(?:host|hostname|server|endpoint|(?:^|ip|remote|publish|bound)address|datasource|bucket)$")
NO_HOSTS = {  # before a colon and a number
    *("status", "code", "line", "column", "offset", "position", "size", "length", "count", "index", "limit", "bytes"),
    *(
        "timeout",
        "version",
        "error",
        "errno",
        "took",
        "id",
        "port",
        "retries",
        "seq_no",
        "max",
        "min",
        "total",
        "value",
    ),
}
SOURCES = (".java", ".kt", ".scala", ".py", ".cpp", ".cc", ".go", ".js", ".ts", ".rs", ".groovy", ".json", ".yml")
DOMAINS = {  # that hosts end with; words of English are left out
    *("com", "net", "org", "io", "dev", "internal", "local", "lan", "corp", "cloud", "intra", "intranet", "home"),
    *("svc", "gov", "edu", "mil", "biz", "info", "app", "localdomain", "localhost", "ai", "online", "site", "tech"),
}
COUNTRIES = {"de", "fr", "ch", "nl", "uk", "jp", "cn", "au", "ca", "br", "ru", "pl", "se", "eu", "es", "kr", "cz", "dk"}
NOTHING = {"null", "none", "true", "false", "is", "not", "was", "has", "does", "with", "and"}


def mask_names(text: str) -> str:
    """Return a text without users, their folders, hosts and addresses."""
    lower = text.lower()
    if "@" in lower or "%40" in lower:
        text = EMAIL.sub("<address>", text)
    text = replace_values(ROLES.sub(r"\1<roles>]", text), VALUE, _is_wanted, _mask_value)
    for words, pattern, mask in MASKS:
        if any(word in lower for word in words):
            text = pattern.sub(mask, text)
    if "." in lower:
        text = IPV4.sub(_mask_ipv4, text)
    if ":" in lower:
        text = PORT.sub(_mask_port, IPV6.sub(_mask_ipv6, text))
    return DOTTED.sub(_mask_host, text) if "." in lower else text


@lru_cache(4096)
def is_user_name(name: str) -> bool:
    """Tell whether what has this name is a person, such as `createdBy`."""
    return USER_NAMES.search(re.sub(r"[._-]", "", name.lower())) is not None


@lru_cache(4096)
def is_host_name(name: str) -> bool:
    """Tell whether what has this name is a machine or a place, such as `S3Bucket`."""
    return HOST_NAMES.search(re.sub(r"[._-]", "", name.lower())) is not None


def _is_wanted(name: str, between: str) -> bool:
    is_written = "=" in between or between[-1] in "\"'"
    return is_user_name(name) or (name == "name" and "=" in between) or (is_written and is_host_name(name))


def _mask_value(name: str, value: str) -> str | None:
    if value.lower() in NOTHING or value.startswith("<"):
        return None
    return "<host>" if is_host_name(name) else "<user>"


def _mask_ipv4(match: Match) -> str:
    parts = re.split(r"[.:/]", match[0])
    return "<host>" if all(int(part) < 256 for part in parts[:4]) else match[0]


def _mask_ipv6(match: Match) -> str:
    text = match[2]
    core = text.rstrip(":.") if not text.endswith("::") else text
    if len(core) < 3 or len(core) > 60 or core.count(":") < 2:
        return match[0]
    if not MAC.fullmatch(core):
        try:
            ipaddress.ip_address(core)
        except ValueError:
            return match[0]
    if match[1] and match[3]:
        return "<host>"
    return f"{match[1]}<host>{text[len(core) :]}{match[3]}{match[4] or ''}"


def _mask_port(match: Match) -> str:
    name, port = match[1], int(match[2])
    is_port = port in (22, 25, 53, 80, 443) or 1000 <= port < 65536
    is_host = any(map(str.isalpha, name)) and name.lower() not in NO_HOSTS and not name.lower().endswith(SOURCES)
    return "<host>" if is_port and is_host else match[0]


def _mask_host(match: Match) -> str:
    token = match[0].rstrip(".-")
    labels = token.lower().split(".")
    is_host = labels[-1] in DOMAINS or (labels[-1] in COUNTRIES and (len(labels) > 2 or len(labels[0]) > 2))
    return f"<host>{match[0][len(token) :]}" if is_host and all(labels) else match[0]
