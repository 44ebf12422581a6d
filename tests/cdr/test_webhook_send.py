"""Posts to a real receiver that misbehaves, and the addresses that are never posted to."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Sequence
from email.utils import formatdate

import pytest

from cdr.webhook_policy import Failure
from cdr.webhook_send import BODY_MAX, Resolve, Sender
from tests.cdr.receiver import (
    PEM,
    Behave,
    answer,
    close_before_answering,
    close_inside_the_body,
    close_inside_the_head,
    drip,
    endless,
    hang,
    receiving,
    slow,
)

NOW = 1_790_000_000.0
BODY = b'{"call_id":"call-1"}'
HEADERS = {"X-Dialer-Event-Id": "e-1"}


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender(private=True, deadline_s=0.6)
    yield made
    await made.close()


async def test_the_body_arrives_as_it_is(sender: Sender) -> None:
    with receiving() as receiver:
        assert await sender.send(f"{receiver.url}?k=1", BODY, HEADERS, now=NOW) is None
    (post,) = receiver.posts
    assert (post.path, post.body, post.event_id) == ("/calls?k=1", BODY, "e-1")
    assert post.headers["content-type"] == "application/json"
    assert post.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert post.headers["user-agent"].startswith("predictive-dialer/")


async def test_a_connection_is_used_again_and_no_cookie_comes_back(sender: Sender) -> None:
    with receiving(answer(204, b"", Set_Cookie="a=b; Path=/")) as receiver:
        for _ in range(3):
            assert await sender.send(receiver.url, BODY, HEADERS, now=NOW) is None
        await sender.close()
    assert len({post.client_port for post in receiver.posts}) == 1
    assert not any("cookie" in post.headers for post in receiver.posts)


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (answer(202), None),
        (answer(500), Failure("the receiver answered 500 Internal Server Error")),
        (answer(400), Failure("the receiver answered 400 Bad Request")),
        (answer(599), Failure("the receiver answered 599")),
        (answer(410), Failure("the receiver answered 410 Gone", final=True)),
        (answer(429, Retry_After="7"), Failure("the receiver answered 429 Too Many Requests", 7.0)),
        (answer(503, Retry_After=formatdate(NOW + 90, usegmt=True)),
         Failure("the receiver answered 503 Service Unavailable", 90.0)),
        (answer(503, Retry_After=formatdate(NOW - 90, usegmt=True)),
         Failure("the receiver answered 503 Service Unavailable", 0.0)),
        (answer(429, Retry_After="soon"), Failure("the receiver answered 429 Too Many Requests")),
        (slow(0.1), None),
        (hang(1.5), Failure("no answer within 0.6 s")),
        (close_before_answering, Failure("the receiver closed the connection before it answered")),
        (close_inside_the_head, Failure("the receiver closed the connection before it answered")),
        (close_inside_the_body, None),
    ],
)  # fmt: skip
async def test_what_the_receiver_does_decides(sender: Sender, behave: Behave, expected: Failure | None) -> None:
    with receiving(behave) as receiver:
        assert await sender.send(receiver.url, BODY, HEADERS, now=NOW) == expected
        await sender.close()
    assert len(receiver.posts) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_redirects_are_not_followed(sender: Sender, code: int) -> None:
    with receiving() as inner, receiving(answer(code, Location=inner.url)) as receiver:
        failure = await sender.send(receiver.url, BODY, HEADERS, now=NOW)
        await sender.close()
    assert failure is not None
    assert f"answered {code}" in failure.error
    assert "redirects are not followed" in failure.error
    assert inner.posts == []


async def test_an_answer_that_drips_was_an_answer() -> None:
    sender = Sender(private=True)
    with receiving(drip) as receiver:
        began = time.monotonic()
        assert await sender.send(receiver.url, BODY, HEADERS, now=NOW) is None
        assert time.monotonic() - began < 5
        await sender.close()


async def test_little_of_an_endless_answer_is_read(sender: Sender) -> None:
    written: list[int] = []
    with receiving(endless(written)) as receiver:
        assert await sender.send(receiver.url, BODY, HEADERS, now=NOW) is None
        await sender.close()
    assert sum(written) < BODY_MAX + 8_000_000, "the rest is what sockets buffer, not 320 MB"


async def test_nobody_there(sender: Sender) -> None:
    with receiving() as receiver:
        url = receiver.url
    assert await sender.send(url, BODY, HEADERS, now=NOW) == Failure("the receiver cannot be reached: no connection")
    unknown = await sender.send("https://nobody.invalid/", BODY, HEADERS, now=NOW)
    assert unknown is not None
    assert unknown.error in {"the receiver's name cannot be resolved", "no answer within 0.6 s"}


def resolving(*answers: Sequence[str]) -> Resolve:
    left = list(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0)

    return resolve


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
async def test_inner_addresses_are_refused_whatever_name_leads_to_them(address: str) -> None:
    with receiving() as receiver:
        sender = Sender(resolve=resolving([address], ["93.184.216.34", address]))
        for _ in range(2):
            failure = await sender.send(f"https://crm.example.com:{receiver.port}/", BODY, HEADERS, now=NOW)
            assert failure is not None
            assert failure.error.startswith("not posted: ")
            assert not failure.final, "a name may lead elsewhere tomorrow"
        await sender.close()
    assert receiver.posts == []


async def test_numbers_in_disguise_are_refused() -> None:
    sender = Sender()
    for host in ("2130706433", "0x7f000001", "127.1", "localhost", "[::ffff:127.0.0.1]"):
        failure = await sender.send(f"https://{host}/", BODY, HEADERS, now=NOW)
        assert failure is not None
        assert failure.error.startswith("not posted: 127.0.0.1 is an address of a private network")
    await sender.close()


async def test_plain_http_stays_inside() -> None:
    sender = Sender(private=True, resolve=resolving(["93.184.216.34"]))
    failure = await sender.send("http://crm.example.com/", BODY, HEADERS, now=NOW)
    assert failure == Failure("not posted: 93.184.216.34 is a public address: use https")


async def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    with receiving() as receiver:
        sender = Sender(private=True, deadline_s=5, resolve=resolving(["127.0.0.2", "127.0.0.1"]))
        assert await sender.send(f"http://crm:{receiver.port}/", BODY, HEADERS, now=NOW) is None
        await sender.close()
    assert [post.headers["host"] for post in receiver.posts] == [f"crm:{receiver.port}"]


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(PEM))


@pytest.mark.parametrize(
    ("host", "tls", "words"),
    [
        ("receiver.test", trusting(), None),
        ("another.test", trusting(), "Hostname mismatch"),
        ("receiver.test", None, "self-signed certificate"),
    ],
)
async def test_the_certificate_is_checked_for_the_name_not_the_address(
    host: str, tls: ssl.SSLContext | None, words: str | None
) -> None:
    with receiving(tls=True) as receiver:
        sender = Sender(private=True, tls=tls, resolve=resolving(["127.0.0.1"]))
        failure = await sender.send(f"https://{host}:{receiver.port}/", BODY, HEADERS, now=NOW)
        await sender.close()
    assert len(receiver.posts) == (words is None)
    if words is None:
        assert failure is None
    else:
        assert failure is not None
        assert failure.error.startswith("the TLS certificate cannot be trusted: ")
        assert words in failure.error


async def test_two_names_at_one_address_do_not_share_a_checked_connection() -> None:
    with receiving(tls=True) as receiver:
        sender = Sender(private=True, tls=trusting(), resolve=resolving(["127.0.0.1"], ["127.0.0.1"]))
        assert await sender.send(f"https://receiver.test:{receiver.port}/", BODY, HEADERS, now=NOW) is None
        failure = await sender.send(f"https://another.test:{receiver.port}/", BODY, HEADERS, now=NOW)
        await sender.close()
    assert failure is not None
    assert "Hostname mismatch" in failure.error
    assert len(receiver.posts) == 1


async def test_no_proxy_is_used(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver, receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await sender.send(receiver.url, BODY, HEADERS, now=NOW) is None
        await sender.close()
    assert (len(receiver.posts), proxy.posts) == (1, [])
