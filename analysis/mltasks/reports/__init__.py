"""The reports: one module each, pure functions from tasks to a small table."""
