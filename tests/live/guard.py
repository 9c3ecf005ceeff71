"""Ends a server whose test session is gone: `python guard.py PROCESS_GROUP FOLDER`.

It waits for the end of its standard input, a pipe that only the session holds: whatever ends the session
closes it, be it a signal that Python cannot catch. A word in it says that the session has cleaned up itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading


def main(group: int, folder: str) -> None:
    """Wait for the session's end; then kill the process group and remove the folder."""
    if sys.stdin.buffer.read():
        return
    try:
        os.killpg(group, signal.SIGKILL)
        for _ in range(100):  # until nothing of it is left to write into the folder
            os.killpg(group, 0)
            threading.Event().wait(0.1)
    except ProcessLookupError:
        pass
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
