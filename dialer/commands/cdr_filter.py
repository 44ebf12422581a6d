"""Read what a person asks of `dialer cdr`: its filter's options, with statuses, numbers and dates as they are typed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from dialer.errors import BadInput

if TYPE_CHECKING:
    from cdr.queries import CdrFilter

_DIRECTIONS: Final = ("outbound", "inbound", "missed")
_VOICES: Final = ("connected", "ivr", "missed")
PERIODS: Final = ("today", "yesterday", "last-7-days", "last-30-days", "this-month", "last-month")
_DATE_LENGTH: Final = len("2026-11-22")
_SIP_CODES: Final = range(100, 700)
_Q850_CAUSES: Final = range(1, 128)

_Text: TypeAlias = str | None
_Texts: TypeAlias = list[str] | None
_Number: TypeAlias = int | None
_Numbers: TypeAlias = list[int] | None
_Seconds: TypeAlias = float | None


def _option(*names: str, metavar: str, about: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=about, rich_help_panel="Which calls")


class Wish(NamedTuple):
    """The options of a search as they were typed; `takes_wish` gives them to a command."""

    campaign: Annotated[_Text, _option(metavar="NAME", about="Calls of this campaign.")] = None
    phone: Annotated[_Text, _option(metavar="N", about="Calls of this number, however written.")] = None
    status: Annotated[_Texts, _option(metavar="S", about="Any of these statuses (repeat it).")] = None
    voice: Annotated[_Text, _option(metavar="W", about=f"Instead: {', '.join(_VOICES)}.")] = None
    started_from: Annotated[_Text, _option("--from", metavar="ISO", about="2026-11-22 or 2026-11-22T08:30.")] = None
    started_to: Annotated[_Text, _option("--to", metavar="ISO", about="Up to then; a whole day if no time.")] = None
    period: Annotated[_Text, _option(metavar="P", about=f"Instead: {', '.join(PERIODS)}.")] = None
    ended_from: Annotated[_Text, _option(metavar="ISO", about="Calls that ended from then on.")] = None
    ended_to: Annotated[_Text, _option(metavar="ISO", about="Calls that ended up to then.")] = None
    hotline: Annotated[_Text, _option(metavar="N", about="Calls that showed this number.")] = None
    direction: Annotated[
        _Text, _option(metavar="WAY", about="outbound, inbound, or missed: inbound that nobody took.")
    ] = None
    app: Annotated[_Text, _option(metavar="APP", about="autodialer, autocall, click_to_call, dial, inbound.")] = None
    agent: Annotated[_Text, _option(metavar="ID", about="Calls of this agent.")] = None
    extension: Annotated[_Text, _option(metavar="EXT", about="Calls of this desk.")] = None
    call_id: Annotated[_Text, _option(metavar="ID", about="Our id of the call, or its SIP Call-ID.")] = None
    lead: Annotated[_Number, _option(metavar="ID", about="Calls of this lead.")] = None
    customer: Annotated[_Number, _option(metavar="ID", about="Calls of this customer, all leads.")] = None
    list_id: Annotated[_Number, _option("--list", metavar="ID", about="Calls of this list's leads.")] = None
    trunk: Annotated[_Text, _option(metavar="NAME", about="Calls over this trunk.")] = None
    carrier: Annotated[_Text, _option(metavar="NAME", about="Calls to this carrier.")] = None
    disposition: Annotated[_Text, _option(metavar="CODE", about="Calls with this result of the agent.")] = None
    ended_by: Annotated[_Text, _option(metavar="WHO", about="remote, dialer or agent.")] = None
    reason: Annotated[_Text, _option(metavar="WORDS", about="A reason of the end, or part of its text.")] = None
    sip_status: Annotated[_Numbers, _option(metavar="N", about="Any of these SIP codes (repeat it).")] = None
    q850: Annotated[_Numbers, _option(metavar="N", about="Any of these Q.850 causes (repeat it).")] = None
    recorded: Annotated[
        bool | None,
        typer.Option("--recorded/--not-recorded", help="With a recording, or without.", rich_help_panel="Which calls"),
    ] = None
    min_duration: Annotated[_Seconds, _option(metavar="S", about="At least so many seconds in all.")] = None
    max_duration: Annotated[_Seconds, _option(metavar="S", about="At most so many seconds in all.")] = None
    min_talk: Annotated[_Seconds, _option(metavar="S", about="At least so long from the answer on (billsec).")] = None
    max_talk: Annotated[_Seconds, _option(metavar="S", about="At most so long from the answer on.")] = None
    min_wait: Annotated[_Seconds, _option(metavar="S", about="At least so long from the answer to the agent.")] = None


def takes_wish(command: Callable[..., None]) -> Callable[..., None]:
    """Show the fields of Wish as the command's own options; the command itself gets them as `wish`."""
    hints, unasked = get_type_hints(Wish, include_extras=True), Wish._field_defaults
    rest = {name: p for name, p in inspect.signature(command, eval_str=True).parameters.items() if name != "wish"}

    @functools.wraps(command)
    def wrapped(**options: Any) -> None:
        command(wish=Wish(**{name: options.pop(name) for name in Wish._fields}), **options)

    kind = inspect.Parameter.KEYWORD_ONLY
    mine = [inspect.Parameter(name, kind, default=unasked[name], annotation=hints[name]) for name in Wish._fields]
    parameters = [*(parameter.replace(kind=kind) for parameter in rest.values()), *mine]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by typer
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def make_filter(wish: Wish, zone: tzinfo, *, today: date | None = None, limit: int = 50, offset: int = 0) -> CdrFilter:
    """Return the filter; BadInput names the option that is wrong and what it takes. `today` is for `--period`."""
    from cdr.queries import CdrFilter

    started_from, started_to = _started(wish, zone, today)
    return CdrFilter(
        campaign=wish.campaign, phone=_phone(wish.phone), status=_statuses(wish), hotline=wish.hotline,
        direction=_one_of("--direction", wish.direction, _DIRECTIONS), agent=wish.agent,
        started_from=started_from, started_to=started_to,
        ended_from=None if wish.ended_from is None else _moment("--ended-from", wish.ended_from, zone),
        ended_to=None if wish.ended_to is None else _moment("--ended-to", wish.ended_to, zone, whole_day=True),
        call_id=wish.call_id, extension=wish.extension, app=_app(wish.app), list_id=_id("--list", wish.list_id),
        lead_id=_id("--lead", wish.lead), customer_id=_id("--customer", wish.customer), trunk=wish.trunk,
        carrier=wish.carrier, disposition=wish.disposition, ended_by=_ended_by(wish.ended_by), reason=wish.reason,
        sip_status=_codes("--sip-status", wish.sip_status, _SIP_CODES), q850=_codes("--q850", wish.q850, _Q850_CAUSES),
        recorded=wish.recorded, **_spans(wish), limit=limit, offset=offset,
    )  # fmt: skip


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone; BadInput for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(f"--timezone {name!r}: no such zone; write one like Asia/Ho_Chi_Minh or UTC") from error


