"""SIPp as the yardstick: its own caller and callee, and a callee that challenges every call."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Final, NamedTuple

from dialer.bench.sip.programs import HOST, Program, cores, found, free_port
from dialer.errors import DialerError

NUMBER: Final = "0900000001"
"""Nobody's."""
_BUFFER: Final = "4000000"
"""With less it loses messages at high rates."""
_RATE: Final = "20000"
"""Calls a second that its caller may begin: more than it can, so that `at_once` decides."""
_FAILED_SHARE: Final = 0.01
_WAIT_S: Final = 120.0
_COPIED: Final = "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]"
_CONTACT: Final = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>"
_SDP: Final = (
    "v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\n"
    "a=rtpmap:0 PCMU/8000"
)
_CHALLENGE: Final = (
    'Proxy-Authenticate: Digest realm="bench", nonce="n[call_number]", stale=true, algorithm=MD5, qop="auth"'
)


class Used(NamedTuple):
    """What so many calls cost: processor time, and seconds by the wall's clock."""

    calls: int
    cpu_s: float
    wall_s: float

    @property
    def ms(self) -> float:
        """Return milliseconds of processor time a call."""
        return 1000 * self.cpu_s / self.calls


def callee(folder: Path, port: int, *, transport: str = "udp", scenario: str = "") -> Program:
    """Start SIPp's `uas`, or a scenario's text, and return when it listens."""
    what = ["-sn", "uas"]
    if scenario:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scenario.xml").write_text(scenario)
        what = ["-sf", str(folder / "scenario.xml")]
    words = [*_common(port, transport), *what]
    program = Program(words, folder, core=cores()[0])
    program.wait_for_port(port)
    return program


def caller(folder: Path, port: int, *, calls: int, at_once: int) -> Used:
    """Let SIPp's `uac` make so many calls to a port, and return what they cost it. Raises DialerError if they fail."""
    own = free_port()
    limits = ["-m", str(calls), "-r", _RATE, "-l", str(at_once)]
    stats = folder / "stats.csv"
    words = [*_common(own, "udp"), "-sn", "uac", f"{HOST}:{port}", "-s", NUMBER, *limits]
    began = time.monotonic()
    with Program([*words, "-trace_stat", "-stf", str(stats), "-fd", "60"], folder, core=cores()[1]) as program:
        cpu_s = program.wait(_WAIT_S)
    wall_s = time.monotonic() - began
    row = _last_row(stats)
    failed = int(row["FailedCall(C)"])
    if failed > calls * _FAILED_SHARE:
        raise DialerError(f"{failed} of {calls} calls of SIPp failed")
    return Used(calls, cpu_s, wall_s)


def challenging() -> str:
    """Return the scenario of a callee that wants a password for every call, each time with a new nonce (RFC 7616)."""
    return _xml(
        '<recv request="INVITE"/>',
        _send("SIP/2.0 407 Proxy Authentication Required", ";tag=c[call_number]", _CHALLENGE),
        '<recv request="ACK"/>',
        '<recv request="INVITE"/>',
        _send("SIP/2.0 180 Ringing", ";tag=[pid]SIPp[call_number]", _CONTACT),
        _send("SIP/2.0 200 OK", ";tag=[pid]SIPp[call_number]", _CONTACT, sdp=True),
        '<recv request="ACK"/>',
        '<recv request="BYE"/>',
        _send("SIP/2.0 200 OK", "", _CONTACT),
        '<timewait milliseconds="4000"/>',
    )


def _common(port: int, transport: str) -> list[str]:
    sipp = found("sipp", "sip-tester (Debian)")
    kind = {"udp": "u1", "tcp": "t1"}[transport]
    return [sipp, "-i", HOST, "-mi", HOST, "-p", str(port), "-t", kind, "-nostdin", "-buff_size", _BUFFER]


def _last_row(stats: Path) -> dict[str, str]:
    rows = list(csv.reader(stats.read_text().splitlines(), delimiter=";"))
    return dict(zip(rows[0], rows[-1], strict=False))


def _send(line: str, tag: str, *headers: str, sdp: bool = False) -> str:
    more = "\n".join((*headers, "Content-Type: application/sdp") if sdp else headers)
    body = f"\n\n{_SDP}" if sdp else ""
    retrans = ' retrans="500"' if sdp else ""
    head = f"{line}\n{_COPIED.format(tag=tag)}\n{more}\nContent-Length: [len]{body}"
    return f"<send{retrans}>\n<![CDATA[\n{head}\n\n]]>\n</send>"


def _xml(*steps: str) -> str:
    lines = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="challenge">\n{lines}\n</scenario>\n'
