"""The SIP ladder of a call in its dialog: lanes and arrows that fit a desk and a phone alike; numbers are masked."""

from __future__ import annotations

import logging
from html import escape
from typing import Final
from urllib.parse import urlencode

from nicegui import ui

from dialer.errors import DialerError
from dialer.ports import CallTrace, TraceStep
from web.deps import WebDeps
from web.i18n import Words

log = logging.getLogger(__name__)

GAP_MS: Final = 1000.0
"""A silence that is longer is told."""
_TENTHS_BELOW_MS: Final = 10_000.0


async def read_trace(deps: WebDeps, call_id: str) -> CallTrace | None:
    """Return the call's ladder, None when no message of it is kept; files that cannot be read are no reason to fail."""
    try:
        return None if deps.traces is None else await deps.traces.trace(call_id)
    except DialerError as error:
        log.warning("the SIP trace cannot be read: %s", error, extra={"action": "trace.unreadable"})
        return None


def show_trace(words: Words, call_id: str, trace: CallTrace) -> None:
    """Add the ladder and its downloads to the current slot, folded up."""
    with ui.element("details").classes("trace"):
        with ui.element("summary"):
            ui.label(words("trace.title", n=len(trace.steps))).classes("name")
        if not trace.whole:
            ui.label(words("trace.cut")).classes("notice")
        ui.html(ladder_html(trace, words), sanitize=False)
        with ui.element("div").classes("trace-foot"):
            for kind in ("pcap", "txt"):
                target = f"/api/calls/trace.{kind}?{urlencode({'call_id': call_id})}"
                ui.link(words(f"trace.{kind}"), target).props("download")


def ladder_html(trace: CallTrace, words: Words) -> str:
    """Draw the ladder: what a message is stands over its arrow, times in front."""
    last = len(trace.columns) - 1
    places = [100 * lane / last for lane in range(last + 1)]
    names = [words(f"trace.{column.role}") for column in trace.columns]
    heads = "".join(
        f'<span style="left:{place:g}%;transform:translateX(-{place:g}%);text-align:{_side(place)}"'
        f' title="{escape(column.address)}"><b>{escape(name)}</b><small>{escape(column.address)}</small></span>'
        for place, name, column in zip(places, names, trace.columns, strict=True)
    )
    lanes = "".join(f'<i style="left:{place:g}%"></i>' for place in places)
    rows, before = [], 0.0
    for step in trace.steps:
        if step.ms - before >= GAP_MS:
            rows.append(_gap(step.ms - before, words))
        rows.append(_row(step, names, places, words))
        before = step.ms
    return (
        f'<div class="ladder" style="--lanes:{len(places)}">'
        f'<div class="ladder-head"><span class="at">ms</span><div class="track">{heads}</div></div>'
        f'<div class="ladder-body"><div class="lanes" aria-hidden="true">{lanes}</div>'
        f"<ol>{''.join(rows)}</ol></div></div>"
    )


def _row(step: TraceStep, names: list[str], places: list[float], words: Words) -> str:
    left, right = sorted((places[step.source], places[step.target]))
    way = "to-right" if step.source < step.target else "to-left"
    again = f"<em>{escape(words('trace.again'))}</em> " if step.again else ""
    ends = escape(f"{names[step.source]} → {names[step.target]}: ")
    return (
        f'<li class="{step.kind}"><span class="at">{_time(step.ms, words)}</span><div class="track">'
        f'<div class="wire {way}" style="margin-left:{left:g}%;width:{right - left:g}%">'
        f'<span class="unseen">{ends}</span>'
        f"<span>{again}{escape(step.label)}</span></div></div></li>"
    )


def _gap(ms: float, words: Words) -> str:
    return f'<li class="gap"><span class="at">{words("trace.gap", s=words.number(ms / 1000, 1))}</span></li>'


def _time(ms: float, words: Words) -> str:
    return words.number(ms, 1 if ms < _TENTHS_BELOW_MS else 0)


def _side(place: float) -> str:
    return {0.0: "left", 100.0: "right"}.get(place, "center")
