"""How Azure's file system is opened: with the key of the account that a URL names, where the environment has it."""

from __future__ import annotations

import pytest

from mltasks.object_storage.filesystem import azure_options

URL = "abfs://history@ops.dfs.core.windows.net"
BY_KEY = {"account_name": "ops", "account_key": "a2V5=="}


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, {}),
        ({"AZURE_STORAGE_ACCOUNT": "ops"}, {}),
        ({"AZURE_STORAGE_ACCOUNT": "ops", "AZURE_STORAGE_KEY": "a2V5=="}, BY_KEY),
        ({"AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": "a2V5=="}, {}),
        (
            {
                "AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=https;AccountName=ops;AccountKey=a2V5==;"
                "BlobEndpoint=https://ops.blob.core.windows.net/"
            },
            BY_KEY,
        ),
    ],
)
def test_the_key_is_that_of_the_account_in_the_url(environment: dict[str, str], options: dict[str, str]) -> None:
    assert azure_options(URL, environment) == options


def test_an_emulator_is_where_the_connection_string_says() -> None:
    words = "AccountName=ops;AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:10000/ops;"
    assert azure_options(URL, {"AZURE_STORAGE_CONNECTION_STRING": words}) == {
        **BY_KEY,
        "blob_storage_authority": "127.0.0.1:10000",
        "blob_storage_scheme": "http",
        "dfs_storage_authority": "127.0.0.1:10000",
        "dfs_storage_scheme": "http",
    }
