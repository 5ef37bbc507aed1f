"""A limit on the memory of what runs in this process: first an exception, then the end of the process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_STATUS = Path("/proc/self/statm")
_LOOK_SECONDS = 0.02
_GRACE_SECONDS = 1.0


def is_supported() -> bool:
    """Whether this system tells a process how much memory it holds."""
    return _STATUS.exists()


def resident_gb() -> float:
    """Memory that this process holds, 1e9 bytes."""
    return int(_STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e9


class MemoryLimit:
    """Watches the thread that made it while it is at work.

    What a piece of work adds to the process counts, not what earlier ones left behind. Beyond the limit, MemoryError
    is raised in the thread at its next line of Python; where that changes nothing within a second, the process ends.

    Args:
        limit_gb: most memory that one piece of work may add, 1e9 bytes.
        last_words: called before the process is ended.
    """

    def __init__(self, limit_gb: float, last_words: Callable[[], None]) -> None:
        self._limit_gb = limit_gb
        self._last_words = last_words
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._allowed_gb: float | None = None
        self._raised_at: float | None = None
        threading.Thread(target=self._watch, daemon=True, name="memory limit").start()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Limits what is done within."""
        with self._lock:
            self._allowed_gb, self._raised_at = resident_gb() + self._limit_gb, None
        try:
            yield
        finally:
            with self._lock:
                self._allowed_gb = None
                if self._raised_at is not None:
                    _raise_in(self._thread, None)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                if self._allowed_gb is None or resident_gb() <= self._allowed_gb:
                    continue
                if self._raised_at is None:
                    self._raised_at = time.monotonic()
                    _raise_in(self._thread, MemoryError)
                elif time.monotonic() - self._raised_at > _GRACE_SECONDS:
                    with contextlib.suppress(Exception):
                        self._last_words()
                    os._exit(1)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raises an error in another thread, or takes back one that was not yet raised."""
    kind = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), kind)
