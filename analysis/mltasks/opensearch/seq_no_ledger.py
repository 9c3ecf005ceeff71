"""Which tasks a walk has handed out: every `_seq_no`, at a fraction of a byte to two bytes a task."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

Keys = np.ndarray[tuple[int], np.dtype[np.int64]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass
class SeqNoLedger:
    """Notes what was handed out, so that a part that is read again gives only what is new.

    With several shards, each of which counts its own writes, `with_ids` takes the id to the number.
    """

    with_ids: bool = False
    _chunks: list[tuple[int, int, bytes]] = field(default_factory=list)  # lowest and highest key, and all of them
    _highest: int = -(2**63)

    def take_new(self, rows: pa.Table) -> Mask:
        """Tell which rows were not handed out before, each once, and note them."""
        if not rows.num_rows:
            return np.zeros(0, bool)
        keys = self._keys(rows)
        low, high = int(keys.min()), int(keys.max())
        is_new = np.zeros(len(keys), bool)
        is_new[np.unique(keys, return_index=True)[1]] = True
        for lowest, highest, packed in self._chunks if low <= self._highest else ():  # pages mostly come in order
            if lowest <= high and low <= highest:
                is_new &= ~np.isin(keys, _unpack(packed))
        if is_new.any():
            new = np.sort(keys[is_new])
            self._chunks.append((int(new[0]), int(new[-1]), _pack(new)))
            self._highest = max(self._highest, int(new[-1]))
        return is_new

    def _keys(self, rows: pa.Table) -> Keys:
        numbers: Keys = rows["seq_no"].to_numpy()
        if not self.with_ids:
            return numbers
        ids = rows["task_id"].to_pylist()
        return np.array([hash(key) for key in zip(ids, numbers.tolist(), strict=True)], np.int64)


def _pack(keys: Keys) -> bytes:
    return zlib.compress(np.diff(keys, prepend=0).tobytes(), 1)


def _unpack(packed: bytes) -> Keys:
    return np.cumsum(np.frombuffer(zlib.decompress(packed), np.int64))
