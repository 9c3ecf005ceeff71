"""The security plugin's configuration: settings of the node, roles, and the ways to log in."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

PLUGIN = "opensearch-security"  # the name of its folder, in the server's home and in its configuration
TLS = {  # the files are in the folder of the configuration
    "pemcert_filepath": "node.pem",
    "pemkey_filepath": "node.key",
    "pemtrustedcas_filepath": "ca.pem",
}
SETTINGS = {
    **{f"plugins.security.ssl.{layer}.{name}": file for layer in ("transport", "http") for name, file in TLS.items()},
    "plugins.security.ssl.transport.enforce_hostname_verification": "false",
    "plugins.security.ssl.http.enabled": "true",
    "plugins.security.ssl.http.clientauth_mode": "OPTIONAL",
    "plugins.security.nodes_dn": '["CN=node,O=fixture"]',
    "plugins.security.authcz.admin_dn": '["CN=admin,O=fixture"]',
    "plugins.security.restapi.roles_enabled": "[all_access]",
    "plugins.security.audit.type": "noop",
    "plugins.security.system_indices.enabled": "true",  # as the demo configuration has it
    # the node would look for its users in the background, sleep between two looks, and let nobody else load them
    "plugins.security.background_init_if_securityindex_not_exist": "false",
    "plugins.security.password.hashing.bcrypt.rounds": "4",  # a test's password needs no second of computing
}
CLOSED = {"plugins.security.system_indices.permission.enabled": "true"}
ROLES = """
task_index:
  index_permissions:
    - index_patterns: [".plugins-ml-task"]
      allowed_actions: ["system:admin/system_index"]
"""
MAPPING = """\
_meta: {type: rolesmapping, config_version: 2}
all_access: {users: [admin]}
ml_read_access: {users: [reader, insider], backend_roles: [ml_readers]}
task_index: {users: [insider]}
"""
NO_USERS = "_meta: {type: internalusers, config_version: 2}\n"


def write(home: Path, conf: Path, key: bytes) -> None:
    """Write what securityadmin loads: the plugin's own files, with our roles and none of its demo users.

    `key` is what tokens are signed with.
    """
    folder = conf / PLUGIN
    shutil.copytree(home / "plugins" / PLUGIN / "config", folder)
    (folder / "internal_users.yml").write_text(NO_USERS)
    (folder / "roles_mapping.yml").write_text(MAPPING)
    (folder / "config.yml").write_text(_authentication(key))
    with (folder / "roles.yml").open("a") as roles:
        roles.write(ROLES)


def _authentication(key: bytes) -> str:
    """Bearer tokens, client certificates, then users and passwords."""
    token = f'signing_key: "{base64.b64encode(key).decode()}", subject_key: sub, roles_key: roles'
    ways = [
        ("jwt", "false", token, "noop"),
        ("clientcert", "false", "username_attribute: cn", "noop"),
        ("basic", "true", "", "intern"),
    ]
    lines = ["_meta: {type: config, config_version: 2}", "config:", "  dynamic:", "    authc:"]
    for order, (kind, challenge, options, backend) in enumerate(ways):
        lines += [
            f"      {kind}:",
            "        http_enabled: true",
            f"        order: {order}",
            f"        http_authenticator: {{type: {kind}, challenge: {challenge}, config: {{{options}}}}}",
            f"        authentication_backend: {{type: {backend}}}",
        ]
    return "\n".join([*lines, ""])
