"""The setting that closes the index of tasks even to its administrator. The server starts once more for it.

It runs OpenSearch and ML Commons 3.6.0 with the security plugin 3.4.0.0, a combination that nobody supports: there is
no security plugin for 3.6.0 to be had (secured_home.py says more).
"""

from __future__ import annotations

import pytest

import mltasks
from live.logins import log_in, password
from live.secured import TASKS, SecuredServer
from support.command import Command


@pytest.mark.parametrize("user", ["admin", "reader"])
def test_the_setting_that_closes_the_index_of_tasks_is_named_with_its_remedy(
    closed: SecuredServer, user: str, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    log_in(monkeypatch, password(closed, user))
    said = command.fails(3, "failures", closed.url)
    assert said.startswith(f"{closed.url} answers 403: no permissions for [] and User [name={user}, ")
    assert (
        "; plugins.security.system_indices.permission.enabled closes this endpoint; give the user's role the " in said
    )
    assert "the index permission system:admin/system_index on .plugins-ml-task" in said


def test_whose_role_has_that_permission_reads_all_tasks(closed: SecuredServer, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, password(closed, "insider"))
    assert len(mltasks.load(closed.url)) == TASKS
