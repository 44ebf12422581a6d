"""Spoil SIP messages: what goes wrong on the wire, what attackers send, and what nobody thought of; cheap in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

WORDS: Final = (
    b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\r\n ", b" ", b"\t", b'"', b"<", b">", b"<>", b";", b",", b":", b"@",
    b"%", b"%00", b"%zz", b"\\", b"=", b"?", b"*", b"\xff\xfe", b"\xe5\xa4\xa7", b"-1", b"0", b"4294967296",
    b"99999999999999999999", b"SIP/2.0", b"SIP/7.0", b"sip:", b"sips:a", b"tel:+1", b"[::1]", b"[", b"z9hG4bK",
    b";branch=z9hG4bK", b";tag=", b";tag=x", b";rport", b";lr", b";maddr=10.0.0.1", b'";', b"', b'", b",<sip:a@b>",
    b"a" * 300, b"a" * 5_000,
)  # fmt: skip
"""What is put anywhere into a message."""
LINES: Final = tuple(
    line.encode()
    for line in """\
Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKmore
Via: SIP/2.0/UDP a;x="
v:
Route: <sip:x;lr>, <
Route: x
Record-Route: <sip:192.0.2.10;lr>
Record-Route: junk
Record-Route: <sip:r.example>
Record-Route: "
Contact: *
Contact: <sip:a@192.0.2.10:5070;transport=tcp>
Contact: sip:a@[::1]
Contact: "
m: <x
Require: 100rel
Require: nobody
Require: "a,
Supported: 100rel, timer
Supported: "a, <
k: ,
Allow: UPDATE
Allow: <,"
Session-Expires: 90;refresher=uac
Session-Expires: 1
x: 999999999999
Min-SE: 100000
Min-SE: -1
RSeq: 1
RSeq: 99999999999
RAck: 1 1 INVITE
RAck: x
Retry-After: 5 (x)
Content-Type: application/sdp
Content-Type: multipart/mixed;boundary=x
c: text/plain
Content-Encoding: gzip
Content-Disposition: session;handling=optional
Accept: text/plain
Accept: "
Max-Forwards: 0
Max-Forwards: 300
Content-Length: 0
Content-Length: 5
l: 99999
Content-Length: -1
Content-Length:
CSeq: 1 INVITE
CSeq: 99999999999 BYE
Call-ID: other
i:
From: <sip:a@b>
To: <sip:a@b>;tag=
t: junk
WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"
WWW-Authenticate: Digest
Proxy-Authenticate: Digest realm="r", nonce="m", stale=true, algorithm=SHA-256
Proxy-Authenticate: Basic realm="
Reason: Q.850;cause=16;text="
Event: x
X-Unknown: ;;,,
no colon here
: no name
N ame: x
""".splitlines()
)
"""Headers that are added, or whose value is given to another one."""
METHODS: Final = tuple(b"INVITE ACK BYE CANCEL OPTIONS UPDATE PRACK INFO REGISTER NOTIFY NEW invite".split())
STATUSES: Final = (
    100, 180, 183, 199, 200, 202, 302, 401, 407, 408, 422, 481, 487, 491, 503, 603, 699, 700, 99, 4294967301,
)  # fmt: skip
LENGTHS: Final = (b"0", b"1", b"99", b"70000", b"-1", b"x", b"")
T = TypeVar("T")
SELDOM: Final = 0.1
_MORE: Final = 0.3
"""How often one more thing is spoilt."""
_END: Final = b"\r\n\r\n"


class Mutator:
    """Spoil datagrams the same way for the same numbers of `random` (0 to 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._others: Sequence[bytes] = (b"",)
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._cut, self._delete, self._repeat, self._insert, self._insert, self._splice,
            self._drop_line, self._drop_line, self._double_line, self._move_line, self._add_line, self._add_line,
            self._add_line, self._value, self._value, self._method, self._status, self._length, self._branch,
            self._branch, self._cseq, self._tag, self._fold, self._large, self._noise,
        )  # fmt: skip

    def spoil(self, data: bytes, others: Sequence[bytes]) -> bytes:
        """Return the datagram with one or more things wrong; `others` are what it can be spliced with."""
        random, ways = self._random, self._ways
        self._others = others
        data = ways[int(random() * len(ways))](data)
        while random() < _MORE:
            data = ways[int(random() * len(ways))](data)
        return data

    def _at(self, data: Sequence[Any]) -> int:
        return int(self._random() * (len(data) + 1))

    def _one(self, things: Sequence[T]) -> T:
        return things[int(self._random() * len(things))]

    def _tossed(self) -> bool:
        return self._random() < 0.5  # noqa: PLR2004 -- a coin

    def _flip(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + _OCTETS[int(self._random() * 256)] + data[at + 1 :]

    def _cut(self, data: bytes) -> bytes:
        return data[: self._at(data)]

    def _delete(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + data[at + 1 + int(self._random() * 40) :]

    def _repeat(self, data: bytes) -> bytes:
        start = self._at(data)
        end = start + int(self._random() * 60)
        return data[:end] + data[start:end] * (1 + int(self._random() * 3)) + data[end:]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._one(WORDS) + data[at:]

    def _splice(self, data: bytes) -> bytes:
        other = self._one(self._others)
        return data[: self._at(data)] + other[self._at(other) :]

    def _lines(self, data: bytes) -> tuple[list[bytes], bytes]:
        head, end, body = data.partition(_END)
        return head.split(b"\r\n"), end + body

    def _drop_line(self, data: bytes) -> bytes:
        lines, rest = self._lines(data)
        del lines[min(self._at(lines), len(lines) - 1)]
        return b"\r\n".join(lines) + rest

    def _double_line(self, data: bytes) -> bytes:
        lines, rest = self._lines(data)
        return b"\r\n".join([*lines, self._one(lines)]) + rest

    def _move_line(self, data: bytes) -> bytes:
        lines, rest = self._lines(data)
        lines.insert(self._at(lines), lines.pop(int(self._random() * len(lines))))
        return b"\r\n".join(lines) + rest

    def _add_line(self, data: bytes) -> bytes:
        at = data.find(b"\r\n")
        return data[:at] + b"\r\n" + self._one(LINES) + data[at:] if at > 0 else data + self._one(LINES)

    def _value(self, data: bytes) -> bytes:
        """Give a header of the message the value of another one, or a word."""
        lines, rest = self._lines(data)
        n = int(self._random() * len(lines))
        name, _, _ = lines[n].partition(b":")
        value = self._one(WORDS) if self._tossed() else self._one(LINES).partition(b":")[2]
        lines[n] = name + b":" + value
        return b"\r\n".join(lines) + rest

    def _method(self, data: bytes) -> bytes:
        _, blank, rest = data.partition(b" ")
        method = self._one(METHODS)
        if self._tossed():  # CSeq says the same, or not
            at = rest.find(b"CSeq: ")
            end = rest.find(b"\r\n", at)
            number = rest[at + 6 : end].partition(b" ")[0]
            rest = rest[:at] + b"CSeq: " + number + b" " + method + rest[end:] if at > 0 else rest
        return method + blank + rest

    def _status(self, data: bytes) -> bytes:
        if not data.startswith(b"SIP/2.0 "):
            return data
        return b"SIP/2.0 %d %s" % (self._one(STATUSES), data[12:])

    def _after(self, data: bytes, mark: bytes, value: bytes) -> bytes:
        """Put a value in place of what follows a mark, up to the next `;` or the line's end."""
        at = data.find(mark)
        if at < 0:
            return data
        at += len(mark)
        ends = [end for end in (data.find(b";", at), data.find(b"\r", at)) if end >= 0]
        return data[:at] + value + data[min(ends, default=len(data)) :]

    def _number(self) -> bytes:
        return b"%d" % (self._random() * 1e9)

    def _length(self, data: bytes) -> bytes:
        return self._after(data, b"Content-Length: ", self._one(LENGTHS))

    def _branch(self, data: bytes) -> bytes:
        return self._after(data, b"branch=", b"z9hG4bK" + self._number())

    def _cseq(self, data: bytes) -> bytes:
        at = data.find(b"CSeq: ")
        end = data.find(b" ", at + 6)
        number = self._number() if self._random() < SELDOM else b"%d" % (self._random() * 120)
        return data[: at + 6] + number + data[end:] if at > 0 and end > 0 else data

    def _tag(self, data: bytes) -> bytes:
        return self._after(data, b";tag=", self._one((b"", b"x", self._number())))

    def _fold(self, data: bytes) -> bytes:
        return data.replace(b": ", b":\r\n ", 1 + int(self._random() * 4))

    def _large(self, data: bytes) -> bytes:
        """Make it too large, seldom: most of these would only cost time."""
        if self._random() > SELDOM:
            return self._insert(data)
        return self._add_line(data).replace(b"\r\n", b"\r\nX: " + b"y" * int(self._random() * 70_000) + b"\r\n", 1)

    def _noise(self, data: bytes) -> bytes:
        """Return octets that are no message at all, seldom."""
        if self._random() > SELDOM:
            return self._flip(data)
        return b"".join([_OCTETS[int(self._random() * 256)] for _ in range(int(self._random() * 60))])


_OCTETS: Final = tuple(bytes([octet]) for octet in range(256))
