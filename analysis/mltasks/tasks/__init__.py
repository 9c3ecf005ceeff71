"""The task table: columns, values, derived columns, filters."""
