"""One call at the carrier, and how its parts are said in SIP headers; pure."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from urllib.parse import unquote

from simulator.wire.course import Course, Headers, Reinvite, Step
from simulator.wire.ledger import Row
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Message, Request
from telephony_adapters.sip.reason import Q850, Reason, parse_reasons
from telephony_adapters.sip.timers import Timer


class Line:
    """A call, from the INVITE that was let in to the end of its last dialog."""

    __slots__ = (
        "begun_at", "counted", "course", "drawn", "hang_up", "hears", "is_held", "key", "leg", "legs", "lost",
        "met", "next", "port", "row", "sdp", "timers", "unacked", "version",
    )  # fmt: skip

    def __init__(self, leg: Leg, row: Row, course: Course, now: float) -> None:
        self.key = leg.key
        self.leg = leg
        """The one that speaks: the first of those that live."""
        self.legs = [leg]
        """Dialogs that are not over: two after a fork."""
        self.unacked: list[Leg] = []
        """Those whose 2xx was not acknowledged yet."""
        self.row = row
        self.course = course
        self.drawn = course
        """What chance or the number wanted, whatever stood in its way."""
        self.begun_at = now
        """The INVITE that was let in."""
        self.next = 0
        """The step that comes next."""
        self.port = 0
        """Of its phone; 0 = none."""
        self.counted = False
        """It holds a channel of the trunk."""
        self.lost = False
        """The caller went away without a BYE."""
        self.met = False
        """A re-INVITE of the caller's was met as the course says."""
        self.hears: bool | None = None
        """The callee has somebody to hear; None = not answered yet."""
        self.is_held = False
        """The callee has put the caller on hold."""
        self.sdp: bytes | None = None
        """What the callee said last."""
        self.version = 0
        """Of what the callee said last."""
        self.timers: list[Timer] = []
        self.hang_up: Timer | None = None
        """When the callee loses patience, or has said everything."""

    @property
    def crosses(self) -> bool:
        """Tell whether the callee says something before it reads a CANCEL or a re-INVITE."""
        return self.course.late_answer or self.course.reinvite is Reinvite.GLARE


@lru_cache(maxsize=4096)
def headers_of(step: Step, announcement_header: str) -> Headers:
    """Return the headers of a step: the recording's name, Reason (RFC 6432), Retry-After, and its own."""
    shown = list(step.headers)
    if step.announcement is not None and announcement_header:
        shown.append((announcement_header, step.announcement.value))
    if step.q850 is not None:
        shown.append(("Reason", str(Reason(Q850, step.q850, step.text or ""))))
    if step.retry_after_s is not None:
        shown.append(("Retry-After", str(ceil(step.retry_after_s))))
    return tuple(shown)


def user_of(uri: str) -> str:
    """Return the user part of a URI, without its parameters; "" = there is none."""
    scheme, _, rest = uri.partition(":")
    user, at, _ = rest.rpartition("@")
    if not at:
        user = rest if scheme == "tel" else ""
    user = user.partition(";")[0].partition(":")[0]
    return unquote(user) if "%" in user else user


def caller_of(request: Request) -> str:
    """Return the number that a caller shows: P-Asserted-Identity (RFC 3325), else From."""
    value = request.get("P-Asserted-Identity") or request.get("From") or ""
    uri = value.rpartition("<")[2].partition(">")[0] if "<" in value else value.partition(";")[0]
    return user_of(uri.strip())


def reason_text(message: Message | None) -> str | None:
    """Return the text of the first Reason header that has one."""
    values = message.all("Reason") if message is not None else ()
    return next((reason.text for reason in parse_reasons(values) if reason.text), None) if values else None
