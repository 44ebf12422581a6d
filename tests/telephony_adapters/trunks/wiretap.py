"""What passed on the wire, read by nobody's SIP stack: who answered, who was acknowledged, who hung up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from simulator.wire.network import Sent
from telephony_adapters.sip.flow import Flow

Dialog: TypeAlias = tuple[bytes, bytes]
"""Call-ID and the callee's tag."""

_WATCHED: Final = (b"SIP/2.0 2", b"ACK ", b"BYE ")
_TAG: Final = re.compile(rb";tag=([^;>\s]+)")
_THEIRS: Final = b"their BYE"
_IN_TIME_S: Final = 30.0


class Wiretap:
    """Of the calls of one caller, `here`."""

    def __init__(self, here: Flow, trace: Iterable[Sent]) -> None:
        self._here = here
        self.heard = Counter[tuple[Dialog, bytes]]()
        """2xx to INVITEs that arrived, by dialog and CSeq."""
        self.acked = Counter[tuple[Dialog, bytes]]()
        """ACKs that were sent."""
        self.arrived: set[Dialog] = set()
        """Dialogs of which an ACK arrived before the callee had given up."""
        self._begun: dict[Dialog, tuple[float, bytes]] = {}
        """When the first 2xx was sent, and its CSeq."""
        self.ended: set[Dialog] = set()
        """Those for which a BYE was sent; by (Call-ID, _THEIRS) those for which one arrived."""
        for sent in trace:
            if sent.data.startswith(_WATCHED):
                self._note(sent)

    def _note(self, sent: Sent) -> None:
        call_id, tag, cseq, method = _read(sent.data)
        dialog, is_ours = (call_id, tag), sent.source == self._here
        if sent.data.startswith(b"SIP"):
            if method == b"INVITE" and not is_ours and sent.target == self._here:
                self.heard[dialog, cseq] += sent.copies
                self._begun.setdefault(dialog, (sent.at, cseq))
        elif method == b"ACK" and is_ours:
            self.acked[dialog, cseq] += 1
            at, known = self._begun.get(dialog, (sent.at, cseq))
            if sent.copies and cseq == known and sent.at < at + _IN_TIME_S:
                self.arrived.add(dialog)
        elif method == b"BYE" and (is_ours or sent.copies):
            self.ended.add(dialog if is_ours else (call_id, _THEIRS))

    def complaints(self, *, late: int) -> Iterator[str]:
        """Say which 2xx got no ACK, and which call no BYE; `late` 2xx came when their senders had given up."""
        first: dict[Dialog, bytes] = {}
        for (dialog, cseq), copies in self.heard.items():
            name = b" ".join((*dialog, cseq)).decode()
            begins = first.setdefault(dialog, cseq) == cseq  # a re-INVITE's that comes after our BYE needs none
            if begins and self.acked[dialog, cseq] + late < copies:
                yield f"{name}: {copies} 2xx were heard, {self.acked[dialog, cseq]} ACKs sent"
            if copies and not {dialog, (dialog[0], _THEIRS)} & self.ended:
                yield f"{name}: a ghost, which nobody ended"

    def all_acked(self, call_id: str) -> bool:
        """Tell whether an ACK arrived in time for every callee that answered a call."""
        return {dialog for dialog, _ in self.heard if dialog[0] == call_id.encode()} <= self.arrived


def _read(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return Call-ID, the tag in To, and the CSeq of a message."""
    lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines[1:])
    tag = _TAG.search(fields[b"To"])
    cseq, method = fields[b"CSeq"].split()
    return fields[b"Call-ID"], tag[1] if tag else b"", cseq, method
