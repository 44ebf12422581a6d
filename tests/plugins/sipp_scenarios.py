"""What SIPp does in a call, as its XML: scenarios for a callee and for a caller, and the steps that they are made of.

Each function returns text; a test that needs another order of things calls `callee` or `caller` with steps of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import quoteattr

_KEPT: Final = {
    "vias": 'regexp="(Via:[^[:cntrl:]]*[[:cntrl:]]+)+" search_in="msg"',
    "routes": 'regexp="(Record-Route:[^[:cntrl:]]*[[:cntrl:]]+)+" search_in="msg"',
    "from": 'regexp=".*" search_in="hdr" header="From:"',
    "to": 'regexp=".*" search_in="hdr" header="To:"',
    "cseq": 'regexp=".*" search_in="hdr" header="CSeq:"',
}
"""What a callee keeps of the INVITE: a later answer to it must not copy the CANCEL or PRACK that came since."""
_TAG: Final = ";tag=[pid]SIPp[call_number]"
_VIA: Final = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
_CONTACT: Final = "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>"
_SDP: Final = (
    "v=0",
    "o=sipp 1 1 IN IP[local_ip_type] [local_ip]",
    "s=-",
    "c=IN IP[media_ip_type] [media_ip]",
    "t=0 0",
    "m=audio [media_port] RTP/AVP 0 8",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=sendrecv",
)
_TARGET: Final = "sip:[service]@[remote_ip]:[remote_port]"


# --- steps ------------------------------------------------------------------------------------------------------------


def _send(*head: str, sdp: bool = False, repeat: bool = False) -> str:
    """Send a message; `repeat` as UDP wants it, until an answer comes."""
    kind = ("Content-Type: application/sdp",) if sdp else ()
    lines = "\n".join((*head, *kind, "Content-Length: [len]", "", *(_SDP if sdp else ())))
    timer = ' retrans="500"' if repeat else ""
    return f"<send{timer}>\n<![CDATA[\n{lines}\n\n]]>\n</send>"


def receive(what: str | int, *, optional: bool = False, then: str = "", more: str = "") -> str:
    """Want a request (`"BYE"`) or a response (200); `then` names the mark to go on at, `more` are attributes."""
    kind = "response" if isinstance(what, int) else "request"
    words = [f'{kind}="{what}"', 'optional="true"' * optional, f'next="{then}"' * bool(then), more]
    return f"<recv {' '.join(filter(None, words))}/>"


def pause(seconds: float) -> str:
    """Do nothing for a time."""
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def mark(name: str) -> str:
    """Name this place, for `then`."""
    return f'<label id="{name}"/>'


def respond(status: str, *, sdp: bool = False) -> str:
    """Answer the request that came last, one within the call: `respond("200 OK")`."""
    copied = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]", _CONTACT)
    return _send(f"SIP/2.0 {status}", *copied, sdp=sdp, repeat=sdp)


def respond_to_call(
    status: str, *, sdp: bool = False, repeat: bool | None = None, headers: tuple[str, ...] = ()
) -> str:
    """Answer the INVITE that began the call, whatever came since; a final answer is repeated until its ACK."""
    kept = ("[$vias][$routes]From:[$from]", f"To:[$to]{_TAG}", "Call-ID: [call_id]", "CSeq:[$cseq]", _CONTACT)
    final = not status.startswith("1")
    return _send(f"SIP/2.0 {status}", *kept, *headers, sdp=sdp, repeat=final if repeat is None else repeat)


def request_of_callee(method: str, cseq: int, *, sdp: bool = False, headers: tuple[str, ...] = ()) -> str:
    """Send a request within the call, by the callee."""
    ends = (f"From:[$to]{_TAG}", "To:[$from]", "Call-ID: [call_id]", f"CSeq: {cseq} {method}", _CONTACT)
    first = (f"{method} [next_url] SIP/2.0", _VIA, "Max-Forwards: 70", "[routes]")
    return _send(*first, *ends, *headers, sdp=sdp, repeat=method != "ACK")


def callee(*steps: str, noted: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the scenario that takes an INVITE, and then these steps; `noted` are more things to keep of the INVITE."""
    kept = "\n".join(f'<ereg {how} assign_to="{name}"/>' for name, how in {**_KEPT, **noted}.items())
    invite = f'<recv request="INVITE" rrs="true" crlf="true">\n<action>\n{kept}\n</action>\n</recv>'
    return _scenario(invite, *steps, f'<Reference variables="{",".join(_KEPT)}"/>')


def caller(*steps: str) -> str:
    """Return the scenario of these steps."""
    return _scenario(*steps)


def _scenario(*steps: str) -> str:
    return "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', '<scenario name="call">', *steps, "</scenario>", ""))


# --- callees ----------------------------------------------------------------------------------------------------------


