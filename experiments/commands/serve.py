"""`autoglyph serve`: the live page over a record."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.INSPECT_PANEL, 23


def command(
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    host: Annotated[
        str, typer.Option(help="Interface to listen on; one that others reach needs the token of the URL.")
    ] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; 8050 or a free one without this, 0 for a free one.")] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a live page over a record, until Ctrl-C."""
    import sys
    import webbrowser

    from autoglyph.experiments.serving.server import PageServer

    server = PageServer(store, host, port)
    if as_json:
        _common.print_json({"url": server.url, "port": server.port, "store": str(store), "token": server.token})
    else:
        print(f"Serving {store} at {server.url} (Ctrl-C stops)")
        if server.token is not None:
            _common.note(
                "Others can read the page with this URL alone; it is not encrypted, so use it in a network "
                "that you trust."
            )
    sys.stdout.flush()
    if open_browser:
        webbrowser.open(server.url)
    server.run()
