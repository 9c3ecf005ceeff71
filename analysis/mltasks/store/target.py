"""Where a store may be published to; checked before anything that publishes is imported."""

from __future__ import annotations

from mltasks.exceptions import UsageError
from mltasks.object_storage.path import ObjectPath, is_object_url, parse_url


def parse_target(url: str) -> ObjectPath:
    """Return the place of a published store; raises UsageError for what cannot be one."""
    if not is_object_url(url):
        raise UsageError(f"{url or repr(url)}: no URL of object storage; say for instance s3://bucket/prefix")
    target = parse_url(url)
    if target.scheme != "s3":
        raise UsageError(f"{target}: a store is published to s3:// only, whose objects can be replaced on a condition")
    return target
