"""What a carrier can do to a call beyond a code: one row per scene, asked for by two digits of the called number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from simulator.wire.course import MOVED, Course, Login, Reinvite, Step
from statuses.outcomes import Announcement

_SOON_S: Final = 0.1
_TRYING: Final = Step(0.0, 100)
_RINGING: Final = Step(_SOON_S, 180)
_BLOCKED: Final = Step(_SOON_S, 603, 21, "Network Blocked v=analytics1;")
_LEFT: Final = (480, 31)
"""The generic end that carriers send behind a recording (statuses.md 2.10)."""


class Scene(NamedTuple):
    """One row. `make` gets the digit P behind the two, which the words explain."""

    code: int
    words: str
    make: Callable[[int], Course]


def _only(*steps: Step, **how: Any) -> Callable[[int], Course]:
    """Make what takes no digit."""
    return lambda _digit: Course("", steps, **how)


def _ends(status: int, q850: int | None = None) -> Callable[[int], Course]:
    return lambda digit: Course("", (_TRYING, _RINGING, Step(_SOON_S + digit, status, q850)))


def _answers(**how: Any) -> Callable[[int], Course]:
    return lambda digit: _answer(digit, **how)


def _answer(digit: float, *more: Step, **how: Any) -> Course:
    return Course("", (_TRYING, _RINGING, *more, Step(_SOON_S + digit, 200)), **how)


def _recording(said: Announcement | None) -> Callable[[int], Course]:
    early = Step(_SOON_S, 183, announcement=said, media=True)
    return lambda digit: Course("", (_TRYING, early, Step(_SOON_S + max(digit, 1), *_LEFT)))


def _mailbox(early: Step) -> Callable[[int], Course]:
    return lambda p: Course("", (_TRYING, early, Step(_SOON_S + p, 200, announcement=Announcement.MAILBOX)))


def _after(early: Step) -> Callable[[int], Course]:
    return lambda digit: Course("", (_TRYING, early, Step(2 * _SOON_S + digit, 200)))


def _flickers(digit: int) -> Course:
    early = Step(2 * _SOON_S, 183, media=True)
    again = _RINGING._replace(at_s=3 * _SOON_S), early._replace(at_s=4 * _SOON_S)
    return _answer(digit + 0.5, early, *again)


def _unavailable(digit: int) -> Course:
    return Course("", (Step(0.0, 503, 34, retry_after_s=float(digit)),))


_ROWS: Final = (
    Scene(0, "200 at once, nothing before it", _only(Step(0.0, 200))),
    Scene(1, "rings P s, answers", _answers()),
    Scene(2, "rings P s, the person rejects: 603, cause 21", _ends(603, 21)),
    Scene(3, "rings P s, the network ends it: 480, cause 19", _ends(480, 19)),
    Scene(4, "rings and never ends", _only(_TRYING, _RINGING)),
    Scene(5, "silence: not even 100", _only()),
    Scene(6, "100, then silence", _only(_TRYING)),
    Scene(7, "answers, BYE from the callee P s later", lambda p: _answer(0, bye_after_s=float(p))),
    Scene(8, "answers, BYE after hearing nobody for P s", lambda p: _answer(0, patience_s=float(p))),
    Scene(9, "answers, BYE after hearing somebody for P s", lambda p: _answer(0, talk_s=float(p))),
    Scene(10, "183 with ringback in early media, P s, 480", _recording(None)),
    Scene(11, "183: the handset cannot be reached, P s, 480", _recording(Announcement.UNREACHABLE)),
    Scene(12, "183: the number is locked, P s, 480", _recording(Announcement.LOCKED)),
    Scene(13, "183: the number is wrong, P s, 480", _recording(Announcement.WRONG_NUMBER)),
    Scene(14, "183: a mailbox, P s, 480", _recording(Announcement.MAILBOX)),
    Scene(15, "183: the network is busy, P s, 480", _recording(Announcement.NETWORK_BUSY)),
    Scene(16, "183: the caller's number is blocked, P s, 480", _recording(Announcement.HOTLINE_BLOCKED)),
    Scene(17, "rings P s, a mailbox answers with 200", _mailbox(_RINGING)),
    Scene(18, "181 forwarded, P s, a mailbox answers with 200", _mailbox(_RINGING._replace(status=181))),
    Scene(20, "rings; its 200 crosses the CANCEL", _only(_TRYING, _RINGING, late_answer=True)),
    Scene(21, "rings P s, two 200 with different To tags", _answers(forks=True)),
    Scene(22, "302 to another address", _only(_TRYING, Step(_SOON_S, 302, headers=MOVED))),
    Scene(23, "503 with Retry-After: P", _unavailable),
    Scene(24, "603 Network Blocked, by analytics", _only(_TRYING, _BLOCKED)),
    Scene(25, "180, 183, 180, 183, P s, answers", _flickers),
    Scene(26, "182 queued, P s, answers", _after(_RINGING._replace(status=182))),
    Scene(30, "401 once, rings P s, answers", _answers(login=Login.USER)),
    Scene(31, "407 once, rings P s, answers", _answers(login=Login.PROXY)),
    Scene(32, "407 twice, the first nonce being stale, then answers", _answers(login=Login.STALE)),
    Scene(33, "407 with MD5 only, then answers", _answers(login=Login.MD5)),
    Scene(34, "407 with SHA-256 only, then answers", _answers(login=Login.SHA256)),
    Scene(35, "401, whatever the credentials", _only(Step(0.0, 401))),
    Scene(36, "407, whatever the credentials", _only(Step(0.0, 407))),
    Scene(40, "answers, holds by re-INVITE P s later", lambda p: _answer(0, holds_s=(float(p),))),
    Scene(41, "answers, holds P s later, resumes P s after that", lambda p: _answer(0, holds_s=(float(p), 2.0 * p))),
    Scene(42, "answers; its re-INVITE crosses the caller's", _answers(reinvite=Reinvite.GLARE)),
    Scene(43, "answers, refuses a re-INVITE with 488", _answers(reinvite=Reinvite.REFUSE)),
    Scene(44, "answers, refuses a re-INVITE without SDP with 488", _answers(reinvite=Reinvite.NO_OFFER)),
    Scene(45, "answers, 491 to the first re-INVITE", _answers(reinvite=Reinvite.PENDING)),
    Scene(46, "answers, nothing but 100 to a re-INVITE", _answers(reinvite=Reinvite.SILENT)),
    Scene(47, "answers with a=inactive", _answers(answer_held=True)),
    Scene(50, "reliable 183 (100rel), P s, answers", _after(Step(_SOON_S, 183, media=True, reliable=True))),
    Scene(51, "reliable 180 (100rel), P s, answers", _after(_RINGING._replace(reliable=True))),
    Scene(52, "422 below a Session-Expires of 1800, else answers", _answers(min_se_s=1800)),
    Scene(53, "answers with Session-Expires: 90", _answers(session_s=90)),
)

SCENES: Final[Mapping[int, Scene]] = MappingProxyType({row.code: row for row in _ROWS})
"""By their two digits."""