def _ended(linger_s: float) -> tuple[str, ...]:
    """Take BYE; `linger_s` is for how long its repeats are answered, which matters where messages are lost."""
    lingering = (f'<timewait milliseconds="{round(linger_s * 1000)}"/>',) if linger_s else ()
    return (receive("BYE"), respond("200 OK"), *lingering)


def _answered() -> tuple[str, ...]:
    return (respond_to_call("200 OK", sdp=True), receive("ACK"))


def answer(*, ring_s: float = 0.05, early: bool = False, linger_s: float = 0.0, headers: tuple[str, ...] = ()) -> str:
    """Ring (`early`: 183 with SDP), answer, take re-INVITEs until the caller's BYE; `headers` go with the ringing."""
    ringing = respond_to_call("183 Session Progress" if early else "180 Ringing", sdp=early, headers=headers)
    cancelled = (receive("CANCEL", more=_timeout(ring_s, "answers")), *_cancelled(then="over"))
    answers = (mark("answers"), respond_to_call("200 OK", sdp=True), receive("ACK", then="talks"))
    changes = (mark("changes"), respond("200 OK", sdp=True), receive("ACK"))
    talks = (mark("talks"), receive("INVITE", optional=True, then="changes"), *_ended(linger_s))
    return callee(ringing, *cancelled, *answers, *changes, *talks, mark("over"))


def _timeout(seconds: float, then: str) -> str:
    return f'timeout="{max(1, round(seconds * 1000))}" ontimeout="{then}"'


def _cancelled(then: str = "") -> tuple[str, ...]:
    return (respond("200 OK"), respond_to_call("487 Request Terminated"), receive("ACK", then=then))


def reject(status: str, *, after_s: float = 0.0, headers: tuple[str, ...] = ()) -> str:
    """Refuse: `reject("486 Busy Here", headers=("Reason: Q.850;cause=17",))`; `after_s` of nothing but 100."""
    waiting = (respond_to_call("100 Trying"), pause(after_s)) if after_s else ()
    return callee(*waiting, respond_to_call(status, headers=headers), receive("ACK"))


def ring() -> str:
    """Ring until CANCEL."""
    return callee(respond_to_call("180 Ringing"), receive("CANCEL"), *_cancelled())


def answer_late() -> str:
    """Answer a call that CANCEL has just given up: the caller owes ACK and BYE (RFC 3261 section 9.1)."""
    return callee(respond_to_call("180 Ringing"), receive("CANCEL"), respond("200 OK"), *_answered(), *_ended(0))


def say_nothing() -> str:
    """Send nothing at all."""
    return callee(receive("ACK"))


def hang_up(*, talk_s: float = 0.2, headers: tuple[str, ...] = ("Reason: Q.850;cause=16",)) -> str:
    """Answer, and send BYE after a time."""
    bye = request_of_callee("BYE", 1, headers=headers)
    return callee(respond_to_call("180 Ringing"), *_answered(), pause(talk_s), bye, receive(200))


def change(*, talk_s: float = 0.1) -> str:
    """Answer, send a re-INVITE after a time, and wait for the caller's BYE."""
    asked = (request_of_callee("INVITE", 1, sdp=True), receive(100, optional=True), receive(200))
    return callee(*_answered(), pause(talk_s), *asked, request_of_callee("ACK", 1), *_ended(0))


def glare() -> str:
    """Refuse the caller's first re-INVITE by 491 (RFC 3261 section 14.2), take the second, and wait for BYE."""
    refused = (receive("INVITE"), respond("491 Request Pending"), receive("ACK"))
    taken = (receive("INVITE"), respond("200 OK", sdp=True), receive("ACK"))
    return callee(*_answered(), *refused, *taken, *_ended(0))


def repeat() -> str:
    """Send 200 once more, as if its first ACK were lost: the caller owes another one (RFC 3261 section 13.2.2.4)."""
    lost = receive("ACK", more=f'lost="100" {_timeout(0.2, "again")}')
    return callee(respond_to_call("200 OK", sdp=True, repeat=False), lost, mark("again"), *_answered(), *_ended(0))


def prack(*, ring_s: float = 0.05) -> str:
    """Send 183 with SDP reliably (RFC 3262), want its PRACK, answer after a time."""
    reliable = respond_to_call("183 Session Progress", sdp=True, repeat=True, headers=("Require: 100rel", "RSeq: 1"))
    told = (reliable, receive("PRACK"), respond("200 OK"), pause(ring_s))
    return callee(*told, respond_to_call("200 OK"), receive("ACK"), *_ended(0))


# --- callers ----------------------------------------------------------------------------------------------------------


def _invite(cseq: int, caller_id: str, *headers: str) -> str:
    return _request("INVITE", cseq, caller_id, *headers, sdp=True)


def _request(method: str, cseq: int, caller_id: str, *headers: str, sdp: bool = False) -> str:
    ends = (f"From: <sip:{caller_id}@[local_ip]:[local_port]>{_TAG}", f"To: <{_TARGET}>", "Call-ID: [call_id]")
    first = (f"{method} {_TARGET} SIP/2.0", _VIA, "Max-Forwards: 70")
    return _send(*first, *ends, f"CSeq: {cseq} {method}", _CONTACT, *headers, sdp=sdp, repeat=True)