def _started(wish: Wish, zone: tzinfo, today: date | None) -> tuple[float | None, float | None]:
    if wish.period is not None:
        if wish.started_from is not None or wish.started_to is not None:
            raise BadInput("--period stands in for --from and --to: give the one or the others")
        return _period(wish.period, zone, today or datetime.now(zone).date())
    begin = None if wish.started_from is None else _moment("--from", wish.started_from, zone)
    end = None if wish.started_to is None else _moment("--to", wish.started_to, zone, whole_day=True)
    if begin is not None and end is not None and begin > end:
        raise BadInput(f"--from {wish.started_from!r} is after --to {wish.started_to!r}: no call can be between")
    return begin, end


def _period(name: str, zone: tzinfo, today: date) -> tuple[float, float]:
    """Return the start of the first day and the end of the last one, UTC epoch seconds."""
    _one_of("--period", name, PERIODS)
    month = today.replace(day=1)
    day = timedelta(days=1)
    first, after = {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "last-7-days": (today - 6 * day, today + day),
        "last-30-days": (today - 29 * day, today + day),
        "this-month": (month, today + day),
        "last-month": ((month - day).replace(day=1), month),
    }[name]
    return datetime.combine(first, time(), zone).timestamp(), datetime.combine(after, time(), zone).timestamp()


def _statuses(wish: Wish) -> tuple[str, ...]:
    from statuses.outcomes import CallStatus

    if wish.voice is None:
        return tuple(map(_status, wish.status or ()))
    if wish.status:
        raise BadInput("--voice stands in for --status: give the one or the other")
    _one_of("--voice", wish.voice, _VOICES)
    known = {"connected": (CallStatus.ANSWERED,), "ivr": (CallStatus.IVR,)}
    missed = tuple(status for status in CallStatus if status not in {CallStatus.ANSWERED, CallStatus.IVR})
    return tuple(status.value for status in known.get(wish.voice, missed))


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


def _app(text: str | None) -> str | None:
    from cdr.encode import APPLICATIONS

    return _one_of("--app", text, APPLICATIONS)


def _ended_by(text: str | None) -> str | None:
    from statuses.outcomes import EndedBy

    return _one_of("--ended-by", text, tuple(who.value for who in EndedBy))


def _one_of(option: str, text: str | None, known: tuple[str, ...]) -> str | None:
    if text is not None and text not in known:
        raise BadInput(f"{option} {text!r}: write {', '.join(known[:-1])} or {known[-1]}")
    return text


def _id(option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise BadInput(f"{option} {number}: an id is 1 or more")
    return number


def _codes(option: str, codes: list[int] | None, known: range) -> tuple[int, ...]:
    for code in codes or ():
        if code not in known:
            raise BadInput(f"{option} {code}: write {known[0]} to {known[-1]}")
    return tuple(codes or ())


def _spans(wish: Wish) -> dict[str, Any]:
    names = ("min_duration", "max_duration", "min_talk", "max_talk", "min_wait")
    spans = {name: span for name in names if (span := getattr(wish, name)) is not None}
    for name, span in spans.items():
        if not 0 <= span < float("inf"):
            raise BadInput(f"--{name.replace('_', '-')} {span}: write seconds, 0 or more")
    for what in ("duration", "talk"):
        if spans.get(f"min_{what}", 0.0) > spans.get(f"max_{what}", float("inf")):
            raise BadInput(f"--min-{what} is more than --max-{what}: no call can be both")
    return {f"{name}_s": span for name, span in spans.items()}


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
