"""What the carrier says to one INVITE, and how the person behind it behaves after the answer: values, no time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import msgspec

from dialer.core.events import CallAnswered, CallEnded, CallProgressed, CallRinging, EarlyMediaHeard
from simulator.profile import Fate
from simulator.script import Script
from statuses.outcomes import Announcement, EndedBy

Headers: TypeAlias = tuple[tuple[str, str], ...]

_OK: Final = 200
_NOT_PROVISIONED: Final = (403, 57)
"""What a caller id that the carrier does not know gets: bearer capability not authorized (Q.850)."""


class Step(NamedTuple):
    """One response: a provisional one, the answer (200), or a refusal."""

    at_s: float
    """Seconds since the INVITE."""
    status: int
    q850: int | None = None
    text: str | None = None
    """The text of the Reason header (RFC 3326)."""
    announcement: Announcement | None = None
    """The recording that plays from now on."""
    media: bool = False
    """A provisional response carries SDP: early media."""
    reliable: bool = False
    """A provisional response must be acknowledged (RFC 3262)."""
    retry_after_s: float | None = None
    headers: Headers = ()


class Login(StrEnum):
    """What credentials the carrier wants of an INVITE; a refusal of 401 or 407 always carries a challenge."""

    PROFILE = "profile"
    """As the profile says."""
    USER = "user"
    """401, once."""
    PROXY = "proxy"
    """407, once."""
    STALE = "stale"
    """The first good credentials are refused with stale=true and a new nonce (RFC 7616 section 3.3)."""
    MD5 = "md5"
    """Only MD5 is offered."""
    SHA256 = "sha256"
    """Only SHA-256 is offered (RFC 8760)."""


class Reinvite(StrEnum):
    """How the callee takes the caller's re-INVITE."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    """488, always."""
    NO_OFFER = "no_offer"
    """488 when it carries no SDP: a gateway that refuses delayed offers (RFC 3725)."""
    PENDING = "pending"
    """491 the first time (RFC 3261 section 14.2)."""
    GLARE = "glare"
    """A re-INVITE of the callee's own crosses it."""
    SILENT = "silent"
    """100, and nothing after it."""


class Course(msgspec.Struct, frozen=True):
    """The course of one call, left to itself. No steps: nothing is said, not even 100."""

    name: str
    steps: tuple[Step, ...] = ()
    talk_s: float | None = None
    """The callee hangs up after so long of hearing somebody; None = waits for the caller's BYE."""
    patience_s: float | None = None
    """The callee hangs up after so long of hearing nobody."""
    bye_after_s: float | None = None
    """The callee hangs up so long after the answer, whatever it hears."""
    late_answer: bool = False
    """The 200 crosses the CANCEL (RFC 3261 section 9.1)."""
    forks: bool = False
    """Two 2xx with different To tags come (RFC 3261 section 13.2.2.4)."""
    login: Login = Login.PROFILE
    reinvite: Reinvite = Reinvite.ACCEPT
    holds_s: tuple[float, ...] = ()
    """The callee's own re-INVITEs, in seconds after the answer: hold, resume, hold ..."""
    answer_held: bool = False
    """The answer says a=inactive."""
    session_s: int = 0
    """Session-Expires of the answer (RFC 4028); 0 = none."""
    min_se_s: int = 0
    """A shorter Session-Expires is refused with 422 (RFC 4028 section 6)."""


AT_ONCE: Final = Course("at_once", (Step(0.0, 180), Step(0.0, 200)))
"""Ring and answer without delay, and wait for the BYE: what `sipp -sn uas` does."""

COMPANIONS: Final[Mapping[int, Headers]] = MappingProxyType(
    {
        405: (("Allow", "OPTIONS, REGISTER"),),
        415: (("Accept", "application/sdp"),),
        420: (("Unsupported", "timer"),),
        421: (("Require", "100rel"),),
        422: (("Min-SE", "1800"),),
        423: (("Min-Expires", "3600"),),
        488: (("Warning", '304 carrier.invalid "Media type not available"'),),
        606: (("Warning", '304 carrier.invalid "Media type not available"'),),
    }
)
"""Headers without which a code means nothing (RFC 3261 section 21, RFC 4028 section 6)."""

MOVED: Final[Headers] = (("Contact", "<sip:elsewhere@carrier.invalid>"),)
"""Where a 3xx sends the caller: nowhere."""


def companions(status: int) -> Headers:
    """Return the headers that belong to a final response."""
    return MOVED if status // 100 == 3 else COMPANIONS.get(status, ())  # noqa: PLR2004 - the class of redirections


def from_script(script: Script) -> Course:
    """Turn a script of the in-process carrier into what a wire shows of it.

    The agent's hang-up is the caller's BYE; a call that the dialer would give up by itself gets no reply.
    """
    steps = tuple(_step(at, event, script.fate) for at, event in script.steps if not _is_unheard(event))
    name = "refused" if script.fate is None else script.fate.value
    if script.fate is Fate.MACHINE:
        return Course(name, steps, bye_after_s=script.patience_s)
    talk_s = None if script.agent_hangs_up else script.talk_s
    return Course(name, steps, talk_s, script.patience_s, late_answer=script.late_answer)


def _is_unheard(event: object) -> bool:
    return type(event) is CallEnded and event.ended_by is EndedBy.DIALER and event.local_error is None


def _step(at: float, event: object, fate: Fate | None) -> Step:
    match event:
        case CallProgressed():
            return Step(at, 100)
        case CallRinging():
            return Step(at, 180)
        case EarlyMediaHeard(announcement=said):
            return Step(at, 183, announcement=said, media=True)
        case CallAnswered():
            return Step(at, _OK, announcement=Announcement.MAILBOX if fate is Fate.MACHINE else None)
        case CallEnded(sip_status=int(status), q850=q850, reason_text=text, retry_after_s=after):
            return Step(at, status, q850, text, retry_after_s=after, headers=companions(status))
        case CallEnded():
            return Step(at, *_NOT_PROVISIONED)
        case _:
            raise AssertionError(f"a carrier's script has no {type(event).__name__}")
