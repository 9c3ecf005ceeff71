"""The ids of the tasks in a data file, as a small index beside it: whether one may be there, for a few reads.

No id of the file is ever missing in it; of other ids, one in some millions seems to be there. Layout, little-endian:
magic, number of ids, number of buckets, CRC-32 of the head and of the rest; then the head: where each bucket ends and
the CRC-32 of each; then the buckets, each the lower halves of its ids' hashes. A hash's upper half says in which
bucket it is.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = b"mltaskid"
START = struct.Struct("<8sIIII")
BUCKET = 64  # ids in a bucket, about
HALF, LOWER = np.uint64(32), np.uint64(2**32 - 1)
WHOLE = 8  # with more ids to look up than one in so many buckets, the index is read whole
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def hash_ids(ids: Iterable[str]) -> Hashes:
    """Return a hash of each id: the same in every version and on every machine."""
    content = b"".join(hashlib.blake2b(one.encode(), digest_size=8).digest() for one in ids)
    return np.frombuffer(content, "<u8")


def build(hashes: Hashes) -> bytes:
    """Return the index of some ids, by their hashes."""
    count = max(1, len(hashes) // BUCKET)
    return _build(np.sort(_keys(hashes, count)), count)


def remove_ids(content: bytes, hashes: Hashes) -> bytes:
    """Return an index without some ids that are in it; raises ValueError where it is damaged."""
    _, count, *checks = _start(content[: START.size], len(content))
    at = START.size + 8 * count
    ends = np.frombuffer(_verify(content[START.size : at], checks[0]), "<u4")[:count]
    keys = _all_keys(ends, _verify(content[at:], checks[1]))
    leaving = _keys(hashes, count)
    places = np.searchsorted(keys, leaving)  # of two ids with one key, one stays
    return _build(np.delete(keys, np.unique(places[np.isin(leaving, keys)])), count)


def _build(keys: Any, count: int) -> bytes:
    """Return the index of ids by their keys in ascending order."""
    lower = keys.astype("<u4")
    ends = np.searchsorted(keys >> HALF, np.arange(count, dtype=np.uint64), side="right").astype("<u4")
    starts = np.concatenate([[0], ends[:-1]])
    checks = np.array([zlib.crc32(lower[a:b].tobytes()) for a, b in zip(starts, ends, strict=True)], "<u4")
    head = ends.tobytes() + checks.tobytes()
    rest = lower.tobytes()
    start = START.pack(MAGIC, len(keys), count, zlib.crc32(head), zlib.crc32(rest))
    return b"".join([start, head, rest])


def may_contain(path: Path, hashes: Hashes) -> Mask:
    """Tell which ids may be in the file of an index; raises OSError, and ValueError where it is damaged."""
    file = os.open(path, os.O_RDONLY)
    try:
        size, count, *checks = _start(_read(file, START.size, 0), os.fstat(file).st_size)
        head = _verify(_read(file, 8 * count, START.size), checks[0])
        at = START.size + 8 * count
        if len(hashes) * WHOLE > count:
            ends = np.frombuffer(head, "<u4")[:count]
            return _in_buckets(hashes, ends, _verify(_read(file, 4 * size, at), checks[1]))
        numbers, lower = np.frombuffer(head, "<u4").tolist(), hashes.astype("<u4").tobytes()
        mask = np.zeros(len(hashes), bool)
        for place, bucket in enumerate(_bucket(hashes, count).tolist()):
            start, end = 4 * (numbers[bucket - 1] if bucket else 0), 4 * numbers[bucket]
            part = _verify(_read(file, end - start, at + start), numbers[count + bucket])
            mask[place] = _holds(part, lower[4 * place : 4 * place + 4])
        return mask
    finally:
        os.close(file)


def _start(content: bytes, whole: int) -> tuple[int, ...]:
    """Return what an index of `whole` bytes begins with, behind the magic; raises ValueError where it is none."""
    if len(content) != START.size:
        raise ValueError("is no index of ids")
    magic, *numbers = START.unpack(content)
    if magic != MAGIC or whole != START.size + 8 * numbers[1] + 4 * numbers[0]:
        raise ValueError("is no index of ids")
    return tuple(numbers)


def _all_keys(ends: Any, content: bytes) -> Any:
    """Return the keys in all buckets of an index."""
    sizes = np.diff(ends, prepend=np.uint32(0))
    buckets = np.repeat(np.arange(len(ends), dtype=np.uint64), sizes)
    return (buckets << HALF) | np.frombuffer(content, "<u4")


def _holds(bucket: bytes, lower: bytes) -> bool:
    """Tell whether one of the four-byte numbers in a bucket is this one."""
    at = bucket.find(lower)
    while at % 4 and at > 0:
        at = bucket.find(lower, at + 1)
    return at >= 0


def _in_buckets(hashes: Hashes, ends: Any, content: bytes) -> Mask:
    """Tell which hashes are in all buckets of an index."""
    ordered = _all_keys(ends, content)
    wanted = _keys(hashes, len(ends))
    places = np.searchsorted(ordered, wanted)
    inside = places < len(ordered)
    mask: Mask = np.zeros(len(hashes), bool)
    mask[inside] = ordered[places[inside]] == wanted[inside]
    return mask


def _verify(content: bytes, check: int) -> bytes:
    if zlib.crc32(content) != check:
        raise ValueError("an index of ids is damaged")
    return content


def _keys(hashes: Hashes, count: int) -> Any:
    """Return the bucket of each hash, and below it the lower half."""
    return (_bucket(hashes, count) << HALF) | (hashes & LOWER)


def _bucket(hashes: Hashes, count: int) -> Any:
    return ((hashes >> HALF) * np.uint64(count)) >> HALF


def _read(file: int, size: int, at: int) -> bytes:
    content = os.pread(file, size, at)
    if len(content) != size:
        raise ValueError("an index of ids is cut")
    return content
