"""A cluster: connection, credentials, pages, the complete reading."""
