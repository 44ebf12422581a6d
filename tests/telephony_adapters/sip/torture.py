"""The torture messages of RFC 4475, retyped in its own notation (section 2), and what is to be done with each.

`rfc4475/NAME.txt` is one message: each line ends with CR LF, `<allOneLine>` joins lines, `<hex>` stands for octets and
`<repeat count=N>` repeats. `rfc4475/SHA256SUMS` are the sums of the messages in the RFC's archive (appendix A): a slip
of the pen is found by a test. `rfc` is everything that the RFC allows, best first; `ours` is what this core does.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "rfc4475"
_BLOCK: Final = re.compile(r"<allOneLine>\n(.*?)</allOneLine>", re.DOTALL)
_REPEAT: Final = re.compile(r"<repeat count=(\d+)>(.*?)</repeat>")
_HEX: Final = re.compile(rb"<hex>([0-9A-F]+)</hex>")


class Do(StrEnum):
    """What becomes of a message that is not answered here and now."""

    ACCEPT = "accepted"
    """Its reader gets it: the application as an event."""
    DROP = "dropped"
    """It leaves no trace but a count."""


class Layer(StrEnum):
    """Who decides."""

    PARSER = "parser"
    TRANSACTION = "transaction"
    AGENT = "user agent"
    APPLICATION = "application"


Outcome = Do | int


class Vector(NamedTuple):
    """One message; a number among `rfc` and `ours` is the status of the answer."""

    name: str
    section: str
    title: str
    rfc: tuple[Outcome, ...]
    ours: Outcome
    layer: Layer
    why: str

    @property
    def data(self) -> bytes:
        """Return the message's octets."""
        return expand((FOLDER / f"{self.name}.txt").read_text(encoding="ascii"))

    @property
    def transport(self) -> str:
        """Return the transport that its topmost Via names, in small letters."""
        found = re.search(rb"^v(?:ia)?\s*:\s*SIP\s*/\s*[\d.]+\s*/\s*(\w+)", self.data, re.IGNORECASE | re.MULTILINE)
        assert found, self.name
        return found[1].decode().lower()


def expand(text: str) -> bytes:
    """Return the octets of a message in the notation of RFC 4475 section 2."""
    text = _BLOCK.sub(lambda found: found[1].replace("\n", ""), text)
    text = _REPEAT.sub(lambda found: found[2] * int(found[1]), text)
    raw = text.encode("ascii").replace(b"\n", b"\r\n")
    return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), raw)


def _vector(key: str, title: str, rfc: tuple[Outcome, ...], ours: Outcome, layer: Layer, why: str) -> Vector:  # noqa: PLR0917 -- a table's columns
    section, name = key.split()
    return Vector(name, section, title, rfc, ours, layer, why)


_A, _D = Do.ACCEPT, Do.DROP
_P, _T, _U, _X = Layer.PARSER, Layer.TRANSACTION, Layer.AGENT, Layer.APPLICATION

VALID: Final = (
    _vector("3.1.1.1 wsinv", "A Short Tortuous INVITE", (_A, 481), 481, _U,
            "read in full; its To has a tag of no dialog that we have"),
    _vector("3.1.1.2 intmeth", "Wide Range of Valid Characters", (501, 404), 501, _U,
            "no such method here: Allow lists those that there are"),
    _vector("3.1.1.3 esc01", "Valid Use of the % Escaping Mechanism", (_A,), _A, _X,
            "%XX stays as it came, so nothing is undone twice"),
    _vector("3.1.1.4 escnull", "Escaped Nulls in URIs", (_A,), _A, _X, "%00 does not end a user name"),
    _vector("3.1.1.5 esc02", "Use of % When It Is Not an Escape", (501, _A), 501, _U,
            "RE%47IST%45R is not REGISTER, C%6Fntact is no Contact"),
    _vector("3.1.1.6 lwsdisp", "Message with No LWS between Display Name and <", (_A,), _A, _X,
            "a display name needs no blank before the bracket"),
    _vector("3.1.1.7 longreq", "Long Values in Header Fields", (_A,), _A, _X,
            "34 Vias and long values are below our limits"),
    _vector("3.1.1.8 dblreq", "Extra Trailing Octets in a UDP Datagram", (_A,), _A, _X,
            "the REGISTER is taken; the INVITE behind it is noise (RFC 3261 18.3)"),
    _vector("3.1.1.9 semiuri", "Semicolon-Separated Parameters in URI User Part", (_A,), _A, _X,
            "the parameter belongs to the user part"),
    _vector("3.1.1.10 transports", "Varied and Unknown Transport Types", (_A,), _A, _X,
            "only the topmost Via matters here"),
    _vector("3.1.1.11 mpart01", "Multipart MIME Message", (_A,), _A, _X, "a body with NUL octets is kept whole"),
    _vector("3.1.1.12 unreason", "Unusual Reason Phrase", (_A, _D), _D, _T,
            "read in full; nobody here asked for this response"),
    _vector("3.1.1.13 noreason", "Empty Reason Phrase", (_A, _D), _D, _T,
            "read in full; nobody here asked for this response"),
)  # fmt: skip
"""Section 3.1.1: well-formed messages."""

