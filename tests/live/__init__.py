"""A real OpenSearch server with ML Commons, and real tasks on it, for the tests marked `live`."""
