"""Why a call ended or failed, as headers say it: Reason, Retry-After, Warning; read leniently, written exactly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from telephony_adapters.sip.lexical import has_control, parameters, quote, split, unquote, whole_number
from telephony_adapters.sip.names import is_token

SIP: Final = "SIP"
"""Protocol of a Reason whose cause is a status (RFC 3326 section 2)."""
Q850: Final = "Q.850"
"""Protocol of a Reason whose cause is one of ITU-T Q.850 (RFC 3326 section 2, RFC 6432 in responses)."""
LOCATIONS: Final = (
    "U", "LPN", "LN", "TN", "RLN", "RPN", "LOC-6", "INTL",
    "LOC-8", "LOC-9", "BI", "LOC-11", "LOC-12", "LOC-13", "LOC-14", "LOC-15",
)  # fmt: skip
"""Where a Q.850 cause arose, by its number in ISUP: U is the user (RFC 8606 section 4)."""

_CANONICAL = {name.lower(): name for name in (SIP, Q850)}
_CAUSE_DIGITS_MAX = 3
_WARNING = re.compile(r"([0-9]{3})[ \t]+(\S+)[ \t]+(.*)", re.DOTALL)


class Reason(NamedTuple):
    """One reason value (RFC 3326 section 2)."""

    protocol: str
    """SIP, Q.850 or another token."""
    cause: int | None = None
    text: str = ""
    location: str = ""
    """Of a Q.850 cause, as RFC 8606 writes it; as it came where that does not know it."""

    def __str__(self) -> str:
        """Write its value; raise ValueError on what no header can hold."""
        if not is_token(self.protocol) or (self.location and not is_token(self.location)):
            raise ValueError(f"protocol {self.protocol!r} and location {self.location!r} of a Reason are tokens")
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(self.text)}" if self.text else ""
        return self.protocol + cause + text + (f";location={self.location}" if self.location else "")


class RetryAfter(NamedTuple):
    """When to come again (RFC 3261 section 20.33)."""

    delay_s: int
    duration_s: int | None = None
    """How long the called party will be reachable from then on."""
    comment: str = ""

    def __str__(self) -> str:
        """Write its value; raise ValueError on a comment with control characters."""
        if has_control(self.comment):
            raise ValueError("the comment of a Retry-After holds no control character: remove it")
        comment = re.sub(r"([\\()])", r"\\\1", self.comment)
        duration = "" if self.duration_s is None else f";duration={self.duration_s}"
        return f"{self.delay_s}{f' ({comment})' if comment else ''}{duration}"


class SipWarning(NamedTuple):
    """Why a description or a request was not taken (RFC 3261 section 20.43)."""

    code: int
    agent: str
    text: str = ""

    def __str__(self) -> str:
        """Write its value; raise ValueError on what no header can hold."""
        if not self.agent or set(self.agent) & set(' \t\r\n,"'):
            raise ValueError(f"the agent of a Warning is a host or a name: change {self.agent!r}")
        return f"{self.code:03d} {self.agent} {quote(self.text)}"


def parse_reasons(values: Iterable[str]) -> list[Reason]:
    """Read Reason values, several in a value too; those that cannot be read are left out (RFC 3326 section 2)."""
    every = (_reason(text) for value in values for text in split(value, ","))
    return [reason for reason in every if reason]


def q850(values: Iterable[str]) -> Reason | None:
    """Return the first Q.850 reason that has a cause (RFC 6432 section 4)."""
    return next((each for each in parse_reasons(values) if each.protocol == Q850 and each.cause is not None), None)


def _reason(text: str) -> Reason | None:
    protocol, *rest = split(text, ";") or [""]
    if not is_token(protocol):
        return None
    given = parameters(rest)
    cause = given.get("cause", "")
    location = given.get("location", "")
    return Reason(
        protocol=_CANONICAL.get(protocol.lower(), protocol),
        cause=whole_number(cause) if len(cause) <= _CAUSE_DIGITS_MAX else None,
        text=given.get("text", ""),
        location=location.upper() if location.upper() in LOCATIONS else location,
    )


def parse_retry_after(value: str) -> RetryAfter | None:
    """Read a Retry-After (RFC 3261 section 20.33); None when it has no number of seconds."""
    delay, comment, rest = _commented(value)
    head, *parts = split(delay, ";") or [""]
    seconds = whole_number(head)
    if seconds is None:
        return None
    given = parameters(parts + split(rest, ";"))
    return RetryAfter(seconds, whole_number(given.get("duration", "")), comment)


def _commented(value: str) -> tuple[str, str, str]:
    """Return what stands before a comment, the comment, and what follows; brackets in comments nest."""
    start = value.find("(")
    if start < 0:
        return value, "", ""
    depth, place, kept = 0, start, []
    while place < len(value):
        character = value[place]
        depth += (character == "(") - (character == ")")
        if depth == 0:
            break
        if character == "\\":
            place += 1
        kept.append(value[place : place + 1])
        place += 1
    return value[:start], "".join(kept[1:]).strip(), value[place + 1 :]


def parse_warnings(values: Iterable[str]) -> list[SipWarning]:
    """Read Warning values, several in a value too; those that cannot be read are left out (RFC 3261 section 20.43)."""
    found = (_WARNING.fullmatch(text) for value in values for text in split(value, ","))
    return [SipWarning(int(each[1]), each[2], unquote(each[3])) for each in found if each]
