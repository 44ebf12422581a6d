"""The parser: what is taken, what is refused and how, and that the quick ways read the same as the slow ones."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip import parse
from telephony_adapters.sip.message import Request, Response, Via
from telephony_adapters.sip.parse import (
    MAX_BODY,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_REPEATED,
    MAX_VALUE,
    Reject,
    SipSyntax,
    parse_message,
    parse_via,
)

HEAD = {
    "Via": "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKx", "From": "<sip:a@b>;tag=t", "To": "<sip:c@d>",
    "Call-ID": "i", "CSeq": "1 OPTIONS", "Max-Forwards": "70",
}  # fmt: skip


def write(line: str = "OPTIONS sip:c@d SIP/2.0", *more: str, body: bytes = b"", **changes: str | None) -> bytes:
    names = {name.replace("-", "_").lower(): name for name in HEAD} | {"from_": "From"}
    headers = HEAD | {names[name]: value for name, value in changes.items()}
    lines = [line, *(f"{name}: {value}" for name, value in headers.items() if value is not None), *more, "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def test_a_request_is_read() -> None:
    request = parse_message(write(body=b"rest"))
    assert isinstance(request, Request)
    assert (request.method, request.uri, request.cseq, request.body) == ("OPTIONS", "sip:c@d", 1, b"rest")


def test_a_response_is_read_with_or_without_a_phrase_and_whatever_is_in_it() -> None:
    for line, reason in (("SIP/2.0 200 OK", "OK"), ("sip/2.0 200", ""), ("SIP/2.0 200 \udcff =x", "\udcff =x")):
        response = parse_message(write(line))
        assert isinstance(response, Response)
        assert (response.status, response.reason) == (200, reason)


def test_folded_lines_are_one_and_blanks_around_values_go() -> None:
    request = parse_message(write("OPTIONS sip:c@d SIP/2.0", "Subject :  a\r\n \t b\r\n\tc  ", "e: x"))
    assert request.get("Subject") == "a b c"
    assert request.get("Content-Encoding") == "x"


def test_leading_empty_lines_are_skipped_and_a_longer_body_is_cut() -> None:
    request = parse_message(b"\r\n\r\n" + write("OPTIONS sip:c@d SIP/2.0", "l: 2", body=b"abc"))
    assert request.body == b"ab"


@pytest.mark.parametrize(
    ("data", "why", "status"),
    [
        (b"", Reject.EMPTY, None),
        (b"\r\n\r\n", Reject.EMPTY, None),
        (b"\0\0\0\0", Reject.EMPTY, None),
        (b"OPTIONS sip:a SIP/2.0\r\n", Reject.NO_END, None),
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", Reject.HEADER, None),
        (write("OPTIONS  sip:c@d SIP/2.0"), Reject.START_LINE, 400),
        (write("OPTIONS sip:c@d"), Reject.START_LINE, 400),
        (write("OPT(ONS sip:c@d SIP/2.0"), Reject.START_LINE, 400),
        (write("OPTIONS sip:c@d SIP/3.0"), Reject.VERSION, 505),
        (write("OPTIONS <sip:c@d> SIP/2.0"), Reject.REQUEST_URI, 400),
        (write("OPTIONS nothing SIP/2.0"), Reject.REQUEST_URI, 400),
        (write("SIP/2.0 700 x"), Reject.START_LINE, None),
        (write("SIP/2.0 20 x"), Reject.START_LINE, None),
        (write("OPTIONS sip:c@d SIP/2.0", "no colon"), Reject.HEADER, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "b d: x"), Reject.HEADER, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "Subject: a\rb"), Reject.BARE_NEWLINE, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "Subject: a\nb"), Reject.BARE_NEWLINE, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "t: <sip:x@y>"), Reject.REPEATED, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "CSEQ: 1 OPTIONS"), Reject.REPEATED, 400),
        (write(via=None), Reject.MISSING, 400),
        (write(call_id=None), Reject.MISSING, 400),
        (write(to=None), Reject.MISSING, 400),
        (write(call_id=""), Reject.CALL_ID, 400),
        (write(call_id="a b"), Reject.CALL_ID, 400),
        (write(cseq="1 INVITE"), Reject.CSEQ, 400),
        (write(cseq="x OPTIONS"), Reject.CSEQ, 400),
        (write(cseq="2147483648 OPTIONS"), Reject.CSEQ, 400),
        (write(cseq="-1 OPTIONS"), Reject.CSEQ, 400),
        (write(cseq="٣ OPTIONS"), Reject.CSEQ, 400),
        (write(cseq="1"), Reject.CSEQ, 400),
        (write(max_forwards="256"), Reject.MAX_FORWARDS, 400),
        (write(max_forwards="x"), Reject.MAX_FORWARDS, 400),
        (write(from_="x"), Reject.ADDRESS, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "Contact: <sip:x"), Reject.ADDRESS, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "Contact: <sip:x>, y"), Reject.ADDRESS, 400),
        (write(via="SIP/2.0/UDP"), Reject.VIA, 400),
        (write(via="SIP/2.0/UDP a:0"), Reject.VIA, 400),
        (write(via="SIP/2.0/UDP a:65536;branch=z"), Reject.VIA, 400),
        (write(via="SIP/3.0/UDP a;branch=z"), Reject.VIA, 400),
        (write(via="SIP/2.0/UDP a;;branch=z"), Reject.VIA, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "l: 9", body=b"abc"), Reject.SHORT_BODY, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "l: -1"), Reject.CONTENT_LENGTH, 400),
        (write("OPTIONS sip:c@d SIP/2.0", "l: 1x"), Reject.CONTENT_LENGTH, 400),
        (write("OPTIONS sip:c@d SIP/2.0", f"l: {MAX_BODY + 1}"), Reject.CONTENT_LENGTH, 400),
        (write(body=b"x" * (MAX_BODY + 1)), Reject.TOO_LARGE, 513),
        (write("OPTIONS sip:c@d SIP/2.0", "Subject: " + "x" * (MAX_VALUE + 1)), Reject.TOO_LARGE, 513),
        (write("OPTIONS sip:c@d SIP/2.0", "Via: SIP/2.0/UDP x;y=" + "z" * MAX_REPEATED), Reject.TOO_LARGE, 513),
        (write("OPTIONS sip:c@d SIP/2.0", *["Via: SIP/2.0/UDP proxy.example.net"] * 240), Reject.TOO_LARGE, 513),
        (write("OPTIONS sip:c@d SIP/2.0", *["X: y"] * MAX_HEADERS), Reject.TOO_LARGE, 400),
        (write("OPTIONS sip:c@d SIP/2.0", *[f"X: {'y' * 16_000}"] * (MAX_HEAD // 16_000 + 1)), Reject.TOO_LARGE, None),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(data: bytes, why: Reject, status: int | None) -> None:
    with pytest.raises(SipSyntax) as caught:
        parse_message(data)
    assert (caught.value.why, caught.value.status) == (why, status)


def test_what_was_read_before_the_fault_is_kept_for_the_answer() -> None:
    with pytest.raises(SipSyntax) as caught:
        parse_message(write(cseq="1 INVITE"))
    assert caught.value.method == "OPTIONS"
    assert dict(caught.value.headers) == HEAD | {"CSeq": "1 INVITE"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SIP/2.0/UDP a", Via("UDP", "a", None, {})),
        ("sip/2.0/udp a:5060;Branch=z", Via("udp", "a", 5060, {"branch": "z"})),
        ("SIP / 2.0 / TLS first.example.com: 4000 ;ttl=16", Via("TLS", "first.example.com", 4000, {"ttl": "16"})),
        ("SIP/2.0/UDP [2001:db8::1]:5060;branch=z", Via("UDP", "2001:db8::1", 5060, {"branch": "z"})),
        ("SIP/2.0/UDP a;branch=z;rport", Via("UDP", "a", None, {"branch": "z", "rport": ""})),
        ("SIP/2.0/UDP a;branch=z,SIP/2.0/UDP b", Via("UDP", "a", None, {"branch": "z"})),
        ('SIP/2.0/UDP a;x="1;2, 3";branch=z , b', Via("UDP", "a", None, {"x": '"1;2, 3"', "branch": "z"})),
        ("SIP/2.0/UDP a ; branch = z", Via("UDP", "a", None, {"branch": "z"})),
    ],
)
def test_a_via_is_read_however_it_is_spaced(value: str, expected: Via) -> None:
    assert parse_via(value) == expected


class _Never:
    """A pattern that matches nothing: the slow way is taken."""

    @staticmethod
    def fullmatch(_value: str) -> None:
        return None


PIECE = st.text('aZ09.-:;=,<>"[] \tzrport\\\udcff%é', max_size=14)


@pytest.mark.parametrize(
    ("quick", "begins", "reads"),
    [
        ("_VIA", "SIP/2.0/UDP a.b:5060;branch=z9hG4bKx", parse_via),
        ("_ADDRESS", '"x" <sip:a@b>;tag=t', parse._tag),
    ],
)
@given(data=st.data())
def test_the_quick_way_reads_what_the_slow_way_reads(quick: str, begins: str, reads: Any, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(begins)))
    end = data.draw(st.integers(at, min(len(begins), at + 3)))
    value = begins[:at] + data.draw(PIECE) + begins[end:]

    def outcome() -> object:
        try:
            return reads(value)
        except SipSyntax as error:
            return error.why

    fast = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse, quick, _Never)
        slow = outcome()
    assert fast == slow


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_message_or_a_reason(data: bytes) -> None:
    for noise in (data, write() + data, write("OPTIONS sip:c@d SIP/2.0", body=data)[: 60 + len(data)]):
        with suppress(SipSyntax):
            parse_message(noise)
