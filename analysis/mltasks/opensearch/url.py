"""The URL of a cluster: checked before the first connection, and the one name of the address."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import quote, urlsplit

from mltasks.exceptions import UsageError


def canonical_name(url: str) -> str:
    """Return the one name of a cluster's address: host in lower case, port, and the path if there is one.

    A host that a certificate or DNS calls `xn--bcher-kva.example` is `bücher.example`, however it is written.
    """
    parts = check_url(url)
    return _join_address(parts, _readable(_host_of(parts)))


def other_names(url: str) -> list[str]:
    """Return what older versions may have called the cluster of an address.

    The address with its host as it is written, the same in ASCII, and the host and port alone, as they are written.
    """
    from urllib3.util import parse_url

    parts = check_url(url)
    host = _host_of(parts)
    ascii_host = host if ":" in host else parse_url(f"http://{host}").host or host
    return [_join_address(parts, host), _join_address(parts, ascii_host), parts.netloc]


def has_path(url: str) -> bool:
    """Tell whether an address is of one of several clusters behind its host."""
    return bool(check_url(url).path.strip("/"))


def _host_of(parts: Any) -> str:
    host: str = parts.hostname.rstrip(".")  # in lower case
    return host


def _join_address(parts: Any, host: str) -> str:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{f'[{host}]' if ':' in host else host}:{port}{parts.path.rstrip('/')}"


def _readable(host: str) -> str:
    """Return a host's name with the letters that its ASCII form stands for, if it stands for any."""
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    labels = host.split(".")
    if not any(label.startswith("xn--") for label in labels):
        return host
    try:
        name = ".".join(
            label[4:].encode().decode("punycode") if label.startswith("xn--") else label for label in labels
        )
        return name if parse_url(f"http://{name}").host == host else host
    except (LocationParseError, UnicodeError):
        return host


def is_local(host: str) -> bool:
    """Tell whether what is sent to a host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")


def check_url(url: str) -> Any:
    """Return the parts of a URL; raises UsageError for one that cannot be a cluster's, or has credentials in it."""
    if "@" in url:  # wherever it stands: in a password that is not escaped there may be '/', '#' and '?' before it
        scheme, mark, _ = url.partition("://")
        shown = f"{scheme if mark else 'https'}://{url.rpartition('@')[2]}"
        raise UsageError(f"{shown}: credentials in a URL end up in logs; give --user and set MLTASKS_PASSWORD instead")
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    remedy = "write http://host:9200 or https://host:9200"
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is the check
    except ValueError as error:
        raise UsageError(f"{url}: {error}; {remedy}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url}: not the URL of a cluster; {remedy}")
    try:
        parse_url(url)  # which knows which letters a name may have; the codec knows how long its parts may be
        parts.hostname.encode("idna")
    except (LocationParseError, UnicodeError):
        raise UsageError(f"{url}: {parts.hostname!r} cannot be a host's name; {remedy}") from None
    if parts.query or parts.fragment:
        raise UsageError(f"{url}: a cluster's URL has no '?' or '#'; the task endpoint takes no parameters")
    return parts._replace(path=quote(parts.path, safe="/%:@!$&'()*+,;=~"))
