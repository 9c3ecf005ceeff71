"""Which tests are run by one process, since they share a server.

That of each is known by its file: what xdist itself takes, a mark, does not come through from pytest 9.2 on.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

FILES = {
    "bare": ("test_reading_other_indexes", "test_sync_other_indexes", "test_sync_crashes", "test_sync_calls"),
    "secured": (
        *("test_security", "test_security_refusals", "test_security_secrets"),
        "test_security_system_index",  # the last one: it starts the server with another setting
    ),
    "old": ("test_old_release",),
    "two nodes": ("test_replica",),
}
DEAR = ("tests/render/test_browser.py", "tests/render/test_html.py")  # what their tests share takes long to make
GROUPS = {f"tests/live/{file}.py": group for group, files in FILES.items() for file in files}


class ByServer(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not annotated, so that its class has no known type
    """Gives the tests of a server to one process, and all others one by one to whoever has nothing to do."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/spark/"):
            return "spark"
        if file in DEAR:
            return str(file)
        return GROUPS.get(file, "server") if file.startswith("tests/live/") else nodeid
