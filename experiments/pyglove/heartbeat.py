"""A sign of life at regular times, for as long as a process is there."""

from __future__ import annotations

import threading
from collections.abc import Callable

_BEATS_PER_LEASE = 4


class Heartbeat:
    """Calls a function several times within every lease, in a thread that ends with the process.

    Args:
        beat: the function.
        lease_s: seconds after which somebody who is silent counts as gone.
    """

    def __init__(self, beat: Callable[[], None], lease_s: float) -> None:
        self._stopped = threading.Event()
        self._beat, self._pause_s = beat, lease_s / _BEATS_PER_LEASE
        threading.Thread(target=self._run, name="autoglyph-heartbeat", daemon=True).start()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            self._beat()

    def stop(self) -> None:
        """No beat begins after this."""
        self._stopped.set()
