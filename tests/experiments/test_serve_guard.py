"""Who may read the live page, over plain HTTP."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from serve_pages import search_run, serving

from autoglyph.experiments.serving.guard import COOKIE, is_loopback
from autoglyph.experiments.serving.server import PageServer


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def ask(server: PageServer, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "a.db"
    search_run(path, "small", trials=40, seed=1)
    (path.parent / "secret.txt").write_text("a secret beside the record")
    return path


@pytest.fixture(scope="module")
def local(record: Path) -> Iterator[PageServer]:
    with serving(record) as server:
        yield server


@pytest.fixture(scope="module")
def public(record: Path) -> Iterator[PageServer]:
    with serving(record, "0.0.0.0") as server:
        yield server


def everything(server: PageServer) -> list[str]:
    """The page, its data, its scripts and styles, and a download."""
    page = ask(server, "/", Cookie=f"{COOKIE}={server.token}").body.decode()
    scripts = [part.split('"')[0] for part in page.split('src="')[1:]]
    assert len(scripts) >= 5 and all(s.startswith(("/_dash-component-suites/", "/assets/")) for s in scripts), "all own"
    return ["/", "/run/small", "/_dash-layout", "/_dash-dependencies", "/download/small/0.json", scripts[0]]


def test_names_of_this_machine_alone_are_answered_on_loopback(local: PageServer) -> None:
    for host in (f"127.0.0.1:{local.port}", f"localhost:{local.port}", "[::1]:1", "LOCALHOST"):
        assert ask(local, "/", Host=host).status == 200, host
    for host in ("other.example", f"127.0.0.1.other.example:{local.port}", "10.0.0.1", "", "[::2]"):
        answer = ask(local, "/_dash-layout", Host=host)
        assert answer.status == 421 and b"localhost" in answer.body, host


def test_every_request_from_elsewhere_needs_the_token(public: PageServer) -> None:
    assert public.token is not None and len(public.token) >= 32 and public.token in public.url
    for path in everything(public):
        assert ask(public, path).status == 403, path
        assert ask(public, f"{path}?token=wrong").status == 403, path
        assert ask(public, path, Cookie=f"{COOKIE}=wrong").status == 403, path
        assert ask(public, path, Cookie=f"{COOKIE}=\xff; =;").status == 403, path
        assert ask(public, path, Cookie=f"{COOKIE}={public.token}").status == 200, path
    assert ask(public, "/_dash-update-component", "POST").status == 403


def test_the_token_moves_from_the_url_into_a_cookie_that_scripts_cannot_read(public: PageServer) -> None:
    answer = ask(public, f"/run/small?view=decisions&token={public.token}")
    assert answer.status == 303 and answer.headers["location"] == "/run/small?view=decisions"
    assert answer.headers["set-cookie"] == f"{COOKIE}={public.token}; HttpOnly; SameSite=Lax; Path=/"
    elsewhere = ask(public, f"//other.example/?token={public.token}")
    assert elsewhere.status in (303, 403) and not elsewhere.headers.get("location", "/").startswith("//")


def test_two_servers_have_two_tokens(record: Path, public: PageServer) -> None:
    with serving(record, "0.0.0.0") as other:
        assert other.token != public.token


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/assets/../../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets//etc/passwd",
        "/static/../secret.txt", "/_dash-component-suites/dash/../../secret.txt", "/download/../../secret.txt",
        "/_dash-component-suites/autoglyph/secret.txt", "/download/%2e%2e%2fsecret.txt/0.json", "/secret.txt",
        "/download/small/99999.json", "/download/other/0.json", "/assets/%2e%2e/app.py", "/a.db",
    ],
)  # fmt: skip
def test_nothing_outside_the_record_is_readable(local: PageServer, path: str) -> None:
    answer = ask(local, path)
    assert b"a secret" not in answer.body and b"root:" not in answer.body and b"SQLite format" not in answer.body
    assert b"def make_app" not in answer.body
    assert answer.status in (404, 500, 308) or b"react-entry-point" in answer.body, "an error or the page itself"


def test_the_page_can_only_be_read(local: PageServer) -> None:
    for method in ("PUT", "DELETE", "POST", "OPTIONS", "TRACE"):
        assert ask(local, "/", method).status == 405, method
    assert ask(local, "/", "HEAD").body == b""


def test_answers_forbid_embedding_and_foreign_scripts(local: PageServer) -> None:
    for path in ("/", "/_dash-layout", "/download/small/0.json", "/nowhere/at/all"):
        headers = ask(local, path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "connect-src 'self'" in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin" and headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_an_individual_can_be_downloaded(local: PageServer) -> None:
    answer = ask(local, "/download/small/3.json")
    fields: dict[str, Any] = json.loads(answer.body)
    assert answer.headers["content-disposition"] == "attachment; filename=trial-3.json"
    assert fields["format"] == "autoglyph-individual" and fields["base"]["space"] == "efficientnet"
    assert fields["made_by"]["trial"] == 3 and "top1" in fields["made_by"]["metrics"]


def test_which_hosts_are_loopback() -> None:
    assert all(is_loopback(h) for h in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LocalHost"))
    assert not any(is_loopback(h) for h in ("0.0.0.0", "::", "10.1.2.3", "localhost.example", "", "127.0.0.1.nip.io"))


def test_a_port_that_is_taken_is_named(record: Path, local: PageServer) -> None:
    with pytest.raises(ValueError, match=f"port {local.port} .*: choose another --port"):
        PageServer(record, "127.0.0.1", local.port)
    with pytest.raises(ValueError, match="no port 70000"):
        PageServer(record, "127.0.0.1", 70000)
    with pytest.raises(ValueError, match="choose another --port or --host"):
        PageServer(record, "no.such.host.invalid", 0)
