"""The server of the live page: a socket, the guard before the page, and the threads that answer."""

from __future__ import annotations

import logging
import secrets
import socket
from pathlib import Path
from typing import Any

from autoglyph.experiments.serving.guard import PARAMETER, Guard, is_loopback

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8050
_THREADS = 8
_IN_MEMORY = 1 << 26
"""Answers of fewer bytes wait in memory until they are sent, not in temporary files."""


class PageServer:
    """A server that listens, and answers once `run` is called.

    Args:
        store: the record.
        host: interface to listen on; beyond the loopback interface every request needs a random token.
        port: port to listen on, 0 for a free one; None for 8050, or a free one where that is taken.

    Attributes:
        url: where the page is, with the token if it needs one.
        token: what every request must carry, None on the loopback interface.

    Raises:
        StoreError: if the record cannot be read.
        ValueError: if the host or the port cannot be used.
    """

    def __init__(self, store: str | Path, host: str = DEFAULT_HOST, port: int | None = None) -> None:
        from waitress.server import create_server

        from autoglyph.experiments.serving.app import make_app
        from autoglyph.experiments.serving.records import Records

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a browser asks for many files at once
        app = make_app(Records(store))
        self.token = None if is_loopback(host) else secrets.token_urlsafe(24)
        self._socket = _listen(host, port)
        guard = Guard(app.server.wsgi_app, token=self.token, script_hashes=app.csp_hashes())
        self._channels: dict[int, Any] = {}
        self._server: Any = create_server(
            guard,
            self._channels,
            sockets=[self._socket],
            threads=_THREADS,
            ident="autoglyph",
            max_request_body_size=1 << 20,
            outbuf_overflow=_IN_MEMORY,
        )
        self.port = int(self._socket.getsockname()[1])
        shown = socket.gethostname() if host in ("0.0.0.0", "::", "") else host
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{self.port}/" + (f"?{PARAMETER}={self.token}" if self.token else "")

    def run(self) -> None:
        """Answers until Ctrl-C or `close`."""
        self._server.run()
        self._server.task_dispatcher.shutdown()

    def close(self) -> None:
        """Makes `run` return, from any thread."""
        from waitress import wasyncore

        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._channels, ignore_all=True))


def _listen(host: str, port: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if port is not None and not 0 <= port < 65536:
        raise ValueError(f"There is no port {port}: give --port 0 to 65535.")
    for number in (DEFAULT_PORT, 0) if port is None else (port,):
        try:
            return socket.create_server((host.strip("[]"), number), family=family)
        except OSError as error:
            if port is None and number != 0:
                continue
            reason = f"Cannot listen on {host} port {number} ({error.strerror}): choose another --port or --host."
            raise ValueError(reason) from error
    raise AssertionError("every port was tried")
