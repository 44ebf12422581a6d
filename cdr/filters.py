"""Which calls: the filter that searches, exports and reports share, and how it becomes a query's parameters."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any, Final

import msgspec

from cdr.events import MICROS
from cdr.named import named
from dialer.errors import BadInput

PAGE: Final = 50
END_OF_TIME_US: Final = 4_102_444_800 * MICROS
_NO_BOUND_S: Final = 1e9
_CODE_MAX: Final = 65_535
_NUMBER_MAX: Final = 2**63 - 1


class CdrFilter(msgspec.Struct, frozen=True):
    """Which calls; fields left alone do not filter. Times in UTC epoch seconds, `..._from` <= t < `..._to`.

    For the next page of a long listing give the last row's `started_at` and `call_id` as `before_at` and `before_id`:
    unlike `offset`, that neither skips nor repeats calls that come in meanwhile.
    """

    campaign: str | None = None
    campaign_id: int | None = None
    phone: str | None = None
    """E.164."""
    status: tuple[str, ...] = ()
    """CallStatus values; any of them."""
    hotline: str | None = None
    direction: str | None = None
    """outbound, inbound, or missed: inbound that nobody took."""
    agent: str | None = None
    started_from: float | None = None
    started_to: float | None = None
    ended_from: float | None = None
    ended_to: float | None = None
    call_id: str | None = None
    """Our id or the SIP Call-ID."""
    extension: str | None = None
    app: str | None = None
    list_id: int | None = None
    lead_id: int | None = None
    customer_id: int | None = None
    trunk: str | None = None
    carrier: str | None = None
    disposition: str | None = None
    ended_by: str | None = None
    """EndedBy value: remote, dialer or agent."""
    reason: str | None = None
    """One of the reasons of the end (sub_reason, cancel_reason, local_error, announcement, dialstatus, fs_cause),
    or part of the network's reason text."""
    sip_status: tuple[int, ...] = ()
    """Final SIP codes; any of them."""
    q850: tuple[int, ...] = ()
    """Q.850 causes; any of them."""
    recorded: bool | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    min_talk_s: float | None = None
    """Of billsec (Đàm thoại): from the answer to the end."""
    max_talk_s: float | None = None
    min_wait_s: float | None = None
    """From the answer to the agent."""
    before_at: float | None = None
    before_id: str | None = None
    limit: int = PAGE
    offset: int = 0


_TEXTS: Final = (
    "call_id", "campaign", "phone", "hotline", "trunk", "carrier", "app", "direction", "agent", "extension",
    "disposition", "ended_by", "reason",
)  # fmt: skip
_IDS: Final = ("campaign_id", "list_id", "lead_id", "customer_id")


@functools.cache
def conditions() -> str:
    """Return the text of `cdr/sql/where.sql` without its comment."""
    lines = files("cdr").joinpath("sql", "where.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


@functools.cache
def with_filter(name: str) -> str:
    """Return a named query with the filter's conditions in the place of `$where`."""
    return named(name).replace("$where", conditions())


def where(wanted: CdrFilter) -> dict[str, Any]:
    """Return the parameters of `where.sql`; BadInput for a number that cannot be."""
    return {
        **{name: getattr(wanted, name) or "" for name in _TEXTS},
        **{name: whole_number(name, getattr(wanted, name) or 0) for name in _IDS},
        "from_us": micros(wanted.started_from, 0),
        "to_us": micros(wanted.started_to, END_OF_TIME_US),
        "ended_from_us": micros(wanted.ended_from, 0),
        "ended_to_us": micros(wanted.ended_to, END_OF_TIME_US),
        "status": list(wanted.status),
        "sip_status": _codes("sip_status", wanted.sip_status),
        "q850": _codes("q850", wanted.q850),
        "recorded": {None: "", True: "yes", False: "no"}[wanted.recorded],
        "min_duration_ms": _millis("min_duration_s", wanted.min_duration_s, 0.0),
        "max_duration_ms": _millis("max_duration_s", wanted.max_duration_s, _NO_BOUND_S),
        "min_talk_ms": _millis("min_talk_s", wanted.min_talk_s, 0.0),
        "max_talk_ms": _millis("max_talk_s", wanted.max_talk_s, _NO_BOUND_S),
        "min_wait_ms": _millis("min_wait_s", wanted.min_wait_s, 0.0),
    }


def micros(at: float | None, otherwise: int) -> int:
    """Return UTC epoch seconds as microseconds within what the engine can hold; None = `otherwise`."""
    return otherwise if at is None else min(max(0, round(at * MICROS)), END_OF_TIME_US)


def whole_number(name: str, value: int) -> int:
    """Return the number; BadInput when it is negative or no database has such a one."""
    if value < 0:
        raise BadInput(f"{name} {value}: it cannot be negative")
    if value > _NUMBER_MAX:
        raise BadInput(f"{name} {value}: there is no such number")
    return value


def _millis(name: str, span_s: float | None, otherwise_s: float) -> int:
    span_s = otherwise_s if span_s is None else span_s
    if not 0 <= span_s <= _NO_BOUND_S:
        raise BadInput(f"{name} {span_s}: write seconds, 0 or more")
    return round(span_s * 1000)


def _codes(name: str, codes: tuple[int, ...]) -> list[int]:
    for code in codes:
        if not 0 < code <= _CODE_MAX:
            raise BadInput(f"{name} {code}: there is no such code")
    return list(codes)
