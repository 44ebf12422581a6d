"""The people and the network behind the carrier: they play their courses, answer, hold, lose patience, hang up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from simulator.wire.course import Headers, Reinvite, Step, companions
from simulator.wire.ledger import Ending
from simulator.wire.line import Line, headers_of, reason_text
from simulator.wire.phones import DISCARD_PORT, Phones
from simulator.wire.session import answer, audio, is_heard, own_offer, payload_type
from simulator.wire.sounds import Sound
from statuses.outcomes import Announcement
from telephony_adapters.sip import events as sip
from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.leg import LegState
from telephony_adapters.sip.reason import Q850, Reason
from telephony_adapters.sip.timers import Timers

_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_IN_DIALOG = re.compile(rb"^(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=", re.MULTILINE | re.IGNORECASE)

_ANSWER: Final = 200
_UNAVAILABLE, _TERMINATED, _NO_CODEC, _PENDING, _BUSY_NETWORK, _NO_PRACK = 480, 487, 488, 491, 503, 504
_VANISHED: Final = frozenset({"lost", "timer"})
_CLEARED: Final = str(Reason(Q850, 16))
"""What a network says of a person who hangs up: normal clearing."""
_TIMER_B_S: Final = 32.0
"""A caller that hears nothing gives up after so long (RFC 3261 section 17.1.1.2)."""
CHALLENGES: Final = frozenset({401, 407})
"""Responses that bear a challenge."""


class Callees:
    """All calls that were let in. `done` gets each when its last dialog is over, with its row closed."""

    def __init__(
        self, agent: UserAgent, timers: Timers, phones: Phones, *, host: str, done: Callable[[Line], None]
    ) -> None:
        self._agent = agent
        self._timers = timers
        self._phones = phones
        self.host = host
        """What SDP bears."""
        self._done = done
        self._lines: dict[tuple[str, str], Line] = {}
        self._crossing: dict[bytes, Line] = {}
        """Calls whose CANCEL or re-INVITE is crossed, by Call-ID."""
        self._stopping = False
        self.answered = 0
        """Calls that are answered now."""
        self.announcement_header = ""
        self.longest_s = 0.0
        self.challenges: Callable[[int, float], Headers] = _no_challenge
        """Makes what a 401 or 407 bears."""

    def __len__(self) -> int:
        """Count the calls."""
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        """Yield the calls, oldest first; they may end meanwhile."""
        yield from tuple(self._lines.values())

    def begin(self, line: Line, now: float) -> None:
        """Take a call that was let in, and play its course."""
        leg = line.leg
        leg.owner = line
        self._lines[leg.key] = line
        if line.crosses:
            self._crossing[leg.call_id.encode()] = line
        if line.course.steps:
            self._play(line, now)
        else:
            self._agent.forget(leg, now)
            self._later(line, now + _TIMER_B_S, self._vanish)
        if leg.key in self._lines:
            self._later(line, now + self.longest_s, self._give_up)

    # --- the course -----------------------------------------------------------------------------------------------

    def _play(self, line: Line, now: float) -> None:
        steps = line.course.steps
        while line.next < len(steps) and line.row.answered_at is None:
            step = steps[line.next]
            due = line.begun_at + step.at_s
            if due > now:
                self._later(line, due, self._play)
                return
            line.next += 1
            if line.leg.state is LegState.ENDED:  # the user agent gave up: no PRACK came for a reliable response
                line.row.status = _NO_PRACK
                self._close(line, Ending.LOST, now)
                return
            self._say(line, step, now)

    def _say(self, line: Line, step: Step, now: float) -> None:
        row, leg = line.row, line.leg
        if step.announcement is not None and self.announcement_header:
            row.announcement = step.announcement
        headers = headers_of(step, self.announcement_header)
        if step.status < _ANSWER:
            row.say(step.status, now)
            sdp = self._early(line, step.announcement) if step.media else None
            self._agent.provisional(leg, step.status, now, sdp=sdp, reliable=step.reliable, headers=headers)
        elif step.status == _ANSWER:
            self._answer(line, now, said=step.announcement, headers=headers)
        else:
            if step.status in CHALLENGES:
                headers += self.challenges(step.status, now)
            row.q850, row.reason_text = step.q850, step.text
            self._refuse(line, step.status, Ending.CALLEE, now, headers)

    def _refuse(self, line: Line, status: int, by: Ending, now: float, headers: Headers = ()) -> None:
        line.row.status = status
        self._agent.refuse(line.leg, status, now, headers=headers)
        self._close(line, by, now)

    def _early(self, line: Line, said: Announcement | None) -> bytes | None:
        sdp = self._reply(line, line.leg.remote_sdp) if line.leg.remote_sdp else None
        if sdp is not None:
            self._sound(line, Sound.RINGBACK if said is None else _recording(said))
        return sdp

    def _answer(self, line: Line, now: float, *, said: Announcement | None = None, headers: Headers = ()) -> None:
        leg, row, course = line.leg, line.row, line.course
        sdp = line.sdp or self._reply(line, leg.remote_sdp)
        if sdp is None:
            self._refuse(line, _NO_CODEC, Ending.CALLEE, now, companions(_NO_CODEC))
            return
        row.status, row.answered_at, row.answers = _ANSWER, now, 1
        self.answered += 1
        line.unacked.append(leg)
        self._agent.accept(leg, now, sdp=sdp, headers=(*headers, *_session_timer(line)))
        if course.forks:
            other = self._agent.fork(leg, now, sdp=sdp)
            other.owner = line
            line.legs.append(other)
            line.unacked.append(other)
            row.answers = 2
        self._listen(line, now)
        self._sound(line, Sound.VOICE if said is None else _recording(said))
        self._plan(line, now)

    def _plan(self, line: Line, now: float) -> None:
        """Put on the agenda what follows an answer whatever the callee hears."""
        course = line.course
        if course.bye_after_s is not None:
            self._later(line, now + course.bye_after_s, self._hang_up)
        for after_s in course.holds_s:
            self._later(line, now + after_s, self._hold)

    def _reply(self, line: Line, offer: bytes | None) -> bytes | None:
        """Return the callee's answer to an offer, or its own offer where there is none; None: no codec in common."""
        line.version += 1
        host, held = self.host, line.course.answer_held
        if offer is None:
            line.sdp = own_offer(host=host, port=line.port, version=line.version, held=held)
        else:
            line.sdp = answer(offer, host=host, port=line.port, version=line.version, held=held)
        return line.sdp

    # --- what the caller does -------------------------------------------------------------------------------------

    def cross(self, data: bytes, now: float) -> None:
        """Say something before a CANCEL or a re-INVITE is read, so that both are on their way at once."""
        if not self._crossing or (found := _CALL_ID.search(data)) is None:
            return
        line = self._crossing.get(found[1])
        if line is None:
            return
        if data.startswith(b"CANCEL ") and line.row.answered_at is None and line.course.late_answer:
            line.row.cancelled = True
            self._answer(line, now)
        elif data.startswith(b"INVITE ") and self._meets(line) and _IN_DIALOG.search(data):
            line.met = True
            self._change(line, now)

    @staticmethod
    def _meets(line: Line) -> bool:
        return line.course.reinvite is Reinvite.GLARE and line.hears is not None and not line.met

    def confirmed(self, event: sip.Confirmed, now: float) -> None:
        """Take an ACK; one that answers our offer may let the callee hear somebody."""
        line: Line = event.leg.owner
        if event.leg in line.unacked:
            line.unacked.remove(event.leg)
            line.row.acked += 1
        if event.sdp is not None:
            self._listen(line, now)
            self._sound(line, Sound.VOICE)

    def offered(self, event: sip.Offered, now: float) -> None:
        """Take a re-INVITE or an UPDATE as the course says."""
        line: Line = event.leg.owner
        how = line.course.reinvite if event.request.method == "INVITE" else Reinvite.ACCEPT
        if how is Reinvite.SILENT:
            return
        if how is Reinvite.REFUSE or (how is Reinvite.NO_OFFER and event.sdp is None):
            self._agent.refuse(event.leg, _NO_CODEC, now, headers=companions(_NO_CODEC))
        elif how is Reinvite.PENDING and not line.met:
            line.met = True
            self._agent.refuse(event.leg, _PENDING, now)
        elif (sdp := self._reply(line, event.sdp)) is None:
            self._agent.refuse(event.leg, _NO_CODEC, now, headers=companions(_NO_CODEC))
        else:
            self._agent.accept(event.leg, now, sdp=sdp)
            self._listen(line, now)
            self._sound(line, Sound.VOICE)

    def cancelled(self, event: sip.Cancelled, now: float) -> None:
        """Close a call that its caller gave up."""
        line: Line = event.leg.owner
        row = line.row
        if event.leg.state is not LegState.ENDED:  # only a re-INVITE was given up
            return
        self._unsay(line)
        row.status, row.cancelled = _TERMINATED, True
        row.cancel_reason = reason_text(event.request)
        self._close(line, Ending.CALLER, now)

    def _unsay(self, line: Line) -> None:
        """Take an answer back that waited for a PRACK, and was never said."""
        row = line.row
        if row.answered_at is not None:
            self.answered -= 1
            row.answered_at, row.answers = None, 0
            line.unacked.clear()

    def ended(self, event: sip.Ended, now: float) -> None:
        """Close a call with its last dialog."""
        line: Line = event.leg.owner
        if not event.leg.invite_cseq:  # it was refused for want of a PRACK
            line.row.status = _NO_PRACK
            self._unsay(line)
        if event.by == "remote":
            line.row.cancel_reason = reason_text(event.message)
        is_gone = event.message is None or event.leg in line.unacked  # else it says 481: its BYE is still on its way
        line.lost = line.lost or (event.by in _VANISHED and is_gone)
        line.legs.remove(event.leg)
        if line.legs:
            line.leg = line.legs[0]
            return
        ours = Ending.STOPPED if self._stopping else Ending.CALLEE
        self._close(line, Ending.LOST if line.lost else ours if event.by == "local" else Ending.CALLER, now)

    # --- what the callee does -------------------------------------------------------------------------------------

    def _listen(self, line: Line, now: float) -> None:
        """Note whether there is somebody to hear, and until when the callee puts up with it."""
        hears = is_heard(line.leg.remote_sdp)
        if hears and (not line.row.cancelled or line.version > 1):  # it takes the INVITE's offer back
            line.row.heard = True
        if hears is line.hears:
            return
        line.hears = hears
        self._timers.cancel(line.hang_up)
        after_s = line.course.talk_s if hears else line.course.patience_s
        line.hang_up = None if after_s is None else self._timers.set(now + after_s, self._hang_up, line)

    def _sound(self, line: Line, sound: Sound) -> None:
        """Let the caller hear something, where the caller listens."""
        if not line.port or line.port == DISCARD_PORT:
            return
        sdp = line.leg.remote_sdp
        media = audio(sdp)
        listens = media is not None and is_heard(sdp) and media.direction != "sendonly"
        to = (media.host, media.port) if media is not None else ("", 0)
        self._phones.play(line.port, sound if listens else None, payload_type=payload_type(line.sdp), to=to)

    def _hold(self, line: Line, now: float) -> None:
        line.is_held = not line.is_held
        self._change(line, now)

    def _change(self, line: Line, now: float) -> None:
        line.version += 1
        line.sdp = own_offer(host=self.host, port=line.port, version=line.version, held=line.is_held)
        self._agent.reinvite(line.leg, now, line.sdp)

    def _hang_up(self, line: Line, now: float) -> None:
        if line.row.ended_at is None:
            line.row.ended_at = now
        for leg in line.legs:
            self._agent.bye(leg, now, _CLEARED)

    def _give_up(self, line: Line, now: float) -> None:
        """End a call that nobody else ends."""
        line.lost = True
        if line.row.answered_at is None:
            self._refuse(line, _UNAVAILABLE, Ending.LOST, now)
        else:
            self._hang_up(line, now)

    def _vanish(self, line: Line, now: float) -> None:
        """Close a call that was met with silence, when its caller must have given up."""
        self._close(line, Ending.CALLER, now)

    def hang_up_all(self, now: float, *, stopping: bool) -> None:
        """End every call: BYE, or 503 to those that wait; `stopping`: the carrier ends, not the callees."""
        self._stopping = stopping
        for line in self:
            if line.row.answered_at is None:
                self._refuse(line, _BUSY_NETWORK, Ending.STOPPED if stopping else Ending.CALLEE, now)
            else:
                self._hang_up(line, now)

    def close_all(self, now: float) -> None:
        """Close every row as it stands, and say nothing."""
        for line in self:
            self._close(line, Ending.STOPPED, now)

    def _later(self, line: Line, at: float, what: Callable[[Line, float], None]) -> None:
        line.timers.append(self._timers.set(at, what, line))

    def _close(self, line: Line, by: Ending, now: float) -> None:
        timers, row = self._timers, line.row
        for timer in line.timers:
            timers.cancel(timer)
        timers.cancel(line.hang_up)
        del self._lines[line.key]
        if line.crosses:
            self._crossing.pop(line.key[0].encode(), None)
        if row.answered_at is not None:
            self.answered -= 1
        row.close(by, now)
        self._done(line)


def _recording(said: Announcement) -> Sound:
    return Sound.BEEP if said is Announcement.MAILBOX else Sound.RECORDING


def _session_timer(line: Line) -> Headers:
    """Ask a caller that knows session timers, and did not ask for one, to refresh (RFC 4028 section 9)."""
    seconds, invite = line.course.session_s, line.leg.invite
    if not seconds or invite is None or invite.get("Session-Expires") or not invite.has_option("Supported", "timer"):
        return ()
    return ("Session-Expires", f"{seconds};refresher=uac"), ("Require", "timer")


def _no_challenge(_status: int, _now: float) -> Headers:
    return ()
