"""Read what a person asks of `dialer cdr`: statuses, numbers and dates as they are typed."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialer.errors import BadInput

if TYPE_CHECKING:
    from cdr.queries import CdrFilter

_DIRECTIONS: Final = ("outbound", "inbound")
_DATE_LENGTH: Final = len("2026-11-22")


class Wish(NamedTuple):
    """The options of a search as they were typed."""

    campaign: str | None = None
    phone: str | None = None
    status: tuple[str, ...] = ()
    started_from: str | None = None
    started_to: str | None = None
    hotline: str | None = None
    direction: str | None = None
    agent: str | None = None


def make_filter(wish: Wish, zone: tzinfo, *, limit: int = 50) -> CdrFilter:
    """Return the filter; BadInput names the option that is wrong and what it takes."""
    from cdr.queries import CdrFilter

    return CdrFilter(
        campaign=wish.campaign,
        phone=_phone(wish.phone),
        status=tuple(map(_status, wish.status)),
        hotline=wish.hotline,
        direction=_direction(wish.direction),
        agent=wish.agent,
        started_from=None if wish.started_from is None else _moment("--from", wish.started_from, zone),
        started_to=None if wish.started_to is None else _moment("--to", wish.started_to, zone, whole_day=True),
        limit=limit,
    )


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone; BadInput for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(f"--timezone {name!r}: no such zone; write one like Asia/Ho_Chi_Minh or UTC") from error


def _status(text: str) -> str:
    from statuses.outcomes import parse_status

    try:
        return parse_status(text).value
    except ValueError as error:
        raise BadInput(f"--status {text!r}: {error}") from error


def _phone(text: str | None) -> str | None:
    from crm.numbers import need_phone

    if text is None:
        return None
    try:
        return need_phone(text)
    except BadInput as error:
        raise BadInput(f"--phone: {error}") from error


def _direction(text: str | None) -> str | None:
    if text is not None and text not in _DIRECTIONS:
        raise BadInput(f"--direction {text!r}: write {' or '.join(_DIRECTIONS)}")
    return text


def _moment(option: str, text: str, zone: tzinfo, *, whole_day: bool = False) -> float:
    """Return UTC epoch seconds; a date alone is its midnight in `zone`, or the next one with `whole_day`."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        if whole_day and len(text) <= _DATE_LENGTH and moment.timetz().replace(tzinfo=None) == time():
            moment += timedelta(days=1)
        return moment.timestamp()
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"{option} {text!r}: write a date like 2026-11-22, or a time like 2026-11-22T08:30+07:00"
        ) from error
