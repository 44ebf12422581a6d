"""Ready reports: calls by group with answer-seizure ratio, handle time, abandonment, and sums that agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cdr.filters import CdrFilter, where, with_filter
from cdr.named import Reader
from dialer.errors import BadInput
from statuses.outcomes import STATUS_COUNTERS

GROUPS_MAX: Final = 10_000
GROUPS: Final[Mapping[str, str]] = MappingProxyType({
    "campaign": "campaign_name",
    "hour": "formatDateTime(started_at, '%Y-%m-%d %H:00', {zone:String})",
    "hour-of-day": "formatDateTime(started_at, '%H', {zone:String})",
    "day": "formatDateTime(started_at, '%Y-%m-%d', {zone:String})",
    "agent": "agent_id",
    "hotline": "hotline",
    "carrier": "carrier",
    "trunk": "trunk",
    "status": "status",
    "list": "toString(list_id)",
})  # fmt: skip
"""What a report can be grouped by; hours and days are those of the asker's zone, by the call's start."""
_COUNTERS: Final = ", ".join(f"countIf(status = '{status.value}')" for status in STATUS_COUNTERS)

Cell: TypeAlias = str | int | float | None


class ReportRow(msgspec.Struct, frozen=True):
    """Sums over the calls of a group; spans in milliseconds, so that they are exact.

    `answered` by the network, `connected` to an agent, `abandoned` = status busy-line; `statuses` by CallStatus in its
    order. waitsec = duration - billsec, and the statuses add up to `calls`.
    """

    group: str
    calls: int
    answered: int
    connected: int
    abandoned: int
    statuses: tuple[int, ...]
    duration_ms: int
    billsec_ms: int
    waitsec_ms: int
    ring_ms: int
    wait_ms: int
    talk_ms: int
    wrap_ms: int

    @property
    def asr(self) -> float | None:
        """Return the answer-seizure ratio (ITU-T E.411): answered of all calls; None without calls."""
        return _share(self.answered, self.calls)

    @property
    def abandonment(self) -> float | None:
        """Return abandoned of all that an agent was meant to take; the law counts elsewhere (campaign compliance)."""
        return _share(self.abandoned, self.abandoned + self.connected)

    @property
    def aht_s(self) -> float | None:
        """Return the average handle time: talk and wrap-up of a call that an agent had, in seconds."""
        return _share(self.talk_ms + self.wrap_ms, 1000 * self.connected)

    @property
    def mean_wait_s(self) -> float | None:
        """Return how long those who were answered waited for an agent, in seconds."""
        return _share(self.wait_ms, 1000 * (self.connected + self.abandoned))


class Report(NamedTuple):
    """A ready report: what it is by itself grouped by, and its columns."""

    by: str
    about: str
    columns: Mapping[str, Callable[[ReportRow], Cell]]


def _seconds(name: str) -> Callable[[ReportRow], Cell]:
    return lambda row: getattr(row, f"{name}_ms") / 1000


def _plain(*names: str) -> dict[str, Callable[[ReportRow], Cell]]:
    return {name: attrgetter(name) for name in names}


def _counter(place: int) -> Callable[[ReportRow], Cell]:
    return lambda row: row.statuses[place]


REPORTS: Final[Mapping[str, Report]] = MappingProxyType({
    "calls": Report("campaign", "counts, ASR, abandonment, AHT, talk", _plain(
        "calls", "answered", "asr", "connected", "abandoned", "abandonment", "aht_s",
    ) | {"talk_s": _seconds("talk"), "billsec_s": _seconds("billsec")}),
    "statuses": Report("campaign", "the twelve statuses, which add up to the calls", {
        counter: _counter(place) for place, counter in enumerate(STATUS_COUNTERS.values())
    } | _plain("calls")),
    "times": Report("campaign", "sums of seconds: duration = billsec + waitsec", _plain("calls") | {
        f"{name}_s": _seconds(name) for name in ("duration", "billsec", "waitsec", "ring", "wait", "talk", "wrap")
    }),
    "agents": Report("agent", "what each agent did", _plain("connected") | {
        "talk_s": _seconds("talk"), "wrap_s": _seconds("wrap"),
    } | _plain("aht_s", "mean_wait_s")),
    "lines": Report("hotline", "how well each line gets through", _plain("calls", "answered", "asr") | {
        name: _counter(list(STATUS_COUNTERS.values()).index(name)) for name in ("congestion", "invalid", "phone_block")
    } | {"ring_s": _seconds("ring")}),
})  # fmt: skip


async def report(reader: Reader, wanted: CdrFilter, *, by: str, zone: str) -> list[ReportRow]:
    """Return the sums of the calls that match, by group in order; days and hours are those of `zone`.

    Raises BadInput for an unknown `by`, and when there are more than GROUPS_MAX groups.
    """
    if by not in GROUPS:
        raise BadInput(f"a report is grouped by one of {', '.join(GROUPS)}")
    _check_zone(zone)
    text = with_filter("report").replace("$group", GROUPS[by]).replace("$counters", _COUNTERS)
    rows = await reader.query(text, where(wanted) | {"zone": zone, "limit": GROUPS_MAX + 1})
    if len(rows) > GROUPS_MAX:
        raise BadInput(
            f"more than {GROUPS_MAX} groups: narrow the time with --from and --to, or group by something else"
        )
    return [_row(row) for row in rows]


def total(rows: Sequence[ReportRow]) -> ReportRow:
    """Return the sums over all groups."""
    columns = [name for name in ReportRow.__struct_fields__ if name not in {"group", "statuses"}]
    sums: dict[str, Any] = {name: sum(getattr(row, name) for row in rows) for name in columns}
    statuses = [sum(row.statuses[place] for row in rows) for place in range(len(STATUS_COUNTERS))]
    return ReportRow(group="", statuses=tuple(statuses), **sums)


def cells(name: str, row: ReportRow) -> dict[str, Cell]:
    """Return a report's columns of one group; ratios are None when there is nothing to divide by."""
    return {column: value(row) for column, value in REPORTS[name].columns.items()}


def _row(row: Sequence[Any]) -> ReportRow:
    group, calls, answered, connected, abandoned, statuses, *spans = row
    return ReportRow(str(group), calls, answered, connected, abandoned, tuple(statuses), *map(int, spans))


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput("a report needs the name of a time zone, like Asia/Ho_Chi_Minh") from error


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
