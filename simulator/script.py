"""What the network does with one INVITE, left alone: a short list of (delay, event), and what follows an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from dialer.core.events import CallAnswered, CallEnded, CallProgressed, CallRinging, EarlyMediaHeard, Event
from simulator.chance import Quantile, Uniforms, quantile
from simulator.profile import CarrierProfile, Fate
from statuses.outcomes import AmdResult, Announcement, EndedBy, LocalError

Step: TypeAlias = tuple[float, Event]
"""Seconds since the INVITE, and what arrives then."""
Ending: TypeAlias = tuple[int, int | None, str | None]
"""SIP status, Q.850 cause, reason text."""


class Script(msgspec.Struct, frozen=True, gc=False):
    """The course of one call. The fields after `steps` count once it is answered, or cancelled."""

    fate: Fate | None
    """None: the call came to nobody (no room on the trunk, unknown caller id)."""
    steps: list[Step]
    talk_s: float = 0.0
    patience_s: float = 0.0
    agent_hangs_up: bool = False
    amd: AmdResult | None = None
    amd_delay_s: float = 0.0
    late_answer: bool = False
    connect_fails: bool = False
    prompt_patience_s: float | None = None
    """None: `patience_s` goes on during a prompt."""
    hold_patience_s: float | None = None
    """None: `patience_s` goes on with music."""


ENDINGS: Mapping[Fate, tuple[Ending, ...]] = {
    Fate.RING_OUT: ((480, 19, None), (480, 19, None), (408, 19, None)),
    Fate.REJECT: ((603, 21, None), (486, 21, None), (486, 17, None)),
    Fate.ENGAGED: ((486, 17, None), (486, 17, None), (600, 17, None)),
    Fate.SWITCHED_OFF: ((480, 20, None), (480, 20, None), (502, 27, None)),
    Fate.UNREACHABLE: ((480, 31, None),),
    Fate.LOCKED: ((403, 54, None), (480, 55, None)),
    Fate.LOCKED_MESSAGE: ((480, 31, None),),
    Fate.WRONG_NUMBER: ((404, 1, None), (404, 1, None), (484, 28, None), (410, 22, None)),
    Fate.WRONG_NUMBER_MESSAGE: ((480, 31, None),),
    Fate.MAILBOX: ((480, 31, None),),
    Fate.SILENCE: ((408, None, None),),
    Fate.NO_REPLY: ((408, None, None),),
    Fate.CONGESTION: ((503, 34, None), (503, 42, None), (500, 41, None)),
    Fate.BUSY_NETWORK: ((480, 31, None),),
    Fate.HOTLINE_BLOCKED: ((403, 21, None), (603, 21, "Network Blocked v=analytics1;")),
    Fate.MEDIA_FAULT: ((488, 88, None),),
}
"""Final responses by fate (statuses.md 2.5, 2.6), one of which is chosen."""

ANNOUNCEMENTS: Mapping[Fate, Announcement] = {
    Fate.UNREACHABLE: Announcement.UNREACHABLE,
    Fate.LOCKED_MESSAGE: Announcement.LOCKED,
    Fate.WRONG_NUMBER_MESSAGE: Announcement.WRONG_NUMBER,
    Fate.BUSY_NETWORK: Announcement.NETWORK_BUSY,
    Fate.MAILBOX: Announcement.MAILBOX,
}
"""Recordings in early media (statuses.md 2.10)."""

_MACHINE_STAYS_S = 45.0
"""A mailbox records this long before it hangs up by itself."""
_FIRST_WORD_S = 0.5
"""The earliest hang-up of an agent who finds a machine on the line."""


class ScriptWriter:
    """Write scripts from a profile's compiled distributions; the uniform numbers decide everything.

    Each uniform number has one use, so that a change of one thing leaves the others as they were.
    """

    def __init__(self, profile: CarrierProfile) -> None:
        self._profile = profile
        self._pdd = quantile(profile.post_dial_delay)
        self._talk, self._machine_talk = quantile(profile.talk), quantile(profile.machine_talk)
        self._patience, self._amd_delay = quantile(profile.patience), quantile(profile.amd_delay)
        self._caller_patience = quantile(profile.callers.patience)
        self._announcement = quantile(profile.announcement)
        listens = profile.prompt_patience
        self._prompt_patience: Quantile | None = None if listens is None else quantile(listens)
        waits = profile.hold_patience
        self._hold_patience: Quantile | None = None if waits is None else quantile(waits)
        self._rings: dict[Fate, Quantile] = {
            Fate.ANSWER: quantile(profile.answer_after),
            Fate.MACHINE: quantile(profile.mailbox_after),
            Fate.MAILBOX: quantile(profile.mailbox_after),
            Fate.RING_OUT: quantile(profile.ring_out_after),
            Fate.REJECT: quantile(profile.reject_after),
        }
        self._answering = {Fate.ANSWER: self._answered, Fate.MACHINE: self._machine}
        self._writers: dict[Fate, Callable[[str, Uniforms], Script]] = {
            Fate.SILENCE: self._silence,
            Fate.NO_REPLY: self._silence_at_once,
        }

    def write(self, fate: Fate, call_id: str, u: Uniforms, *, amd: bool = False) -> Script:
        """Return the script of a fate; `amd`: the switch detects machines on this call."""
        answered = self._answering.get(fate)
        if answered is not None:
            return answered(call_id, u, amd=amd)
        writer = self._writers.get(fate)
        return self._unanswered(fate, call_id, u) if writer is None else writer(call_id, u)

    def _ring(self, fate: Fate, call_id: str, u: Uniforms) -> tuple[list[Step], float]:
        profile = self._profile
        steps: list[Step] = [(profile.trying_s, CallProgressed(call_id))]
        rings_at = max(self._pdd(u[1]), profile.trying_s)
        rings = self._rings.get(fate)
        if rings is None:
            return steps, rings_at
        if u[7] >= profile.lost_ringing:
            steps.append((rings_at, CallRinging(call_id)))
        return steps, rings_at + rings(u[2])

    def _unanswered(self, fate: Fate, call_id: str, u: Uniforms) -> Script:
        steps, at = self._ring(fate, call_id, u)
        announcement = ANNOUNCEMENTS.get(fate)
        if announcement is not None:
            steps.append((at, EarlyMediaHeard(call_id, announcement)))
            at += self._announcement(u[8])
        steps.append((at, self._end(fate, call_id, u)))
        return Script(
            fate, steps, self._talk(u[3]), self._patience(u[4]), late_answer=self._answers_late(fate, u),
            prompt_patience_s=self._listens(u), hold_patience_s=self._waits(u),
        )  # fmt: skip

    def _listens(self, u: Uniforms) -> float | None:
        """Return how long a person hears a prompt; who hears one has no talk, whose number is free."""
        return None if self._prompt_patience is None else self._prompt_patience(u[3])

    def _waits(self, u: Uniforms) -> float | None:
        """Return how long a person waits with music; who waits heard no announcement, whose number is free."""
        return None if self._hold_patience is None else self._hold_patience(u[8])

    def caller(self, u: Uniforms) -> Script:
        """Return what a person does who calls us: waits, talks, and one of the two hangs up."""
        return Script(
            Fate.ANSWER, [], self._talk(u[3]), self._caller_patience(u[4]), u[6] < self._profile.agent_hangs_up,
            connect_fails=u[12] < self._profile.connect_fails,
        )  # fmt: skip

    def _answers_late(self, fate: Fate, u: Uniforms) -> bool:
        return fate in {Fate.RING_OUT, Fate.ANSWER} and u[9] < self._profile.late_answer

    def _end(self, fate: Fate, call_id: str, u: Uniforms) -> CallEnded:
        endings = ENDINGS[fate]
        sip_status, q850, text = endings[int(u[10] * len(endings))]
        if not self._profile.reason_header:
            q850 = None
        by = EndedBy.DIALER if fate is Fate.NO_REPLY else EndedBy.REMOTE
        return CallEnded(call_id, sip_status, q850, reason_text=text, ended_by=by)

    def _answered(self, call_id: str, u: Uniforms, *, amd: bool) -> Script:
        steps, at = self._ring(Fate.ANSWER, call_id, u)
        steps.append((at, CallAnswered(call_id)))
        profile = self._profile
        said = AmdResult.MACHINE if u[5] < profile.amd_false else AmdResult.HUMAN
        return Script(
            Fate.ANSWER, steps, self._talk(u[3]), self._patience(u[4]), u[6] < profile.agent_hangs_up,
            said if amd else None, self._amd_delay(u[11]), self._answers_late(Fate.ANSWER, u),
            u[12] < profile.connect_fails, self._listens(u), self._waits(u),
        )  # fmt: skip

    def _machine(self, call_id: str, u: Uniforms, *, amd: bool) -> Script:
        steps, at = self._ring(Fate.MACHINE, call_id, u)
        steps.append((at, CallAnswered(call_id)))
        profile = self._profile
        said = AmdResult.HUMAN if u[5] < profile.amd_missed else AmdResult.MACHINE
        talk_s = max(_FIRST_WORD_S, self._machine_talk(u[3]))
        return Script(
            Fate.MACHINE, steps, talk_s, _MACHINE_STAYS_S, agent_hangs_up=True, amd=said if amd else None,
            amd_delay_s=self._amd_delay(u[11]), connect_fails=u[12] < profile.connect_fails,
        )  # fmt: skip

    def _silence(self, call_id: str, u: Uniforms) -> Script:
        steps: list[Step] = [(self._profile.trying_s, CallProgressed(call_id))]
        steps.append((self._profile.silence_ends_s, self._end(Fate.SILENCE, call_id, u)))
        return Script(Fate.SILENCE, steps)

    def _silence_at_once(self, call_id: str, u: Uniforms) -> Script:
        return Script(Fate.NO_REPLY, [(self._profile.silence_ends_s, self._end(Fate.NO_REPLY, call_id, u))])


def refused(call_id: str, delay_s: float, *, retry_after_s: float | None) -> Script:
    """Return the script of a trunk that has no room: 503 (RFC 3261 section 21.5.4)."""
    end = CallEnded(call_id, 503, 34, ended_by=EndedBy.REMOTE, retry_after_s=retry_after_s)
    return Script(None, [(delay_s, end)])


def not_provisioned(call_id: str) -> Script:
    """Return the script of a caller id that the trunk's configuration does not know: nothing leaves."""
    end = CallEnded(call_id, ended_by=EndedBy.DIALER, local_error=LocalError.NO_HOTLINE)
    return Script(None, [(0.0, end)])
