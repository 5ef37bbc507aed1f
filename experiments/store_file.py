"""The file of a record: whether it is one, how it is opened, and what went wrong in words."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_BUSY_SECONDS = 30.0
_MAGIC = b"SQLite format 3\x00"


class StoreError(Exception):
    """The record cannot be read or written; the message is one sentence that names the fix."""


def connect(path: Path) -> sqlite3.Connection:
    """Opens a file for reading and writing."""
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Opens a file for reading alone; the bytes of text that is not UTF-8 become escapes."""
    address = path.absolute().as_uri() + "?mode=ro"
    log = path.with_name(path.name + "-wal")
    if not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size > 0):
        address += "&immutable=1"  # a folder where no lock can be made: nobody writes there
    db = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    return db


@contextlib.contextmanager
def interrupt_later() -> Iterator[None]:
    """Keeps Ctrl-C back until a transaction is whole: between two statements it would leave it open."""
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if received:
            usual(*received[0])


def explain(path: Path, error: sqlite3.Error) -> str:
    """What went wrong, in one sentence that names the fix."""
    text, name = str(error), repr(str(path))
    if "full" in text or "disk I/O" in text:
        return (
            f"The record {name} cannot grow, its disk is full or unwritable: free some space, "
            "then continue with `autoglyph resume RUN`; what was recorded is intact."
        )
    if "readonly" in text or "unable to open" in text:
        return f"The record {name} cannot be opened for writing: check its permissions, or choose another --store."
    if "locked" in text:
        return f"Another process holds the record {name}: wait until it is done and try again."
    return f"The record {name} is damaged or not a record ({text}): restore a copy, or choose another --store."


def check_file(path: Path) -> None:
    """Refuses what is no whole SQLite file.

    Raises:
        StoreError: if it is a folder, cannot be read, or is something else or cut short.
    """
    if path.is_dir():
        raise StoreError(f"{str(path)!r} is a folder: name a file with --store.")
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(
            f"The record {str(path)!r} cannot be read ({error.strerror}): check its permissions."
        ) from error
    if not header.startswith(_MAGIC):
        raise StoreError(f"{str(path)!r} is not a record of Autoglyph: choose another file with --store.")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > 0:
        return  # pages may still be in the log alone, as after a disk that was full: SQLite puts them in place
    page_size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    if len(header) < 100 or path.stat().st_size < pages * (65536 if page_size == 1 else page_size):
        raise StoreError(f"The record {str(path)!r} is cut short: restore a complete copy, or choose another --store.")
