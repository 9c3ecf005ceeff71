"""The names of folders and files in a store: cluster and month of creation, as every tool reads them from a path."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import pyarrow as pa

from mltasks.object_storage.path import ObjectPath
from mltasks.tasks import schema

DATA_FOLDER = "_files"
LOCK = "_lock"
DAMAGED_FOLDER = "_damaged"  # what `sync --repair` has set aside
IMPLAUSIBLE = "implausible"  # the partition of tasks without a time of creation that can be one
RANDOM_NAME = "[0-9a-f]" * 16
DATA, INDEX, LINK = f"{RANDOM_NAME}.pq", f"{RANDOM_NAME}.ids", f"{RANDOM_NAME}.parquet"
PART = ".mltasks-*.part"
DATA_PATH = re.compile(r"cluster=([^/]*)/created=(?:\d{4}-\d\d|implausible)/[0-9a-f]{16}\.pq")
NO_NAME = "__HIVE_DEFAULT_PARTITION__"  # what tools take for a partition without a name


def months(rows: pa.Table, as_of_ms: int) -> pa.Array:
    """Return the partition of each row: its month of creation (UTC), such as 2026-11, or `implausible`."""
    import pyarrow as pa  # here, since an error of usage needs no Arrow
    import pyarrow.compute as pc

    created = rows["create_time"].combine_chunks()
    ms = created.cast(pa.int64())
    plausible = pc.and_(
        pc.greater_equal(ms, schema.EARLIEST_MS), pc.less_equal(ms, as_of_ms + schema.DAY_MS)
    ).fill_null(False)
    dated = pc.if_else(plausible, ms, 0).cast(pa.timestamp("ms"))  # a time without zone needs no data on zones
    return pc.if_else(plausible, pc.strftime(dated, "%Y-%m"), IMPLAUSIBLE)


def partition(cluster: str, month: str) -> str:
    """Return the folder of a cluster's month, as the names of folders tell it to every tool."""
    return f"{_cluster_folders(cluster)[0]}/created={month}"


def partitions(cluster: str, month: str) -> tuple[str, ...]:
    """Return the folders that a cluster's month can be in: as this version calls it, and as older ones did."""
    return tuple(f"{folder}/created={month}" for folder in _cluster_folders(cluster))


def _cluster_folders(cluster: str) -> tuple[str, ...]:
    name = quote(cluster, safe="")
    if cluster == NO_NAME:
        return f"cluster=%5F{name[1:]}", f"cluster={name}"
    return (f"cluster={name}",)


def is_data_path(path: str, cluster: str) -> bool:
    """Tell whether a path is one that a sync gives to a data file of a cluster."""
    match = DATA_PATH.fullmatch(path)
    return match is not None and f"cluster={match[1]}" in _cluster_folders(cluster)


def data_folders(folder: Path, cluster: str) -> list[Path]:
    """Return the folders with data files of a cluster; raises OSError where one cannot be listed."""
    return [path for path in partition_folders(folder / DATA_FOLDER) if path.parent.name in _cluster_folders(cluster)]


def partition_folders(folder: Path) -> list[Path]:
    """Return the folders of partitions; raises OSError where a glob would leave some out."""
    folders = [folder] if folder.is_dir() else []
    for pattern in ("cluster=*", "created=*"):
        folders = [path for at in folders for path in at.iterdir() if fnmatchcase(path.name, pattern) and path.is_dir()]
    return folders


def copy_path(place: ObjectPath, path: str) -> ObjectPath:
    """Return where a published store has the copy of a current data file that a glob finds."""
    return (place / path).with_suffix(".parquet")