INVALID: Final = (
    _vector("3.1.2.1 badinv01", "Extraneous Header Field Separators", (400,), 400, _P,
            "Via and Contact end in separators"),
    _vector("3.1.2.2 clerr", "Content Length Larger Than Message", (400,), 400, _P, "the body is cut short"),
    _vector("3.1.2.3 ncl", "Negative Content-Length", (400,), 400, _P, "Content-Length is no number"),
    _vector("3.1.2.4 scalar02", "Request Scalar Fields with Overlarge Values", (400,), 400, _P,
            "CSeq is above 2**31 - 1"),
    _vector("3.1.2.5 scalarlg", "Response Scalar Fields with Overlarge Values", (_D,), _D, _P,
            "CSeq is above 2**31 - 1"),
    _vector("3.1.2.6 quotbal", "Unterminated Quoted String in Display Name", (400, _A), 400, _P,
            "To's quote stays open"),
    _vector("3.1.2.7 ltgtruri", "<> Enclosing Request-URI", (400, _A), 400, _P, "a Request-URI has no brackets"),
    _vector("3.1.2.8 lwsruri", "Malformed SIP Request-URI (embedded LWS)", (400, _A, 481), 400, _P,
            "a Request-URI has no blanks"),
    _vector("3.1.2.9 lwsstart", "Multiple SP Separating Request-Line Elements", (400, _A), 400, _P,
            "one blank separates, not two"),
    _vector("3.1.2.10 trws", "SP Characters at End of Request-Line", (400, _A), 400, _P, "nothing follows the version"),
    _vector("3.1.2.11 escruri", "Escaped Headers in SIP Request-URI", (400, _A), _A, _X,
            "the escaped Route is never made a header"),
    _vector("3.1.2.12 baddate", "Invalid Time Zone in Date Header Field", (_A, 400), _A, _X, "Date is not used"),
    _vector("3.1.2.13 regbadct", "Failure to Enclose name-addr URI in <>", (400, _A), 400, _P,
            "a Contact with ? needs brackets"),
    _vector("3.1.2.14 badaspec", "Spaces within addr-spec", (400, _A), 400, _P, "To's URI has blanks"),
    _vector("3.1.2.15 baddn", "Non-token Characters in Display Name", (400, _A), 400, _P, "a comma needs quotes"),
    _vector("3.1.2.16 badvers", "Unknown Protocol Version", (505,), 505, _P, "SIP/7.0"),
    _vector("3.1.2.17 mismatch01", "Start Line and CSeq Method Mismatch", (400,), 400, _P, "OPTIONS is not INVITE"),
    _vector("3.1.2.18 mismatch02", "Unknown Method with CSeq Method Mismatch", (501, 400), 400, _P,
            "NEWMETHOD is not INVITE"),
    _vector("3.1.2.19 bigcode", "Overlarge Response Code", (_D,), _D, _P, "a status ends at 699"),
)  # fmt: skip
"""Section 3.1.2: malformed messages."""

TRANSACTION: Final = (
    _vector("3.2.1 badbranch", "Missing Transaction Identifier", (400, _A), _A, _X,
            "the magic cookie alone: matched as RFC 2543 did"),
)  # fmt: skip
"""Section 3.2: transaction layer semantics."""

APPLICATION: Final = (
    _vector("3.3.1 insuf", "Missing Required Header Fields", (400,), 400, _P, "no Call-ID, From, To"),
    _vector("3.3.2 unkscm", "Request-URI with Unknown Scheme", (416,), 416, _U, "neither sip nor sips"),
    _vector("3.3.3 novelsc", "Request-URI with Known but Atypical Scheme", (416,), 416, _U, "neither sip nor sips"),
    _vector("3.3.4 unksm2", "Unknown URI Schemes in Header Fields", (_A, 400), _A, _X,
            "read; a registrar would say 400, and the application is none"),
    _vector("3.3.5 bext01", "Proxy-Require and Require", (420,), 420, _U,
            "Unsupported lists what Require names; Proxy-Require is not for us"),
    _vector("3.3.6 invut", "Unknown Content-Type", (415,), 415, _U, "Accept lists application/sdp"),
    _vector("3.3.7 regaut01", "Unknown Authorization Scheme", (_A, 401, 405), _A, _X,
            "the scheme is the application's affair"),
    _vector("3.3.8 multi01", "Multiple Values in Single Value Required Fields", (400,), 400, _P,
            "two CSeq, Call-ID, To, From"),
    _vector("3.3.9 mcl01", "Multiple Content-Length Values", (400,), 400, _P, "13 or 5?"),
    _vector("3.3.10 bcast", "200 OK Response with Broadcast Via Header Field Value", (_D,), _D, _U,
            "a response with two Vias is not for us (RFC 3261 8.1.3.3)"),
    _vector("3.3.11 zeromf", "Max-Forwards of Zero", (_A,), _A, _X, "the end of the way takes it as any other"),
    _vector("3.3.12 cparam01", "REGISTER with a Contact Header Parameter", (_A,), _A, _X,
            "unknownparam is the header's"),
    _vector("3.3.13 cparam02", "REGISTER with a URL Parameter", (_A,), _A, _X, "unknownparam is the URI's"),
    _vector("3.3.14 regescrt", "REGISTER with a URL Escaped Header", (_A,), _A, _X,
            "the escaped Route stays part of the URI"),
    _vector("3.3.15 sdp01", "Unacceptable Accept Offering", (406, 400), 406, _U, "our answer would be application/sdp"),
)  # fmt: skip
"""Section 3.3: application layer semantics."""

BACKWARD: Final = (
    _vector("3.4.1 inv2543", "INVITE with RFC 2543 Syntax", (_A,), _A, _X,
            "no branch, From tag, Content-Length, Max-Forwards or Contact"),
)  # fmt: skip
"""Section 3.4: backward compatibility."""

VECTORS: Final = VALID + INVALID + TRANSACTION + APPLICATION + BACKWARD
BY_NAME: Final = {vector.name: vector for vector in VECTORS}


def row(vector: Vector) -> str:
    """Return the row of docs/sip-conformance.md for a vector."""
    allowed = " or ".join(str(outcome) for outcome in vector.rfc)
    ours = f"{vector.ours}, {vector.layer}"
    return f"| {vector.section} | {vector.name} | {vector.title} | {allowed} | {ours} | {vector.why} |"
