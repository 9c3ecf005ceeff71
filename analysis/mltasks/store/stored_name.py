"""The name that a store has for a cluster: its address, as it is written today or as older versions wrote it."""

from __future__ import annotations

from mltasks.opensearch.client import Cluster
from mltasks.opensearch.url import canonical_name, has_path, other_names
from mltasks.store import index_identity
from mltasks.store.manifest import Snapshot
from mltasks.store.transaction import Transaction
from mltasks.tasks import redact


def keep_name(cluster: Cluster, transaction: Transaction, *, is_redacted: bool) -> Cluster:
    """Return a cluster under the name that the store has for it: its address may be masked, or as first written.

    Where there are several, as older versions took two ways to write one host for two clusters, it is the one that is
    written so. A name without the path of the address is that of all clusters behind one host: it is kept for the one
    whose tasks it has.
    """
    if cluster.name != canonical_name(cluster.url):
        return cluster
    written, *others, host = other_names(cluster.url)
    masked = {name: redact.cluster_name(name) or "" for name in (written, cluster.name, *others, host)}
    for name in (*masked, *masked.values()):
        stored = transaction.state(name).published
        is_host = name in (host, masked[host]) and has_path(cluster.url)
        if stored is not None and (not is_host or _is_read_from(stored, cluster)):
            return cluster.with_name(name)
    return cluster.with_name(masked[cluster.name] if is_redacted else cluster.name)


def _is_read_from(stored: Snapshot, cluster: Cluster) -> bool:
    """Tell whether the tasks of a snapshot can be those of a cluster."""
    marks = stored.fingerprints
    return bool(marks) and index_identity.same_index(marks, index_identity.fetch_fingerprint(cluster, marks))
