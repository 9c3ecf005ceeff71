"""Where tasks come from, and files of tasks."""
