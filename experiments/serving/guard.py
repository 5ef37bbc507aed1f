"""Who may read the page: a WSGI wrapper that stands before everything else.

On the loopback interface the Host header must name it, so that a page of another site whose name was bound to
127.0.0.1 reads nothing (DNS rebinding). Elsewhere every request must carry a random token, first in the URL and then
in a cookie that scripts cannot read. All answers forbid other origins to embed or to read them, and scripts that did
not come with the package.
"""

from __future__ import annotations

import hmac
import http.cookies
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

PARAMETER, COOKIE = "token", "autoglyph_token"
CALLBACKS = "/_dash-update-component"

Headers = list[tuple[str, str]]
Respond = Callable[..., Any]
Application = Callable[[dict[str, Any], Respond], Iterable[bytes]]


def is_loopback(host: str) -> bool:
    """Whether a host is reached from its own machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """An application behind the checks.

    Args:
        application: the WSGI application.
        token: what every request must carry; None where the Host header must name the loopback interface.
        script_hashes: of the inline scripts that the page itself has, as in a Content-Security-Policy.
    """

    def __init__(self, application: Application, *, token: str | None, script_hashes: Sequence[str] = ()) -> None:
        self._application = application
        self._token = token
        self._headers = _headers(script_hashes)

    def __call__(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        """Answers one request."""
        refusal = self._refusal(environ)
        if refusal is not None:
            status, text, headers = refusal
            respond(status, [*self._headers, ("Content-Type", "text/plain; charset=utf-8"), *headers])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [text.encode()]

        def guarded(status: str, headers: Headers, exc_info: Any = None) -> Any:
            ours = {name.lower() for name, _ in self._headers}
            kept = [(name, value) for name, value in headers if name.lower() not in ours]
            if not any(name.lower() == "cache-control" for name, _ in kept):
                kept.append(("Cache-Control", "no-store"))
            return respond(status, [*kept, *self._headers], exc_info)

        return self._application(environ, guarded)

    def _refusal(self, environ: Mapping[str, Any]) -> tuple[str, str, Headers] | None:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD") and not (method == "POST" and environ.get("PATH_INFO") == CALLBACKS):
            return "405 Method Not Allowed", "The page can only be read.\n", [("Allow", "GET, HEAD")]
        if self._token is None:
            if is_loopback(_host_name(environ.get("HTTP_HOST", ""))):
                return None
            text = "This page answers to localhost and 127.0.0.1 alone; serve it with --host to reach it elsewhere.\n"
            return "421 Misdirected Request", text, []
        return self._refusal_by_token(environ, self._token)

    def _refusal_by_token(self, environ: Mapping[str, Any], token: str) -> tuple[str, str, Headers] | None:
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        given = [value for name, value in query if name == PARAMETER]
        if given:
            if not _same(given[0], token):
                return "403 Forbidden", "This is not the token that the server printed.\n", []
            rest = urlencode([(name, value) for name, value in query if name != PARAMETER])
            path = "/" + quote(_path(environ)).lstrip("/")  # two slashes would lead to another host
            cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/"
            headers = [("Location", path + ("?" + rest if rest else "")), ("Set-Cookie", cookie)]
            return "303 See Other", "The token is kept in a cookie from now on.\n", headers
        if _same(_cookie(environ.get("HTTP_COOKIE", "")), token):
            return None
        return "403 Forbidden", "Open the URL that the server printed: it ends in the token that this page needs.\n", []


def _headers(script_hashes: Sequence[str]) -> Headers:
    scripts = " ".join(["'self'", "'unsafe-eval'", *script_hashes])  # Plotly writes its WebGL code at run time
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return [
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]


def _host_name(header: str) -> str:
    """The host of a Host header without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def _path(environ: Mapping[str, Any]) -> bytes:
    return str(environ.get("PATH_INFO", "/")).encode("latin-1")


def _cookie(header: str) -> str:
    try:
        cookies = http.cookies.SimpleCookie(header)
    except http.cookies.CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())
