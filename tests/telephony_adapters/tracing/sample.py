"""A call by hand: third-party call control (RFC 3725) with an agent's phone, a repeated INVITE and a challenge."""

from __future__ import annotations

from pathlib import Path

from telephony_adapters.sip.flow import Flow
from telephony_adapters.tracing.log import MessageLog
from telephony_adapters.tracing.mask import mask_message
from telephony_adapters.tracing.record import Record, find_call_id, split_call_id

CALL_ID = "01993b1e-7c00-7a11-8b22-9c33d4e55f66"
CUSTOMER, HOTLINE = "0900000123", "+84900000777"
DIALER = ("10.0.0.2", 5060)
TRUNK = Flow("udp", "10.0.0.1", 5060)
AGENT = Flow("tls", "10.0.0.9", 5061)
START = 1_790_000_000.0
MB = 1_000_000
_SDP = (
    "v=0\r\no={user} 1790000000 1790000001 IN IP4 {host}\r\ns=call\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 0 18 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)  # fmt: skip


def message(start: str, method: str, *headers: str, cseq: int = 1, leg: str = "", sdp: bool = False) -> bytes:
    """Write a message as the wire carries it."""
    body = _SDP.format(user=CUSTOMER, host="10.0.0.1") if sdp else ""
    to = f"To: <sip:{CUSTOMER}@10.0.0.1>" + ("" if start.startswith("INVITE") and cseq < 3 else ";tag=their")
    lines = [
        start,
        f"Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-{method.lower()}{leg}{cseq}",
        f"From: <sip:{HOTLINE}@10.0.0.2>;tag=ours",
        to,
        f"Call-ID: {CALL_ID}{leg}@10.0.0.2",
        f"CSeq: {cseq} {method}",
        *headers,
        *(["Content-Type: application/sdp"] if sdp else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def calls() -> list[tuple[float, bool, Flow, bytes]]:
    """Return the messages: seconds after the start, whether we sent it, the flow, the bytes."""
    to = f"sip:{CUSTOMER}@10.0.0.1"
    first = message(f"INVITE {to} SIP/2.0", "INVITE", sdp=True)
    challenge = 'Proxy-Authenticate: Digest realm="carrier", nonce="n0nce-of-theirs", qop="auth"'
    proof = 'Proxy-Authorization: Digest username="trunk-user", nonce="n0nce-of-theirs", response="5ec2e7"'
    return [
        (0.0, True, AGENT, message("INVITE sip:1005@10.0.0.9 SIP/2.0", "INVITE", leg="-a")),
        (0.021, False, AGENT, message("SIP/2.0 180 Ringing", "INVITE", leg="-a")),
        (1.4, False, AGENT, message("SIP/2.0 200 OK", "INVITE", leg="-a", sdp=True)),
        (1.401, True, AGENT, message("ACK sip:1005@10.0.0.9 SIP/2.0", "ACK", leg="-a", sdp=True)),
        (1.41, True, TRUNK, first),
        (1.91, True, TRUNK, first),
        (1.93, False, TRUNK, message("SIP/2.0 407 Proxy Authentication Required", "INVITE", challenge)),
        (1.931, True, TRUNK, message(f"ACK {to} SIP/2.0", "ACK")),
        (1.932, True, TRUNK, message(f"INVITE {to} SIP/2.0", "INVITE", proof, cseq=2, sdp=True)),
        (1.95, False, TRUNK, message("SIP/2.0 100 Trying", "INVITE", cseq=2)),
        (3.2, False, TRUNK, message("SIP/2.0 183 Session Progress", "INVITE", cseq=2, sdp=True)),
        (9.9, False, TRUNK, message("SIP/2.0 200 OK", "INVITE", cseq=2, sdp=True)),
        (9.901, True, TRUNK, message(f"ACK {to} SIP/2.0", "ACK", cseq=2)),
        (9.903, True, AGENT, message("INVITE sip:1005@10.0.0.9 SIP/2.0", "INVITE", leg="-a", cseq=3, sdp=True)),
        (9.95, False, AGENT, message("SIP/2.0 200 OK", "INVITE", leg="-a", cseq=3, sdp=True)),
        (9.951, True, AGENT, message("ACK sip:1005@10.0.0.9 SIP/2.0", "ACK", leg="-a", cseq=3)),
        (54.0, False, TRUNK, message(f"BYE {to} SIP/2.0", "BYE", "Reason: Q.850;cause=16")),
        (54.001, True, TRUNK, message("SIP/2.0 200 OK", "BYE")),
    ]


def note_call(folder: Path, *, share: float = 1.0, call_id: str = CALL_ID) -> MessageLog:
    """Write the call's messages into a folder, under another id if asked."""
    log = MessageLog(folder, share=share, max_bytes=MB)
    for after, sent, flow, data in calls():
        log.tap(sent, flow, DIALER, data.replace(CALL_ID.encode(), call_id.encode()), START + after)
    log.close()
    return log


def records() -> list[Record]:
    """Return the call as it is kept."""
    return [
        Record(
            START + after, sent, *flow[:3], *DIALER, split_call_id(find_call_id(data)).leg, mask_message(data)
        )
        for after, sent, flow, data in calls()
    ]  # fmt: skip