def _same_hop(method: str, cseq: int, to: str) -> str:
    """Send CANCEL, or the ACK of a refusal: they bear the Via of the INVITE that they are about."""
    ends = ("[last_From:]", to, "Call-ID: [call_id]", f"CSeq: {cseq} {method}")
    first = (f"{method} {_TARGET} SIP/2.0", "[last_Via:]", "Max-Forwards: 70")
    return _send(*first, *ends, repeat=method != "ACK")


def request_of_caller(method: str, cseq: str | int, caller_id: str, *, sdp: bool = False) -> str:
    """Send a request within the call, by the caller."""
    ends = (f"From: <sip:{caller_id}@[local_ip]:[local_port]>{_TAG}", f"To: <{_TARGET}>[peer_tag_param]")
    first = (f"{method} [next_url] SIP/2.0", _VIA, "Max-Forwards: 70", "[routes]")
    last = ("Call-ID: [call_id]", f"CSeq: {cseq} {method}", *([_CONTACT] if sdp else []))
    return _send(*first, *ends, *last, sdp=sdp, repeat=method != "ACK")


def _ringing(*, required: bool = False) -> tuple[str, ...]:
    return (receive(100, optional=True), receive(183, optional=True), receive(180, optional=not required))


def _called(caller_id: str, user: str, password: str, headers: tuple[str, ...]) -> tuple[str, ...]:
    """Call, sign in if asked, and be answered; `$cseq` is that of the INVITE that was."""
    proof = f"[authentication username={user} password={password}]"
    challenges = [receive(code, optional=True, then="challenged", more='auth="true"') for code in (401, 407)]
    plain = (_number(1), _invite(1, caller_id, *headers), *challenges, *_ringing())
    signed = (mark("challenged"), _same_hop("ACK", 1, "[last_To:]"), _number(2), _invite(2, caller_id, *headers, proof))
    answered = (mark("answered"), request_of_caller("ACK", "[$cseq]", caller_id))
    final = receive(200, then="answered", more='rrs="true" rtd="true"')
    return (*plain, final, *signed, *_ringing(), final, *answered)


def _number(cseq: int) -> str:
    return f'<nop>\n<action><assignstr assign_to="cseq" value={quoteattr(str(cseq))}/></action>\n</nop>'


def call(
    *, talk_s: float = 0.1, caller_id: str = "sipp", user: str = "", password: str = "", headers: tuple[str, ...] = ()
) -> str:
    """Call, sign in if asked, talk, take re-INVITEs (each begins the time anew), hang up."""
    talks = (mark("talks"), receive("INVITE", more=_timeout(talk_s, "over")))
    changes = (respond("200 OK", sdp=True), receive("ACK", then="talks"))
    bye = (mark("over"), request_of_caller("BYE", 3, caller_id), receive(200))
    return caller(*_called(caller_id, user, password, headers), *talks, *changes, *bye)


def wait(*, caller_id: str = "sipp", user: str = "", password: str = "") -> str:
    """Call, sign in if asked, and wait until the other side hangs up."""
    return caller(*_called(caller_id, user, password, ()), receive("BYE"), respond("200 OK"))


def change_call(*codes: int, caller_id: str = "sipp") -> str:
    """Call, send a re-INVITE for each of the codes, which shall be its answer (200, 491), and hang up."""
    steps = list(_called(caller_id, "", "", ()))
    for cseq, code in enumerate(codes, 3):
        taken = code == 200
        ack = request_of_caller("ACK", cseq, caller_id) if taken else _same_hop("ACK", cseq, "[last_To:]")
        invite = request_of_caller("INVITE", cseq, caller_id, sdp=True)
        steps += [invite, receive(100, optional=True), receive(code), ack]
    return caller(*steps, request_of_caller("BYE", 3 + len(codes), caller_id), receive(200))


def refused(code: int, *, caller_id: str = "sipp", headers: tuple[str, ...] = ()) -> str:
    """Call, and want to be refused by this code."""
    return caller(_invite(1, caller_id, *headers), *_ringing(), receive(code), _same_hop("ACK", 1, "[last_To:]"))


def cancel(*, after_s: float = 0.1, caller_id: str = "sipp") -> str:
    """Call, and give up some time after it rings."""
    gives_up = (pause(after_s), _same_hop("CANCEL", 1, f"To: <{_TARGET}>"), receive(200), receive(487))
    return caller(_invite(1, caller_id), *_ringing(required=True), *gives_up, _same_hop("ACK", 1, "[last_To:]"))


def options(*, caller_id: str = "sipp") -> str:
    """Ask for the options, as a keep-alive does."""
    return caller(_request("OPTIONS", 1, caller_id), receive(200, more='rtd="true"'))
