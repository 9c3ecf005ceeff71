"""Object storage as a place of files: the one folder that knows its file systems."""
