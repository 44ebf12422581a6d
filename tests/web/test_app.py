"""The served console from outside, over HTTP: who is let in, signing in for the first time, health, the JSON API."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from cdr.queries import CallRow
from tests.web.served import Console
from tests.web.world import DIALED, SHARED, TOKEN, TRACED

pytestmark = [pytest.mark.component("sqlite"), pytest.mark.component("chdb")]

PASSWORD = "mật khẩu dài"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HTML = {"Accept": "text/html"}
TRACE_PATHS = ("/api/calls/trace", "/api/calls/trace.pcap", "/api/calls/trace.txt")


@pytest.fixture
def reader(console: Console) -> Iterator[httpx.Client]:
    """Give a reader who is signed in."""
    with stranger(console) as client:
        assert client.get(console.link()).status_code == 303
        yield client


def stranger(console: Console) -> httpx.Client:
    return httpx.Client(base_url=console.url, trust_env=False, headers=HTML)


def test_a_stranger_reaches_the_sign_in_page_health_and_static_files_and_nothing_else(console: Console) -> None:
    with stranger(console) as client:
        for path in ("/login", "/livez", "/readyz", "/static/console.css", "/static/icon.svg"):
            assert client.get(path).status_code == 200, path
        for path in ("/", "/leads", "/leads/1", "/_nicegui/x/static/nicegui.js", "/nothing", "/openapi.json", "/docs"):
            answer = client.get(path)
            assert answer.status_code == 302, path
            assert answer.headers["location"].startswith("/login?next="), path
        for path in (
            "/api/cdr/search",
            "/api/cdr/count",
            "/api/cdr/history",
            "/api/cdr/detail",
            "/api/cdr/keys",
            "/api/x",
            *TRACE_PATHS,
        ):
            assert client.get(path).status_code == 401, path
        socket_io = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
        assert client.get(socket_io, headers={"Accept": "*/*"}).status_code == 401
        assert client.post("/logout").status_code == 401
        assert client.get("/static/../guard.py").status_code != 200
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        assert client.get(socket_io.replace("polling", "websocket"), headers=upgrade).status_code == 403


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    with stranger(console) as client:
        cookie = client.get(console.link()).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_link_signs_in_once(console: Console) -> None:
    link = console.link("/leads")
    with stranger(console) as client:
        answer = client.get(link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/leads")
        assert client.get("/leads").status_code == 200
    with stranger(console) as second:
        assert second.get(link).status_code == 403
        assert second.get("/leads").status_code == 302


def test_signing_in_never_leads_to_another_site(console: Console) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "evil"):
        with stranger(console) as client:
            assert client.get(console.link(target)).headers["location"] == "/"


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(console: Console, reader: httpx.Client) -> None:
    assert reader.get("/").status_code == 200
    copy = dict(reader.cookies)
    assert reader.post("/logout", headers={"Origin": console.url}).status_code == 303
    assert reader.get("/").status_code == 302
    with httpx.Client(base_url=console.url, trust_env=False, headers=HTML, cookies=copy) as thief:
        assert thief.get("/").status_code == 302


def test_a_forged_host_or_origin_is_refused(console: Console, reader: httpx.Client) -> None:
    assert reader.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert reader.post("/logout", headers={"Origin": "http://evil.example"}).status_code == 403
    assert reader.get("/").status_code == 200


def test_the_first_start_asks_for_a_password_twice_then_for_it(empty_console: Console) -> None:
    with stranger(empty_console) as client:
        page = client.get("/login").text
        assert 'name="repeat"' in page
        assert "Đặt mật khẩu" in page
        for wrong in ({"password": "ngắn", "repeat": "ngắn"}, {"password": PASSWORD, "repeat": PASSWORD + "x"}):
            assert client.post("/login", data=wrong).status_code == 400
            assert client.get("/").status_code == 302
        assert client.post("/login", data={"password": PASSWORD, "repeat": PASSWORD}).status_code == 303
        assert client.get("/").status_code == 200
    with stranger(empty_console) as second:
        assert 'name="repeat"' not in second.get("/login").text
        assert second.post("/login", data={"password": "x" * 10_000}).status_code == 403
        assert second.post("/login", data={"password": PASSWORD}).status_code == 303
        assert second.get("/").status_code == 200
    with stranger(empty_console) as guesser:
        statuses = [guesser.post("/login", data={"password": f"đoán {n}"}).status_code for n in range(6)]
        assert statuses == [403, 403, 403, 403, 403, 429]
        assert guesser.post("/login", data={"password": PASSWORD}).status_code == 429


def test_the_sign_in_page_speaks_both_languages(console: Console) -> None:
    with stranger(console) as client:
        assert 'lang="vi"' in client.get("/login").text
        assert client.get("/lang/en?next=/login").headers["location"] == "/login"
        english = client.get("/login").text
        assert 'lang="en"' in english
        assert "password" in english.lower()


def test_readiness_names_the_dependency_that_is_ill(console: Console) -> None:
    with stranger(console) as client:
        well = client.get("/readyz")
        assert (well.status_code, well.json()["dependencies"]) == (200, {"database": "ok", "analytics": "ok"})
        broken = console.folder / "broken"
        broken.touch()
        try:
            ill = client.get("/readyz")
            assert (ill.status_code, ill.json()["dependencies"]["analytics"]) == (503, "down")
            assert client.get("/livez").status_code == 200
        finally:
            broken.unlink()


@pytest.mark.req("S0-21")
def test_the_api_answers_the_service_token_with_call_records(console: Console) -> None:
    with httpx.Client(base_url=console.url, trust_env=False, headers=BEARER) as client:
        history = msgspec.json.decode(
            client.get("/api/cdr/history", params={"phone": SHARED}).content, type=list[CallRow]
        )
        assert [call.phone_e164 for call in history] == [SHARED, SHARED]
        assert len({call.campaign_name for call in history}) == 2
        detail = client.get("/api/cdr/detail", params={"call_id": history[0].call_id}).content
        assert msgspec.json.decode(detail, type=CallRow) == history[0]
        assert client.get("/api/cdr/detail", params={"call_id": "none"}).content == b"null"
        assert client.get("/api/cdr/keys", params={"call_id": "none"}).content == b'""'
        query: dict[str, str | int | list[str]] = {
            "campaign": DIALED,
            "status": ["busy", "voicemail"],
            "phone": SHARED,
            "limit": 5,
        }
        found = msgspec.json.decode(client.get("/api/cdr/search", params=query).content, type=list[CallRow])
        assert [call.status for call in found] == ["busy"]
        assert client.get("/api/cdr/count", params=query).json() == 1


def test_the_api_takes_a_session_too(reader: httpx.Client) -> None:
    assert reader.get("/api/cdr/count", params={"phone": SHARED}).json() == 2


def test_p20_a_calls_signalling_is_for_who_is_signed_in_and_for_the_command_line(
    console: Console, reader: httpx.Client
) -> None:
    asked = {"call_id": TRACED}
    with stranger(console) as nobody, httpx.Client(base_url=console.url, trust_env=False, headers=BEARER) as program:
        for path in TRACE_PATHS:
            answers = [client.get(path, params=asked).status_code for client in (nobody, reader, program)]
            assert answers == [401, 200, 200], path
            assert reader.get(path, params={"call_id": "none"}).status_code == 404
    assert SHARED.lstrip("+") not in reader.get(TRACE_PATHS[2], params=asked).text


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("search", {"limit": "0", "phone": SHARED}),
        ("search", {"limit": "many", "phone": SHARED}),
        ("search", {"number": SHARED}),
        ("search", {"started_from": SHARED}),
        ("history", {"phone": SHARED, "limit": "0"}),
        ("history", {"limit": SHARED}),
        ("detail", {"id": SHARED}),
    ],
)
def test_a_wrong_question_gets_an_error_in_json_without_the_number(
    console: Console, path: str, query: dict[str, str]
) -> None:
    with httpx.Client(base_url=console.url, trust_env=False, headers=BEARER) as client:
        answer = client.get(f"/api/cdr/{path}", params=query)
    assert answer.status_code in {400, 422}
    assert set(answer.json()["error"]) == {"code", "message"}
    assert SHARED.lstrip("+") not in answer.text


def test_pages_forbid_framing_and_scripts_from_elsewhere(reader: httpx.Client) -> None:
    for path, kind in itertools.product(("/", "/login"), ("content-security-policy", "x-frame-options")):
        assert kind in reader.get(path).headers
