"""What a SOURCE is: the one order in which a name is looked up.

It imports nothing heavy: a name that means nothing is answered at once, and shells complete names by it.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Literal

from mltasks.exceptions import UsageError
from mltasks.object_storage.path import is_object_url, parse_url
from mltasks.opensearch import config
from mltasks.opensearch.access import DEMO
from mltasks.opensearch.url import check_url
from mltasks.sources import formats
from mltasks.store.manifest import is_store

Kind = Literal["demo", "stdin", "object", "cluster", "store", "folder", "pipe", "file"]
STDIN = "-"


def kind_of(source: str | Path, config_file: str | None = None) -> Kind | None:
    """Return what a name means; None where nothing has this name.

    "demo", `-`, a URL of object storage or of a cluster, a store, a folder, a file, a configured cluster: a name that
    can mean several of these means the first. Raises UsageError for an empty one.
    """
    text = str(source)
    if not text:
        raise empty_source()
    if text in (DEMO, STDIN):
        return "demo" if text == DEMO else "stdin"
    if is_object_url(source):
        return "object"
    if isinstance(source, str) and "://" in source:
        return "cluster"
    path = Path(source)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # there is none, or the text is no name for a file
        return "cluster" if isinstance(source, str) and source in config.clusters(config_file) else None
    if stat.S_ISDIR(mode):
        return "store" if is_store(path) else "folder"
    return "file" if stat.S_ISREG(mode) else "pipe"


def check_source(source: str | Path, config_file: str | None = None) -> Kind:
    """Return what a name means; raises UsageError for what can hold no tasks."""
    kind, path = kind_of(source, config_file), Path(source)
    if kind is None:
        raise nothing_of_this_name(source, config_file)
    if kind == "object":
        parse_url(str(source))
    if kind == "cluster" and "://" in str(source):
        check_url(str(source))
    if kind == "stdin" and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError("-: standard input is a terminal; pipe tasks into it, or name a file")
    if kind == "folder" and not any(formats.suffix_of(part) == ".parquet" for part in path.rglob("*")):
        raise UsageError(
            f"{path}: is a folder without Parquet files, and no store; name a file in it, or make a store with "
            "mltasks sync"
        )
    if kind == "file" and formats.suffix_of(path) is None:
        raise UsageError(f"{path}: of no known kind; tasks come in {', '.join(formats.FORMATS)}")
    return kind


def may_have_own_columns(source: str | Path, config_file: str | None = None) -> bool:
    """Tell whether a user may have added columns to the tasks: not to those of a cluster, and not to hits."""
    kind = kind_of(source, config_file)
    return kind not in ("demo", "cluster") and not (kind == "file" and formats.suffix_of(source) != ".parquet")


def empty_source() -> UsageError:
    """Return the error for a source without a name."""
    return UsageError("the source is empty, as a variable is that is not set; name a cluster's URL, a file, or demo")


def no_query(place: str) -> UsageError:
    """Return the error for a query to what is no cluster."""
    return UsageError(
        f"{place}: a query is for clusters; on a file use the filters, such as function_name (--function-name) "
        "or state (--state)"
    )


def no_refresh(place: str) -> UsageError:
    """Return the error where a task is to be refreshed on what is no cluster."""
    return UsageError(f"{place}: only a cluster can refresh a task; leave out --refresh")


def is_source(word: str, config_file: str | None = None) -> bool:
    """Tell whether a word of the command line is meant as a SOURCE, though a file of that name may be missing."""
    return kind_of(word, config_file) is not None or Path(word).suffix != ""


def nothing_of_this_name(source: str | Path, config_file: str | None) -> UsageError:
    """Return the error for a name that means nothing: what there could be, and the nearest name."""
    if "@" in str(source):  # host:port with a login before it, and no scheme: not to be repeated
        return UsageError("SOURCE with an '@': credentials in it end up in logs; give https://host:9200 and --user")
    hint = "a cluster is a URL such as https://localhost:9200, the example data is called demo"
    near = config.suggest_cluster(str(source), config_file)
    return UsageError(f"{source}: there is no such file; {near}{'Else ' if near else ''}{hint}")
