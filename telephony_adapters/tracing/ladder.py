"""Lay out the messages of one call as a ladder: who spoke to whom, when, and what it was. PURE."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from dialer.ports import CallTrace, TraceColumn, TraceStep
from telephony_adapters.tracing.record import AGENT_LEG, Record

Kind: TypeAlias = Literal["request", "provisional", "success", "failure"]
_Peer: TypeAlias = tuple[str, str, int]
_LINE_END: Final = re.compile(rb"\r?\n(?![ \t])")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_REQUEST: Final = re.compile(r"([!-~]+) \S+ SIP/2\.0", re.IGNORECASE)
_RESPONSE: Final = re.compile(r"SIP/2\.0 (\d{3}) ?(.*)", re.IGNORECASE)
_CAUSE: Final = re.compile(r"(Q\.850|SIP)\s*;.*?\bcause\s*=\s*(\d+)", re.IGNORECASE)
_COMPACT: Final = {"c": "content-type", "t": "to"}
_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization"})
_FINAL: Final = 200
_FAILURE: Final = 300
_REASON_MAX: Final = 40
_VALUE_MAX: Final = 500
"""How much of a Reason header is looked at."""


class Summary(NamedTuple):
    """A message in a few words."""

    label: str
    kind: Kind
    begins: bool = False
    """Whether it is an INVITE outside a dialog."""


def make_trace(records: Sequence[Record]) -> CallTrace:
    """Return the ladder of records that are in order; raise IndexError when there are none.

    The dialer stands between agents' phones, on its left, and trunks, on its right: few arrows cross a third column.
    """
    peers = list(dict.fromkeys(map(_peer, records)))
    agents = [peer for peer in peers if peer[0] == "agent"]
    order = [*agents, None, *(peer for peer in peers if peer[0] != "agent")]
    columns = tuple(_column(records, peer) for peer in order)
    summaries = [summarize(record.data) for record in records]
    seen: set[tuple[bool, _Peer, bytes]] = set()
    steps = []
    for record, summary in zip(records, summaries, strict=True):
        peer = _peer(record)
        ends = order.index(None), order.index(peer)
        same = record.sent, peer, record.data
        steps.append(
            TraceStep(
                round((record.at - records[0].at) * 1000, 3), *(ends if record.sent else ends[::-1]),
                summary.label, summary.kind, same in seen,
            )
        )  # fmt: skip
        seen.add(same)
    return CallTrace(records[0].at, summaries[0].begins, columns, tuple(steps))


def summarize(data: bytes) -> Summary:
    """Say what a message is; something that is no SIP is counted in bytes."""
    end = _HEAD_END.search(data)
    first, *lines = _LINE_END.split(data if end is None else data[: end.start()])
    start, headers = _text(first), _headers(lines)
    has_sdp = "application/sdp" in headers.get("content-type", "").lower()
    notes = [*(["SDP"] if has_sdp else []), *_causes(headers)]
    if (response := _RESPONSE.fullmatch(start)) is not None:
        return _response(int(response[1]), response[2], headers, notes)
    request = _REQUEST.fullmatch(start)
    if request is None:
        return Summary(f"{len(data)} bytes", "request")
    in_dialog = ";tag=" in headers.get("to", "").replace(" ", "").lower()
    is_invite = request[1] == "INVITE"
    proof = ["auth"] if headers.keys() & _CREDENTIALS else []
    name = "re-INVITE" if is_invite and in_dialog else request[1]
    return Summary(_labelled(name, proof + notes), "request", is_invite and not in_dialog)


def _response(status: int, reason: str, headers: Mapping[str, str], notes: list[str]) -> Summary:
    method = headers.get("cseq", "").split()[-1:]
    shown = method if status >= _FINAL or method != ["INVITE"] else []  # a provisional response is of an INVITE
    kind: Kind = "provisional" if status < _FINAL else "success" if status < _FAILURE else "failure"
    return Summary(_labelled(f"{status} {reason[:_REASON_MAX]}".rstrip(), shown + notes), kind)


def _labelled(name: str, notes: list[str]) -> str:
    return f"{name} ({', '.join(notes)})" if notes else name


def _causes(headers: Mapping[str, str]) -> list[str]:
    return [f"{found[1]} {found[2]}" for found in _CAUSE.finditer(headers.get("reason", "")[:_VALUE_MAX])]


def _headers(lines: Sequence[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = _text(line).partition(":")
        name = name.strip().lower()
        found.setdefault(_COMPACT.get(name, name), value.strip())
    return found


def _text(line: bytes) -> str:
    """Return a line for people: what would move a terminal's cursor is taken out."""
    return "".join(letter if letter.isprintable() else " " for letter in line.decode("utf-8", "replace"))


def _peer(record: Record) -> _Peer:
    """Tell one peer from another; the far port of a connection that they opened says nothing."""
    role = "agent" if record.leg.startswith(AGENT_LEG) else "trunk"
    return role, record.host, record.port if record.transport == "udp" else 0


def _column(records: Sequence[Record], peer: _Peer | None) -> TraceColumn:
    if peer is None:
        return TraceColumn("dialer", _address(records[0].local_host, records[0].local_port))
    first = next(record for record in records if _peer(record) == peer)
    return TraceColumn("agent" if peer[0] == "agent" else "trunk", _address(first.host, first.port))


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
