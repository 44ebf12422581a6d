"""P19: whatever a message says and wherever, no phone number and no secret of it is left; it can still be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.sdp import parse
from telephony_adapters.tracing.ladder import summarize
from telephony_adapters.tracing.mask import HIDDEN_FROM, SHOWN, mask_message
from tests.telephony_adapters.tracing.sample import calls

OURS = "01993b1e-7c00-7a11-8b22-9c3344556677"
HEADS = [
    "INVITE sip:{n}@10.0.0.1:5060;user=phone SIP/2.0",
    "INVITE tel:{n};phone-context=+84 SIP/2.0",
    "SIP/2.0 480 {n} is not here",
]
HEADERS = [
    "Via: SIP/2.0/UDP 192.168.100.200:5060;rport;branch=z9hG4bK{n}x;received=10.0.0.2",
    'From: "{n}" <sip:{n}@10.0.0.1>;tag={n}',
    "t: Khách {n} <sip:+{n}@10.0.0.1;user=phone>;tag=abc",
    "Contact: <sip:{n}@10.0.0.1:5060>;expires=3600",
    "P-Asserted-Identity: <tel:{n}>",
    "Diversion: <sip:{n}@10.0.0.1>;reason=unconditional",
    "History-Info: <sip:{n}@10.0.0.1?Reason=SIP%3Bcause%3D302>;index=1.1",
    "Call-ID: {n}@10.0.0.1",
    "Warning: 399 10.0.0.1:5060 {n}",
    "Subject: gọi {n}, xin",
    'Proxy-Authorization: Digest username="{n}", realm="{n}", uri="sip:{n}@10.0.0.1", nonce="{n}", nc={n}',
    "X-Anything: a={n};b=({n})",
]
FIGURES = ["CSeq: {n} INVITE", "Expires: {n}", "RAck: {n} 1 INVITE", "Timestamp: {n}", "l: 0"]
TEXTS = ["s={n}", "i=({n})", "p=+{n}", "u=sip:{n}@10.0.0.1", "a=x-number:{n}", "{n}"]
SDP_FIGURES = [
    "o={n} 1 1 IN IP4 10.0.0.1",
    "m=audio 40000 RTP/AVP 8 0 18 101",
    "t={n} 0",
    "a=ssrc:{n} cname:{n}",
    "a=fmtp:101 {n}",
    "b=AS:{n}",
]

digits = st.text("123456789", min_size=8, max_size=15)
plain = st.sampled_from(["{}", "+{}", "%2B{}", "x{}y", "00{}"])
spaced = st.sampled_from(["-", ".", " ", ") ", "%20", "\r\n "])


def written(number: str, style: str, separator: str, step: int) -> str:
    """Write a number as people do, a separator after every `step` digits."""
    return style.format(separator.join(number[at : at + step] for at in range(0, len(number), step)))


def squeezed(data: bytes, between: str) -> str:
    """Leave out what may stand between digits, and read escapes."""
    text = re.sub(r"%([0-9A-Fa-f]{2})", lambda code: chr(int(code[1], 16)), data.decode())
    return re.sub(f"[{between}]", "", text)


def fill(number: str, head: str, headers: list[str], body: list[str]) -> bytes:
    text = "\r\n".join(body).replace("{n}", number)
    lines = [line.replace("{n}", number) for line in [head, *headers]]
    return ("\r\n".join([*lines, f"Content-Length: {len(text.encode())}"]) + "\r\n\r\n" + text).encode()


def assert_hidden(number: str, filled: bytes, empty: bytes, *, between: str) -> None:
    masked = mask_message(filled)
    assert len(masked) == len(filled)
    left, known = squeezed(masked, between), squeezed(empty, between)
    for start in range(len(number) - SHOWN - 3):
        part = number[start : start + 5]
        assert part not in left or part in known, (part, masked)
    assert masked.partition(b"\r\n\r\n")[0].count(b"\r\n") == filled.partition(b"\r\n\r\n")[0].count(b"\r\n")


@given(digits, plain, spaced, st.integers(2, 15), st.sampled_from(HEADS))
@example("19001234", "{}", "-", 2, HEADS[0])
@example("84912345678", "%2B{}", "%20", 3, HEADS[1])
def test_p19_no_number_survives_in_any_text(number: str, style: str, separator: str, step: int, head: str) -> None:
    name = written(number, style, separator, step)
    assume(not re.search(r"(^|\D)\d+(\.\d+){3}(\D|$)", name))  # that is an address
    folded = "\n" in separator  # only a header may go on in the next line
    first = head.replace("{n}", "x") if folded else head
    body = [] if folded else TEXTS
    assert_hidden(number, fill(name, first, HEADERS, body), fill("x", first, HEADERS, body), between=r"-.() \t\r\n")


@given(digits, plain, st.sampled_from(["", "-", "%20"]))
def test_p19_no_number_survives_where_figures_stand(number: str, style: str, separator: str) -> None:
    name = written(number, style, separator, 3)
    head = "BYE sip:a@10.0.0.1 SIP/2.0"
    assert_hidden(
        number, fill(name, head, FIGURES, SDP_FIGURES), fill("x", head, FIGURES, SDP_FIGURES), between=r"-.()"
    )


@given(st.binary(max_size=300) | st.text('0129%3-. \r\n:;"<>@=avoSIP/', max_size=300).map(str.encode))
def test_nothing_that_comes_from_the_wire_breaks_it_or_changes_its_length(data: bytes) -> None:
    assert len(mask_message(data)) == len(data)


def test_what_is_no_number_stays() -> None:
    kept = fill(
        "1005",
        "INVITE sip:{n}@10.20.30.40:5060 SIP/2.0",
        [
            "Via: SIP/2.0/UDP 192.168.100.200:50600;branch=z9hG4bKa1b2",
            f"Call-ID: {OURS}-a@192.168.100.200",
            f"Replaces: {OURS};to-tag=7;from-tag=8",
            "CSeq: 314159 INVITE",
            "Date: Sat, 13 Nov 2026 23:29:00 GMT",
            "User-Agent: dialer/0.1.0",
            "Contact: <sip:{n}@[2001:db8::1]:5061;transport=tls>;expires=3600",
            'Proxy-Authenticate: Digest realm="carrier.example", algorithm=SHA-256, qop="auth", stale=true',
        ],
        [
            "v=0", "o=- 1 2 IN IP4 192.168.100.200", "c=IN IP4 192.168.100.200", "t=0 0",
            "m=audio 40000 RTP/AVP 8 0 18 101 13 96", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
        ],
    )  # fmt: skip
    assert mask_message(kept) == kept


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("From: <sip:+84900000123@10.0.0.1>;tag=a", "From: <sip:+********123@10.0.0.1>;tag=a"),
        ("To: <tel:+84-90-000-0123>", "To: <tel:+**-**-***-*123>"),
        ("To: <sip:%30900000123@h>", "To: <sip:%2A******123@h>"),
        ("To: <sip:90.12.34.56@h>", "To: <sip:**.**.*4.56@h>"),
        ("Subject: +90.12.34.56", "Subject: +**.**.*4.56"),
        ("Subject: (090) 000 0123", "Subject: (***) *** *123"),
        ("Warning: 399 10.0.0.1 0900000123", "Warning: 399 10.0.0.1 *******123"),
        ("CSeq: 1829473826 INVITE", "CSeq: 0000000826 INVITE"),
        ("Call-ID: 84900000123@h", "Call-ID: ********123@h"),
        ('Authorization: Digest username="a b", response="5ec2e7", nonce=n0', None),
        ('WWW-Authenticate: Digest realm="r", nonce="n\\"0", opaque="o', None),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-Authorization: ***** ************"),
        ("Authorization: Bearer eyJ0.eyJ1", "Authorization: ****** *********"),
        ("Identity: eyJ0.eyJ1.sig;info=<https://x>", "Identity: " + "*" * 30),
        ("y: eyJ0", "y: ****"),
    ],
)
def test_each_header_is_masked_in_its_own_way(line: str, left: str | None) -> None:
    masked = mask_message(f"BYE sip:a@b SIP/2.0\r\n{line}\r\n\r\n".encode()).decode().split("\r\n")[1]
    if left is not None:
        assert masked == left
    else:
        assert re.sub(r'(username|response|nonce|opaque)=("?)[* ]+', r"\1=\2", masked).count("*") == 0
        assert not re.search(r"5ec2e7|n0|a b|\"o", masked)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b"\x01\x00\x00\x00\x09\x00\x21", b"*" * 7),  # ISUP: digits in half bytes
        (b"k=clear:s3cr3t", b"k=************"),
        (b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20", None),
        (b"a=ice-pwd:s3cr3ts3cr3t", b"a=ice-pwd:************"),
        (b"o=0900000123 1790000000 1 IN IP4 10.0.0.1", b"o=0000000123 0000000000 1 IN IP4 10.0.0.1"),
        (b"<entity>tel:+84900000123</entity>", b"<entity>tel:+********123</entity>"),
    ],
)
def test_bodies_keep_neither_numbers_nor_keys(body: bytes, left: bytes | None) -> None:
    masked = mask_message(b"INFO sip:a@b SIP/2.0\r\nl: 9\r\n\r\n" + body).partition(b"\r\n\r\n")[2]
    assert masked == left if left is not None else b"c2VjcmV0" not in masked
    assert len(masked) == len(body)


def test_bare_line_feeds_are_lines_too() -> None:
    masked = mask_message(b"BYE sip:a@b SIP/2.0\nCSeq: 1829473826 BYE\n\ns=0900000123\n")
    assert masked == b"BYE sip:a@b SIP/2.0\nCSeq: 0000000826 BYE\n\ns=*******123\n"


def test_short_numbers_are_nobodys() -> None:
    assert mask_message(b"1" * (HIDDEN_FROM - 1)) == b"111111"
    assert mask_message(b"1" * HIDDEN_FROM) == b"****111"


@pytest.mark.parametrize("head", ["", "Authorization: Digest ", "CSeq: ", "X: ", "\r\n\r\na=crypto:"])
@pytest.mark.parametrize("piece", ["a", "1", "1 ", "1    ", "1.", "a=", 'a="', " ", "%3", "k=a=crypto:", "\r\n ", "0-"])
def test_no_message_however_made_takes_long(head: str, piece: str) -> None:
    # What grows with the square of the length would run into the time that a test has.
    data = f"BYE sip:a@b SIP/2.0\r\n{head}{piece * (65_000 // len(piece))}".encode()
    assert len(mask_message(data)) == len(data)
    assert summarize(b"SIP/2.0 200 OK\r\nReason: " + data).kind == "success"


@pytest.mark.parametrize("number", range(len(calls())))
def test_what_is_left_of_a_message_parses_as_it_did(number: int) -> None:
    data = calls()[number][3]
    before, after = parse_message(data), parse_message(mask_message(data))
    for name in ("via", "from_tag", "to_tag", "call_id", "cseq", "cseq_method"):
        assert getattr(before, name) == getattr(after, name)
    assert len(before.body) == len(after.body)
    if after.body:
        old, new = parse(before.body), parse(after.body)
        assert new.media == old.media
