"""What stands above a report that is shown time and again: when, and what the nodes of a cluster train."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mltasks.opensearch.cluster_info import TrainPool
from mltasks.render import cells


def render(time: datetime, pools: Sequence[TrainPool]) -> str:
    """Return the time, and one line per node."""
    head = f"{time:%Y-%m-%d %H:%M:%S} UTC"
    return "".join(f"{line}\n" for line in [head, *map(_line, sorted(pools, key=lambda pool: pool.node_name))])


def _line(pool: TrainPool) -> str:
    name = cells.one_line(pool.node_name or pool.node_id)
    queue = f"{_number(pool.queue)} of {_number(pool.queue_size)} queued"
    busy = f"{_number(pool.active)} of {_number(pool.size)} busy"
    return f"{name}: train {busy}, {queue}, {_number(pool.rejected)} rejected since its start"


def _number(value: int | None) -> str:
    return cells.MISSING if value is None else f"{value:,}"
