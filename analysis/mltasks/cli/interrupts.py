"""Signals that end a command: it stops where it is, removes what is half written, and says so by its exit code."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupts:
    """Turns the signals that end a process into KeyboardInterrupt, and knows which one came first."""

    def __init__(self) -> None:
        self.received: int | None = None

    def install(self) -> None:
        """Handle the signals from now on; one that the process was told to ignore (nohup) stays ignored."""
        for number in ENDING:
            with suppress(ValueError, OSError):  # not in the main thread
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, self._receive)

    @property
    def exit_code(self) -> int:
        """The exit code as shells have it: 128 and the number of the signal, 130 for Ctrl-C."""
        return 128 + int(self.received or signal.SIGINT)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        for other in ENDING:  # what is half written is removed undisturbed; a second Ctrl-C ends even that
            signal.signal(other, signal.SIG_DFL if other == signal.SIGINT else signal.SIG_IGN)
        raise KeyboardInterrupt
